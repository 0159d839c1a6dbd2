"""The tree of a console beside which a file says which step each line belongs to."""

from __future__ import annotations

from pathlib import Path

from cibus.builds.compare.console import Console
from cibus.builds.compare.tree import DEEPEST, Node, Segment, Tree
from cibus.marks import Ended, Entered, Lines, Opened, read_marks


def marked_tree(path: Path, steps: Path) -> Tree:
    """The tree of a console beside which a file says which step each line belongs to.

    Raises:
        CibusError: a file cannot be read.
    """
    builder = _Marked()
    for mark in read_marks(steps):
        builder.take(mark)
    console = Console(path, builder.borders)
    known = console.scan.lines
    words = dict(console.scan.markers)
    builder.end(known, {text: at for at, text in words.items() if text in ("Start of Pipeline", "End of Pipeline")})
    for line in builder.borders - console.scan.offsets.keys():
        console.scan.offsets[line] = console.offset(line)
    for node in builder.root.walk():
        if node.at >= 0 and node.at in words:
            node.name = words[node.at] if node.kind == "step" else node.name
    return Tree(builder.root, console)


class _Marked:
    """Reads marks in their order, one flow per branch."""

    def __init__(self) -> None:
        self.root = Node("root", "")
        self.borders: set[int] = set()
        self._nodes: dict[str, Node] = {}
        self._flows: dict[str, str] = {}  # of each node; "" is the main one
        self._last: dict[str, Segment] = {"": self.root.head}
        self._next = 0  # the first line that nobody was named for

    def take(self, mark: Opened | Entered | Ended | Lines) -> None:
        """Takes the next mark."""
        if isinstance(mark, Lines):
            self._between(mark.first)
            self._lines(self._flows.get(mark.id, ""), mark.first, mark.count)
            self._next = max(self._next, mark.first + mark.count)
            return
        if mark.at is not None:
            self._between(mark.at)
            self._next = max(self._next, mark.at + 1)
        if isinstance(mark, Opened):
            self._opened(mark)
        elif isinstance(mark, Entered):
            self._entered(mark)
        elif mark.at is not None and mark.id in self._nodes:
            self._last[self._flows[mark.id]] = self._nodes[mark.id].tail

    def end(self, lines: int, borders: dict[str, int]) -> None:
        """There are no more; the log has so many lines."""
        end = borders.get("End of Pipeline", lines)
        self._lines("", self._next, min(end, lines) - self._next if end >= self._next else 0)
        self._last[""] = self.root.tail
        first = max(self._next, end + 1)
        self._lines("", first, lines - first)
        start = borders.get("Start of Pipeline")
        if start is not None and self.root.head.runs:
            self._split_preamble(start)

    def _split_preamble(self, start: int) -> None:
        """What comes after ``Start of Pipeline`` and before the first step is no preamble."""
        node = Node("start", "Start of Pipeline", parent=self.root)
        runs, self.root.head.runs = self.root.head.runs, []
        for first, count in runs:
            self.root.head.add(first, min(count, start - first))
            after = max(first, start + 1)
            node.head.add(after, first + count - after)
        self.borders |= {start, start + 1}
        self.root.children.insert(0, node)

    def _between(self, line: int) -> None:
        if line > self._next:
            self._lines("", self._next, line - self._next)

    def _lines(self, flow: str, first: int, count: int) -> None:
        if count > 0:
            self._last[flow].add(first, count)
            self.borders |= {first, first + count}

    def _opened(self, mark: Opened) -> None:
        parent = _not_too_deep(self._nodes.get(mark.inside, self.root))
        node = Node("step", mark.name, -1 if mark.at is None else mark.at, parent)
        node.id, node.line, node.text = mark.id, mark.line, mark.text
        parent.children.append(node)
        flow = self._flows.get(mark.inside, "")
        self._nodes[mark.id], self._flows[mark.id] = node, flow
        self._last[flow] = node.head

    def _entered(self, mark: Entered) -> None:
        step = _not_too_deep(self._nodes.get(mark.of, self.root))
        node = Node("body", "{", -1 if mark.at is None else mark.at, step)
        node.id, node.title = mark.id, mark.title
        step.children.append(node)
        flow = mark.id if node.branch else self._flows.get(mark.of, "")
        self._nodes[mark.id], self._flows[mark.id] = node, flow
        self._last[flow] = node.head


def _not_too_deep(node: Node) -> Node:
    while node.depth > DEEPEST and node.parent is not None:
        node = node.parent
    return node
