"""What somebody still has to practise: the gaps between what their areas hold and what there are receipts of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from cibus import receipts
from cibus.config import Config
from cibus.errors import UsageError
from cibus.ownership.drills.base import Drill
from cibus.ownership.drills.table import DRILLS
from cibus.ownership.knowledge import ACTIVE
from cibus.ownership.practised import Deed, deeds
from cibus.ownership.records import Area, Registry, Step
from cibus.tomltables import hint


def areas_of(registry: Registry, person: str, chosen: Sequence[str] = ()) -> list[Area]:
    """The areas that somebody is to own: those that are chosen, else those that name them, else those without a second owner.

    Raises:
        UsageError: there is no such area or person, or none that needs somebody.
    """
    if person not in registry.people:
        raise UsageError(f"{person} is nobody of [people] in {registry.path}{hint(person, registry.people) if registry.people else ''}: add [people.{person}] with name and emails as git has them")
    for name in chosen:
        if name not in registry.areas:
            raise UsageError(f"there is no [areas.{name}] in {registry.path}{hint(name, registry.areas)}")
    mine = [registry.areas[name] for name in chosen] or [each for each in registry.areas.values() if person in each.owners]
    found = mine or [each for each in registry.areas.values() if len(each.owners) < 2]
    if not found:
        raise UsageError(f"{person} owns nothing and every area has two owners: name {person} in an area of {registry.path}, or give --area")
    return found


def practises(drill: Drill, area: Area) -> bool:
    """Whether a drill is practice for something that an area holds."""
    held = {*area.things, *(("job",) if area.repositories else ())}
    return not drill.kinds or bool(held & set(drill.kinds))


def progress(config: Config, registry: Registry, person: str, chosen: Sequence[str] = (), now: datetime | None = None, found: Sequence[Deed] | None = None) -> list[Step]:
    """The checklist of a person, done and open.

    Arguments:
        found: what people did, where it was read already

    Raises:
        UsageError: nobody is called so, or there is nothing to own.
        CibusError: receipts cannot be read.
    """
    if found is None:
        found, _ = deeds(receipts.folder(config), registry)
    areas = areas_of(registry, person, chosen)
    return list(_steps(areas, [each for each in found if each.person == person], now or datetime.now(UTC)))


def _steps(areas: Sequence[Area], mine: Sequence[Deed], now: datetime) -> Iterator[Step]:
    for drill in DRILLS.values():
        where = [area for area in areas if practises(drill, area)]
        if not where:
            continue
        last = next((each for each in reversed(mine) if _is(drill, each)), None)
        done = last.when if last is not None and now - last.when <= ACTIVE else None
        why = f"for {', '.join(area.name for area in where)}" + (f"; the last time was too long ago, {last.when:%Y-%m-%d}" if last is not None and done is None else "")
        yield Step(drill.name, drill.title, why, done, last.place if last is not None and done else "", tuple(area.name for area in where))


def _is(drill: Drill, deed: Deed) -> bool:
    """Whether something that was done is this drill, or the same for real."""
    if deed.drill:
        return deed.drill == drill.name
    if drill.name == "rebuild":
        return any(each.kind == "agent" for each in deed.things) and deed.words.startswith(("rebuild of", "drill of"))
    return any(each.kind == "runbook" and each.name in drill.pages for each in deed.things)
