"""Which items of two sequences belong together, in time that grows with their length."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Sequence

SMALL = 4096  # cells of a table of two short sequences


def align(one: Sequence[Hashable], other: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Pairs of equal items in the order of both, as positions.

    Equal ends first, then items that are unique in both (patience), and between those the same again; short rests get
    the longest common subsequence, long ones without anything unique whatever comes next.
    """
    pairs: list[tuple[int, int]] = []
    todo = [(0, len(one), 0, len(other))]
    while todo:
        a, a_end, b, b_end = todo.pop()
        while a < a_end and b < b_end and one[a] == other[b]:
            pairs.append((a, b))
            a, b = a + 1, b + 1
        while a < a_end and b < b_end and one[a_end - 1] == other[b_end - 1]:
            a_end, b_end = a_end - 1, b_end - 1
            pairs.append((a_end, b_end))
        if a == a_end or b == b_end:
            continue
        anchors = _anchors(one, other, a, a_end, b, b_end)
        if anchors:
            for x, y in anchors:
                todo.append((a, x, b, y))
                pairs.append((x, y))
                a, b = x + 1, y + 1
            todo.append((a, a_end, b, b_end))
        elif (a_end - a) * (b_end - b) <= SMALL:
            pairs += _longest(one, other, a, a_end, b, b_end)
        else:
            pairs += _next_ones(one, other, a, a_end, b, b_end)
    return sorted(pairs)


def _anchors(one: Sequence[Hashable], other: Sequence[Hashable], a: int, a_end: int, b: int, b_end: int) -> list[tuple[int, int]]:
    """The longest rising run of items that are there once on either side."""
    counts, others = Counter(one[a:a_end]), Counter(other[b:b_end])
    where = {other[j]: j for j in range(b, b_end) if others[other[j]] == 1}
    unique = [(i, where[one[i]]) for i in range(a, a_end) if counts[one[i]] == 1 and one[i] in where]
    tails: list[int] = []  # the last position of the best run of each length
    ends: list[int] = []
    before = [-1] * len(unique)
    for index, (_, j) in enumerate(unique):
        length = bisect_left(tails, j)
        before[index] = ends[length - 1] if length else -1
        if length == len(tails):
            tails.append(j)
            ends.append(index)
        else:
            tails[length], ends[length] = j, index
    run, index = [], ends[-1] if ends else -1
    while index >= 0:
        run.append(unique[index])
        index = before[index]
    return run[::-1]


def _longest(one: Sequence[Hashable], other: Sequence[Hashable], a: int, a_end: int, b: int, b_end: int) -> list[tuple[int, int]]:
    """The longest common subsequence, from a table."""
    width = b_end - b
    rows = [[0] * (width + 1)]
    for i in range(a_end - 1, a - 1, -1):
        below, row = rows[-1], [0] * (width + 1)
        for j in range(width - 1, -1, -1):
            row[j] = below[j + 1] + 1 if one[i] == other[b + j] else max(below[j], row[j + 1])
        rows.append(row)
    rows.reverse()
    pairs, i, j = [], 0, 0
    while i < a_end - a and j < width:
        if one[a + i] == other[b + j]:
            pairs.append((a + i, b + j))
            i, j = i + 1, j + 1
        elif rows[i + 1][j] >= rows[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs


def _next_ones(one: Sequence[Hashable], other: Sequence[Hashable], a: int, a_end: int, b: int, b_end: int) -> list[tuple[int, int]]:
    """For each item the next equal one."""
    where: dict[Hashable, list[int]] = {}
    for j in range(b, b_end):
        where.setdefault(other[j], []).append(j)
    pairs, at = [], b
    for i in range(a, a_end):
        places = where.get(one[i], [])
        found = bisect_left(places, at)
        if found < len(places):
            pairs.append((i, places[found]))
            at = places[found] + 1
    return pairs
