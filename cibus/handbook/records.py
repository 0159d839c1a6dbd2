"""What a handbook is made of: all that was read, before it becomes pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cibus.agents.receipts import Receipt
from cibus.agents.spec import AgentSpec
from cibus.jobs.compare import Change
from cibus.ownership.records import Area, Factor, Person, Step
from cibus.runbooks.page import Runbook


@dataclass(frozen=True)
class Deed:
    """That something was done: a receipt in few words."""

    kind: str
    when: datetime
    who: str
    what: str
    outcome: str = ""


@dataclass(frozen=True)
class RunbookEntry:
    """A runbook.

    Arguments:
        book: as read; None: ``problem`` says why not
        own: the team's own
        last: when a person last went through it, and who
        areas: those it belongs to
    """

    name: str
    title: str
    text: str
    book: Runbook | None = None
    problem: str = ""
    own: bool = False
    last: tuple[datetime, str] | None = None
    areas: tuple[str, ...] = ()
    folder: Path = Path()

    @property
    def severity(self) -> str:
        """``error``, ``warning`` or ``task``."""
        return self.book.severity if self.book else "task"


@dataclass(frozen=True)
class AlertEntry:
    """An alert rule."""

    name: str
    level: str
    means: str
    lasts: str
    page: str


@dataclass(frozen=True)
class AgentEntry:
    """An agent; ``spec`` None: there are receipts of it, and it is configured no more. Receipts: the oldest first."""

    name: str
    spec: AgentSpec | None = None
    receipts: tuple[Receipt, ...] = ()
    areas: tuple[str, ...] = ()

    def last(self, kind: str) -> Receipt | None:
        """The last receipt of a kind."""
        return next((each for each in reversed(self.receipts) if each.data["kind"] == kind), None)

    @property
    def examined(self) -> Receipt | None:
        """The last receipt that has findings, whatever made it look."""
        return next((each for each in reversed(self.receipts) if each.data["findings"]), None)


@dataclass(frozen=True)
class LastChange:
    """The last commit that touched a config.

    Arguments:
        kind: ``added`` where its parent had it not
        changes: by meaning
        problem: why they could not be made out
    """

    commit: str
    when: datetime
    who: str
    subject: str
    kind: str = "changed"
    changes: tuple[Change, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class JobEntry:
    """A job, or a folder of jobs; ``root`` is the name of its config's element."""

    name: str
    root: str
    areas: tuple[str, ...] = ()
    change: LastChange | None = None


@dataclass(frozen=True)
class Jobs:
    """All jobs of a snapshot.

    Arguments:
        folder: the snapshot's, as a person writes it
        drift: when the live controller was last compared from here, and how many configs differed
        missing: what the export could not read, and why
        notes: what is to be known of the history
    """

    folder: str = ""
    url: str = ""
    version: str = ""
    entries: tuple[JobEntry, ...] = ()
    drift: tuple[datetime, int] | None = None
    missing: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Owners:
    """People, areas and their bus factors, and what each person has practised."""

    people: Mapping[str, Person] = field(default_factory=dict)
    areas: Mapping[str, Area] = field(default_factory=dict)
    factors: Mapping[str, Factor] = field(default_factory=dict)
    steps: Mapping[str, tuple[Step, ...]] = field(default_factory=dict)

    def shown(self, person: str) -> str:
        """A person's name, by id."""
        return self.people[person].shown if person in self.people else person

    def __bool__(self) -> bool:
        """Whether anything is known."""
        return bool(self.people or self.areas)


@dataclass(frozen=True)
class Problem:
    """What could not be read, and the part of the handbook it belongs to."""

    part: str
    words: str


@dataclass(frozen=True)
class Handbook:
    """All of it."""

    runbooks: tuple[RunbookEntry, ...] = ()
    alerts: tuple[AlertEntry, ...] = ()
    agents: tuple[AgentEntry, ...] = ()
    jobs: Jobs | None = None
    owners: Owners = field(default_factory=Owners)
    deeds: tuple[Deed, ...] = ()
    problems: tuple[Problem, ...] = ()

    def problems_of(self, part: str) -> tuple[str, ...]:
        """What could not be read of a part."""
        return tuple(each.words for each in self.problems if each.part == part)
