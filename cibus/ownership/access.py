"""Access: who holds the rights that it takes to mend an area's things, as far as they can be read or are declared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cibus.config import Config
from cibus.globs import matches
from cibus.ownership.knowledge import ACTIVE, People, sources
from cibus.ownership.known import Known
from cibus.ownership.matching import covers
from cibus.ownership.practised import Deed, proved_access
from cibus.ownership.records import Access, Area, Evidence, Part, Person, Registry, Thing
from cibus.ownership.registry import present
from cibus.ownership.rights import NEEDED
from cibus.wording import counted


@dataclass(frozen=True)
class Need:
    """A right that an area takes.

    Arguments:
        what: the right, in words
        holders: by person, where it is read or declared
        unknown: what to do where nothing tells who holds it; "" where something does
    """

    what: str
    holders: Mapping[str, str]
    unknown: str = ""


def access(config: Config, registry: Registry, area: Area, found: Known) -> Part:
    """How many people hold all rights that an area takes."""
    people = [each for each in registry.people.values() if present(each, found.now.date())]
    needs = list(_Needs(registry, people, found).of(config, area))
    known = [each for each in needs if not each.unknown]
    unknown = tuple(f"{each.what}: {each.unknown}" for each in needs if each.unknown)
    if not needs:
        return Part("access", None, "it has nothing yet that rights are needed for")
    if not known:
        return Part("access", None, "; ".join(unknown), raised_by=unknown)
    evidence = sorted((_evidence(each, known) for each in people), key=lambda each: (not each.counts, each.person))
    words = "; ".join(
        [
            f"needs {', '.join(each.what for each in known)}",
            *([f"not known: {'; '.join(unknown)}"] if unknown else []),
            *([f"groups, whose members are not known here: {', '.join(groups)}"] if (groups := found.rights.groups()) else []),
        ]
    )
    return Part("access", sum(each.counts for each in evidence), words, tuple(evidence), (*_raising(area, known), *unknown))


class _Needs:
    """Finds who holds which right."""

    def __init__(self, registry: Registry, people: Sequence[Person], found: Known) -> None:
        self._registry, self._people, self._found = registry, people, found

    def of(self, config: Config, area: Area) -> Iterator[Need]:
        """All rights that an area takes."""
        by_kind: dict[str, list[Thing]] = {}
        for thing in self._found.things:
            if covers(area, thing):
                by_kind.setdefault(thing.kind, []).append(thing)
        for kind, some in by_kind.items():
            if kind in NEEDED:
                yield self._on_controller(some)
            if kind == "agent":
                yield self._on_machines(some)
        if folders := sorted({each.folder for each in sources(config, area)}):
            yield self._on_repositories(folders)

    def _declared(self, person: Person) -> Access:
        return self._registry.access.get(person.id, Access(person.id))

    def _where(self, person: Person) -> str:
        return f"[access.{person.id}] of {self._registry.path.name}"

    def _on_controller(self, some: Sequence[Thing]) -> Need:
        rights = self._found.rights
        holders = {}
        for person in self._people:
            declared = self._declared(person).controllers
            if declared and all(thing.kind != "controller" or matches(thing.name, declared) for thing in some):
                holders[person.id] = self._where(person)
            elif (whys := [rights.why(person.jenkins, thing) for thing in some]) and all(whys):
                holders[person.id] = whys[0]
        known = rights.known or any(each.controllers for each in self._registry.access.values())
        return Need(f"{NEEDED[some[0].kind]} on {counted(len(some), some[0].kind)}", holders, "" if known else f"{rights.words}; export one (cibus jobs export), or say who may in [access.PERSON] controllers")

    def _on_machines(self, some: Sequence[Thing]) -> Need:
        proofs = {thing: proved_access(self._found.deeds, thing.name) for thing in some}
        holders = {}
        for person in self._people:
            whys = [self._on_machine(person, thing, proofs) for thing in some]
            if all(whys):
                holders[person.id] = whys[0]
        known = any(each.agents for each in self._registry.access.values()) or any(proofs.values())
        return Need(f"login on {counted(len(some), 'machine')}", holders, "" if known else "say who may in [access.PERSON] agents, or rebuild them: a receipt shows it")

    def _on_machine(self, person: Person, thing: Thing, proofs: Mapping[Thing, Mapping[str, Deed]]) -> str:
        if matches(thing.name, self._declared(person).agents):
            return self._where(person)
        proved = proofs[thing].get(person.id)
        return f"{proved.words}, {proved.place}" if proved and self._found.now - proved.when <= ACTIVE else ""

    def _on_repositories(self, folders: Sequence[Path]) -> Need:
        people = People(self._registry)
        landed: dict[tuple[Path, str], datetime] = {}
        for folder, read in self._found.histories.read.items():
            for author, when in read.landed.items():
                key = (folder, people.key(author))
                landed[key] = max(when, landed.get(key, when))
        holders = {}
        for person in self._people:
            whys = [self._pushed(person, folder, landed) for folder in folders]
            if all(whys):
                holders[person.id] = whys[0]
        return Need(f"push to {', '.join(folder.name for folder in folders)}", holders)

    def _pushed(self, person: Person, folder: Path, landed: Mapping[tuple[Path, str], datetime]) -> str:
        if matches(folder.name, self._declared(person).repositories):
            return self._where(person)
        when = landed.get((folder, person.id))
        return f"landed a change in {folder.name} on {when:%Y-%m-%d}" if when is not None and self._found.now - when <= ACTIVE else ""


def _evidence(person: Person, known: Sequence[Need]) -> Evidence:
    lacking = [each.what for each in known if person.id not in each.holders]
    if lacking:
        return Evidence(person.id, False, f"lacks {', '.join(lacking)}")
    return Evidence(person.id, True, "; ".join(f"{each.what}: {each.holders[person.id]}" for each in known))


def _raising(area: Area, known: Sequence[Need]) -> Iterator[str]:
    for need in known:
        yield from (f"give {owner} {need.what}" for owner in area.owners if owner not in need.holders)
    if len(area.owners) < 2:
        yield f"name a second owner in [areas.{area.name}], and give them {known[0].what}"
