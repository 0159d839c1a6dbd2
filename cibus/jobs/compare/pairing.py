"""Which item of an old list is which of the new one."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cibus.jobs.compare.nodes import Node

_ALIKE = 0.35


@dataclass(frozen=True)
class Pairing:
    """Items by their positions.

    Arguments:
        pairs: old and new position, by old position
        moved: the old positions of pairs whose order among the others changed
        removed: positions in the old list
        added: positions in the new list
    """

    pairs: tuple[tuple[int, int], ...]
    moved: frozenset[int]
    removed: tuple[int, ...]
    added: tuple[int, ...]


def paired(
    old: tuple[Node, ...], new: tuple[Node, ...], key: Callable[[Node], str], *, by_likeness: bool = True
) -> Pairing:
    """Pairs the items of two lists: equal ones first, then those of the same key, then the likeliest.

    Arguments:
        old: the items of the old list
        new: those of the new one
        key: what an item is called by; empty if by nothing
        by_likeness: whether what has neither an equal nor its key on the other side may have changed both
    """
    pairs: dict[int, int] = {}
    left, right = dict(enumerate(old)), dict(enumerate(new))

    def pair(one: int, other: int) -> None:
        pairs[one] = other
        del left[one], right[other]

    _pair_by(left, right, lambda node: node.signature, pair)
    _pair_by(left, right, lambda node: key(node) or None, pair)
    for one, other in _likeliest(left, right) if by_likeness else ():
        if one in left and other in right:
            pair(one, other)
    ordered = tuple(sorted(pairs.items()))
    kept = _longest_rising([other for _, other in ordered])
    moved = frozenset(one for place, (one, _) in enumerate(ordered) if place not in kept)
    return Pairing(ordered, moved, tuple(left), tuple(right))


def _pair_by(
    left: dict[int, Node], right: dict[int, Node], of: Callable[[Node], object], pair: Callable[[int, int], None]
) -> None:
    """Pairs what has the same mark, the first with the first."""
    places: dict[object, list[int]] = {}
    for other, node in right.items():
        places.setdefault(of(node), []).append(other)
    for one, node in list(left.items()):
        mark = of(node)
        if mark is not None and places.get(mark):
            pair(one, places[mark].pop(0))


def _likeliest(left: dict[int, Node], right: dict[int, Node]) -> Iterable[tuple[int, int]]:
    """Pairs of the same element, the most alike first; an only one on both sides goes with the other."""
    ones, others = Counter(node.tag for node in left.values()), Counter(node.tag for node in right.values())
    scored = []
    for one, old in left.items():
        for other, new in right.items():
            if old.tag == new.tag:
                score = likeness(old, new)
                if score >= _ALIKE or ones[old.tag] == others[old.tag]:
                    scored.append((-score, abs(one - other), one, other))
    return [(one, other) for _, _, one, other in sorted(scored)]


def likeness(one: Node, other: Node) -> float:
    """How much two nodes share: 1.0 if they mean the same."""
    if one.signature == other.signature:
        return 1.0
    a, b = Counter(_words(one)), Counter(_words(other))
    total = a.total() + b.total()
    return 2 * (a & b).total() / total if total else 0.0


def _words(node: Node) -> Iterable[str]:
    for line in node.text.split("\n"):
        yield f"{node.tag}={line.strip()}"
    for child in node.children:
        yield from _words(child)


def _longest_rising(numbers: list[int]) -> set[int]:
    """The places of a longest rising row of numbers: what did not move."""
    ends: list[int] = []
    places: list[int] = []
    before: list[int] = []
    for place, number in enumerate(numbers):
        length = bisect_left(ends, number)
        ends[length : length + 1] = [number]
        places[length : length + 1] = [place]
        before.append(places[length - 1] if length else -1)
    kept = set()
    place = places[-1] if places else -1
    while place >= 0:
        kept.add(place)
        place = before[place]
    return kept
