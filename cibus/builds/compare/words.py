"""A comparison in words for a terminal, and as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from cibus.builds.compare.model import Comparison, Difference, Divergence, Place, Quote

Line = tuple[str, str]  # style, text
LISTED = 12
WIDTH = 160
KINDS = {
    "output": "other output",
    "exit-code": "another exit code",
    "commit": "another commit checked out",
    "step-missing": "a step that only A has",
    "step-added": "a step that only B has",
    "stage-missing": "a stage that only A has",
    "stage-added": "a stage that only B has",
    "branch-missing": "a branch that only A has",
    "branch-added": "a branch that only B has",
}


def as_json(comparison: Comparison) -> dict[str, Any]:
    """The comparison as plain data.

    Keys: ``same``; ``a``, ``b`` (titles); ``result`` (``{name, a, b}`` or null); ``first`` and ``divergences`` (each with
    ``kind``, ``place`` {``stages``, ``step``, ``number``, ``line``, ``text``}, ``a`` and ``b`` {``line`` from 1, ``lines``,
    ``count``, ``before``, ``after``}, ``summarised``); ``total``; ``stages``, ``environment``, ``parameters``, ``tools``,
    ``tests``, ``artifacts``, ``agents`` (lists of ``{name, a, b}``, null where a side lacks it); ``labels``; ``slower``
    (``{stage, a, b}``, seconds); ``unordered``; ``exact``.
    """
    data = dataclasses.asdict(comparison)
    return {"same": comparison.same, "first": data["divergences"][0] if data["divergences"] else None, **data}


def place_words(place: Place) -> str:
    """A place in one line: ``stage Build / Unit, sh, the 2nd, Jenkinsfile line 12: make test``."""
    parts = []
    if place.stages:
        parts.append("stage " + " / ".join(place.stages))
    if place.step and not (place.step == "stage" and place.stages):
        parts.append(place.step + (f", number {place.number}" if place.number > 1 else ""))
    if place.line:
        parts.append(f"line {place.line} of the script")
    text = ", ".join(parts) or "outside of all stages"
    return f"{text}: {place.text}" if place.text and place.step != "stage" else text


def lines(comparison: Comparison, *, everything: bool = False) -> list[Line]:
    """The comparison for a terminal: the first divergence first.

    Arguments:
        everything: all divergences and differences, not only the first ones
    """
    most = None if everything else LISTED
    if comparison.same:
        found: list[Line] = [("green", f"the same: {comparison.a} and {comparison.b}")]
    else:
        found = [("bold", f"A: {comparison.a}"), ("bold", f"B: {comparison.b}")]
        if comparison.result:
            found.append(("bold red", f"result: {comparison.result.a} in A, {comparison.result.b} in B"))
        if comparison.first:
            found += [("", ""), *_divergence(comparison.first)]
        found += _further(comparison, most)
        for title, table in _tables(comparison):
            found += _table(title, table, most)
    found += _remarks(comparison)
    return found


def _tables(comparison: Comparison) -> Iterator[tuple[str, tuple[Difference, ...]]]:
    yield "stages", comparison.stages
    yield "tests", comparison.tests
    yield "tools", comparison.tools
    yield "agent", comparison.agents
    yield "parameters", comparison.parameters
    yield "environment", comparison.environment
    yield "artifacts", comparison.artifacts


def _divergence(divergence: Divergence) -> Iterator[Line]:
    yield "bold yellow", f"they part at {place_words(divergence.place)}"
    yield "", f"  {KINDS[divergence.kind]}"
    for name, quote, style in (("A", divergence.a, "red"), ("B", divergence.b, "green")):
        yield from _quote(name, quote, style)


def _quote(name: str, quote: Quote, style: str) -> Iterator[Line]:
    where = f"log line {quote.line}" if quote.line else ""
    yield "", f"  {name}, {where}" + ("" if quote.lines else ": nothing here")
    for line in quote.before:
        yield "dim", f"    {_cut(line)}"
    for line in quote.lines:
        yield style, f"  {'-' if name == 'A' else '+'} {_cut(line)}"
    if quote.count > len(quote.lines):
        yield "dim", f"    … and {quote.count - len(quote.lines):,} more lines"
    for line in quote.after[: 3 if quote.lines else 1]:
        yield "dim", f"    {_cut(line)}"


def _further(comparison: Comparison, most: int | None) -> Iterator[Line]:
    further = comparison.divergences[1:]
    if not further:
        return
    yield "", ""
    yield "", f"{comparison.total - 1:,} further place{'s' if comparison.total > 2 else ''}:"
    for each in further[:most]:
        yield "", _cut(f"  {each.a.line or '–'}/{each.b.line or '–'}  {place_words(each.place)}: {_short(each)}")
    left = comparison.total - 1 - len(further[:most])
    if left:
        yield "dim", f"  … and {left:,} more" + ("" if most is None else " (--all, --html)")


def _short(each: Divergence) -> str:
    if each.kind in ("output", "exit-code", "commit"):
        one, other = (" ⏎ ".join(quote.lines[:2]) if quote.lines else "nothing" for quote in (each.a, each.b))
        same = next((place for place, (x, y) in enumerate(zip(one, other, strict=False)) if x != y), 0)
        cut = one.rfind(" ", 0, same) + 1 if same > 20 else 0
        return f"{'…' if cut else ''}{one[cut : cut + 60]} → {'…' if cut else ''}{other[cut : cut + 60]}"
    return KINDS[each.kind]


def _table(title: str, table: tuple[Difference, ...], most: int | None) -> Iterator[Line]:
    if not table:
        return
    yield "", ""
    yield "bold", f"{title}:"
    for each in table[:most]:
        yield "", _cut(f"  {each.name}: {_value(title, each.a)} → {_value(title, each.b)}")
    if most is not None and len(table) > most:
        yield "dim", f"  … and {len(table) - most:,} more (--all)"


def _value(title: str, value: str | None) -> str:
    if value is None:
        return "not there"
    return (value[:12] or "there") if title == "artifacts" else value


def _remarks(comparison: Comparison) -> Iterator[Line]:
    for slow in comparison.slower[:5]:
        yield "", f"time: stage {slow.stage} took {slow.a:.1f} s in A, {slow.b:.1f} s in B"
    if comparison.labels:
        yield "yellow", f"no agent here has the label{'s' if len(comparison.labels) > 1 else ''} {', '.join(comparison.labels)}"
    if comparison.unordered:
        yield "dim", f"lines of parallel branches were compared without their order: {'; '.join(comparison.unordered[:5])}"
    if any(each.summarised for each in comparison.divergences):
        yield "dim", "some steps differ so much that their lines were counted, not aligned"


def _cut(text: str) -> str:
    text = text.replace("\x1b", "␛").replace("\t", "    ")
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
