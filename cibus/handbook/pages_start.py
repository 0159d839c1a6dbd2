"""The start page: what is here, and how things stand. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cibus.handbook.markup import badge, bullets, code, day, heading, link, page, paragraph, table, text
from cibus.handbook.pages_owners import NOBODY, number_badge
from cibus.handbook.records import Deed, Handbook
from cibus.wording import counted

PARTS = {"runbooks": "Runbooks", "agents": "Agents", "owners": "Owners", "jobs": "Jobs"}


def start_page(book: Handbook, areas: Mapping[str, str]) -> str:
    """The start page; ``areas``: by an area's name, the name of its page."""
    return page("CI handbook", [
        paragraph("What to do when CI is ill, who owns what, what there is, and who has practised it. Is something wrong right now? The <a href=\"alerts.html\">alerts</a> lead to the page that says what to do; the search finds words of all pages."),
        _problems(book),
        heading(2, "What is here", "what-is-here"),
        table(("part", "how it stands"), _parts(book)),
        heading(2, "Areas", "areas"),
        _areas(book, areas),
        heading(2, "Done last", "done-last"),
        _deeds(book.deeds),
    ], alone=True)  # fmt: skip


def _problems(book: Handbook) -> str:
    if not book.problems:
        return ""
    return f'<div class="admonition warning"><p>Not all could be read:</p>{bullets(f"{text(PARTS.get(each.part, each.part))}: {text(each.words)}" for each in book.problems)}</div>'


def _parts(book: Handbook) -> list[list[str]]:
    own = sum(each.own for each in book.runbooks)
    gone = sum(each.last is not None for each in book.runbooks)
    return [
        [link("Runbooks", "runbooks/index.html"), f"{counted(len(book.runbooks), 'page')}, {own} of them the team's own; somebody went through {gone} to the end"],
        [link("Alerts", "alerts.html"), counted(len(book.alerts), "rule")],
        [link("Owners", "owners/index.html"), f"{counted(len(book.owners.areas), 'area')}, {len(book.owners.people)} people" if book.owners else NOBODY],
        [link("Agents", "agents/index.html"), _agents(book)],
        [link("Jobs", "jobs/index.html"), _jobs(book)],
        [link("Onboarding", "onboarding.html"), _drills(book)],
    ]


def _agents(book: Handbook) -> str:
    ill = sum(any(found["level"] == "error" for found in each.examined.data["findings"]) for each in book.agents if each.examined)
    never = sum(each.last("rebuild") is None for each in book.agents)
    return f"{counted(len(book.agents), 'agent')}; {ill} with errors when last examined; {never} never rebuilt with a receipt" if book.agents else "none is configured"


def _jobs(book: Handbook) -> str:
    if book.jobs is None:
        return "there is no snapshot: <code>cibus jobs export jenkins --commit</code> makes one"
    last = max((each.change.when for each in book.jobs.entries if each.change), default=None)
    return f"{counted(len(book.jobs.entries), 'job')}{f', changed last on {day(last)}' if last else ''}{f'; {book.jobs.drift[1]} configs differed from the live controller on {day(book.jobs.drift[0])}' if book.jobs.drift else ''}"


def _drills(book: Handbook) -> str:
    steps = [each for found in book.owners.steps.values() for each in found]
    return f"{sum(each.done is not None for each in steps)} of {counted(len(steps), 'drill')} done" if steps else "nobody has a drill yet"


def _areas(book: Handbook, areas: Mapping[str, str]) -> str:
    if not book.owners.areas:
        return paragraph(NOBODY)
    rows = []
    for name, area in sorted(book.owners.areas.items()):
        rows.append([link(name, f"owners/{areas[name]}.html"), number_badge(book.owners.factors.get(name)), text(book.owners.shown(area.primary)) or badge("nobody", "warning"), text(book.owners.shown(area.secondary)) or badge("nobody", "warning")])
    return table(("area", "bus factor", "primary", "secondary"), rows)


def _deeds(deeds: Sequence[Deed]) -> str:
    """The last receipt of each kind."""
    last = {each.kind: each for each in deeds}
    if not last:
        return paragraph("There are no receipts yet. <code>cibus agents verify</code>, <code>rebuild</code> and <code>drill</code>, and <code>cibus runbook run</code> leave them.")
    ordered = sorted(last.values(), key=lambda each: each.when, reverse=True)
    return table(("what", "last", "on what", "by", "outcome"), ([text(each.kind), day(each.when), code(each.what), text(each.who), text(each.outcome)] for each in ordered))
