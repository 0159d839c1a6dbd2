"""The pages of owners: areas with their bus factor, people, and what each has practised. Pure functions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from cibus.handbook.markup import (
    badge,
    bullets,
    code,
    day,
    facts,
    folded,
    heading,
    link,
    page,
    paragraph,
    slugs,
    table,
    text,
    unread,
)
from cibus.handbook.records import Owners
from cibus.ownership.records import Area, Factor, Part, Step
from cibus.wording import counted

NOBODY = "Nobody is written down as an owner of anything. <code>cibus owners new</code> writes a first ownership.toml."
PLURALS = {"library": "libraries"}
MEANS = {"knowledge": "how many know it: by what they wrote", "access": "how many could: by their rights", "practice": "how many have done it: by their receipts"}


def index_page(owners: Owners, pages: Mapping[str, str], problems: Sequence[str]) -> str:
    """All areas.

    Arguments:
        pages: by an area's name, the name of its page
    """
    if not owners:
        return page("Owners", [unread(problems), paragraph(NOBODY) if not problems else ""])
    rows = ([link(each.name, f"{pages[each.name]}.html"), number_badge(owners.factors.get(each.name)), _person(owners, each.primary), _person(owners, each.secondary), *(_part_number(owners.factors.get(each.name), at) for at in range(3)), text(each.reach)] for each in _ordered(owners))
    return page("Owners", [
        paragraph(f"{counted(len(owners.areas), 'area')}, {counted(len(owners.people), 'person').replace('persons', 'people')}. The bus factor is how many could leave before nobody is left who could do it: the least of what is known, may be done and was practised."),
        unread(problems),
        table(("area", "bus factor", "primary", "secondary", "know it", "may", "did it", "reach"), rows),
    ])  # fmt: skip


def _ordered(owners: Owners) -> list[Area]:
    """The areas, those with the least factor first."""
    def key(area: Area) -> tuple[int, str]:
        factor = owners.factors.get(area.name)
        return (factor.number if factor is not None and factor.number is not None else 999, area.name)

    return sorted(owners.areas.values(), key=key)


def number_badge(factor: Factor | None) -> str:
    """A bus factor with its colour."""
    if factor is None or factor.number is None:
        return badge("not measured")
    return badge(factor.number, "error" if factor.number < 2 else "fine")


def _part_number(factor: Factor | None, at: int) -> str:
    number = factor.parts[at].number if factor is not None else None
    return "–" if number is None else str(number)


def _person(owners: Owners, person: str) -> str:
    if not person:
        return badge("nobody", "warning")
    return link(owners.shown(person), f"people.html#{people_anchors(owners)[person]}") if person in owners.people else text(person)


def people_anchors(owners: Owners) -> dict[str, str]:
    """By a person's id, their anchor."""
    return slugs([*owners.people, *owners.steps], taken=())


def area_page(area: Area, owners: Owners, covered: Mapping[str, Sequence[str]]) -> str:
    """An area.

    Arguments:
        covered: by the kind of thing, links to all that belong to it, as HTML
    """
    factor = owners.factors.get(area.name)
    return page(area.name, [
        facts([
            ("what", text(area.what)),
            ("bus factor", number_badge(factor)),
            ("primary", _reached(owners, area.primary)),
            ("secondary", _reached(owners, area.secondary)),
            ("reach", text(area.reach)),
            *((PLURALS.get(kind, f"{kind}s"), " ".join(code(each) for each in globs)) for kind, globs in sorted(area.things.items())),
            ("files", " ".join(code(each) for each in area.files)),
        ]),
        heading(2, "Bus factor", "bus-factor"),
        *(_factor(factor, owners) if factor is not None else [paragraph("It was not measured.")]),
        heading(2, "What belongs to it", "things"),
        *(_covered(covered) or [paragraph("Nothing that is known here: its globs match no job, agent or runbook.")]),
    ])  # fmt: skip


def _reached(owners: Owners, person: str) -> str:
    known = owners.people.get(person)
    return _person(owners, person) + (f", {text(known.reach)}" if known and known.reach else "")


def _factor(factor: Factor, owners: Owners) -> Iterable[str]:
    down = factor.least
    if factor.number is not None:
        held = " and ".join(part.name for part in down)
        yield paragraph(f"{number_badge(factor)} held down by {text(held)}.")
    for part in factor.parts:
        yield heading(3, part.name.capitalize(), part.name)
        yield _part(part, owners)


def _part(part: Part, owners: Owners) -> str:
    number = "not measured" if part.number is None else str(part.number)
    head = paragraph(f"<strong>{number}</strong>, {text(MEANS[part.name])}{f': {text(part.words)}' if part.words else ''}.")
    rows = ([_person(owners, each.person), badge("counts", "fine") if each.counts else badge("does not"), text(each.words)] for each in part.evidence)
    evidence = table(("who", "counts", "evidence"), rows) if part.evidence else ""
    raise_it = paragraph("What would raise it:") + bullets(text(each) for each in part.raised_by) if part.raised_by else ""
    return f"<div>{head}{evidence}{raise_it}</div>"


def _covered(covered: Mapping[str, Sequence[str]]) -> list[str]:
    return [folded(counted(len(found), kind), bullets(found)) for kind, found in covered.items() if found]


def people_page(owners: Owners, pages: Mapping[str, str]) -> str:
    """All people; ``pages``: by an area's name, the name of its page."""
    if not owners.people:
        return page("People", [paragraph(NOBODY)])
    anchors = people_anchors(owners)
    rows = (
        [text(each.shown), text(each.reach), text(each.handle), _areas(owners, pages, each.id, "primary"), _areas(owners, pages, each.id, "secondary"), _drills(owners.steps.get(each.id, ()), anchors[each.id]), f"until {each.left:%Y-%m-%d}" if each.left else ""]
        for each in sorted(owners.people.values(), key=lambda each: each.shown.lower())
    )
    ordered = sorted(owners.people.values(), key=lambda each: each.shown.lower())
    return page("People", [table(("name", "reach", "handle", "primary of", "secondary of", "drills", "there"), rows, anchors=[anchors[each.id] for each in ordered])])


def _areas(owners: Owners, pages: Mapping[str, str], person: str, role: str) -> str:
    return ", ".join(link(each.name, f"{pages[each.name]}.html") for each in owners.areas.values() if getattr(each, role) == person)


def _drills(steps: Sequence[Step], anchor: str) -> str:
    return f'<a href="../onboarding.html#{anchor}">{sum(each.done is not None for each in steps)} of {len(steps)}</a>' if steps else ""


def onboarding_page(owners: Owners, runbooks: Collection[str]) -> str:
    """The drills of each person: done and open."""
    if not any(owners.steps.values()):
        return page("Onboarding", [paragraph(NOBODY if not owners else "Nobody has a drill yet. <code>cibus onboard PERSON</code> says how somebody becomes a second owner.")], alone=True)
    anchors = people_anchors(owners)
    parts = [paragraph("A second owner is somebody who has done it. Each drill that is done has a receipt.")]
    for person, steps in sorted(owners.steps.items(), key=lambda each: owners.shown(each[0]).lower()):
        if steps:
            done = sum(each.done is not None for each in steps)
            parts += [heading(2, owners.shown(person), anchors[person]), paragraph(f"{done} of {counted(len(steps), 'drill')} done."), table(("drill", "why", "done", "receipt"), (_step(each, runbooks) for each in steps))]
    return page("Onboarding", parts, alone=True)


def _step(step: Step, runbooks: Collection[str]) -> list[str]:
    title = step.title or step.drill
    name = step.drill.removeprefix("runbook:")
    return [link(title, f"runbooks/{name}.html") if name in runbooks else text(title), text(step.why), day(step.done) or badge("open", "warning"), code(step.receipt) if step.receipt else ""]
