"""What is wrong with ownership: things that nobody or one person owns, owners who left, globs that mean nothing any more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from cibus.globs import matches
from cibus.ownership.matching import owners_of
from cibus.ownership.records import KINDS, Area, Kind, Registry, Thing
from cibus.ownership.registry import PLURALS, present

NAMES: dict[Kind, str] = {kind: plural for plural, kind in PLURALS.items()}


@dataclass(frozen=True)
class Gap:
    """Something that does not have two owners, and why: ``things`` of one kind, or what is wrong with an area or a file."""

    why: str
    things: tuple[Thing, ...] = ()
    area: str = ""
    file: str = ""

    @property
    def words(self) -> str:
        """In a line, without the names."""
        if not self.things:
            return f"{self.file or f'[areas.{self.area}]'} {self.why}"
        kind = self.things[0].kind if len(self.things) == 1 else NAMES[self.things[0].kind]
        return f"{len(self.things)} {kind}: {self.why}"


def owners(registry: Registry, thing: Thing, today: date) -> list[str]:
    """The people who own a thing and are still there, by all its areas."""
    found = dict.fromkeys(person for area in owners_of(registry, thing) for person in area.owners)
    return [each for each in found if each in registry.people and present(registry.people[each], today)]


def gaps(registry: Registry, things: Sequence[Thing], today: date) -> list[Gap]:
    """All that is wrong."""
    return [*_of_things(registry, things, today), *_of_areas(registry, things, today)]


def _of_things(registry: Registry, things: Sequence[Thing], today: date) -> Iterator[Gap]:
    """Grouped by kind and reason: a page with a line for each of a thousand jobs is read by nobody."""
    groups: dict[tuple[Kind, str], list[Thing]] = {}
    for thing in things:
        found = owners(registry, thing, today)
        if len(found) < 2:
            groups.setdefault((thing.kind, f"only {found[0]}" if found else "in no area" if not owners_of(registry, thing) else "nobody who is there"), []).append(thing)
    for (_, why), some in sorted(groups.items(), key=lambda each: (KINDS.index(each[0][0]), each[0][1])):
        yield Gap(why, tuple(some))


def _of_areas(registry: Registry, things: Sequence[Thing], today: date) -> Iterator[Gap]:
    for area in registry.areas.values():
        yield from (Gap(why, area=area.name) for why in _wrong(registry, area, things, today))


def _wrong(registry: Registry, area: Area, things: Sequence[Thing], today: date) -> Iterator[str]:
    for role, person in (("primary", area.primary), ("secondary", area.secondary)):
        if not person:
            yield f"has no {role}"
        elif not present(registry.people[person], today):
            yield f"has {person} as its {role}, who left on {registry.people[person].left}"
        elif not area.reach and not registry.people[person].reach:
            yield f"does not say how to reach {person}: give reach there or in [people.{person}]"
    for kind, globs in area.things.items():
        names = [each.name for each in things if each.kind == kind]
        yield from (f"has {glob} in {NAMES[kind]}, which is the name of nothing" for glob in globs if names and not any(matches(name, (glob,)) for name in names))
    yield from (f"names the repository {folder}, which is not there" for folder in area.repositories if not folder.is_dir())
    if not area.things and not area.repositories:
        yield "covers nothing: give it jobs, agents, credentials, libraries, playbooks, runbooks, controllers or repositories"


def unknown(things: Iterable[Thing]) -> Iterator[str]:
    """What was not looked at, since nothing tells of it."""
    if not any(each.kind == "job" for each in things):
        yield "jobs are not known: there is no snapshot; make one (cibus jobs export jenkins), or give --controller"
