"""What a person sees of areas, owners and bus factors, and the same as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from cibus.ownership.absence import Absence
from cibus.ownership.checking import Gap
from cibus.ownership.measure import raised
from cibus.ownership.records import Area, Factor, Part, Registry, Thing
from cibus.wording import counted

Lines = Iterator[tuple[str, str]]
SHOWN = 5  # names, where there may be a thousand


def gap_lines(gaps: Sequence[Gap]) -> Lines:
    """What is wrong, a line each."""
    for each in gaps:
        names = [thing.name for thing in each.things]
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        yield "yellow", each.words + (f": {', '.join(names[:SHOWN])}{more}" if names else "")


def gap_data(gaps: Sequence[Gap]) -> list[dict[str, Any]]:
    """The same with all names."""
    return [{"why": each.why, "area": each.area, "file": each.file, "things": [str(thing) for thing in each.things]} for each in gaps]


def owner_lines(registry: Registry, thing: Thing, areas: Sequence[Area]) -> Lines:
    """Who owns a thing, and how to reach them."""
    if not areas:
        yield "yellow", f"{thing}: nobody; it is in no area of {registry.path}"
    for area in areas:
        yield "bold", f"{thing}: {area.name}{f', {area.what}' if area.what else ''}{f'; {area.reach}' if area.reach else ''}"
        for role, person in (("primary", area.primary), ("secondary", area.secondary)):
            known = registry.people.get(person)
            yield ("" if known and known.left is None else "yellow"), f"  {role:9}  {_person(registry, person)}"


def _person(registry: Registry, person: str) -> str:
    known = registry.people.get(person)
    if known is None:
        return "nobody"
    return known.shown + (f", {known.reach}" if known.reach else "") + (f", left on {known.left}" if known.left else "")


def owner_data(registry: Registry, thing: Thing, areas: Sequence[Area]) -> dict[str, Any]:
    """The same as data."""
    return {"thing": str(thing), "areas": [{"area": each.name, "reach": each.reach, **{role: _person_data(registry, person) for role, person in (("primary", each.primary), ("secondary", each.secondary))}} for each in areas]}


def _person_data(registry: Registry, person: str) -> dict[str, Any] | None:
    known = registry.people.get(person)
    return {"id": known.id, "name": known.shown, "reach": known.reach, "left": known.left.isoformat() if known.left else None} if known else None


def number(value: int | None) -> str:
    """A factor; – where it could not be measured."""
    return "–" if value is None else str(value)


def factor_lines(registry: Registry, found: Sequence[Factor], *, evidence: bool) -> Lines:
    """Areas with their factors; with ``evidence`` who counts and why, and what would raise each."""
    width = max((len(each.area) for each in found), default=4)
    yield "bold", f"{'area':{width}}  bus factor  knowledge  access  practice"
    for each in found:
        style = "red" if each.number == 0 else "yellow" if each.number in (None, 1) else "green"
        yield style, f"{each.area:{width}}  {number(each.number):>10}  {'  '.join(f'{number(part.number):>{size}}' for part, size in zip(each.parts, (9, 6, 8), strict=True))}"
        if evidence:
            for part in each.parts:
                yield from _part_lines(registry, part)
            yield from (("cyan", f"    raise it: {words}") for words in raised(each))


def _part_lines(registry: Registry, part: Part) -> Lines:
    yield "", f"  {part.name}: {number(part.number) if part.number is not None else 'not measured'}, {part.words}"
    for each in part.evidence:
        yield ("green" if each.counts else "dim"), f"    {'✓' if each.counts else '·'} {registry.shown(each.person)}: {each.words}"


def factor_data(found: Sequence[Factor]) -> list[dict[str, Any]]:
    """The same as data."""
    return [{"area": each.area, "factor": each.number, "parts": {part.name: {**asdict(part), "people": list(part.people)} for part in each.parts}, "raised_by": list(raised(each))} for each in found]


def absence_lines(found: Absence, most: int) -> Lines:
    """What is orphaned, the most used first, and which areas lose."""
    if not found.areas and not found.orphans:
        yield "green", f"without {found.person.shown} nothing is orphaned, and no bus factor falls"
        return
    for before, after in found.areas:
        falls = before.number != after.number
        yield ("red" if after.number == 0 else "yellow" if falls else "dim"), f"{before.area}: bus factor {number(before.number)} → {number(after.number)} ({', '.join(f'{part.name} {number(part.number)} → {number(then.number)}' for part, then in zip(before.parts, after.parts, strict=True) if part.number != then.number)})"
    if found.orphans:
        yield "bold", f"orphaned without {found.person.shown}, the most used first: {counted(len(found.orphans), 'thing')}"
    for each in found.orphans[:most]:
        yield "red", f"  {each.thing}  {each.used}; {'; '.join(each.why)}"
    if len(found.orphans) > most:
        yield "", f"  and {len(found.orphans) - most} more: --json has all"


def absence_data(found: Absence) -> dict[str, Any]:
    """The same as data."""
    return {
        "person": found.person.id,
        "areas": [{"area": before.area, "before": before.number, "after": after.number} for before, after in found.areas],
        "orphans": [{"thing": str(each.thing), "why": list(each.why), "uses": each.uses, "used": each.used} for each in found.orphans],
    }
