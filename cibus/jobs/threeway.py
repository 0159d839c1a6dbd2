"""Who moved: what each of two sides changed since they were the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from cibus.jobs.compare import Change, merge_changes
from cibus.jobs.drift import ConfigDrift, drift
from cibus.jobs.history import line_of
from cibus.jobs.layout import Key
from cibus.jobs.trees import Snapshot

Who = Literal["we", "they", "both", "conflict"]
STYLE: dict[Who, str] = {"we": "green", "they": "yellow", "both": "dim", "conflict": "red"}


@dataclass(frozen=True)
class Move:
    """Something that changed since the base.

    Arguments:
        who: we, they, both in the same way, or both in different ways (conflict)
        key: the config
        text: what changed
    """

    who: Who
    key: Key
    text: str


@dataclass(frozen=True)
class ThreeWay:
    """All that changed on the two sides since the base."""

    base: str
    ours: str
    theirs: str
    moves: tuple[Move, ...]

    @property
    def conflicts(self) -> tuple[Move, ...]:
        """What both changed, differently."""
        return tuple(move for move in self.moves if move.who == "conflict")

    def __bool__(self) -> bool:
        return any(move.who != "both" for move in self.moves)


def three_way(base: Snapshot, ours: Snapshot, theirs: Snapshot, takes: Callable[[Key], bool] = lambda _: True) -> ThreeWay:
    """Compares two sides with what they come from; configs only."""
    we = {_at(each): each for each in drift(base, ours, takes, documents=False).configs}
    they = {_at(each): each for each in drift(base, theirs, takes, documents=False).configs}
    unlike = {each.key for each in drift(ours, theirs, takes, documents=False).configs}
    moves: list[Move] = []
    for key in sorted(we.keys() | they.keys()):
        moves += _of(key, we.get(key), they.get(key), unlike)
    return ThreeWay(base.label, ours.label, theirs.label, tuple(moves))


def lines(found: ThreeWay) -> Iterator[tuple[str, str]]:
    """The comparison as lines with their style."""
    yield "", f"since {found.base}: we = {found.ours}, they = {found.theirs}"
    for move in found.moves:
        yield STYLE[move.who], f"{move.who:8}  {move.key}: {move.text}"
    yield "", f"{len(found.conflicts)} conflicts, {sum(move.who == 'we' for move in found.moves)} ours, {sum(move.who == 'they' for move in found.moves)} theirs"


def as_data(found: ThreeWay) -> dict[str, Any]:
    """The comparison as plain data."""
    moves = [{"who": move.who, "type": move.key.kind, "name": move.key.name, "change": move.text} for move in found.moves]
    return {"base": found.base, "ours": found.ours, "theirs": found.theirs, "moves": moves}


def _at(found: ConfigDrift) -> Key:
    return found.was or found.key


def _of(key: Key, we: ConfigDrift | None, they: ConfigDrift | None, unlike: set[Key]) -> Iterator[Move]:
    if we is None or they is None:
        who: Who = "we" if we else "they"
        yield from _whole(who, key, we or they)
        return
    if we.kind == they.kind == "changed":
        merged = merge_changes(list(we.changes), list(they.changes))
        yield from (Move("we", key, change.in_words) for change in merged.only_ours)
        yield from (Move("they", key, change.in_words) for change in merged.only_theirs)
        yield from (Move("both", key, change.in_words) for change in merged.same)
        yield from (Move("conflict", key, _both(*pair)) for pair in merged.conflicts)
    elif we.kind == they.kind and we.key == they.key and we.key not in unlike:
        yield Move("both", key, line_of(we))
    else:
        yield Move("conflict", key, f"we: {line_of(we)}; they: {line_of(they)}")


def _whole(who: Who, key: Key, found: ConfigDrift | None) -> Iterator[Move]:
    if found is None:
        return
    if found.kind != "changed":
        yield Move(who, key, line_of(found))
    yield from (Move(who, key, change.in_words) for change in found.changes)


def _both(ours: Change, theirs: Change) -> str:
    return f"we: {ours.in_words}; they: {theirs.in_words}"
