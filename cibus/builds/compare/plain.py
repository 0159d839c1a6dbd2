"""The tree of a console that has nothing but its text."""

from __future__ import annotations

from pathlib import Path

from cibus.builds.compare.console import Console
from cibus.builds.compare.tree import BRANCH, DEEPEST, Node, Tree


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
        if len(self._open) > DEEPEST and not words.startswith(("}", "// ")) and words != "End of Pipeline":
            return  # it stays a line
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
