"""The monitor's web pages: HTML that needs no script and asks no other address for anything."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from cibus.monitor.conditions import span
from cibus.monitor.findings import Finding
from cibus.monitor.state import Label
from cibus.monitor.watch import TRENDS, Seen

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
STYLE = """
:root{--ink:#1c2024;--soft:#5a6470;--ground:#fff;--box:#f4f6f8;--error:#b3141c;--warning:#8a5a00;--fine:#1d7a3c;--line:#2a6fb0}
@media(prefers-color-scheme:dark){:root{--ink:#e6e8ea;--soft:#a3adb8;--ground:#15181b;--box:#1f2327;--error:#ff8080;--warning:#f0b849;--fine:#74cf8f;--line:#74b3ea}}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:72rem;padding:1rem;color:var(--ink);background:var(--ground)}
h1{font-size:1.35rem;margin:.2rem 0}h2{font-size:1.1rem;margin:1.8rem 0 .5rem}a{color:var(--line)}
.soft{color:var(--soft)}.error{color:var(--error)}.warning{color:var(--warning)}.fine{color:var(--fine)}
ul.findings{list-style:none;padding:0;margin:0}
ul.findings li{background:var(--box);border-left:.35rem solid var(--warning);margin:.5rem 0;padding:.5rem .8rem;overflow-wrap:anywhere}
ul.findings li.error{border-color:var(--error);color:inherit}ul.findings li.warning{color:inherit}
.trends{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(20rem,100%),1fr));gap:.8rem}
figure{margin:0;background:var(--box);padding:.5rem .8rem}figcaption{font-size:.9rem}svg{width:100%;height:4rem;display:block}
.wide{overflow-x:auto}table{border-collapse:collapse}td,th{text-align:left;padding:.15rem 1.2rem .15rem 0;font-weight:400;vertical-align:top}th{color:var(--soft)}
td.number,th.number{text-align:right}pre{background:var(--box);padding:.6rem .8rem;overflow-x:auto}code{font-size:.95em}
"""
DAY, LEAST = 86400.0, 600.0  # seconds that a trend shows, at most and at least
Series = Sequence[tuple[float, float]]


def frame(title: str, body: str, refresh: int = 0) -> str:
    """A whole page; ``refresh``: seconds after which the browser asks again, 0: never."""
    again = f'<meta http-equiv="refresh" content="{refresh}">' if refresh else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">{again}'
        f'<title>{_text(title)}</title><link rel="icon" href="data:,"><style>{STYLE}</style></head><body>{body}</body></html>\n'
    )


def state_page(seen: Seen | None, trends: Mapping[str, Series], now: float, interval: int, link: Callable[[str], str]) -> str:
    """The state of a controller.

    Arguments:
        seen: the last sweep, or None where there was none yet
        trends: series by name, see ``TRENDS``
        now: epoch seconds
        link: a runbook's address by its name
    """
    if seen is None:
        return frame("CI: not looked at yet", "<h1>CI</h1><p>The first sweep is under way.</p>", 5)
    worst = seen.findings[0].level if seen.findings else "fine"
    words = {"error": "CI is ill", "warning": "CI needs a look", "fine": "CI is well"}[worst]
    parts = [_head(seen, now, words, worst), _findings(seen, now, link), _trends(trends, now), _labels(list(seen.view.sweep.labels.values()))]
    return frame(f"{words} ({len(seen.findings)})" if seen.findings else words, "".join(parts), interval)


def _head(seen: Seen, now: float, words: str, worst: str) -> str:
    sweep = seen.view.sweep
    facts = [f"Jenkins {sweep.version}" if sweep.version else "no answer"]
    facts += [f"{'?' if count is None else count} {name}" for name, count in sweep.counts.items()]
    facts.append(f"looked at {span(max(now - sweep.when, 0))} ago, {_time(sweep.when)}")
    shown = _text(sweep.url)
    return f'<header><h1 class="{worst}">{words}</h1><p><a href="{shown}">{shown}</a> <span class="soft">{_text(", ".join(facts))}</span></p></header>'


def _findings(seen: Seen, now: float, link: Callable[[str], str]) -> str:
    if not seen.findings:
        return '<main><h2>Findings</h2><p class="fine">Nothing is wrong.</p></main>'
    rows = "".join(_finding(each, seen.since.get(each.key), now, link) for each in seen.findings)
    return f'<main><h2>Findings</h2><ul class="findings">{rows}</ul></main>'


def _finding(found: Finding, since: float | None, now: float, link: Callable[[str], str]) -> str:
    facts = [*([f"for {span(max(now - since, 0))}"] if since is not None else []), *([found.owner] if found.owner else [])]
    return (
        f'<li class="{found.level}"><b class="{found.level}">{found.level}</b> {_text(found.words)} '
        f'<span class="soft">{_text(" · ".join(facts))}</span><br><a href="{_text(link(found.page))}">What to do: {_text(found.page)}</a></li>'
    )


def _trends(trends: Mapping[str, Series], now: float) -> str:
    made = "".join(_trend(words, unit, trends.get(name, ()), now) for name, words, unit in TRENDS)
    return f'<section><h2>The last day</h2><div class="trends">{made}</div></section>'


def _trend(words: str, unit: str, series: Series, now: float) -> str:
    """A line over a day; a gap where nothing was measured is no line."""
    if not series:
        return f'<figure><figcaption>{_text(words)}: <span class="soft">nothing measured</span></figcaption></figure>'
    most = max(max(value for _, value in series), 0.0)
    begin = min(max(now - DAY, series[0][0]), now - LEAST)
    points = [((at - begin) / (now - begin) * 1000, 95 - 90 * max(value, 0) / (most or 1)) for at, value in series]
    gap = max(3 * 1000 / max(len(series), 2), 12.0)
    path, before = "", None
    for x, y in points:
        path += f"{'L' if before is not None and x - before < gap else 'M'}{x:.1f} {y:.1f}"
        before = x
    path += "h1" if len(points) == 1 else ""
    label = f"{words}: {_figure(series[-1][1])}{unit and ' ' + unit} now, {_figure(most)}{unit and ' ' + unit} at most"
    return (
        f'<figure><figcaption>{_text(label)}</figcaption><svg viewBox="0 0 1000 100" preserveAspectRatio="none" role="img" aria-label="{_text(label)}">'
        f'<path d="{path}" fill="none" stroke="var(--line)" stroke-width="2" vector-effect="non-scaling-stroke"/></svg></figure>'
    )


def _figure(value: float) -> str:
    return f"{value:.0f}" if value >= 10 or value == int(value) else f"{value:.3g}"


def _labels(labels: list[Label]) -> str:
    if not labels:
        return ""
    rows = "".join(
        f'<tr><td>{_text(each.name)}</td><td class="number">{each.online} of {len(each.nodes)}</td><td class="number">{each.busy} of {each.executors}</td></tr>'
        for each in sorted(labels, key=lambda each: (-each.busy, each.name))[:50]
    )
    more = f'<p class="soft">and {len(labels) - 50} more</p>' if len(labels) > 50 else ""
    return f'<section><h2>Labels</h2><div class="wide"><table><tr><th>label</th><th class="number">agents online</th><th class="number">executors busy</th></tr>{rows}</table></div>{more}</section>'


def runbook_page(title: str, markdown: str) -> str:
    """A runbook."""
    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)
    return frame(title, f'<p><a href="../">CI</a></p>{body}')


def _time(when: float) -> str:
    return f"{datetime.fromtimestamp(when, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _text(value: str) -> str:
    return html.escape(value)
