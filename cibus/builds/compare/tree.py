"""A build as a tree of its steps, each with where its lines are in the console.

A line belongs to what last began or ended in its flow: the main one, or that of a branch of a ``parallel``. Whose it
really is says the file of marks (:mod:`cibus.builds.marks`); without one, nobody can tell the branches of a
``parallel`` apart, and the lines of the whole block are one bag.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cibus.builds.compare.console import Console
from cibus.builds.marks import Ended, Entered, Lines, Opened, read_marks

BRANCH = "Branch: "


class Segment:
    """Lines of a console that belong together: runs of (first line, count)."""

    __slots__ = ("runs",)

    def __init__(self) -> None:
        self.runs: list[tuple[int, int]] = []

    def add(self, first: int, count: int) -> None:
        """Adds lines; those that follow the last ones lengthen them."""
        if count <= 0:
            return
        if self.runs and sum(self.runs[-1]) == first:
            self.runs[-1] = (self.runs[-1][0], self.runs[-1][1] + count)
        else:
            self.runs.append((first, count))

    @property
    def count(self) -> int:
        """How many lines it has."""
        return sum(count for _, count in self.runs)

    def blocks(self, console: Console) -> Iterator[tuple[int, list[bytes]]]:
        """Its lines with the number of the first of each block."""
        offsets = console.scan.offsets
        for first, count in self.runs:
            at = first
            for lines in console.blocks(offsets[first], offsets.get(first + count, offsets[console.scan.lines])):
                yield at, lines
                at += len(lines)


class Node:
    """A step or a body of one; the root stands for the build.

    ``head`` is what is printed from its beginning to its first child, ``tail`` what comes after its end. ``at`` is
    the number of its own line, -1 where it has none.
    """

    __slots__ = ("at", "bag", "children", "head", "id", "kind", "line", "name", "parent", "tail", "text", "title")

    def __init__(self, kind: str, name: str, at: int = -1, parent: Node | None = None) -> None:
        self.kind, self.name, self.at, self.parent = kind, name, at, parent
        self.title = ""  # of a body
        self.id = ""
        self.line = 0  # in the script
        self.text = ""
        self.bag = False  # head has all its lines, in any order
        self.head, self.tail = Segment(), Segment()
        self.children: list[Node] = []

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages and branches around it, itself included, the outermost first."""
        names: list[str] = []
        node: Node | None = self
        while node is not None:
            if name := node.stage or node.branch:
                names.append(name)
            node = node.parent
        # a branch that holds but the stage of its name is that stage
        names.reverse()
        return tuple(name for place, name in enumerate(names) if names[place + 1 : place + 2] != [name])

    @property
    def stage(self) -> str:
        """The stage that this body is, or ""."""
        return self.title if self.kind == "body" and self.parent is not None and self.parent.name == "stage" else ""

    @property
    def branch(self) -> str:
        """The branch of a parallel that this body is, or ""."""
        inside = self.kind == "body" and self.parent is not None and self.parent.name == "parallel"
        return self.title.removeprefix(BRANCH) if inside else ""

    @property
    def stage_name(self) -> str:
        """The stage that this step is, or ""."""
        return self.children[0].title if self.name == "stage" and self.children else ""

    def walk(self) -> Iterator[Node]:
        """It and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


class Tree:
    """A build's root, its preamble (the root's head), and the way back from a line to the step that it belongs to."""

    def __init__(self, root: Node, console: Console) -> None:
        self.root = root
        self.console = console

    def close(self) -> None:
        """Closes the console."""
        self.console.close()


def plain_tree(path: Path) -> Tree:
    """The tree of a console that has nothing but its text.

    Raises:
        CibusError: the file cannot be read.
    """
    console = Console(path)
    builder = _Plain(console.scan.lines)
    for at, words in console.scan.markers:
        builder.take(at, words)
    builder.end()
    return Tree(builder.root, console)


class _Plain:
    """Reads ``[Pipeline]`` lines in their order."""

    def __init__(self, lines: int) -> None:
        self.lines = lines
        self.root = Node("root", "")
        self._open = [self.root]  # the bodies and steps that are open
        self._last = self.root.head
        self._from = 0  # the first line that has no owner yet
        self._forks = 0  # parallels within the bag

    def take(self, at: int, words: str) -> None:
        """Takes the next marker."""
        top = self._open[-1]
        if top.bag:
            self._forks += {"parallel": 1, "// parallel": -1}.get(words, 0)
            if self._forks:
                return
            top.head.add(self._from, at - self._from)
        else:
            self._last.add(self._from, at - self._from)
        self._from = at + 1
        if words.startswith("{"):
            self._enter(at, words)
        elif words.startswith("}"):
            self._leave("body")
        elif words.startswith("// "):
            self._leave("step")
        elif words in ("Start of Pipeline", "End of Pipeline"):
            self._border(words)
        else:
            self._step(at, words)

    def end(self) -> None:
        """There are no more."""
        segment = self._open[-1].head if self._open[-1].bag else self._last
        segment.add(self._from, self.lines - self._from)

    def _step(self, at: int, words: str) -> None:
        self._drop_atom()
        node = Node("step", words, at, self._open[-1])
        self._open[-1].children.append(node)
        self._open.append(node)
        self._last = node.head

    def _enter(self, at: int, words: str) -> None:
        step = self._open[-1]
        node = Node("body", "{", at, step)
        node.title = words[3:-1] if words.startswith("{ (") and words.endswith(")") else ""
        if step.name == "parallel" and node.title.startswith(BRANCH):
            step.bag, self._forks = True, 1
            self._from = at  # the bag has its own markers as lines
            return
        step.children.append(node)
        self._open.append(node)
        self._last = node.head

    def _leave(self, kind: str) -> None:
        while len(self._open) > 1:
            node = self._open.pop()
            if node.kind == kind and (kind == "step" or node.parent is not None):
                self._last = node.tail
                return
        self._last = self.root.tail

    def _drop_atom(self) -> None:
        if self._open[-1].kind == "step":
            self._open.pop()

    def _border(self, words: str) -> None:
        if words == "Start of Pipeline":
            start = Node("start", words, parent=self.root)
            self.root.children.append(start)
            self._last = start.head
        else:
            del self._open[1:]
            self._last = self.root.tail


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
        parent = self._nodes.get(mark.inside, self.root)
        node = Node("step", mark.name, -1 if mark.at is None else mark.at, parent)
        node.id, node.line, node.text = mark.id, mark.line, mark.text
        parent.children.append(node)
        flow = self._flows.get(mark.inside, "")
        self._nodes[mark.id], self._flows[mark.id] = node, flow
        self._last[flow] = node.head

    def _entered(self, mark: Entered) -> None:
        step = self._nodes.get(mark.of, self.root)
        node = Node("body", "{", -1 if mark.at is None else mark.at, step)
        node.id, node.title = mark.id, mark.title
        step.children.append(node)
        flow = mark.id if node.branch else self._flows.get(mark.of, "")
        self._nodes[mark.id], self._flows[mark.id] = node, flow
        self._last[flow] = node.head
