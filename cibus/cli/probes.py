"""``cibus monitor probe``: services beside Jenkins, tried once or under load."""

from __future__ import annotations

import asyncio
import re
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cibus.cli.console import configured, print_json, print_lines
from cibus.cli.options import AsJson, ConfigFile, Controller
from cibus.errors import Exit, UsageError

if TYPE_CHECKING:
    from cibus.config import Config, ProbeConfig
    from cibus.monitor.findings import Finding
    from cibus.monitor.results import ProbeResult
    from cibus.monitor.slo import Slo

BUSY = 20.0  # ms

Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME...]", help="Probes as [probes.NAME] in cibus.toml, or URLs; default: all of cibus.toml.", show_default=False)]
Connections = Annotated[int | None, typer.Option("--connections", min=1, metavar="N", help="So many connections at once.", show_default=False)]
Hold = Annotated[int | None, typer.Option("--hold", min=0, metavar="SECONDS", help="Keep them open so long.", show_default=False)]
Timeout = Annotated[int | None, typer.Option("--timeout", min=1, metavar="MS", help="Wait so long for a connection and its first answer.", show_default=False)]
Send = Annotated[str, typer.Option("--send", metavar="TEXT", help="Send this on tcp, tls and ws once connected.", show_default=False)]


def probe(
    names: Names = None,
    connections: Connections = None,
    hold: Hold = None,
    timeout: Timeout = None,
    send: Send = "",
    controller: Controller = "",
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Try services that builds depend on, and hold them against their goals; exit 3 where something is wrong.

    Kinds: http(s)://, ws(s)://, tcp://HOST:PORT, tls://HOST:PORT, smtp(s)://HOST. What is measured goes into the history.
    Ctrl-C shows and keeps what was measured so far.

    Examples:

      cibus monitor probe

      cibus monitor probe artifacts --json

      cibus monitor probe tcp://127.0.0.1:5000 --connections 500 --hold 30
    """
    from cibus.jenkins.settings import controller_name

    found = configured(config)
    probes = [_changed(each, connections, hold, timeout, send) for each in _chosen(found, names)]
    results: list[ProbeResult] = []
    interrupted = _run(probes, results)
    states, findings, warnings = _kept(controller_name(found, controller), probes, results)
    if as_json:
        _print_json(results, states, findings)
    else:
        _print(probes, results, states, findings)
    print_lines((("yellow", f"cibus: warning: {line}") for line in warnings), stderr=True)
    if interrupted:
        print_lines([("", "cibus: interrupted; what was measured until then is kept")], stderr=True)
        return Exit.INTERRUPTED
    return Exit.LOOK if findings or any(each.good < each.tried for each in results) else Exit.FINE


def _chosen(config: Config, names: Sequence[str] | None) -> list[ProbeConfig]:
    """The probes that are meant.

    Raises:
        UsageError: there is none, or none of this name.
    """
    from cibus.config import PROBE_URL, ProbeConfig

    where = config.path or "cibus.toml"
    if not names:
        if not config.probes:
            raise UsageError(f'no probes in {where}: add [probes.NAME] url = "https://…", or give a URL')
        return list(config.probes.values())
    chosen = []
    for name in dict.fromkeys(names):
        if name in config.probes:
            chosen.append(config.probes[name])
        elif "://" not in name:
            raise UsageError(f"there is no [probes.{name}] in {where}; known: {', '.join(config.probes) or 'none'}")
        elif not re.search(PROBE_URL, name):
            raise UsageError(f"{name.partition('://')[0]}://… is not the URL of a probe: give http(s)://, ws(s)://, tcp://HOST:PORT, tls://HOST:PORT or smtp(s)://HOST[:PORT], without a user or password")
        else:
            chosen.append(ProbeConfig(name.split("?")[0].split("#")[0], name))
    return chosen


def _changed(probe: ProbeConfig, connections: int | None, hold: int | None, timeout: int | None, send: str) -> ProbeConfig:
    given: dict[str, Any] = {"connections": connections, "hold": hold, "timeout": timeout, "send": send or None}
    return replace(probe, **{name: value for name, value in given.items() if value is not None})


def _run(probes: Sequence[ProbeConfig], results: list[ProbeResult]) -> bool:
    """Runs the probes; whether they were interrupted. A terminated process ends as after Ctrl-C."""
    from cibus.monitor.probes import run_probes

    async def main() -> None:
        task = asyncio.current_task()
        assert task is not None
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        await run_probes(probes, results.append)

    try:
        asyncio.run(main())
    except (KeyboardInterrupt, asyncio.CancelledError):
        return True
    return False


def _kept(name: str, probes: Sequence[ProbeConfig], results: Sequence[ProbeResult]) -> tuple[dict[str, Slo], list[Finding], list[str]]:
    """Puts the results into the history; how the services stand with them, what is wrong, and what was wrong with the history."""
    from cibus.monitor.findings import ranked
    from cibus.monitor.history import History, history_path
    from cibus.monitor.services import standings

    with History(history_path(name)) as history:
        found = standings(history, probes, results, time.time())
        return {each.config.name: each.slo for each in found}, ranked(finding for each in found for finding in each.findings), list(history.warnings)


def _print_json(results: Sequence[ProbeResult], states: dict[str, Slo], findings: Sequence[Finding]) -> None:
    from dataclasses import asdict

    from cibus.monitor import slo
    from cibus.monitor.results import as_data

    print_json({
        "probes": [{**as_data(each), "slo": slo.as_data(states[each.name])} for each in results],
        "findings": [asdict(each) for each in findings],
    })  # fmt: skip


def _print(probes: Sequence[ProbeConfig], results: Sequence[ProbeResult], states: dict[str, Slo], findings: Sequence[Finding]) -> None:
    order = {each.name: number for number, each in enumerate(probes)}
    shown = sorted(results, key=lambda each: order[each.name])
    lines = [("bold" if not number else "", line) for number, line in enumerate(_table(shown, states))]
    lines += [("", f"{each.name}: {_ways(each)}") for each in shown if each.good < each.tried]
    lines += [("yellow", f"{each.name}: this machine was busy and the probe late by {each.lag.p95:.0f} ms and more in 5 % of the time: the times may be too high") for each in shown if each.lag.p95 > BUSY]
    lines += [("red" if each.level == "error" else "yellow", f"{each.level}: {each.subject}: {each.words} (runbook {each.runbook}{f', owner {each.owner}' if each.owner else ''})") for each in findings]
    print_lines(lines)


def _table(results: Sequence[ProbeResult], states: dict[str, Slo]) -> list[str]:
    """A row for each result, with times in milliseconds."""
    rows: list[tuple[str, ...]] = [("probe", "good", "connect p50", "p95", "answer p50", "p95", "p99", "max ms", "held p95", "available", "budget left")]
    for each in results:
        state = states[each.name]
        connect, total = each.connect, each.total
        figures = [(connect, connect.p50), (connect, connect.p95), (total, total.p50), (total, total.p95), (total, total.p99), (total, total.max), (each.held, each.held.p95)]
        cells = [f"{figure:.1f}" if times.count else "-" for times, figure in figures]
        available = "-" if state.availability is None else f"{state.availability * 100:.2f} %"
        rows.append((each.name, f"{each.good}/{each.tried}", *cells, available, f"{max(state.remaining, 0) * 100:.0f} %"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.rjust(width) if number else cell.ljust(width) for number, (cell, width) in enumerate(zip(row, widths, strict=True))) for row in rows] if results else []


def _ways(result: ProbeResult) -> str:
    """``3 timeouts, 2 dropped: the first message``."""
    words = {"timeouts": "without an answer in time", "refused": "refused", "wrong": "answered wrongly", "errors": "failed otherwise", "dropped": "dropped while held"}
    return ", ".join(f"{getattr(result, key)} {text}" for key, text in words.items() if getattr(result, key)) + (f": {result.message}" if result.message else "")
