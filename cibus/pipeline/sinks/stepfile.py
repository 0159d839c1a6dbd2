"""Which step each line of the log belongs to, in the run's folder beside the log."""

from __future__ import annotations

from pathlib import Path

from cibus.errors import CibusError
from cibus.marks import Ended, Entered, Lines, MarkWriter, Opened
from cibus.pipeline.events import (
    BlockEnded,
    BlockStarted,
    Event,
    Output,
    RunEnded,
    StageStarted,
    StepEnded,
    StepStarted,
)
from cibus.pipeline.sinks.jenkinslog import JenkinsText


class StepFile:
    """Writes marks (see :mod:`cibus.marks`) for the log that :class:`LogFile` writes from the same events.

    Raises:
        CibusError: the disk is full or the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._text = JenkinsText()
        self._file = path.open("w", encoding="utf-8", errors="replace", newline="\n")
        self._marks = MarkWriter(self._file)
        self._line = 0  # of the log, that is being written
        self._begun = False  # something was written of it
        self._bodies: dict[tuple[int, str], list[str]] = {}  # that are open, by step and branch
        self._ended: dict[tuple[int, str], str] = {}  # the last body that ended
        self._counts: dict[int, int] = {}
        self._stages: dict[int, str] = {}  # the innermost one of each open step
        self._places: dict[int, tuple[int, str]] = {}  # its parent and branch

    def __call__(self, event: Event) -> None:
        """Takes an event."""
        text = self._text.text(event)
        try:
            self._take(event, text)
            if isinstance(event, RunEnded):
                self._marks.flush()
                self._file.close()
        except OSError as error:
            raise CibusError(f"{self.path}: cannot be written: {error.strerror}; free some space or choose another --state-dir") from error

    def _take(self, event: Event, text: str) -> None:
        if isinstance(event, Output):
            self._output(event, text)
            return
        if text.startswith("\n") and self._begun:  # ends a line that an output left open
            self._line, self._begun, text = self._line + 1, False, text[1:]
        at = self._line if text else None
        if isinstance(event, StepStarted):
            self._opened(event, at)
        elif isinstance(event, StageStarted):
            self._stages[event.id] = event.name
        elif isinstance(event, BlockStarted):
            self._entered(event, at)
        elif isinstance(event, BlockEnded):
            open_ones = self._bodies.get((event.step, event.branch)) or self._bodies.get((event.step, ""))
            if open_ones:
                body = self._ended[event.step, event.branch] = open_ones.pop()
                self._marks.write(Ended(body, at))
        elif isinstance(event, StepEnded):
            if at is not None or event.error:  # that a step without a body ended well, nobody asks for
                self._marks.write(Ended(str(event.id), at, event.error or ""))
            for table in (self._counts, self._stages, self._places):
                table.pop(event.id, None)
        self._line += text.count("\n")

    def _opened(self, event: StepStarted, at: int | None) -> None:
        stage = self._stages.get(event.parent, "")
        self._stages[event.id] = stage
        self._places[event.id] = (event.parent, event.branch)
        mark = Opened(str(event.id), self._inside(event.parent, event.branch), event.name, at, stage, event.branch, event.line, event.label or event.arguments)
        self._marks.write(mark)

    def _inside(self, parent: int, branch: str) -> str:
        """The body of a step that something in a branch is in."""
        bodies = self._bodies.get((parent, branch)) or self._bodies.get((parent, ""))
        if bodies:
            return bodies[-1]
        return str(parent) if parent else ""

    def _entered(self, event: BlockStarted, at: int | None) -> None:
        count = self._counts[event.step] = self._counts.get(event.step, 0) + 1
        body = f"{event.step}.{count}"
        self._bodies.setdefault((event.step, event.branch), []).append(body)
        self._marks.write(Entered(body, str(event.step), event.title, at))

    def _output(self, event: Output, text: str) -> None:
        whole = text.count("\n")
        first = self._line + (1 if self._begun else 0)  # a line belongs to whom it began with
        self._line += whole
        if not text.endswith("\n"):
            ends, self._begun = self._line + 1, bool(text) or self._begun
            if not text:
                return
        else:
            ends, self._begun = self._line, False
        if event.step and ends > first:
            self._marks.write(Lines(self._owner(event), first, ends - first))

    def _owner(self, event: Output) -> str:
        """A branch's own words (that it failed) are its body's, what a step prints is the step's."""
        if event.branch and self._places.get(event.step, (0, event.branch))[1] != event.branch:
            return self._ended.get((event.step, event.branch)) or self._inside(event.step, event.branch)
        return str(event.step)
