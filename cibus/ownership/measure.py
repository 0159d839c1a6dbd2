"""The bus factor of each area: the least of knowledge, access and practice, each with its evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from cibus.config import Config
from cibus.ownership.access import access
from cibus.ownership.knowledge import ACTIVE, knowledge
from cibus.ownership.known import Known, known
from cibus.ownership.practised import Deed
from cibus.ownership.records import Area, Evidence, Factor, Part, Registry
from cibus.ownership.registry import present

LISTED = 3  # receipts that are named


def factors(config: Config, registry: Registry, found: Known | None = None) -> list[Factor]:
    """The bus factor of each area, in the order of ownership.toml; asks no controller.

    Raises:
        CibusError: a receipt or the snapshot cannot be read.
    """
    found = found or known(config, registry)
    return [factor(config, registry, area, found) for area in registry.areas.values()]


def factor(config: Config, registry: Registry, area: Area, found: Known) -> Factor:
    """The bus factor of an area."""
    return Factor(
        area.name,
        knowledge(config, registry, area, found.histories, found.authors, found.now),
        access(config, registry, area, found),
        practice(registry, area, found.deeds, found.now),
    )


def practice(registry: Registry, area: Area, found: Sequence[Deed], now: datetime) -> Part:
    """How many people have receipts of drills or incidents in an area, of the last year."""
    by: dict[str, list[Deed]] = {}
    for each in found:
        if each.counts_for(area):
            by.setdefault(each.person, []).append(each)
    evidence = [_practised(registry, name, mine, now) for name, mine in sorted(by.items())]
    idle = [Evidence(name, False, "no receipt of a drill or an incident") for name in area.owners if name not in by]
    counting = {each.person for each in evidence if each.counts}
    raising = tuple(f"cibus onboard {name}" for name in area.owners if name not in counting)
    return Part("practice", len(counting), "receipts of the last 365 days", tuple(sorted([*evidence, *idle], key=lambda each: (not each.counts, each.person))), raising or _another(area, len(counting)))


def _another(area: Area, count: int) -> tuple[str, ...]:
    return () if count > 1 else (f"name a second owner in [areas.{area.name}], and run cibus onboard for them",)


def _practised(registry: Registry, name: str, mine: Sequence[Deed], now: datetime) -> Evidence:
    person = registry.people.get(name)
    recent = [each for each in mine if now - each.when <= ACTIVE]
    if person is not None and not present(person, now.date()):
        return Evidence(name, False, f"left on {person.left}")
    shown = recent or mine
    words = "; ".join(f"{each.words}, {each.when:%Y-%m-%d}, {each.place}" for each in shown[-LISTED:][::-1])
    return Evidence(name, bool(recent), words if recent else f"too long ago: {words}")


def raised(found: Factor) -> Iterator[str]:
    """What would raise the number: what raises the parts that hold it down."""
    for part in found.least:
        yield from part.raised_by
