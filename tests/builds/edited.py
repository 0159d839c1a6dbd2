"""A build's console that can be edited line by line, with the file of steps following."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from cibus.builds.side import Side
from cibus.marks import Ended, Entered, Lines, Mark, MarkWriter, Opened, read_marks

MARKER = "[Pipeline] "


@dataclass
class Entry:
    """A line, whose it is, and what begins or ends with it."""

    text: str
    owner: str = ""
    marks: list[Mark] = field(default_factory=list)  # at this line
    after: list[Mark] = field(default_factory=list)  # without a line of their own, behind it


@dataclass(frozen=True)
class Site:
    """A line of output and where it is, found without the code that is under test."""

    index: int
    stages: tuple[str, ...]
    step: str
    number: int  # of that name in the innermost stage
    parallel: tuple[tuple[str, ...], int] | None  # the stages around the outermost parallel, and its number


@dataclass
class Edited:
    """A side whose lines can be changed."""

    side: Side
    entries: list[Entry]

    @classmethod
    def of(cls, side: Side) -> Edited:
        """Reads a side."""
        lines = side.console.read_text("utf-8", errors="replace").split("\n")
        entries = [Entry(line) for line in (lines[:-1] if lines[-1] == "" else lines)]
        last = 0
        for mark in read_marks(side.steps) if side.steps else ():
            if isinstance(mark, Lines):
                for number in range(mark.first, min(mark.first + mark.count, len(entries))):
                    entries[number].owner = mark.id
                last = mark.first + mark.count - 1
            elif mark.at is None:
                entries[last].after.append(mark)
            else:
                entries[mark.at].marks.append(mark)
                last = mark.at
        return cls(side, entries)

    def write(self, folder: Path, name: str) -> Side:
        """The side as it is now."""
        folder.mkdir(parents=True, exist_ok=True)
        console = folder / f"{name}.log"
        console.write_text("".join(entry.text + "\n" for entry in self.entries), "utf-8")
        if self.side.steps is None:
            return replace(self.side, console=console)
        steps = folder / f"{name}.log.steps"
        with steps.open("w", encoding="utf-8") as file:
            writer = MarkWriter(file)
            for at, entry in enumerate(self.entries):
                for mark in entry.marks:
                    assert not isinstance(mark, Lines)
                    writer.write(replace(mark, at=at))
                if entry.owner and not entry.marks:
                    writer.write(Lines(entry.owner, at, 1))
                for mark in entry.after:
                    writer.write(mark)
            writer.flush()
        return replace(self.side, console=console, steps=steps)

    def sites(self) -> list[Site]:
        """The lines that a step printed right behind its ``[Pipeline]`` line; of the flow as the text has it."""
        found: list[Site] = []
        stack: list[tuple[str, dict[str, int]]] = [("", {})]  # stages, with the steps that began in them
        blocks: list[str] = []
        step, last, parallel = "", "", None
        for index, entry in enumerate(self.entries):
            text = entry.text
            if not text.startswith(MARKER):
                if step and not re.match(r"Post stage|Stage \"", text):
                    stages = tuple(name for name, _ in stack[1:])
                    found.append(Site(index, stages, step, stack[-1][1][step], parallel))
                continue
            words = text.removeprefix(MARKER)
            step = ""
            if words.startswith("{"):
                title = words[3:-1]
                blocks.append("stage" if last == "stage" else "")
                if last == "stage" and parallel is None:
                    stack.append((title, {}))
                last = ""
            elif words == "}":
                if blocks and blocks.pop() == "stage" and parallel is None:
                    stack.pop()
            elif words.startswith("// "):
                parallel = None if words == "// parallel" and parallel and self._forks(index) == 0 else parallel
            elif words not in ("Start of Pipeline", "End of Pipeline"):
                step = last = words
                for _, counts in stack:
                    counts[words] = counts.get(words, 0) + 1
                if words == "parallel" and parallel is None:
                    parallel = (tuple(name for name, _ in stack[1:]), stack[-1][1]["parallel"])
            else:
                last = ""
        return found

    def _forks(self, index: int) -> int:
        texts = [entry.text for entry in self.entries[: index + 1]]
        return texts.count(f"{MARKER}parallel") - texts.count(f"{MARKER}// parallel")

    def opened(self, id: str) -> Opened | None:
        """The record of a step by its id, or of the step whose body that is."""
        for entry in self.entries:
            for mark in entry.marks:
                if isinstance(mark, Opened) and mark.id == id:
                    return mark
                if isinstance(mark, Entered) and mark.id == id:
                    return self.opened(mark.of)
        return None

    def stage_range(self, at: int) -> tuple[int, int] | None:
        """The lines of the stage whose ``[Pipeline] stage`` is at that line, to its ``// stage``; none where branches mix."""
        depth = 0
        for index in range(at, len(self.entries)):
            text = self.entries[index].text
            depth += {f"{MARKER}stage": 1, f"{MARKER}// stage": -1}.get(text, 0)
            if text in (f"{MARKER}parallel", f"{MARKER}// parallel"):
                return None
            if depth == 0:
                return at, index + 1
        return None


def ended(marks: list[Mark]) -> bool:
    """Whether something ends here."""
    return any(isinstance(mark, Ended) for mark in marks)
