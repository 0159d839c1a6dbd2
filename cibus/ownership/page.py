"""Areas, their owners and bus factors as one HTML page with all evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cibus.ownership.measure import raised
from cibus.ownership.records import Factor, Part, Registry
from cibus.webpage import escaped, frame


def page(registry: Registry, found: Sequence[Factor]) -> str:
    """The page; the areas that could lose least come first."""
    ordered = sorted(found, key=lambda each: (-1 if each.number is None else each.number, each.area))
    rows = "".join(f"<tr><td><a href=\"#{escaped(each.area)}\">{escaped(each.area)}</a></td>{''.join(_cell(number) for number in (each.number, *(part.number for part in each.parts)))}<td>{escaped(_owners(registry, each))}</td></tr>" for each in ordered)
    table = f'<div class="wide"><table><tr><th>area</th><th class="number">bus factor</th><th class="number">knowledge</th><th class="number">access</th><th class="number">practice</th><th>owners</th></tr>{rows}</table></div>'
    return frame("Bus factors", f"<h1>Bus factors</h1><p>How many people could leave before nobody is left who could mend it: the least of those who know it, may change it, and have practised it.</p>{table}{''.join(_area(registry, each) for each in ordered)}")


def _cell(number: int | None) -> str:
    level = "warning" if number is None or number == 1 else "error" if number == 0 else "fine"
    return f'<td class="number {level}">{"–" if number is None else number}</td>'


def _owners(registry: Registry, found: Factor) -> str:
    return ", ".join(registry.shown(each) for each in registry.areas[found.area].owners) or "nobody"


def _area(registry: Registry, found: Factor) -> str:
    area = registry.areas[found.area]
    reach = "; ".join(dict.fromkeys(each for each in (area.reach, *(registry.people[person].reach for person in area.owners)) if each))
    raising = "".join(f"<li>{escaped(each)}</li>" for each in raised(found))
    parts = "".join(_part(registry, each) for each in found.parts)
    return (
        f'<section id="{escaped(area.name)}"><h2>{escaped(area.name)}</h2><p>{escaped(area.what)}</p>'
        f"<p>{escaped(_owners(registry, found))}{f' <span class=soft>{escaped(reach)}</span>' if reach else ''}</p>"
        f"{parts}{f'<p>What would raise it:</p><ul>{raising}</ul>' if raising else ''}</section>"
    )


def _part(registry: Registry, part: Part) -> str:
    people = "".join(_evidence(registry, part))
    return f'<details><summary>{part.name}: {"not measured" if part.number is None else part.number} <span class="soft">{escaped(part.words)}</span></summary><ul>{people}</ul></details>'


def _evidence(registry: Registry, part: Part) -> Iterator[str]:
    for each in part.evidence:
        yield f'<li class="{"fine" if each.counts else "soft"}">{escaped(registry.shown(each.person))}: {escaped(each.words)}</li>'
