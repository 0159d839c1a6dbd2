"""What people did: drills and incidents, from the receipts of agents, runbooks and onboarding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cibus.ownership.matching import covers
from cibus.ownership.records import KINDS, Area, Person, Registry, Thing
from cibus.ownership.registry import named_person
from cibus.receipts import read_lines

DRILLS = "drills"
AGENT_KINDS = ("rebuild", "drill")  # a verify only looks


@dataclass(frozen=True)
class Deed:
    """Something that somebody did and of which there is a receipt.

    Arguments:
        person: the id of ``[people]``, or what git called them
        drill: the drill of onboarding that it was, or ""
        areas: those that it counts for by its receipt, beside those of its things
        place: ``file:line`` of the receipt
    """

    person: str
    when: datetime
    words: str
    things: tuple[Thing, ...]
    place: str
    drill: str = ""
    areas: tuple[str, ...] = ()

    def counts_for(self, area: Area) -> bool:
        """Whether it was about something in an area."""
        return area.name in self.areas or any(self._about(area, each) for each in self.things)

    def _about(self, area: Area, thing: Thing) -> bool:
        if thing.kind == "controller" and not thing.name:  # a runbook's receipt does not say which one
            return bool(area.things.get("controller"))
        return covers(area, thing)


def deeds(receipts: Path, registry: Registry) -> tuple[list[Deed], list[str]]:
    """All that people did, the oldest first, and a line for each receipt that cannot be read.

    Arguments:
        receipts: the folder of the receipts

    Raises:
        CibusError: a file cannot be read.
    """
    found: list[Deed] = []
    torn: list[str] = []
    for path in sorted([*receipts.glob("*.jsonl"), *receipts.glob("runbooks/*.jsonl"), *receipts.glob(f"{DRILLS}/*.jsonl")]):
        for place, data in read_lines(path):
            try:
                found += _deeds(data or {}, _short(place, receipts), registry)
            except (KeyError, ValueError, TypeError, AttributeError):
                torn.append(f"{place}: is no whole receipt")
    return sorted(found, key=lambda each: (each.when, each.place)), torn


def _short(place: str, receipts: Path) -> str:
    return place.removeprefix(f"{receipts.parent}/")


def _deeds(data: Mapping[str, Any], place: str, registry: Registry) -> Iterator[Deed]:
    kind, when = data["kind"], datetime.fromisoformat(data["started"])
    if when.tzinfo is None:
        raise ValueError("no time zone")
    who = person_key(registry, data["operator"])
    if kind in AGENT_KINDS and data["outcome"] in ("ok", "look"):
        yield Deed(who, when, f"{kind} of {data['agent']}", (Thing("agent", data["agent"]),), place)
    elif kind == "runbook" and data["mode"] == "run" and data["outcome"] == "ok":
        yield Deed(who, when, f"runbook {data['runbook']}", tuple(_things(data["things"])), place)
    elif kind == "drill-step" and data["outcome"] == "ok":
        yield Deed(data["person"], when, f"drill {data['drill']}", (), place, data["drill"], tuple(data["areas"]))


def _things(texts: list[str]) -> Iterator[Thing]:
    for text in texts:
        kind, _, name = text.partition(":")
        if kind in KINDS:
            yield Thing(kind, name)


def person_key(registry: Registry, operator: Mapping[str, str]) -> str:
    """The id of whoever a receipt names, or what it calls them."""
    known = operator_of(registry, operator)
    return known.id if known else f"{operator['name']} <{operator.get('email', '')}>" if operator.get("email") else operator["name"]


def operator_of(registry: Registry, operator: Mapping[str, str]) -> Person | None:
    """The person whom a receipt names: by the address, else by the name."""
    mail = str(operator.get("email", "")).lower()
    by_mail = next((each for each in registry.people.values() if mail and mail in each.emails), None)
    return by_mail or named_person(registry, operator["name"])


def proved_access(found: list[Deed], agent: str) -> dict[str, Deed]:
    """By person, the last deed that shows that they could log in to an agent's machine."""
    return {each.person: each for each in found if Thing("agent", agent) in each.things}
