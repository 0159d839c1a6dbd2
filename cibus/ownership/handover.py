"""Offboarding: what somebody who leaves has to hand over, remembered when it begins, and whether it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from cibus import receipts
from cibus.config import Config
from cibus.errors import CibusError, UsageError
from cibus.ownership.absence import without
from cibus.ownership.checking import owners
from cibus.ownership.known import Known
from cibus.ownership.matching import owners_of
from cibus.ownership.measure import factor
from cibus.ownership.practised import Deed
from cibus.ownership.records import KINDS, Person, Registry, Thing
from cibus.ownership.registry import ID, named_person
from cibus.receipts import VERSION, append_line, operator, read_lines, stamp, versions
from cibus.wording import counted

FOLDER = "offboard"
OTHERS = {"knowledge": "others know it", "access": "others may change it", "practice": "others have practised it"}
SHOWN = 3


@dataclass(frozen=True)
class Item:
    """Something to hand over, whether it was, and what is left to do."""

    what: str
    done: bool
    words: str = ""


@dataclass(frozen=True)
class Begun:
    """What somebody had when the handover began.

    Arguments:
        areas: by area, the things in it
    """

    person: Person
    when: datetime
    areas: Mapping[str, tuple[Thing, ...]]


def path_of(config: Config, person: str) -> Path:
    """The file of a person's handover."""
    return receipts.folder(config) / FOLDER / f"{person}.jsonl"


def begun(config: Config, registry: Registry, person: str) -> Begun | None:
    """What was remembered; None where the handover has not begun.

    Raises:
        CibusError: the receipt is damaged.
    """
    known_person = named_person(registry, person)
    person = known_person.id if known_person else person
    if not ID.fullmatch(person):
        return None
    path = path_of(config, person)
    lines = [(place, data) for place, data in (read_lines(path) if path.is_file() else ()) if data is None or data.get("kind") == "offboard-begun"]
    if not lines:
        return None
    place, data = lines[-1]
    try:
        assert data is not None
        known = data["who"]
        areas = {name: tuple(_thing(text) for text in texts) for name, texts in data["areas"].items()}
        return Begun(registry.people.get(person) or Person(person, known["name"], tuple(known["emails"]), known["jenkins"]), datetime.fromisoformat(data["started"]), areas)
    except (AssertionError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise CibusError(f"{place}: is no whole receipt of a handover that began; take the line away, or take it from git") from error


def _thing(text: str) -> Thing:
    kind, _, name = text.partition(":")
    if kind not in KINDS:
        raise ValueError(text)
    return Thing(kind, name)


def begin(config: Config, registry: Registry, text: str, found: Known) -> Begun:
    """Remembers what somebody has, so that it is known when ownership.toml no longer says it.

    Raises:
        UsageError: nobody is called so.
        CibusError: the receipt cannot be written.
    """
    person = named_person(registry, text)
    if person is None:
        raise UsageError(f"{text} is nobody of [people] in {registry.path}; known: {', '.join(registry.people) or 'nobody'}")
    areas = {area.name: tuple(thing for thing in found.things if area in owners_of(registry, thing)) for area in registry.areas.values() if person.id in area.owners}
    data = {
        "schema": VERSION,
        "kind": "offboard-begun",
        "person": person.id,
        "who": {"name": person.name, "emails": list(person.emails), "jenkins": person.jenkins},
        "areas": {name: [str(thing) for thing in things] for name, things in areas.items()},
        "operator": operator(config),
        "started": stamp(),
        "versions": versions(),
    }
    append_line(path_of(config, person.id), data)
    return Begun(person, datetime.fromisoformat(str(data["started"])), areas)


def items(config: Config, registry: Registry, start: Begun, found: Known) -> list[Item]:
    """All that is to be handed over, done and open."""
    return [*_areas(config, registry, start, found), *_names(config, registry, start.person), *_rights(registry, start.person, found), *_secrets(start, found)]


def _areas(config: Config, registry: Registry, start: Begun, found: Known) -> Iterator[Item]:
    today = found.now.date()
    later = without(registry, start.person, today)
    for name, things in start.areas.items():
        left = [thing for thing in things if len([each for each in owners(registry, thing, today) if each != start.person.id]) < 2]
        words = f"{len(left)} of {counted(len(things), 'thing')} without: {', '.join(map(str, left[:SHOWN]))}{f' and {len(left) - SHOWN} more' if len(left) > SHOWN else ''}"
        yield Item(f"{name}: two others own all of it", not left, words)
        area = registry.areas.get(name)
        if area is None:
            continue
        yield Item(f"{name}: its table names them no more", start.person.id not in area.owners, f"they are its {'primary' if area.primary == start.person.id else 'secondary'}")
        others = replace(area, primary=area.primary if area.primary != start.person.id else "", secondary=area.secondary if area.secondary != start.person.id else "")
        for part in factor(config, later, others, found).parts:
            if part.number is not None:
                yield Item(f"{name}: {OTHERS[part.name]}", part.number > 0, "; ".join(part.raised_by) or "nobody else")


def _names(config: Config, registry: Registry, person: Person) -> Iterator[Item]:
    """Where they are named as somebody to call."""
    names = {each.casefold() for each in (person.id, person.name, *person.emails) if each}
    agents = [each.name for each in config.agents.values() if each.owner.casefold() in names]
    probes = [each.name for each in config.probes.values() if each.owner.casefold() in names]
    where = str(config.path.name if config.path else "cibus.toml")
    for found, table in ((agents, "agents"), (probes, "probes")):
        for name in found:
            yield Item(f"[{table}.{name}] of {where} has another owner", False, "name another one")
    if config.monitor.owner.casefold() in names:
        yield Item(f"[monitor] of {where} has another owner", False, "name another one")
    yield Item(f"{registry.path.name} says since when they are gone", person.id not in registry.people or person.left is not None, f"give left in [people.{person.id}]")
    if person.id in registry.access:
        yield Item(f"[access.{person.id}] is gone", False, "take the rights away, then the table")


def _rights(registry: Registry, person: Person, found: Known) -> Iterator[Item]:
    """What the controller's snapshot still grants them."""
    rights = found.rights
    if not rights.known:
        yield Item("they have no rights on the controller", False, f"not known: {rights.words}")
    elif rights.everyone:
        there = person.jenkins.casefold() in rights.users
        yield Item("they cannot log in to the controller", not there, f"{rights.words}, and the user {person.jenkins} is there: take it away, then cibus jobs export")
    else:
        grants = sorted({f"{each.permission} in {each.where}" for each in (*rights.grants, *(each for some in rights.local.values() for each in some)) if each.sid.casefold() == person.jenkins.casefold()})
        yield Item("they have no rights on the controller", not grants, f"{'; '.join(grants[:SHOWN])}{f' and {len(grants) - SHOWN} more' if len(grants) > SHOWN else ''}: take them away, then cibus jobs export")


def _secrets(start: Begun, found: Known) -> Iterator[Item]:
    """Credentials of their areas, which they may know: rotated since the handover began, by its runbook."""
    for thing in dict.fromkeys(thing for things in start.areas.values() for thing in things if thing.kind == "credential"):
        rotated = [each for each in found.deeds if each.when >= start.when and each.person != start.person.id and _rotated(each, thing)]
        yield Item(f"the credential {thing.name} has a new secret", bool(rotated), f"cibus runbook run rotate-secret --var credential={thing.name.rpartition('/')[2]}")


def _rotated(deed: Deed, credential: Thing) -> bool:
    """Whether it was the runbook about rotating, for this credential; a run names it by its id alone."""
    named = {each.name for each in deed.things if each.kind == "credential"}
    return bool(named & {credential.name, credential.name.rpartition("/")[2]}) and Thing("runbook", "rotate-secret") in deed.things


def end(config: Config, start: Begun, found: list[Item]) -> Path:
    """Writes the receipt that all was handed over.

    Raises:
        CibusError: it cannot be written.
    """
    return append_line(path_of(config, start.person.id), {"schema": VERSION, "kind": "offboard", "person": start.person.id, "outcome": "ok", "operator": operator(config), "started": stamp(), "items": [each.what for each in found], "versions": versions()})


def ended(config: Config, person: str) -> bool:
    """Whether the receipt that all was handed over is there, after the last begin."""
    path = path_of(config, person)
    kinds = [data.get("kind") for _, data in (read_lines(path) if path.is_file() else ()) if data]
    return bool(kinds) and kinds[-1] == "offboard"
