"""The lines of one step on two sides, compared as streams with a bounded window."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from cibus.builds.compare.align import align
from cibus.builds.compare.noise import REVISION, Noise

WINDOWS = (24, 256, 8192)  # lines that are looked at to find where two sides meet again
BLOCK = 4096
BESIDE = 8  # lines
MOST_BYTES = 16 << 20  # of lines that are at hand
LONG = 8192  # characters; of a longer line the beginning is kept
KEPT = 12  # lines of a hunk that are kept for showing
COMPARED = 1000  # keys of a hunk that are kept to find lines that only moved
_UNKNOWN = object()


@dataclass(slots=True)
class Half:
    """One side of a hunk: its lines as they are in the console, as far as they are kept, and how many there are."""

    numbers: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    count: int = 0
    next: int = 0  # the number of the line that follows the hunk

    def add(self, number: int, line: bytes, key: str) -> None:
        """Adds a line."""
        self.count += 1
        if len(self.keys) < COMPARED:
            self.keys.append(key)
            self.numbers.append(number)
        if len(self.texts) < KEPT:
            self.texts.append(line[: 4 * LONG].decode("utf-8", "replace").rstrip("\r")[:LONG])

    def drop(self, position: int) -> None:
        """Takes a line out that turned out to be on the other side as well."""
        del self.keys[position], self.numbers[position]
        if position < len(self.texts):
            del self.texts[position]
        self.count -= 1


@dataclass(slots=True)
class Hunk:
    """Lines that differ; ``before`` is how many lines of the flow were equal before it."""

    a: Half
    b: Half
    before: int
    summarised: bool = False


class Feed:
    """The lines of a segment, with how each reads without noise; as many in memory as are looked at."""

    def __init__(self, blocks: Iterator[tuple[int, list[bytes]]], noise: Noise, jenkins: bool) -> None:
        self._blocks = blocks
        self._noise = noise
        self._jenkins = jenkins
        self.lines: list[bytes] = []
        self.numbers: list[int] = []
        self.keys: list[object] = []
        self.at = 0
        self._size = 0  # bytes of the lines, about
        self.ended = False
        self.last = 0  # the number of the line behind the last one

    def fill(self, count: int) -> int:
        """Has so many lines at hand, if there are; gives how many there are."""
        while not self.ended and len(self.lines) - self.at < count:
            if self.at > BLOCK or (self.at and self._size > MOST_BYTES // 2):
                del self.lines[: self.at], self.numbers[: self.at], self.keys[: self.at]
                self.at, self._size = 0, sum(map(len, self.lines))
            if self._size > MOST_BYTES and self.lines:
                break
            block = next(self._blocks, None)
            if block is None:
                self.ended = True
                break
            first, lines = block
            self._size += sum(map(len, lines))
            self.lines += lines
            self.numbers += range(first, first + len(lines))
            self.keys += [_UNKNOWN] * len(lines)
            self.last = first + len(lines)
        return len(self.lines) - self.at

    def key(self, offset: int = 0) -> str | None:
        """How a line reads without noise; None where it is not compared."""
        place = self.at + offset
        found = self.keys[place]
        if found is _UNKNOWN:
            found = self._noise.key(self.lines[place], self._jenkins)
            if found is not None and len(found) > LONG:
                found = f"{found[:LONG]} {hashlib.sha256(found.encode()).hexdigest()}"
            self.keys[place] = found
        return found  # type: ignore[return-value]

    def bare(self, offset: int = 0) -> bytes:
        """A line without its time stamp and its roots."""
        return self._noise.bare(self.lines[self.at + offset])

    def number(self) -> int:
        """The number of the next line."""
        return self.numbers[self.at] if self.at < len(self.numbers) else self.last


class LineDiff:
    """Compares two feeds; what differs is in ``hunks``, commits that were checked out in ``revisions``.

    Arguments:
        before: how many lines of this flow were equal before
        most: so many hunks are kept, the rest is counted in ``more``
    """

    def __init__(self, a: Feed, b: Feed, before: int = 0, most: int = 1 << 30) -> None:
        self.a, self.b, self.matched = a, b, before
        self._most, self.more = most, 0
        self.hunks: list[Hunk] = []
        self.revisions: tuple[list[tuple[int, str]], list[tuple[int, str]]] = ([], [])

    def run(self) -> LineDiff:
        """Compares to the end."""
        a, b = self.a, self.b
        while True:
            n = min(a.fill(BLOCK), b.fill(BLOCK))
            if not n:
                break
            if not self._same(n) and not self._easy():
                self._meet()
        self._rest()
        return self

    def _same(self, n: int) -> bool:
        """Goes over lines that are equal as they are; gives whether all of the next ``n`` were."""
        a, b = self.a, self.b
        step = 64  # most differences come close upon each other, or not at all
        while n:
            size = min(step, n)
            one, other = a.lines[a.at : a.at + size], b.lines[b.at : b.at + size]
            if one != other:
                size = next(i for i, (x, y) in enumerate(zip(one, other, strict=True)) if x != y)
                n = 0
            a.at, b.at, self.matched = a.at + size, b.at + size, self.matched + size
            if not n:
                return False
            n, step = n - size, step * 2
        return True

    def _easy(self) -> bool:
        """Noise, and a single line that reads otherwise between equal ones."""
        a, b = self.a, self.b
        if a.bare() == b.bare():
            a.at, b.at, self.matched = a.at + 1, b.at + 1, self.matched + 1
            return True
        one, other = a.key(), b.key()
        if one is None or other is None:
            for feed, key, side in ((a, one, 0), (b, other, 1)):
                if key is None:
                    self._skip(feed, side)
            return True
        if one == other:
            a.at, b.at, self.matched = a.at + 1, b.at + 1, self.matched + 1
            return True
        return self._side_by_side()

    def _side_by_side(self) -> bool:
        """A few lines that read otherwise, of the same number on both sides, before two that are equal."""
        a, b = self.a, self.b
        n = min(a.fill(BESIDE + 2), b.fill(BESIDE + 2))
        one, other = a.lines[a.at : a.at + n], b.lines[b.at : b.at + n]
        for k in range(1, n - 1):
            if one[k] == other[k] and one[k + 1] == other[k + 1] and one[k] != one[k + 1]:
                break
        else:
            return False
        pairs = []
        for i in range(k):
            if one[i] != other[i] and a.bare(i) != b.bare(i):
                x, y = a.key(i), b.key(i)
                if x is None or y is None:
                    return False
                if x != y:
                    continue
            pairs.append((i, i))
        self._settle([*pairs, (k, k)], k + 1, k + 1, whole=False)
        return True

    def _skip(self, feed: Feed, side: int) -> None:
        line = feed.lines[feed.at]
        if b"Revision" in line and (found := REVISION.search(line.decode("utf-8", "replace"))):
            self.revisions[side].append((feed.number(), found[1]))
        feed.at += 1

    def _meet(self) -> None:
        """Finds where the sides meet again, looking further and further."""
        a, b = self.a, self.b
        for window in WINDOWS:
            n, m = min(a.fill(window), window), min(b.fill(window), window)
            whole = a.ended and b.ended and n == len(a.lines) - a.at and m == len(b.lines) - b.at
            one = [(i, key) for i in range(n) if (key := a.key(i)) is not None]
            other = [(j, key) for j in range(m) if (key := b.key(j)) is not None]
            pairs = align([key for _, key in one], [key for _, key in other])
            enough = len(pairs) * 4 >= min(len(one), len(other))
            if whole or (pairs and enough) or (window == WINDOWS[-1] and pairs):
                self._settle([(one[i][0], other[j][0]) for i, j in pairs], n, m, whole=whole)
                return
            if n < window and m < window:
                break
        self._settle([], n, m, whole=True, summarised=not whole)

    def _settle(self, pairs: list[tuple[int, int]], n: int, m: int, *, whole: bool, summarised: bool = False) -> None:
        """Takes what lies between the pairs as hunks; behind the last pair one looks again, unless all was seen."""
        done_a = done_b = 0
        for i, j in [*pairs, *([(n, m)] if whole else [])]:
            self._between(i - done_a, j - done_b, summarised)
            if i < n or j < m:
                self.a.at, self.b.at, self.matched = self.a.at + 1, self.b.at + 1, self.matched + 1
            done_a, done_b = i + 1, j + 1

    def _between(self, n: int, m: int, summarised: bool) -> None:
        hunk: Hunk | None = None
        for feed, count, side in ((self.a, n, 0), (self.b, m, 1)):
            for _ in range(count):
                if feed.key() is None:
                    self._skip(feed, side)
                    continue
                hunk = hunk or self._hunk(summarised)
                self._take(feed, hunk.b if side else hunk.a)

    def _take(self, feed: Feed, half: Half) -> None:
        half.add(feed.numbers[feed.at], feed.lines[feed.at], feed.key() or "")
        feed.at += 1
        half.next = feed.numbers[feed.at - 1] + 1

    def _hunk(self, summarised: bool = False) -> Hunk:
        hunk = Hunk(Half(next=self.a.number()), Half(next=self.b.number()), self.matched, summarised)
        if len(self.hunks) < self._most:
            self.hunks.append(hunk)
        else:
            self.more += 1
        return hunk

    def _rest(self) -> None:
        """One side has ended."""
        for feed, side in ((self.a, 0), (self.b, 1)):
            hunk: Hunk | None = None
            while feed.fill(BLOCK):
                if feed.key() is None:
                    self._skip(feed, side)
                    continue
                hunk = hunk or self._hunk()
                self._take(feed, hunk.b if side else hunk.a)
