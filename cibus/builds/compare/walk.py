"""Two trees of steps, walked side by side: where they part, in the order of the build."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from cibus.builds.compare.align import align
from cibus.builds.compare.bags import compare_bags
from cibus.builds.compare.lines import Feed, Half, Hunk, LineDiff
from cibus.builds.compare.moved import without_moved
from cibus.builds.compare.noise import Noise
from cibus.builds.compare.tree import Node, Segment, Tree

JENKINS_STEPS = frozenset({"checkout", "git", "library", "libraryResource", "loadLibrary", "node", "readTrusted", "svn", "ws"})
"""Steps in which Jenkins and its git client speak."""

MOST = 50_000
"""Differences that are kept, whatever the size of the logs."""


@dataclass(slots=True)
class Finding:
    """A place where two builds part; ``a`` or ``b`` is None where that side does not have the step."""

    kind: str
    a: Node | None
    b: Node | None
    hunk: Hunk | None = None
    at: int = 0  # a line of A, or of B where A has none
    settled: bool = False  # its lines moved nowhere else
    goes_on: Node | None = None  # what the side that does not have the step has next


@dataclass(slots=True)
class Stretch:
    """Lines of a step that both sides have, or a step that one side has: in the order of the build, for showing.

    ``tail``: what was printed after the step's end. ``hunks`` are what differs of the lines.
    """

    a: Node | None
    b: Node | None
    one: Segment | None = None
    other: Segment | None = None
    hunks: list[Hunk] = field(default_factory=list)
    tail: bool = False


@dataclass
class Flow:
    """What follows each other: the main thread of a build, or a branch; ``matched`` counts its equal lines."""

    matched: int = 0
    findings: list[Finding] = field(default_factory=list)


class Walk:
    """Compares two trees.

    Arguments:
        noise: what the lines of A and of B have that differs anyway
    """

    def __init__(self, a: Tree, b: Tree, noise: tuple[Noise, Noise]) -> None:
        self._a, self._b = a, b
        self._noise = noise
        self.unordered: list[Node] = []
        self.outline: list[Stretch] = []  # of all that was compared
        self.more = 0  # differences that were only counted
        self._kept = 0

    def run(self) -> list[Finding]:
        """All findings, in the order of the build."""
        flow = Flow()
        self._pair(self._a.root, self._b.root, flow)
        return without_moved(flow.findings)

    def _pair(self, a: Node, b: Node, flow: Flow) -> None:
        if a.bag or b.bag:
            self._bags(a, b, flow)
        else:
            self._segments(a, b, a.head, b.head, flow)
            if a.name == "parallel" and a.kind == "step":
                self._branches(a, b, flow)
            else:
                self._children(a, b, flow)
        self._segments(a, b, a.tail, b.tail, flow)

    def _segments(self, a: Node, b: Node, one: Segment, other: Segment, flow: Flow) -> None:
        stretch = Stretch(a, b, one, other, tail=one is a.tail)
        if one.runs or other.runs or not stretch.tail:
            self.outline.append(stretch)
        if not one.runs and not other.runs:
            return
        if one.count == other.count and (text := one.small(self._a.console)) is not None and text == other.small(self._b.console):
            flow.matched += one.count
            return
        jenkins = a.kind in ("root", "start") or a.name in JENKINS_STEPS
        feeds = Feed(one.blocks(self._a.console), self._noise[0], jenkins), Feed(other.blocks(self._b.console), self._noise[1], jenkins)
        for feed, segment, node in ((feeds[0], one, a), (feeds[1], other, b)):
            feed.last = segment.runs[0][0] if segment.runs else node.at + 1
        diff = LineDiff(*feeds, flow.matched, MOST - self._kept).run()
        self._kept += len(diff.hunks)
        self.more += diff.more
        flow.matched = diff.matched
        ours, theirs = diff.revisions
        if ours and theirs and [each for _, each in ours] != [each for _, each in theirs]:
            flow.findings.append(Finding("commit", a, b, _revisions(ours, theirs, flow.matched), ours[0][0]))
        stretch.hunks = diff.hunks
        for hunk in diff.hunks:
            at = (hunk.a.numbers or [hunk.a.next])[0]
            flow.findings.append(Finding("output", a, b, hunk, at))

    def _bags(self, a: Node, b: Node, flow: Flow) -> None:
        self.unordered.append(a)
        hunk = compare_bags(a, b, (self._a.console, self._b.console), self._noise)
        self.outline.append(Stretch(a, b, a.head, b.head, [hunk] if hunk is not None else []))
        if hunk is not None:
            flow.findings.append(Finding("output", a, b, hunk, (hunk.a.numbers or [a.at])[0], settled=True))

    def _branches(self, a: Node, b: Node, flow: Flow) -> None:
        """Branches of a parallel: by name, each a flow of its own."""
        others = {child.title: child for child in b.children}
        ours = {child.title for child in a.children}
        found: list[Finding] = []
        for child in a.children:
            other = others.get(child.title)
            if other is None:
                found.append(Finding("missing", child, b, None, child.at))
                self.outline.append(Stretch(child, None))
                continue
            inner = Flow()
            self._pair(child, other, inner)
            found += without_moved(inner.findings)
        for child in (each for each in b.children if each.title not in ours):
            found.append(Finding("added", a, child, None, child.at))
            self.outline.append(Stretch(None, child))
        flow.findings += [replace(each, settled=True) for each in sorted(found, key=lambda finding: finding.at)]

    def _children(self, a: Node, b: Node, flow: Flow) -> None:
        pairs = {**dict.fromkeys(range(len(a.children)))}
        pairs.update(self._aligned(a.children, b.children))
        done = 0
        for i, child in enumerate(a.children):
            j = pairs[i]
            if j is None:
                flow.findings.append(Finding("missing", child, b, None, child.at, goes_on=next(iter(b.children[done:]), None)))
                self.outline.append(Stretch(child, None))
                continue
            self._added(a, b.children[done:j], child, flow)
            self._pair(child, b.children[j], flow)
            done = j + 1
        self._added(a, b.children[done:], None, flow)

    def _added(self, a: Node, children: list[Node], before: Node | None, flow: Flow) -> None:
        """Steps that only B has, before one of A's."""
        self.outline += [Stretch(None, child) for child in children]
        at = (before or a).at
        flow.findings += [Finding("added", a, child, None, at, goes_on=before) for child in children]

    def _aligned(self, ours: list[Node], theirs: list[Node]) -> dict[int, int]:
        """Which steps belong together: by name and stage; where their numbers differ, by what they began with too."""
        one, other = [_key(node) for node in ours], [_key(node) for node in theirs]
        if one == other:
            return {i: i for i in range(len(one))}
        if len(ours) == len(theirs) == 1 and ours[0].kind == theirs[0].kind == "body":
            return {0: 0}
        first = [(key, self._begins(node, 0)) for key, node in zip(one, ours, strict=True)]
        second = [(key, self._begins(node, 1)) for key, node in zip(other, theirs, strict=True)]
        found: dict[int, int] = {}
        a = b = 0
        for i, j in [*align(first, second), (len(one), len(other))]:
            for x, y in align(one[a:i], other[b:j]):
                found[a + x] = b + y
            if i < len(one):
                found[i] = j
            a, b = i + 1, j + 1
        return found

    def _begins(self, node: Node, side: int) -> str:
        """The first line of a step that is compared."""
        tree, noise = (self._a, self._b)[side], self._noise[side]
        for each in _few(node):
            if each.bag:
                return ""
            for first, count in each.head.runs[:1]:
                for text in tree.console.quote(first, min(count, 3)):
                    if key := noise.key(text.encode(), each.name in JENKINS_STEPS):
                        return key
        return ""


def _few(node: Node) -> Iterator[Node]:
    for number, each in enumerate(node.walk()):
        if number == 8:
            return
        yield each


def _key(node: Node) -> tuple[str, str]:
    return (node.name, node.stage_name if node.kind == "step" else node.title)


def _revisions(ours: list[tuple[int, str]], theirs: list[tuple[int, str]], before: int) -> Hunk:
    hunk = Hunk(Half(), Half(), before)
    common = Counter(each for _, each in ours) & Counter(each for _, each in theirs)
    for half, found in ((hunk.a, ours), (hunk.b, theirs)):
        for number, revision in found:
            if revision not in common or len(ours) != len(theirs):
                half.add(number, f"Checking out Revision {revision}".encode(), revision)
                half.next = number + 1
    return hunk
