"""Lines that are in both builds in the same order and were only printed a step earlier or later.

What an agent's process prints reaches a controller some time after it was printed: a step's last lines may stand
behind the ``[Pipeline]`` line of the next one. So the order of the lines counts, not which ``[Pipeline]`` lines are
between them: an unmatched line of A and an equal one of B are the same if the same number of equal lines came before.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from cibus.builds.compare.align import align
from cibus.builds.compare.lines import Hunk

if TYPE_CHECKING:
    from cibus.builds.compare.walk import Finding

NEAR = 12  # lines: the commands of one pipe
TRACE = "+ "
MOST, LONGEST = 4, 400  # lines and characters of them, for writing into each other


def without_moved(findings: list[Finding]) -> list[Finding]:
    """The findings of one flow without the lines that only moved."""
    free = [each for each in findings if each.kind == "output" and not each.settled]
    hunks = [each.hunk for each in free if each.hunk is not None and not each.hunk.summarised]
    for _, group in groupby(hunks, key=lambda hunk: hunk.before):
        _cancel(list(group))
    _cancel_traces(hunks)
    return [each for each in findings if each.kind != "output" or each.hunk is None or each.hunk.a.count or each.hunk.b.count]


def _cancel(hunks: list[Hunk]) -> None:
    ours = [(hunk.a, place, key) for hunk in hunks for place, key in enumerate(hunk.a.keys)]
    theirs = [(hunk.b, place, key) for hunk in hunks for place, key in enumerate(hunk.b.keys)]
    if len(hunks) < 2 or not ours or not theirs:
        return
    for i, j in reversed(align([key for *_, key in ours], [key for *_, key in theirs])):
        ours[i][0].drop(ours[i][1])
        theirs[j][0].drop(theirs[j][1])


def _cancel_traces(hunks: list[Hunk]) -> None:
    """The commands of a pipe, or of jobs in the background, start at once: the order of their ``+`` lines is chance."""
    for group in _near(hunks):
        ours, theirs = _keys(group)
        if sorted(ours) == sorted(theirs) or _interleaved(ours, theirs) or _interleaved(theirs, ours):
            _drop(group)
            continue
        behind = hunks[hunks.index(group[-1]) + 1 :][:1]  # may have the rest of a line whose first letters are in another one
        ours, theirs = _keys([*group, *behind])
        if behind and behind[0].before - group[-1].before <= NEAR and (_interleaved(ours, theirs) or _interleaved(theirs, ours)):
            _drop([*group, *behind])


def _keys(group: list[Hunk]) -> tuple[list[str], list[str]]:
    """The lines of both sides."""
    return [key for hunk in group for key in hunk.a.keys], [key for hunk in group for key in hunk.b.keys]


def _drop(group: list[Hunk]) -> None:
    for hunk in group:
        for half in (hunk.a, hunk.b):
            while half.keys:
                half.drop(len(half.keys) - 1)


def _near(hunks: list[Hunk]) -> Iterator[list[Hunk]]:
    """Groups of hunks of which nothing but trace lines differ, close upon each other."""
    group: list[Hunk] = []
    for hunk in hunks:
        if not _traces(hunk):
            if group:
                yield group
            group = []
            continue
        if group and hunk.before - group[-1].before > NEAR:
            yield group
            group = []
        group.append(hunk)
    if group:
        yield group


def _traces(hunk: Hunk) -> bool:
    keys = [*hunk.a.keys, *hunk.b.keys]
    return 0 < len(keys) <= NEAR and any(key.startswith(TRACE) for key in keys)


def _interleaved(lines: list[str], others: list[str]) -> bool:
    """Whether the others are what processes that write these lines at once can write into each other's lines.

    A line end that came directly behind another one made an empty line, and those are not compared.
    """
    text = "".join(f"{line}\n" for line in others).replace(" ", "")  # those at the end of a line are lost already
    whole = [f"{line}\n".replace(" ", "") for line in lines]
    if not 1 < len(whole) <= MOST or len(text) > LONGEST or not 0 <= sum(map(len, whole)) - len(text) < len(whole):
        return False
    states = {(0,) * len(whole)}  # how much of each line was written
    for character in text:
        states = {_wrote(state, place) for state in states for place in _next(state, whole, character)}
        if character == "\n":
            states = _with_empty_lines(states, whole)
    return tuple(map(len, whole)) in states


def _next(state: tuple[int, ...], whole: list[str], character: str) -> list[int]:
    """The processes whose line goes on with this character."""
    return [place for place, at in enumerate(state) if whole[place][at : at + 1] == character]


def _wrote(state: tuple[int, ...], place: int) -> tuple[int, ...]:
    return (*state[:place], state[place] + 1, *state[place + 1 :])


def _with_empty_lines(states: set[tuple[int, ...]], whole: list[str]) -> set[tuple[int, ...]]:
    """The states, and those in which further processes have ended their lines here."""
    found, new = set(states), states
    while new:
        new = {_wrote(state, place) for state in new for place in _next(state, whole, "\n")} - found
        found |= new
    return found
