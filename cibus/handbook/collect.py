"""Reads all that a handbook is made of: cibus.toml, ownership.toml, receipts, runbooks, the snapshot and its history."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from cibus.agents.receipts import Receipt
from cibus.agents.receipts import read as read_receipts
from cibus.agents.spec import AgentSpec, from_config, specs
from cibus.config import AgentConfig, Config
from cibus.errors import CibusError
from cibus.handbook.owning import Owning
from cibus.handbook.prose import title_of
from cibus.handbook.records import AgentEntry, AlertEntry, Deed, Handbook, Jobs, Owners, Problem, RunbookEntry
from cibus.handbook.snapshot import jobs as jobs_of
from cibus.monitor.alerts import pages as alert_pages
from cibus.monitor.alerts import rules
from cibus.ownership.records import Thing
from cibus.receipts import folder as receipts_folder
from cibus.receipts import read_lines
from cibus.runbooks.library import library, own_folder, page_text
from cibus.runbooks.page import PageError, parsed
from cibus.runbooks.record import last_runs

T = TypeVar("T")


def collect(config: Config) -> Handbook:
    """Reads everything; what cannot be read becomes a problem of the part it belongs to, and the rest is there all the same."""
    reader = _Reader(config)
    owners = reader.owners()
    agents, deeds = reader.agents(), [*reader.runs(), *_practised(owners)]
    deeds += [_deed(each) for agent in agents for each in agent.receipts]
    return Handbook(reader.runbooks(), tuple(alerts(config)), agents, reader.jobs(), owners, tuple(sorted(deeds, key=lambda each: (each.when, each.kind, each.what))), tuple(reader.problems))


def alerts(config: Config) -> Iterator[AlertEntry]:
    """All alert rules."""
    leads = alert_pages()
    for group in rules(config.monitor)["groups"]:
        for rule in group["rules"]:
            yield AlertEntry(rule["alert"], rule["labels"]["severity"], rule["annotations"]["summary"], rule["for"], leads.get(rule["alert"], ""))


class _Reader:
    """Reads the parts one by one, and keeps what is wrong with them."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.problems: list[Problem] = []
        self._owning = self._tried("owners", lambda: Owning(config), None)

    def _tried(self, part: str, read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except CibusError as error:
            self._wrong(part, str(error))
            return otherwise

    def _wrong(self, part: str, words: str) -> None:
        self.problems.append(Problem(part, words.replace(f"{self._config.folder}{os.sep}", "")))

    def _areas(self, thing: Thing) -> tuple[str, ...]:
        return self._owning.areas_of(thing) if self._owning is not None else ()

    def owners(self) -> Owners:
        if self._owning is None:
            return Owners()
        found = self._owning.owners()
        for words in self._owning.problems:
            self._wrong("owners", words)
        return found

    def runbooks(self) -> tuple[RunbookEntry, ...]:
        none: dict[str, tuple[datetime, str]] = {}
        last = self._tried("runbooks", lambda: last_runs(self._config), none)
        return tuple(each for name, path in sorted(library(self._config.folder).items()) if (each := self._runbook(name, path, last.get(name))) is not None)

    def _runbook(self, name: str, path: Path, last: tuple[datetime, str] | None) -> RunbookEntry | None:
        if name == "index":
            self._wrong("runbooks", "runbooks/index.md: in the handbook this is the list of all runbooks: give the page another name")
            return None
        own, areas = path.parent == own_folder(self._config.folder), self._areas(Thing("runbook", name))
        content = self._tried("runbooks", lambda: page_text(path), None)
        if content is None:
            return None
        try:
            book = parsed(name, content)
        except PageError as error:
            self._wrong("runbooks", str(error))
            return RunbookEntry(name, title_of(content, name), content, None, str(error), own, last, areas, path.parent)
        return RunbookEntry(name, title_of(content, name), content, book, "", own, last, areas, path.parent)

    def agents(self) -> tuple[AgentEntry, ...]:
        known = self._tried("agents", lambda: specs(self._config), None)
        if known is None:  # the inventory cannot be read: those of cibus.toml can
            known = {name: spec for name, agent in self._config.agents.items() if (spec := self._spec(agent)) is not None}
        none: tuple[list[Receipt], list[str]] = ([], [])
        receipts, torn = self._tried("agents", lambda: read_receipts(receipts_folder(self._config)), none)
        for words in torn:
            self._wrong("agents", words)
        by_name: dict[str, list[Receipt]] = {}
        for each in receipts:
            by_name.setdefault(each.agent, []).append(each)
        return tuple(AgentEntry(name, known.get(name), tuple(by_name.get(name, ())), self._areas(Thing("agent", name))) for name in sorted({*known, *by_name}))

    def _spec(self, agent: AgentConfig) -> AgentSpec | None:
        return self._tried("agents", lambda: from_config(agent), None)

    def runs(self) -> Iterator[Deed]:
        """What was done with runbooks."""
        for path in sorted((receipts_folder(self._config) / "runbooks").glob("*.jsonl")):
            for where, data in self._lines(path):
                run = _run(data or {})
                if run is None:
                    self._wrong("runbooks", f"{where}: is no whole receipt")
                else:
                    yield run

    def _lines(self, path: Path) -> list[tuple[str, dict[str, Any] | None]]:
        none: list[tuple[str, dict[str, Any] | None]] = []
        return self._tried("runbooks", lambda: list(read_lines(path)), none)

    def jobs(self) -> Jobs | None:
        folder = self._config.monitor.snapshot
        if folder is None or not folder.is_dir():
            return None
        shown = os.path.relpath(folder, self._config.folder) if folder.is_relative_to(self._config.folder) else str(folder)
        return self._tried("jobs", lambda: jobs_of(folder, shown, lambda name: self._areas(Thing("job", name))), Jobs(shown))


def _run(data: dict[str, Any]) -> Deed | None:
    """A runbook's receipt, or None where it is not whole."""
    try:
        when = datetime.fromisoformat(data["started"])
        kind = {"run": "runbook", "check": "runbook, check only", "ci": "runbook in CI"}[data["mode"]]
        return Deed(kind, when, str(data["operator"]["name"]), str(data["runbook"]), str(data["outcome"])) if when.tzinfo is not None else None
    except (KeyError, TypeError, ValueError):
        return None


def _deed(receipt: Receipt) -> Deed:
    return Deed(str(receipt.data["kind"]), receipt.started, str(receipt.data["operator"]["name"]), receipt.agent, str(receipt.data["outcome"]))


def _practised(owners: Owners) -> Iterator[Deed]:
    """The drills of those who learn to own."""
    for person, steps in owners.steps.items():
        yield from (Deed("onboarding drill", each.done, owners.shown(person), each.title or each.drill) for each in steps if each.done is not None)
