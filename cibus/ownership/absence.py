"""What if somebody left now: what is orphaned, the most used first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from cibus.config import Config
from cibus.errors import UsageError
from cibus.ownership.checking import owners
from cibus.ownership.knowledge import People
from cibus.ownership.known import Known
from cibus.ownership.matching import owners_of
from cibus.ownership.measure import factors
from cibus.ownership.records import Area, Factor, Person, Registry, Thing
from cibus.ownership.registry import named_person
from cibus.ownership.uses import Uses


@dataclass(frozen=True)
class Orphan:
    """A thing that nobody could take over: why, how often it is used, and in words."""

    thing: Thing
    why: tuple[str, ...]
    uses: int | None
    used: str


@dataclass(frozen=True)
class Absence:
    """What somebody's leaving does: to things, and to the areas' factors, before and after."""

    person: Person
    orphans: tuple[Orphan, ...]
    areas: tuple[tuple[Factor, Factor], ...]


def somebody(registry: Registry, found: Known, text: str) -> Person:
    """The person who is meant: one of ``[people]``, or an author whom only git knows.

    Raises:
        UsageError: nobody is called so.
    """
    if known := named_person(registry, text):
        return known
    authors = sorted({author for each in found.histories.read.values() for author in each.last})
    wanted = text.casefold()
    for author in authors:
        if wanted in (author.mail, author.name.casefold()):
            return Person(People(registry).key(author), author.name, (author.mail,))
    raise UsageError(f"{text} is neither in [people] of {registry.path.name} nor an author of the areas' repositories; known: {', '.join(registry.people) or 'nobody'}")


def absence(config: Config, registry: Registry, person: Person, found: Known, uses: Uses) -> Absence:
    """Compares ownership and factors with and without a person."""
    before = factors(config, registry, found)
    later = without(registry, person, found.now.date())
    after = factors(config, later, found)
    changed = tuple(pair for pair in zip(before, after, strict=True) if _numbers(pair[0]) != _numbers(pair[1]))
    fallen = {then.area: then for now, then in changed if then.number == 0 and now.number != 0}
    orphans = sorted(_orphans(registry, later, found, fallen, uses), key=lambda each: (-(each.uses or 0), each.thing))
    return Absence(person, tuple(orphans), changed)


def without(registry: Registry, person: Person, today: date) -> Registry:
    """The registry as it were if somebody left today."""
    return replace(registry, people={**registry.people, person.id: replace(person, left=today)})


def _numbers(factor: Factor) -> list[int | None]:
    return [part.number for part in factor.parts]


def _orphans(registry: Registry, later: Registry, found: Known, fallen: dict[str, Factor], uses: Uses) -> Iterator[Orphan]:
    today = found.now.date()
    for thing in found.things:
        had = owners(registry, thing, today)
        left = owners(later, thing, today)
        why = [*(["no owner is left"] if had and not left else []), *_fallen(owners_of(registry, thing), fallen)]
        if why:
            yield Orphan(thing, tuple(why), uses.count(thing), uses.words(thing))


def _fallen(areas: Sequence[Area], fallen: dict[str, Factor]) -> Iterator[str]:
    """Where nobody is left in every area of a thing who could do it: what they lack."""
    if areas and all(area.name in fallen for area in areas):
        yield from dict.fromkeys(f"nobody is left with {part.name}" for area in areas for part in fallen[area.name].least)
