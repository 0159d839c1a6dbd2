"""The monitor's web pages: HTML that needs no script and asks no other address for anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from cibus.monitor.conditions import span
from cibus.monitor.findings import Finding
from cibus.monitor.state import Label
from cibus.monitor.watch import TRENDS, Seen
from cibus.webpage import escaped, frame

DAY, LEAST = 86400.0, 600.0  # seconds that a trend shows, at most and at least
Series = Sequence[tuple[float, float]]


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
    shown = escaped(sweep.url)
    return f'<header><h1 class="{worst}">{words}</h1><p><a href="{shown}">{shown}</a> <span class="soft">{escaped(", ".join(facts))}</span></p></header>'


def _findings(seen: Seen, now: float, link: Callable[[str], str]) -> str:
    if not seen.findings:
        return '<main><h2>Findings</h2><p class="fine">Nothing is wrong.</p></main>'
    rows = "".join(_finding(each, seen.since.get(each.key), now, link) for each in seen.findings)
    return f'<main><h2>Findings</h2><ul class="findings">{rows}</ul></main>'


def _finding(found: Finding, since: float | None, now: float, link: Callable[[str], str]) -> str:
    facts = [*([f"for {span(max(now - since, 0))}"] if since is not None else []), *([found.owner] if found.owner else [])]
    return (
        f'<li class="{found.level}"><b class="{found.level}">{found.level}</b> {escaped(found.words)} '
        f'<span class="soft">{escaped(" · ".join(facts))}</span><br><a href="{escaped(link(found.page))}">What to do: {escaped(found.page)}</a></li>'
    )


def _trends(trends: Mapping[str, Series], now: float) -> str:
    made = "".join(_trend(words, unit, trends.get(name, ()), now) for name, words, unit in TRENDS)
    return f'<section><h2>The last day</h2><div class="trends">{made}</div></section>'


def _trend(words: str, unit: str, series: Series, now: float) -> str:
    """A line over a day; a gap where nothing was measured is no line."""
    if not series:
        return f'<figure><figcaption>{escaped(words)}: <span class="soft">nothing measured</span></figcaption></figure>'
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
        f'<figure><figcaption>{escaped(label)}</figcaption><svg viewBox="0 0 1000 100" preserveAspectRatio="none" role="img" aria-label="{escaped(label)}">'
        f'<path d="{path}" fill="none" stroke="var(--line)" stroke-width="2" vector-effect="non-scaling-stroke"/></svg></figure>'
    )


def _figure(value: float) -> str:
    return f"{value:.0f}" if value >= 10 or value == int(value) else f"{value:.3g}"


def _labels(labels: list[Label]) -> str:
    if not labels:
        return ""
    rows = "".join(
        f'<tr><td>{escaped(each.name)}</td><td class="number">{each.online} of {len(each.nodes)}</td><td class="number">{each.busy} of {each.executors}</td></tr>'
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
