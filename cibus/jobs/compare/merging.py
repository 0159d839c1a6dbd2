"""Changes of two sides since the same state: which are of one side only, which are the same, which collide."""

from __future__ import annotations

from typing import NamedTuple

from cibus.jobs.compare.model import Change


class Merged(NamedTuple):
    """The changes of two sides.

    Fields:
        only_ours: of our side only
        only_theirs: of the other side only
        same: made on both sides alike
        conflicts: pairs that cannot both be had: the same place, or one within what the other removed or moved
    """

    only_ours: tuple[Change, ...]
    only_theirs: tuple[Change, ...]
    same: tuple[Change, ...]
    conflicts: tuple[tuple[Change, Change], ...]


def merge_changes(ours: list[Change], theirs: list[Change]) -> Merged:
    """Sorts the changes of two sides, both against the same old config, by their paths."""
    same = [change for change in ours if change in theirs]
    mine = [change for change in ours if change not in same]
    others = [change for change in theirs if change not in same]
    conflicts = [(one, other) for one in mine for other in others if _collide(one, other)]
    in_conflict = {id(change) for pair in conflicts for change in pair}
    return Merged(
        tuple(change for change in mine if id(change) not in in_conflict),
        tuple(change for change in others if id(change) not in in_conflict),
        tuple(same),
        tuple(conflicts),
    )


def _collide(one: Change, other: Change) -> bool:
    if one.path == other.path:
        return {one.kind, other.kind} != {"moved", "changed"}
    return _within(one, other) or _within(other, one)


def _within(inner: Change, outer: Change) -> bool:
    """Whether a change lies inside of what another one takes away or exchanges as a whole."""
    return outer.kind != "moved" and inner.path.startswith(outer.path + "/")
