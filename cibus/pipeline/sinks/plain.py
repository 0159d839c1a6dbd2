"""Plain lines: stages as headers, steps with their output below, each line marked with its branch where there are several."""

from __future__ import annotations

from typing import TextIO

from cibus.pipeline.events import (
    Event,
    Output,
    PipelineEnded,
    PromptStarted,
    Remark,
    RunEnded,
    RunStarted,
    StageEnded,
    StageStarted,
    StepStarted,
)
from cibus.pipeline.sinks.progress import ESCAPES, Node, Progress, duration
from cibus.pipeline.sinks.remarks import Remarks

QUIET = frozenset({"echo", "error", "unstable"})
"""Steps whose output says it all."""
LONGEST = 120


class Plain:
    """Writes plain lines, without colours or control sequences."""

    def __init__(self, stream: TextIO, errors: TextIO) -> None:
        self._stream = stream
        self._remarks = Remarks(errors)
        self._progress = Progress()
        self._open: str | None = None  # the prefix of a line that has not ended

    def __call__(self, event: Event) -> None:
        """Takes an event."""
        if isinstance(event, Remark):
            self._end_line()
            self._stream.flush()
            self._remarks(event)
            return
        before = self._prefix(event)
        self._progress.take(event)
        text = self._text(event, before)
        if text:
            self._stream.write(text)
        if not isinstance(event, Output) or event.partial:
            self._stream.flush()

    def _text(self, event: Event, before: str) -> str:
        if isinstance(event, Output):
            return self._output(event)
        if isinstance(event, StepStarted):
            return self._step(event)
        if isinstance(event, StageStarted):
            return self._whole(f"{before}stage {event.name}\n")
        if isinstance(event, StageEnded):
            return self._whole(f"{before}stage {event.name}: {self._word(event)}\n")
        if isinstance(event, RunStarted):
            return self._whole(f"{event.job} #{event.number}\n")
        if isinstance(event, PipelineEnded):
            return self._whole("".join(f"{line}\n" for line in event.epilogue))
        if isinstance(event, RunEnded):
            from cibus.pipeline.sinks.summary import summary

            return self._whole(summary(self._progress, event.seconds, event.record, epilogue=False))
        return self._whole("") if isinstance(event, PromptStarted) else ""

    def _word(self, event: StageEnded) -> str:
        """A stage's status and time."""
        status = self._progress.ended.status if self._progress.ended else event.status
        return "skipped" if status == "NOT_EXECUTED" else f"{status}, {duration(event.seconds)}"

    def _prefix(self, event: Event) -> str:
        """What stands before a stage's own lines: taken before the event changes the tree."""
        if isinstance(event, (StageStarted, StageEnded)):
            step = self._progress.steps.get(event.id)
            node = step.node if step is not None else self._progress.root
            return _lead(node)
        return ""

    def _step(self, event: StepStarted) -> str:
        if event.block or event.name in QUIET:
            return ""
        node = self._progress.node_of(event.parent, event.branch)
        what = f"{event.name} {event.label or event.arguments}".strip()
        return self._whole(f"{_lead(node)}{what[:LONGEST]}{'…' if len(what) > LONGEST else ''}\n")

    def _output(self, event: Output) -> str:
        step = self._progress.steps.get(event.step)
        lead = _lead(self._progress.place(event.step, event.branch)) + (
            "" if step is None or step.block or step.name in QUIET else "  "
        )
        text = (
            ESCAPES.sub("", event.text.replace("\r\n", "\n"))
            if "\x1b" in event.text or "\r" in event.text
            else event.text
        )
        start = "" if self._open == lead else ("\n" if self._open is not None else "") + lead
        self._open = None if not event.partial else lead
        body = text[:-1] if text.endswith("\n") else text
        return start + body.replace("\n", "\n" + lead) + ("\n" if text.endswith("\n") else "")

    def _whole(self, text: str) -> str:
        start = "\n" if self._open is not None else ""
        self._open = None
        return start + text

    def _end_line(self) -> None:
        if self._open is not None:
            self._stream.write(self._whole(""))


def _lead(node: Node) -> str:
    """The branch in brackets, where there are several, and two spaces for each enclosing stage."""
    depth, branch = 0, ""
    current: Node | None = node
    while current is not None and current.kind != "run":
        if current.kind == "stage":
            depth += 1
        elif not branch:
            branch = f"[{current.name}] "
        current = current.parent
    return branch + "  " * depth
