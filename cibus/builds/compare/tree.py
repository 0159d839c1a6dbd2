"""A build as a tree of its steps, each with where its lines are in the console.

A line belongs to what last began or ended in its flow: the main one, or that of a branch of a ``parallel``. Whose it
really is says the file of marks (:mod:`cibus.marks`); without one, nobody can tell the branches of a
``parallel`` apart, and the lines of the whole block are one bag.
"""

from __future__ import annotations

from collections.abc import Iterator

from cibus.builds.compare.console import Console

BRANCH = "Branch: "
DEEPEST = 150
"""Steps and bodies within each other; what is deeper (a log can hold anything) is not told apart."""


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

    def small(self, console: Console) -> bytes | None:
        """All of it, if that is not much and in one piece."""
        if len(self.runs) != 1:
            return None
        first, count = self.runs[0]
        offsets = console.scan.offsets
        return console.piece(offsets[first], offsets.get(first + count, offsets[console.scan.lines]))

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

    __slots__ = ("at", "bag", "children", "depth", "head", "id", "kind", "line", "name", "parent", "tail", "text", "title")

    def __init__(self, kind: str, name: str, at: int = -1, parent: Node | None = None) -> None:
        self.kind, self.name, self.at, self.parent = kind, name, at, parent
        self.depth: int = parent.depth + 1 if parent is not None else 0
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
