"""Findings as people read them: the place in words, and the lines around it."""

from __future__ import annotations

import re

from cibus.builds.compare.lines import Half
from cibus.builds.compare.model import Divergence, Place, Quote
from cibus.builds.compare.tree import Node, Tree
from cibus.builds.compare.walk import Finding
from cibus.builds.side import Side
from cibus.marks import Ended, Opened, read_marks

AROUND = 3
SHELLS = frozenset({"sh", "bat", "powershell", "pwsh"})
_SKIPPED = "skipped due to earlier failure(s)"
_EXIT = re.compile(r"(?:script returned|process apparently exited with) (?:exit )?code (-?\d+)|exit code (-?\d+)")


class Quoting:
    """Makes divergences of findings; the consoles must be open."""

    def __init__(self, a: Side, b: Side, one: Tree, other: Tree) -> None:
        self._trees = one, other
        self._sides = a, b
        self._numbers: dict[int, dict[int, int]] = {}
        self._known: list[dict[int, Opened] | None] = [None, None]
        self._failed: list[int | None] = [None, None]  # the line of the step that the build failed in

    def in_order(self, findings: list[Finding]) -> list[Finding]:
        """The findings; an exit code that the build's last words tell of stands where the step ended with it.

        Jenkins prints the exit code of a step that nobody caught behind the end of the pipeline, after all that did
        not run because of it.
        """
        last = next((each for each in findings if _of_the_end(each)), None)
        if last is None or last.hunk is None or len(findings) == 1:
            return findings
        for side, half in ((0, last.hunk.a), (1, last.hunk.b)):
            if not any(_EXIT.search(key) for key in half.keys):
                continue
            if self._failed_at(side) is None:
                self._failed[side] = self._likely(side, findings)
            at = self._failed[side]
            if at is not None:
                others = [each for each in findings if each is not last]
                place = next((i for i, each in enumerate(others) if _position(each, side) > at and not _within(each, side, at)), len(others))
                return [*others[:place], last, *others[place:]]
        return findings

    def _likely(self, side: int, findings: list[Finding]) -> int | None:
        """The step that failed, where no file of steps says it: the last shell step before the builds go other ways."""
        parting = next((each for each in findings if _goes_another_way(each)), None)
        if parting is None:
            return None
        before = [node for node in self._trees[side].root.walk() if node.at < _position(parting, side) and (node.bag or node.name in SHELLS)]
        last = max(before, key=lambda node: node.at, default=None)
        return last.at if last is not None and not last.bag else None

    def _failed_at(self, side: int) -> int | None:
        if self._known[side] is None:
            self._known[side] = self._load(side)
        return self._failed[side]

    def divergence(self, finding: Finding) -> Divergence:
        """One finding."""
        hunk = finding.hunk
        kind = _kind(finding)
        node = finding.b if finding.kind == "added" else finding.a
        side = 1 if finding.kind == "added" else 0
        assert node is not None
        quotes = self._steps(finding) if hunk is None else (self._quote(0, hunk.a), self._quote(1, hunk.b))
        place = self._place(node, side, finding.b if side == 0 and finding.hunk else None)
        if kind == "exit-code" and node.kind == "root":
            place = self._where_it_failed() or place
        return Divergence(kind, place, *quotes, summarised=bool(hunk and hunk.summarised))

    def _place(self, node: Node, side: int, other: Node | None) -> Place:
        step = _step_of(node)
        if step is None:
            return Place(stages=node.stages)
        marks = self._mark(side, step), self._mark(1 - side, _step_of(other)) if other is not None else None
        mark = next((each for each in marks if each is not None), None)
        line = step.line or (mark.line if mark else 0)
        text = step.text or (mark.text if mark else "")
        inside = (*step.stages, step.stage_name) if step.stage_name else step.stages
        return Place(inside, step.name, self._number(step), line, text)

    def _mark(self, side: int, node: Node | None) -> Opened | None:
        """What the side's own file says of a step, if it has one: it may be compared without."""
        if node is None:
            return None
        known = self._known[side]
        if known is None:
            known = self._known[side] = self._load(side)
        return known.get(node.at)

    def _load(self, side: int) -> dict[int, Opened]:
        path = self._sides[side].steps
        known: dict[int, Opened] = {}
        lines: dict[str, int] = {}
        for mark in read_marks(path) if path is not None else ():
            if isinstance(mark, Opened) and mark.at is not None:
                known[mark.at] = mark
                lines[mark.id] = mark.at
            elif isinstance(mark, Ended) and mark.error and self._failed[side] is None:
                self._failed[side] = lines.get(mark.id)
        return known

    def _where_it_failed(self) -> Place | None:
        for side in (0, 1):
            at = self._failed_at(side)
            if at is None:
                continue
            for node in self._trees[side].root.walk():
                if node.at == at:
                    return self._place(node, side, None)
        return None

    def _number(self, step: Node) -> int:
        """Its number among the steps of its name in the stage."""
        stage = step.parent
        while stage is not None and stage.parent is not None and not stage.stage and not stage.branch:
            stage = stage.parent
        if stage is None:
            return 1
        numbers = self._numbers.get(id(stage))
        if numbers is None:
            counts: dict[str, int] = {}
            numbers = self._numbers[id(stage)] = {}
            for node in stage.walk():
                if node.kind == "step":
                    counts[node.name] = numbers[id(node)] = counts.get(node.name, 0) + 1
        return numbers.get(id(step), 1)

    def _quote(self, side: int, half: Half) -> Quote:
        console = self._trees[side].console
        first = half.numbers[0] if half.numbers else half.next
        next_line = half.numbers[-1] + 1 if half.numbers and half.count == len(half.numbers) else half.next
        before = console.quote(max(0, first - AROUND), min(first, AROUND))
        after = console.quote(next_line, AROUND)
        return Quote(first + 1, tuple(half.texts), half.count, tuple(before), tuple(after))

    def _steps(self, finding: Finding) -> tuple[Quote, Quote]:
        """The first lines of a step that only one side has, and where the other one goes on."""
        node = finding.a if finding.kind == "missing" else finding.b
        assert node is not None
        side = 0 if finding.kind == "missing" else 1
        end = max([node.at, *(last for each in node.walk() for segment in (each.head, each.tail) for first, count in segment.runs for last in (first + count - 1,))])
        console = self._trees[side].console
        count = min(end - node.at + 1, 2 * AROUND)
        there = Quote(node.at + 1, tuple(console.quote(node.at, count)), end - node.at + 1, tuple(console.quote(node.at - AROUND, AROUND) if node.at >= AROUND else ()), ())
        goes_on = finding.goes_on.at if finding.goes_on is not None else -1
        console = self._trees[1 - side].console
        around = (tuple(console.quote(max(0, goes_on - AROUND), min(goes_on, AROUND))), tuple(console.quote(goes_on, AROUND))) if goes_on >= 0 else ((), ())
        gone = Quote(goes_on + 1, (), 0, *around)
        return (there, gone) if side == 0 else (gone, there)


def _step_of(node: Node | None) -> Node | None:
    """The step that a node is, or is the body of."""
    while node is not None and node.kind not in ("step", "part"):
        if node.branch:
            return None
        node = node.parent
    return node


def _of_the_end(finding: Finding) -> bool:
    """It is among the last words of a build, and tells of an exit code."""
    hunk = finding.hunk
    last = finding.kind == "output" and finding.a is not None and finding.a.kind == "root"
    return last and hunk is not None and any(_EXIT.search(key) for key in [*hunk.a.keys, *hunk.b.keys])


def _position(finding: Finding, side: int) -> int:
    """The line of a side that a finding is at."""
    if finding.hunk is not None:
        half = (finding.hunk.a, finding.hunk.b)[side]
        return half.numbers[0] if half.numbers else half.next
    node = finding.a if finding.kind == "missing" and side == 0 else finding.b if finding.kind == "added" and side == 1 else finding.goes_on
    return node.at if node is not None else 1 << 62


def _goes_another_way(finding: Finding) -> bool:
    hunk = finding.hunk
    return hunk is None or any(_SKIPPED in key for key in [*hunk.a.keys, *hunk.b.keys])


def _within(finding: Finding, side: int, at: int) -> bool:
    """It is in what the step at that line printed."""
    node = (finding.a, finding.b)[side]
    return finding.hunk is not None and node is not None and node.at == at


def _kind(finding: Finding) -> str:
    if finding.kind in ("missing", "added"):
        node = finding.a if finding.kind == "missing" else finding.b
        assert node is not None
        what = "branch" if node.branch else "stage" if node.name == "stage" else "step"
        return f"{what}-{finding.kind}"
    if finding.kind == "output" and finding.hunk is not None:
        codes = [next((match[1] or match[2] for key in half.keys if (match := _EXIT.search(key))), "") for half in (finding.hunk.a, finding.hunk.b)]
        if codes[0] != codes[1] and (all(codes) or _of_the_end(finding)):
            return "exit-code"
    return finding.kind
