"""The pages of runbooks: one for each, and an index by severity, alert and task. Pure functions."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from cibus.handbook.markup import (
    badge,
    code,
    commands,
    day,
    facts,
    heading,
    link,
    note,
    page,
    paragraph,
    table,
    text,
    unread,
)
from cibus.handbook.prose import Prose, expectation, prose
from cibus.handbook.records import AlertEntry, RunbookEntry
from cibus.wording import counted

LEVELS = {"error": "error", "warning": "warning", "task": ""}
GROUPS = {"error": "Something is broken", "warning": "Something needs a look", "task": "Tasks"}


@dataclass(frozen=True)
class Made:
    """A runbook's page, and the files beside it that it shows."""

    text: str
    pictures: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


def runbook_page(entry: RunbookEntry, pages: Collection[str], leading: Sequence[AlertEntry] = (), pictures: Collection[str] = (), areas: Mapping[str, str] | None = None) -> Made:
    """A runbook.

    Arguments:
        pages: the names of all runbooks
        leading: the alerts that lead here
        pictures: the files beside it
        areas: by an area's name, the name of its page
    """
    found = prose(entry.text, pages, pictures, entry.book.blocks if entry.book else (), expectation)
    parts = [
        note(f"This page is not of the form of a runbook, and cannot be run: {text(entry.problem)}.", "warning") if entry.problem else "",
        _facts(entry, leading, areas or {}),
        _commands(entry),
        _variables(entry),
        *_sections(found),
    ]
    return Made(page(entry.title, parts), found.pictures, found.lost)


def _sections(found: Prose) -> Iterable[str]:
    for each in found.sections:
        if each.level:
            yield heading(each.level, each.title, each.anchor)
        yield f'<div class="hb-prose">{each.html}</div>' if each.html else ""


def _facts(entry: RunbookEntry, leading: Sequence[AlertEntry], areas: Mapping[str, str]) -> str:
    book = entry.book
    last = f"{day(entry.last[0])} by {text(entry.last[1])}" if entry.last else "nobody yet, as far as receipts say"
    written = [("owner", text(book.owner)), ("severity", badge(book.severity, LEVELS[book.severity])), ("takes", f"{book.minutes} min"), ("needs", text(", ".join(book.needs)))] if book else []
    return facts([
        *written,
        ("alerts that lead here", ", ".join(link(each.name, f"../alerts.html#{each.name}") for each in leading)),
        ("areas", ", ".join(link(each, f"../owners/{areas[each]}.html") for each in entry.areas if each in areas)),
        ("gone through last", last),
        ("written by", "the team" if entry.own else "cibus"),
    ])


def _commands(entry: RunbookEntry) -> str:
    if entry.book is None:
        return ""
    set_by = {block.sets for block in entry.book.blocks}
    given = "".join(f" --var {name}={shlex.quote(name.upper())}" for name, each in entry.book.variables.items() if not each.default and not each.secret and name not in set_by)
    return commands([f"cibus runbook run {entry.name}{given} --check-only", f"cibus runbook run {entry.name}{given}"])


def _variables(entry: RunbookEntry) -> str:
    known = entry.book.variables if entry.book else {}
    if not known:
        return ""
    rows = ([code(each.name), text(each.what) + (f" (secret: from the environment, as <code>{text(each.environment)}</code>)" if each.secret else ""), code(each.default) if each.default else ""] for each in known.values())
    return table(("variable", "what it is", "default"), rows)


def index_page(entries: Sequence[RunbookEntry], alerts: Sequence[AlertEntry], problems: Sequence[str]) -> str:
    """All runbooks, by severity, by alert and by task."""
    by_name = {each.name: each for each in entries}
    parts = [
        paragraph(f"{counted(len(entries), 'page')}: what to do when something is wrong, and how things are done. <code>cibus runbook run NAME</code> goes through a page step by step and keeps a receipt; the search above finds words of all pages."),
        unread(problems),
        heading(2, "By alert", "by-alert"),
        table(("alert", "page"), ([link(each.name, f"../alerts.html#{each.name}"), _named(by_name.get(each.page), each.page)] for each in sorted(alerts, key=lambda each: each.name))),
    ]
    for severity, words in GROUPS.items():
        chosen = sorted((each for each in entries if each.severity == severity), key=lambda each: each.title.lower())
        parts += [heading(2, words, severity), table(("page", "owner", "takes", "last gone through"), (_row(each) for each in chosen))] if chosen else []
    return page("Runbooks", parts)


def _row(entry: RunbookEntry) -> list[str]:
    last = f"{day(entry.last[0])}, {text(entry.last[1])}" if entry.last else ""
    return [link(entry.title, f"{entry.name}.html"), text(entry.book.owner if entry.book else ""), f"{entry.book.minutes} min" if entry.book else badge("cannot be run", "warning"), last]


def _named(entry: RunbookEntry | None, name: str) -> str:
    return link(entry.title, f"{name}.html") if entry else f"there is no page {code(name)}"


def alerts_page(alerts: Sequence[AlertEntry], entries: Mapping[str, RunbookEntry]) -> str:
    """All alert rules."""
    rows = (
        [f"<strong>{text(each.name)}</strong>", badge(each.level, "error" if each.level == "critical" else "warning"), text(each.means), text(each.lasts), link(entries[each.page].title, f"runbooks/{each.page}.html") if each.page in entries else code(each.page)]
        for each in alerts
    )
    return page("Alerts", [
        paragraph(f"{counted(len(alerts), 'rule')}, as <code>cibus monitor rules</code> writes them for Prometheus. An alert fires when what it means lasted for the time beside it; its page says what to do."),
        table(("alert", "level", "what it means", "lasts", "what to do"), rows, anchors=[each.name for each in alerts]),
    ], alone=True)  # fmt: skip
