"""Receipts as one HTML page with a timeline; it needs nothing else and asks no address for anything."""

from __future__ import annotations

import html
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from cibus.agents.receipts import Receipt
from cibus.errors import CibusError
from cibus.folders import write_whole

STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1c2024;background:#fff}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin:2rem 0 .4rem}
svg{width:100%;height:3rem;display:block}
details{border-left:4px solid #888;margin:.4rem 0;padding:.2rem .8rem;background:#f6f7f8}
details.ok{border-color:#2a8a4a}details.look{border-color:#c98a00}details.failed{border-color:#c22}
summary{cursor:pointer}summary b{font-weight:600}
table{border-collapse:collapse;margin:.5rem 0}td,th{text-align:left;padding:.1rem .8rem .1rem 0;vertical-align:top;font-weight:400}th{color:#667}
.error{color:#b00}.warning{color:#8a5a00}.unknown{color:#067}.fine{color:#276}
@media(prefers-color-scheme:dark){body{color:#e6e8ea;background:#15181b}details{background:#1f2327}th{color:#9aa}.error{color:#f77}.warning{color:#fc6}.unknown{color:#6cf}.fine{color:#7c9}}
"""
COLOURS = {"ok": "#2a8a4a", "look": "#c98a00", "failed": "#cc2222"}


def write_page(path: Path, receipts: Sequence[Receipt]) -> None:
    """Writes the page.

    Raises:
        CibusError: the file cannot be written.
    """
    try:
        write_whole(path, page(receipts).encode("utf-8", "replace"))
    except OSError as error:
        raise CibusError(f"{path}: cannot be written: {error.strerror}") from error


def page(receipts: Sequence[Receipt]) -> str:
    """The page as text."""
    ordered = sorted(receipts, key=lambda each: (each.agent, each.started))
    agents = "".join(_agent(name, list(own), receipts) for name, own in groupby(ordered, key=lambda each: each.agent))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>Receipts of agents</title><style>{STYLE}</style><h1>Receipts of agents</h1>{agents or '<p>There are none yet.</p>'}</html>\n"
    )


def _agent(name: str, own: Sequence[Receipt], everything: Sequence[Receipt]) -> str:
    rows = "".join(_receipt(each) for each in reversed(own))
    return f"<section><h2>{_text(name)}</h2>{_timeline(own, everything)}{rows}</section>"


def _timeline(own: Sequence[Receipt], everything: Sequence[Receipt]) -> str:
    """Marks on a line from the first receipt of all to the last: the same line for every agent."""
    times = [each.started.timestamp() for each in everything]
    first, span = min(times), (max(times) - min(times)) or 1
    marks = "".join(_mark(each, 20 + 960 * (each.started.timestamp() - first) / span) for each in own)
    ends = f'<text x="20" y="42" font-size="12" fill="currentColor">{min(each.started for each in everything):%Y-%m-%d}</text><text x="980" y="42" font-size="12" fill="currentColor" text-anchor="end">{max(each.started for each in everything):%Y-%m-%d}</text>'
    return f'<svg viewBox="0 0 1000 48" preserveAspectRatio="none" role="img"><line x1="20" y1="18" x2="980" y2="18" stroke="#999"/>{marks}{ends}</svg>'


def _mark(receipt: Receipt, x: float) -> str:
    result = str(receipt.data["outcome"])
    title = _text(f"{receipt.started:%Y-%m-%d %H:%M} {receipt.data['kind']}: {result}")
    return f'<circle cx="{x:.1f}" cy="18" r="7" fill="{COLOURS[result]}"><title>{title}</title></circle>'


def _receipt(receipt: Receipt) -> str:
    data = receipt.data
    second = data.get("second")
    head = [
        f"{receipt.started:%Y-%m-%d %H:%M} UTC",
        str(data["kind"]),
        f"{data['seconds']:.0f} s",
        f"by {data['operator']['name']}",
        *([f"{data['changes']['count']} changes"] if data.get("changes") else []),
        *([f"second pass changed {second['changed']}"] if second else []),
    ]
    facts = [
        *([("failed at", f"{data['failed']}: {data.get('words', '')}")] if data.get("failed") else []),
        *([("reason", data["reason"])] if data.get("reason") else []),
        ("machine", f"{data['host']} {data.get('system', '')}"),
        *([("controller", f"{data['controller']['url']} Jenkins {data['controller']['version']}")] if data.get("controller") else []),
        *([("playbooks", data["playbooks"])] if data.get("playbooks") else []),
        ("versions", ", ".join(f"{name} {version}" for name, version in data["versions"].items())),
    ]
    rows = "".join(f"<tr><th>{_text(name)}<td>{_text(value)}" for name, value in facts)
    steps = "".join(f"<tr><th>{_text(each['name'])}<td>{each['seconds']:.1f} s<td>{_text(each['words'])}" for each in data["steps"])
    roles = "".join(f"<tr><th>{_text(name)}<td>{seconds:.1f} s" for name, seconds in data.get("roles", {}).items())
    findings = "".join(f'<tr class="{_text(each["level"])}"><td>{_text(each["level"])}<td>{_text(each["check"])}<td>{_text(each["words"])}' for each in data["findings"])
    tables = "".join(f"<table>{body}</table>" for body in (rows, steps, roles, findings) if body)
    return f'<details class="{_text(data["outcome"])}"><summary><b>{_text(data["outcome"])}</b> {_text(" · ".join(head))}</summary>{tables}</details>'


def _text(value: object) -> str:
    return html.escape(str(value))
