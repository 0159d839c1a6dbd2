"""Beginning a drill, proving it, and giving it up; the receipt of a proof."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cibus import receipts
from cibus.config import Config
from cibus.errors import CibusError, UsageError
from cibus.ownership.drills.base import Begun, Drill, Proof, Setting, clear, forget, recall, remember
from cibus.ownership.practised import DRILLS as FOLDER
from cibus.ownership.practised import operator_of
from cibus.ownership.records import Person, Registry
from cibus.receipts import VERSION, append_line, operator, stamp, versions


def refuse_others(config: Config, registry: Registry, person: Person) -> None:
    """A drill is done by the one whose checklist it is on.

    Raises:
        UsageError: git says that somebody else sits here.
    """
    who = operator(config)
    found = operator_of(registry, who)
    if found is None or found.id != person.id:
        shown = f"{who['name']} <{who['email']}>" if who["email"] else who["name"]
        raise UsageError(f"git says that you are {shown}, and the drills are {person.shown}'s: git config user.email must be one of emails in [people.{person.id}] of {registry.path}")


def begin(setting: Setting, drill: Drill, areas: Sequence[str], *, again: bool) -> Begun:
    """Stages a drill; one that is under way is only told again, unless it is to begin ``again``.

    Raises:
        CibusError: it cannot be staged.
    """
    if again:
        give_up(setting, drill, damaged=True)
    elif (under_way := recall(setting.person.id, drill.name)) is not None:
        return under_way
    started = stamp()
    begun = Begun(drill.name, setting.person.id, tuple(areas), started, drill.begin(setting))
    try:
        remember(begun)
    except BaseException:
        drill.tidy(setting, begun)  # nobody would know of it
        raise
    return begun


def give_up(setting: Setting, drill: Drill, *, damaged: bool = False) -> bool:
    """Takes away what was staged; False where nothing was.

    Arguments:
        damaged: what cannot be read of it is forgotten, too
    """
    try:
        begun = recall(setting.person.id, drill.name)
    except CibusError:
        if not damaged:
            raise
        begun = None
    if begun is None:
        return False
    _over(setting, drill, begun)
    return True


def _over(setting: Setting, drill: Drill, begun: Begun) -> None:
    """Takes away what was staged, and forgets it."""
    drill.tidy(setting, begun)
    clear(setting.folder)
    forget(begun)


def prove(setting: Setting, drill: Drill) -> tuple[Begun, list[Proof]]:
    """Looks whether a drill was done.

    Raises:
        UsageError: it was not begun here.
        CibusError: it cannot be looked at.
    """
    begun = recall(setting.person.id, drill.name)
    if begun is None:
        raise UsageError(f"the drill {drill.name} of {setting.person.id} was not begun here: cibus onboard {setting.person.id} --begin {drill.name}")
    return begun, list(drill.verify(setting, begun))


def finish(setting: Setting, drill: Drill, begun: Begun, proofs: Sequence[Proof]) -> Path:
    """Writes the receipt; where all holds the drill is over, and what was staged goes.

    Raises:
        CibusError: the receipt cannot be written; the drill is not over then.
    """
    done = all(each.holds for each in proofs)
    path = append_line(receipts.folder(setting.config) / FOLDER / f"{setting.person.id}.jsonl", _receipt(setting, begun, proofs, "ok" if done else "failed"))
    if done:
        _over(setting, drill, begun)
    return path


def _receipt(setting: Setting, begun: Begun, proofs: Sequence[Proof], outcome: str) -> Mapping[str, Any]:
    return {
        "schema": VERSION,
        "kind": "drill-step",
        "drill": begun.drill,
        "person": begun.person,
        "areas": list(begun.areas),
        "outcome": outcome,
        "operator": operator(setting.config),
        "started": begun.started,
        "seconds": round(time.time() - begun.when.astimezone(UTC).timestamp(), 1),
        "ended": stamp(datetime.now(UTC)),
        "proofs": [{"what": each.what, "holds": each.holds, "words": each.words} for each in proofs],
        "versions": versions(),
    }
