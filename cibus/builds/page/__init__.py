"""Two builds side by side as one HTML page that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from cibus.builds.compare.core import walked
from cibus.builds.compare.model import Comparison, Difference, Divergence, Quote
from cibus.builds.compare.quoting import Quoting
from cibus.builds.compare.walk import Finding
from cibus.builds.compare.words import KINDS, place_words
from cibus.builds.page.rows import Group, Rows
from cibus.builds.page.text import differing, escaped, line_html, without_escapes
from cibus.builds.side import Side
from cibus.errors import CibusError
from cibus.folders import write_whole

MOST_ROWS = 500  # of a table
MOST_LINKS = 200  # further divergences in the list


def write_page(path: Path, comparison: Comparison, a: Side, b: Side) -> None:
    """Writes the page.

    Raises:
        CibusError: the file cannot be written, or a console cannot be read.
    """
    text = page(comparison, a, b)
    try:
        write_whole(path, text.encode("utf-8", "replace"))
    except OSError as error:
        raise CibusError(f"{path}: cannot be written: {error.strerror}") from error


def page(comparison: Comparison, a: Side, b: Side) -> str:
    """The page as text: no address is asked for anything, and what the logs hold is only shown."""
    with walked(a, b) as (walk, findings, one, other):
        ordered = Quoting(a, b, one, other).in_order(findings)
        links = {_identity(finding): f"d{number}" for number, finding in enumerate(ordered, 1)}
        rows = Rows(one, other, links)
        groups = rows.groups(walk.outline)
    parts = {
        "title": escaped(f"{comparison.a} against {comparison.b}"),
        "head": _head(comparison),
        "first": _first(comparison),
        "tables": _tables(comparison),
        "further": _further(comparison, rows.anchors),
        "logs": "".join(_group(group) for group in groups),
        "notes": _notes(comparison, rows),
    }
    template = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    for kind in ("style", "script"):
        inner = re.search(rf"<{kind}>(.*?)</{kind}>", template, re.DOTALL)
        assert inner is not None
        parts[f"{kind}-hash"] = "sha256-" + base64.b64encode(hashlib.sha256(inner[1].encode()).digest()).decode()
    return re.sub(r"\{\{([a-z-]+)\}\}", lambda match: parts[match[1]], template)


def _identity(finding: Finding) -> int:
    if finding.hunk is not None:
        return id(finding.hunk)
    return id(finding.a if finding.kind == "missing" else finding.b)


def _head(comparison: Comparison) -> str:
    verdict = "The same" if comparison.same else "They differ"
    result = comparison.result
    words = f"{result.a} in A, {result.b} in B" if result else "the same result"
    count = f"{comparison.total:,} place{'' if comparison.total == 1 else 's'} in the logs"
    return (
        f'<p class="sides"><span><b class="tag a">A</b> {escaped(comparison.a)}</span><span><b class="tag b">B</b> {escaped(comparison.b)}</span></p>'
        f'<p class="verdict {"same" if comparison.same else "differ"}"><strong>{verdict}</strong> <span>{escaped(words)}</span> <span>{count}</span></p>'
    )


def _first(comparison: Comparison) -> str:
    first = comparison.first
    if first is None:
        return '<section class="card"><h2>The logs do not part</h2></section>'
    return (
        f'<section class="card first" id="first"><h2>They part here</h2><p class="where">{escaped(place_words(first.place))}</p>'
        f'<p class="kind">{escaped(KINDS[first.kind])} · <a href="#d1">show it in the logs</a></p>{_quotes(first)}</section>'
    )


def _quotes(divergence: Divergence) -> str:
    pairs = zip(divergence.a.lines, divergence.b.lines, strict=False)
    marks = [differing(without_escapes(x), without_escapes(y)) for x, y in pairs]
    cells = [_quote(quote, "ab"[side], [mark[side] for mark in marks]) for side, quote in ((0, divergence.a), (1, divergence.b))]
    return f'<div class="row">{"".join(cells)}</div>'


def _quote(quote: Quote, side: str, marks: list[tuple[int, int]]) -> str:
    first = quote.line - len(quote.before)
    lines = [(first + place, "", line_html(text)) for place, text in enumerate(quote.before)]
    lines += [(quote.line + place, "hit", line_html(text, marks[place] if place < len(marks) else None)) for place, text in enumerate(quote.lines)]
    after = quote.line + quote.count
    note = f"<em>… and {quote.count - len(quote.lines):,} more lines</em>" if quote.count > len(quote.lines) else "" if quote.lines else "<em>nothing here</em>"
    body = "".join(f'<li value="{number}"{f" class={chr(34)}{kind}{chr(34)}" if kind else ""}>{text}\n</li>' for number, kind, text in lines)
    tail = "".join(f'<li value="{after + place}">{line_html(text)}\n</li>' for place, text in enumerate(quote.after))
    return f'<div class="cell {side} quoted"><ol>{body}</ol>{note}<ol>{tail}</ol></div>'


def _tables(comparison: Comparison) -> str:
    tables = (
        ("Stages", comparison.stages),
        ("Tests", comparison.tests),
        ("Tools", comparison.tools),
        ("Agent", comparison.agents),
        ("Parameters", comparison.parameters),
        ("Environment", comparison.environment),
        ("Artifacts", comparison.artifacts),
    )
    found = "".join(_table(title, table) for title, table in tables if table)
    slower = tuple(Difference(each.stage, f"{each.a:.1f} s", f"{each.b:.1f} s") for each in comparison.slower)
    return found + (_table("Time", slower) if slower else "")


def _table(title: str, table: Iterable[Difference]) -> str:
    rows = list(table)
    body = "".join(f"<tr><th>{escaped(each.name[:300])}</th>{_value(each.a)}{_value(each.b)}</tr>" for each in rows[:MOST_ROWS])
    more = f"<p class=gap>{len(rows) - MOST_ROWS:,} more are left out</p>" if len(rows) > MOST_ROWS else ""
    head = "<tr><td></td><th>A</th><th>B</th></tr>"
    return f'<details class="card table" open><summary><h2>{title}</h2> <span class="count">{len(rows):,}</span></summary><table>{head}{body}</table>{more}</details>'


def _value(value: str | None) -> str:
    return '<td class="none">not there</td>' if value is None else f"<td>{escaped(value[:500]) or '<i class=odd>empty or not known</i>'}</td>"


def _further(comparison: Comparison, anchors: set[str]) -> str:
    further = comparison.divergences[1 : MOST_LINKS + 1]
    if not further:
        return ""
    rows = []
    for number, each in enumerate(further, 2):
        words = f"{escaped(place_words(each.place)[:200])}: {escaped(KINDS[each.kind])}"
        there = f"d{number}" in anchors
        rows.append(f'<li><a href="#d{number}">{words}</a></li>' if there else f"<li>{words}</li>")
    left = comparison.total - 1 - len(further)
    more = f'<p class="gap">{left:,} more are in the logs below, as far as they are shown</p>' if left else ""
    return f'<details class="card"><summary><h2>Further places</h2> <span class="count">{comparison.total - 1:,}</span></summary><ol class="links">{"".join(rows)}</ol>{more}</details>'


def _group(group: Group) -> str:
    name = " / ".join(group.stages) or "outside of stages"
    count = f'<span class="count">{group.differences:,} difference{"" if group.differences == 1 else "s"}</span>' if group.differences else ""
    first = any('id="d1"' in row for row in group.rows)
    return f'<details class="stage"{" open" if first else ""}><summary><span class="name">{escaped(name)}</span>{count}</summary>{"".join(group.rows)}</details>'


def _notes(comparison: Comparison, rows: Rows) -> str:
    notes = ["Left out of the comparison: times, dates, durations, workspace and temporary paths, hashes, git's own words, stack frames, who started the build."]
    if comparison.labels:
        notes.append("No agent on this machine has the labels " + ", ".join(comparison.labels) + ".")
    if comparison.unordered:
        notes.append("Compared without the order of lines, because nobody can tell which branch printed them: " + "; ".join(comparison.unordered[:20]) + ".")
    if rows.budget.left_out:
        notes.append(f"{rows.budget.left_out:,} differences are not shown here, so that the page stays small; cibus compare --all --json has all.")
    if rows.budget.equal_left_out:
        notes.append(f"{rows.budget.equal_left_out:,} lines that are the same are not shown here.")
    if any(each.summarised for each in comparison.divergences):
        notes.append("Some steps differ so much that their lines were counted, not aligned.")
    return "".join(f"<p>{escaped(note)}</p>" for note in notes)
