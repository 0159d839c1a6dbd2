"""Both logs side by side as HTML: folded by stage, what is equal folded away, within a number of bytes."""

from __future__ import annotations

from dataclasses import dataclass, field

from cibus.builds.compare.lines import Half, Hunk
from cibus.builds.compare.tree import Node, Segment, Tree
from cibus.builds.compare.walk import Stretch
from cibus.builds.page.text import differing, escaped, line_html, without_escapes

CONTEXT = 3  # equal lines that are shown around a difference
FOLDED = 60  # equal lines that can be folded out
DIFFERENCES = 5_000_000  # characters for what differs
EQUAL = 2_500_000  # characters for what is equal
ONE_SIDED = 40  # lines of a step that only one side has


@dataclass
class Budget:
    """What may still be written, and what was left out."""

    differences: int = DIFFERENCES
    equal: int = EQUAL
    left_out: int = 0  # differences
    equal_left_out: int = 0  # lines


@dataclass
class Group:
    """A stage with the HTML of its rows."""

    stages: tuple[str, ...]
    rows: list[str] = field(default_factory=list)
    differences: int = 0
    steps: int = 0


class Rows:
    """Makes the groups of a page from the outline of a walk."""

    def __init__(self, one: Tree, other: Tree, links: dict[int, str]) -> None:
        self._trees = one, other
        self._links = links  # the anchor of a hunk or of a step that one side lacks, by identity
        self.budget = Budget()
        self.anchors: set[str] = set()  # that were written

    def groups(self, outline: list[Stretch]) -> list[Group]:
        """The stages in their order."""
        groups: list[Group] = []
        for stretch in outline:
            node = stretch.a or stretch.b
            assert node is not None
            stages = _stages(node)
            if not groups or groups[-1].stages != stages:
                groups.append(Group(stages))
            self._stretch(groups[-1], stretch)
        return [group for group in groups if group.rows]

    def _stretch(self, group: Group, stretch: Stretch) -> None:
        if stretch.a is None or stretch.b is None:
            self._one_sided(group, stretch)
            return
        hunks = [hunk for hunk in stretch.hunks if hunk.a.count or hunk.b.count]
        group.differences += len(hunks)
        title = ""
        if not stretch.tail and stretch.a.kind in ("step", "part"):
            group.steps += 1
            title = _title(stretch.a, stretch.b)
        assert stretch.one is not None and stretch.other is not None
        if not hunks:
            self._equal_step(group, stretch, title)
            return
        if title:
            group.rows.append(title)
        if stretch.a.bag:
            for hunk in hunks:
                self._hunk(group, hunk)
            return
        self._mixed(group, stretch.one, stretch.other, hunks)

    def _mixed(self, group: Group, one: Segment, other: Segment, hunks: list[Hunk]) -> None:
        """Hunks with the lines between them."""
        ours, theirs = _Lines(self._trees[0], one), _Lines(self._trees[1], other)
        for place, hunk in enumerate(hunks):
            if self.budget.differences <= 0:
                left = len(hunks) - place
                self.budget.left_out += left
                group.rows.append(f'<p class="gap">{left:,} more differences of this step are left out here</p>')
                return
            self._between(group, ours.until(_first(hunk.a)), theirs.until(_first(hunk.b)), head=place > 0, tail=True)
            self._hunk(group, hunk)
            ours.skip(hunk.a)
            theirs.skip(hunk.b)
        self._between(group, ours.until(None), theirs.until(None), head=True, tail=False)

    def _between(self, group: Group, one: _Run, other: _Run, *, head: bool, tail: bool) -> None:
        """Equal lines: those next to a difference are shown, the ones between folded."""
        n = max(one.count, other.count)
        if not n:
            return
        first, last = (CONTEXT if head else 0), (CONTEXT if tail else 0)
        if one.count <= first + last and other.count <= first + last:
            group.rows.append(self._pair(one.numbered(0, one.count), other.numbered(0, other.count), "near"))
            return
        if head:
            group.rows.append(self._pair(one.numbered(0, first), other.numbered(0, first), "near"))
        group.rows.append(self._fold(one, other, first, last))
        if tail:
            group.rows.append(self._pair(one.numbered(one.count - last, last), other.numbered(other.count - last, last), "near"))

    def _fold(self, one: _Run, other: _Run, first: int, last: int) -> str:
        count = max(one.count, other.count) - first - last
        words = f"{count:,} line{'' if count == 1 else 's'} the same"
        shown = min(count, FOLDED)
        if self.budget.equal <= 0:
            self.budget.equal_left_out += count
            return f'<p class="gap">{words}, left out</p>'
        rows = self._pair(one.numbered(first, min(shown, one.count - first - last)), other.numbered(first, min(shown, other.count - first - last)), "same")
        self.budget.equal -= len(rows)
        self.budget.equal_left_out += count - shown
        more = f'<p class="gap">{count - shown:,} more are left out</p>' if count > shown else ""
        return f'<details class="fold"><summary>{words}</summary>{rows}{more}</details>'

    def _equal_step(self, group: Group, stretch: Stretch, title: str) -> None:
        assert stretch.one is not None and stretch.other is not None
        one, other = _Lines(self._trees[0], stretch.one).until(None), _Lines(self._trees[1], stretch.other).until(None)
        if title and (one.count or other.count) and self.budget.equal > 0:
            group.rows.append(title)
            self.budget.equal -= len(title)
        if one.count or other.count:
            group.rows.append(self._fold(one, other, 0, 0))

    def _hunk(self, group: Group, hunk: Hunk) -> None:
        marks = [differing(without_escapes(x), without_escapes(y)) for x, y in zip(hunk.a.texts, hunk.b.texts, strict=False)]
        cells = []
        for side, half in ((0, hunk.a), (1, hunk.b)):
            lines = [(number, line_html(text, marks[place][side] if place < len(marks) else None)) for place, (number, text) in enumerate(zip(half.numbers, half.texts, strict=False))]
            more = half.count - len(lines)
            cells.append(_cell(lines, "ab"[side], f"… and {more:,} more lines" if more > 0 else "" if lines else "nothing here"))
        row = f'<div class="row diff"{self._anchor(hunk)}>{"".join(cells)}</div>'
        self.budget.differences -= len(row)
        group.rows.append(row)

    def _one_sided(self, group: Group, stretch: Stretch) -> None:
        node = stretch.a or stretch.b
        assert node is not None
        group.differences += 1
        side = 0 if stretch.b is None else 1
        if self.budget.differences <= 0:
            self.budget.left_out += 1
            return
        tree = self._trees[side]
        last = max([node.at, *(first + count - 1 for each in node.walk() for segment in (each.head, each.tail) for first, count in segment.runs)])
        texts = tree.console.quote(node.at, min(last - node.at + 1, ONE_SIDED))
        more = last - node.at + 1 - len(texts)
        here = _cell([(node.at + place, line_html(text)) for place, text in enumerate(texts)], "ab"[side], f"… and {more:,} more lines" if more > 0 else "")
        there = _cell([], "ba"[side], f"this side has no {node.name if node.kind == 'step' else 'such branch'} here")
        row = f'<div class="row diff"{self._anchor(node)}>{here + there if side == 0 else there + here}</div>'
        self.budget.differences -= len(row)
        group.rows.append(row)

    def _anchor(self, of: Hunk | Node) -> str:
        name = self._links.get(id(of))
        if name is None:
            return ""
        self.anchors.add(name)
        return f' id="{name}"'

    def _pair(self, one: list[tuple[int, str]], other: list[tuple[int, str]], kind: str) -> str:
        cells = [_cell([(number, line_html(text)) for number, text in lines], "", "") for lines in (one, other)]
        row = f'<div class="row {kind}">{"".join(cells)}</div>'
        self.budget.differences -= len(row) if kind == "near" else 0
        return row


@dataclass
class _Run:
    """Some lines of a segment, read when they are shown."""

    tree: Tree
    runs: list[tuple[int, int]]
    count: int

    def numbered(self, first: int, count: int) -> list[tuple[int, str]]:
        """Lines by their place in the run, with their numbers in the console."""
        found: list[tuple[int, str]] = []
        for start, length in self.runs:
            if first < length and count > 0:
                take = min(length - max(0, first), count)
                texts = self.tree.console.quote(start + max(0, first), take)
                found += [(start + max(0, first) + place, text) for place, text in enumerate(texts)]
                count -= take
            first = max(0, first - length)
        return found


class _Lines:
    """Goes through the lines of a segment."""

    def __init__(self, tree: Tree, segment: Segment) -> None:
        self._tree = tree
        self._runs = list(segment.runs)

    def until(self, number: int | None) -> _Run:
        """The lines before that one; all that are left for None."""
        taken: list[tuple[int, int]] = []
        while self._runs:
            first, count = self._runs[0]
            if number is None or first + count <= number:
                taken.append(self._runs.pop(0))
                continue
            if first < number:
                taken.append((first, number - first))
                self._runs[0] = (number, first + count - number)
            break
        return _Run(self._tree, taken, sum(count for _, count in taken))

    def skip(self, half: Half) -> None:
        """Goes behind the lines of a hunk."""
        if half.numbers:
            self.until(max(half.next, half.numbers[-1] + 1))


def _first(half: Half) -> int:
    return half.numbers[0] if half.numbers else half.next


def _stages(node: Node) -> tuple[str, ...]:
    """The stage that a row belongs to; a step that is a stage belongs to itself."""
    if node.kind == "part":
        return (node.name,)
    if node.name == "stage" and node.kind == "step" and node.stage_name:
        return (*node.stages, node.stage_name)
    return node.stages


def _title(a: Node, b: Node) -> str:
    name = a.name + (f" {a.text or b.text}" if (a.text or b.text) and a.name != "stage" else "")
    line = a.line or b.line
    where = f'<span class="no">line {line} of the script</span>' if line else ""
    return f'<p class="step">{escaped(name[:200])}{where}</p>'


def _cell(lines: list[tuple[int, str]], kind: str, note: str) -> str:
    body = "".join(f'<li value="{number + 1}">{text}\n</li>' for number, text in lines)
    return f'<div class="cell {kind}"><ol>{body}</ol>{f"<em>{note}</em>" if note else ""}</div>'
