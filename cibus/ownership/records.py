"""What is known of owners: people, areas, the things in them, and the bus factor with its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Literal

Kind = Literal["job", "agent", "credential", "library", "playbook", "runbook", "controller"]
KINDS: tuple[Kind, ...] = ("job", "agent", "credential", "library", "playbook", "runbook", "controller")


@dataclass(frozen=True, order=True)
class Thing:
    """Something that has owners, as ``job:mobile/app``; a controller's name is that of cibus.toml."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True)
class Person:
    """``[people.ID]`` of ownership.toml.

    Arguments:
        name, emails: as git and receipts have them
        jenkins: the user's id on the controller
        handle: as CODEOWNERS has them: ``@jo``
        reach: how to reach them
        left: the day from which on they are not there any more
    """

    id: str
    name: str = ""
    emails: tuple[str, ...] = ()
    jenkins: str = ""
    handle: str = ""
    reach: str = ""
    left: date | None = None

    @property
    def shown(self) -> str:
        """Their name, or their id."""
        return self.name or self.id


@dataclass(frozen=True)
class Area:
    """``[areas.NAME]`` of ownership.toml: what belongs together, as globs of names, and who owns it.

    Arguments:
        repositories: folders of clones, with the area's Jenkinsfiles and libraries
        files: globs in them; what else is there is no CI
        line: where its table begins, from 1
    """

    name: str
    what: str = ""
    primary: str = ""
    secondary: str = ""
    reach: str = ""
    things: Mapping[Kind, tuple[str, ...]] = field(default_factory=dict)
    repositories: tuple[Path, ...] = ()
    files: tuple[str, ...] = ()
    line: int = 1

    @property
    def owners(self) -> tuple[str, ...]:
        """The ids of primary and secondary, where there are such."""
        return tuple(dict.fromkeys(each for each in (self.primary, self.secondary) if each))


@dataclass(frozen=True)
class Access:
    """``[access.ID]``: rights that a person is said to have; globs of agents and repositories."""

    person: str
    controllers: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()


@dataclass(frozen=True)
class Registry:
    """All of ownership.toml; ``path`` is where it is, or would be."""

    path: Path
    people: Mapping[str, Person] = field(default_factory=dict)
    areas: Mapping[str, Area] = field(default_factory=dict)
    access: Mapping[str, Access] = field(default_factory=dict)

    def shown(self, person: str) -> str:
        """A person's name, by id."""
        return self.people[person].shown if person in self.people else person


PartName = Literal["knowledge", "access", "practice"]


@dataclass(frozen=True)
class Evidence:
    """Why somebody counts, or does not: a person's id or name, and words with figures and places."""

    person: str
    counts: bool
    words: str


@dataclass(frozen=True)
class Part:
    """One of the three numbers of an area.

    Arguments:
        number: how many; None: there is nothing that it could be measured on, ``words`` say why
        raised_by: what would raise it, each one thing to do
    """

    name: PartName
    number: int | None
    words: str = ""
    evidence: tuple[Evidence, ...] = ()
    raised_by: tuple[str, ...] = ()

    @property
    def people(self) -> tuple[str, ...]:
        """Who counts."""
        return tuple(each.person for each in self.evidence if each.counts)


@dataclass(frozen=True)
class Factor:
    """The bus factor of an area: the least of its parts that could be measured; None: none could."""

    area: str
    knowledge: Part
    access: Part
    practice: Part

    @property
    def parts(self) -> tuple[Part, Part, Part]:
        """All three."""
        return (self.knowledge, self.access, self.practice)

    @property
    def number(self) -> int | None:
        """How many could leave before nobody is left who could do it."""
        return min((part.number for part in self.parts if part.number is not None), default=None)

    @property
    def least(self) -> tuple[Part, ...]:
        """The parts that hold it down."""
        return tuple(part for part in self.parts if part.number is not None and part.number == self.number)


@dataclass(frozen=True)
class Step:
    """A drill on somebody's checklist.

    Arguments:
        why: the areas that it is for
        done: when it was done within a year; None: open
        receipt: ``file:line`` of what shows it
    """

    drill: str
    title: str
    why: str
    done: datetime | None = None
    receipt: str = ""
    areas: tuple[str, ...] = ()
