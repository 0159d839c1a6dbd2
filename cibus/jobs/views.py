"""A drift as text, as data, and as a page. Pure functions."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterator
from typing import Any

from cibus.jobs.compare import Change
from cibus.jobs.drift import ConfigDrift, Drift
from cibus.jobs.history import line_of

MARK = {"added": "+", "removed": "-", "changed": "~", "moved": ">"}
STYLE = {"+": "green", "-": "red", "~": "yellow", ">": "cyan", "@": "cyan"}
SHORT = 100  # characters of a value that is shown in its line

Line = tuple[str, str]  # style and text


def lines(found: Drift) -> Iterator[Line]:
    """The drift as lines, each with its style (a colour, or '')."""
    yield "", f"{found.old} -> {found.new}"
    for config in found.configs:
        yield STYLE[MARK[config.kind]], f"{MARK[config.kind]} {line_of(config)}{_kind(config)}"
        for change in config.changes:
            yield from _change_lines(change)
    for document in found.documents:
        yield "yellow", f"~ {document.path}"
        for change in document.changes:
            yield from _change_lines(change)
    for text in found.versions:
        yield "dim", text
    for text in found.notes:
        yield "dim", f"note: {text}"
    yield "", summary(found)


def summary(found: Drift) -> str:
    """One line on all of it."""
    if not found:
        return "no drift"
    counted: Counter[str] = Counter(each.kind for each in found.configs)
    parts = [f"{counted[kind]} {kind}" for kind in MARK if counted[kind]]
    parts += [f"{len(found.documents)} other file{'s' if len(found.documents) > 1 else ''}"] if found.documents else []
    return ", ".join(parts)


def stat(found: Drift) -> Iterator[Line]:
    """A line for each config, with how many changes it has."""
    for config in found.configs:
        count = f"  {len(config.changes)}" if config.changes else ""
        yield STYLE[MARK[config.kind]], f"{MARK[config.kind]} {line_of(config).partition(' ')[2]}{count}"
    for document in found.documents:
        yield "yellow", f"~ {document.path}  {len(document.changes)}"
    yield "", summary(found)


def as_data(found: Drift) -> dict[str, Any]:
    """The drift as plain data."""
    return {
        "old": found.old,
        "new": found.new,
        "drift": bool(found),
        "configs": [
            {
                "kind": each.kind,
                "type": each.key.kind,
                "name": each.key.name,
                "class": each.root,
                "was": each.was.name if each.was else None,
                "with": each.with_it,
                "changes": [_change_data(change) for change in each.changes],
            }
            for each in found.configs
        ],
        "documents": [{"path": each.path, "changes": [_change_data(change) for change in each.changes]} for each in found.documents],
        "versions": list(found.versions),
        "notes": list(found.notes),
    }


def page(found: Drift) -> str:
    """The drift as one HTML file that needs nothing else."""
    body = [
        *(_section(f"{MARK[each.kind]} {line_of(each)}", each.kind, each.root, each.changes) for each in found.configs),
        *(_section(f"~ {each.path}", "changed", "", each.changes) for each in found.documents),
    ]
    notes = "".join(f"<li>{html.escape(text)}</li>" for text in (*found.versions, *found.notes))
    return PAGE.format(
        title=html.escape(f"{found.old} → {found.new}"),
        summary=html.escape(summary(found)),
        body="\n".join(body),
        notes=f"<ul>{notes}</ul>" if notes else "",
    )


PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }}
details {{ border: 1px solid #8885; border-radius: 6px; margin: .5rem 0; padding: .4rem .8rem; }}
summary {{ cursor: pointer; font-family: ui-monospace, monospace; }}
.added summary {{ color: #1a7f37; }} .removed summary {{ color: #cf222e; }} .changed summary {{ color: #9a6700; }} .moved summary {{ color: #0969da; }}
.kind {{ color: #888; }}
pre {{ overflow-x: auto; background: #8881; padding: .5rem; border-radius: 6px; margin: .3rem 0; }}
ins {{ color: #1a7f37; text-decoration: none; }} del {{ color: #cf222e; text-decoration: none; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{summary}</p>
{body}
{notes}
</body>
</html>
"""


def _section(title: str, kind: str, root: str, changes: tuple[Change, ...]) -> str:
    items = "".join(f"<li>{_change_html(change)}</li>" for change in changes)
    content = f"<ul>{items}</ul>" if items else ""
    return (
        f'<details class="{kind}" open><summary>{html.escape(title)} <span class="kind">{html.escape(root.rpartition(".")[2])}</span></summary>{content}</details>'
    )


def _change_html(change: Change) -> str:
    text = _diff_of(change)
    if text is None:
        return html.escape(change.in_words)
    marked = []
    for line in text.splitlines():
        tag = {"+": "ins", "-": "del"}.get(line[:1])
        marked.append(f"<{tag}>{html.escape(line)}</{tag}>" if tag else html.escape(line))
    return f"{html.escape(change.what)}<pre>{chr(10).join(marked)}</pre>"


def _kind(config: ConfigDrift) -> str:
    """What kind of job it is, where it is not to be seen otherwise."""
    return f"  ({config.root.rpartition('.')[2]})" if config.kind in ("added", "removed") and config.root else ""


def _change_lines(change: Change) -> Iterator[Line]:
    text = _diff_of(change)
    if text is None:
        mark = MARK.get(change.kind, "~")
        yield STYLE[mark], f"    {mark} {change.in_words}"
        return
    yield "yellow", f"    ~ {change.what}"
    for line in text.splitlines():
        yield STYLE.get(line[:1], "") if line[:1] in "+-@" else "", f"        {line}"


def _diff_of(change: Change) -> str | None:
    """The text diff of a change of long texts."""
    if change.secret or change.kind != "changed":
        return None
    if change.diff:
        return "\n".join(change.diff.splitlines()[2:])
    return f"-{change.old}\n+{change.new}" if max(len(change.old), len(change.new)) > SHORT else None


def _change_data(change: Change) -> dict[str, Any]:
    return {"kind": change.kind, "what": change.what, "path": change.path, "old": change.old, "new": change.new, "secret": change.secret}
