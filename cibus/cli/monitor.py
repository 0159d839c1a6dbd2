"""``cibus monitor``: is CI healthy, what is wrong, and which page says what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cibus.cli.console import LOGIN, configured, print_json, print_lines
from cibus.cli.options import AsJson, ConfigFile, Controller
from cibus.cli.probes import probe

if TYPE_CHECKING:
    from cibus.config import Config
    from cibus.jenkins.client import Client
    from cibus.monitor.conditions import View
    from cibus.monitor.findings import Finding

monitor = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None, help="Is CI healthy, what is wrong, and which page says what to do.\n\n" + LOGIN)

MOST = 10  # findings of one kind that are shown
STYLES = {"error": "bold red", "warning": "yellow"}
PATIENCE, TRIES = 20.0, 1  # a controller that does not answer is a finding; waiting for it for long is none the better


@monitor.command("check")
def check(
    nagios: Annotated[bool, typer.Option("--nagios", help="Print one line with performance data, and exit as a Nagios plugin: 0, 1, 2 or 3.")] = False,
    controller: Controller = "",
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Look once and say what is wrong, the worst first; exit 3 for warnings, 1 for errors.

    Four requests, whatever the number of jobs and agents. Each finding names its runbook.

    Examples:

      cibus monitor check

      cibus monitor check --json

      cibus monitor check --controller https://ci.example/ --nagios
    """
    from cibus.monitor.conditions import findings

    loaded = configured(config)
    with watched_client(loaded, controller) as client:
        view = looked(loaded, client)
    found = findings(view)
    if nagios:
        return _nagios(view, found)
    if as_json:
        from cibus.monitor.findings import as_data

        print_json({"url": view.sweep.url, "when": view.now, "version": view.sweep.version, "requests": view.sweep.requests, "seconds": round(view.sweep.seconds, 3), "findings": [as_data(each) for each in found]})
    else:
        print_lines(_lines(view, found, loaded.monitor.runbooks))
    return exit_code(found)


def watched_client(config: Config, controller: str) -> Client:
    """The controller that is meant, with a monitor's patience."""
    from cibus.jenkins.client import Client
    from cibus.jenkins.settings import choose

    settings = choose(config, controller)
    return Client(replace(settings, timeout=min(settings.timeout, PATIENCE), retries=min(settings.retries, TRIES)))


def looked(config: Config, client: Client) -> View:
    """One sweep, with what is known beside it."""
    from cibus.monitor.conditions import View
    from cibus.monitor.outside import outside
    from cibus.monitor.sweep import sweep

    return View(sweep(client), outside(config, client.settings), config.monitor)


def exit_code(found: Sequence[Finding]) -> int:
    """1 where there is an error, 3 where there is a warning."""
    from cibus.errors import Exit

    levels = {each.level for each in found}
    return Exit.FAILED if "error" in levels else Exit.LOOK if levels else Exit.FINE


def _lines(view: View, found: Sequence[Finding], runbooks: str) -> list[tuple[str, str]]:
    sweep = view.sweep
    seen = f"Jenkins {sweep.version}, {_counted(view)}" if sweep.version else "no answer"
    lines = [("bold", f"{sweep.url}  {seen}, looked at in {sweep.seconds:.1f} s")]
    for (condition, level, page), group in groupby(found, key=lambda each: (each.condition, each.level, each.page)):
        same = list(group)
        lines.append((STYLES[level], f"  {level:7}  {condition}{f' ({len(same)})' if len(same) > 1 else ''}: see {_page(runbooks, page)}"))
        lines += [("", f"           {each.words}{f'  [{each.owner}]' if each.owner else ''}") for each in same[:MOST]]
        if len(same) > MOST:
            lines.append(("dim", f"           and {len(same) - MOST} more (--json has them all)"))
    if not found:
        lines.append(("green", "  nothing is wrong"))
    return lines


def _page(base: str, name: str) -> str:
    """Where a runbook is: on the team's pages, or in this repository."""
    return f"{base.rstrip('/')}/{name}" if base else f"runbooks/{name}.md"


def _counted(view: View) -> str:
    sweep = view.sweep
    counts = (
        ("jobs", None if sweep.jobs is None else len(sweep.jobs)),
        ("nodes", None if sweep.nodes is None else len(sweep.nodes)),
        ("waiting", None if sweep.queue is None else len(sweep.queue)),
    )
    return ", ".join(f"{'?' if count is None else count} {name}" for name, count in counts)


def _nagios(view: View, found: Sequence[Finding]) -> int:
    """https://nagios-plugins.org/doc/guidelines.html: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN; figures behind a bar."""
    levels = {each.level for each in found}
    code, word = (2, "CRITICAL") if "error" in levels else (1, "WARNING") if levels else (0, "OK")
    words = "; ".join(each.words for each in found[:3]) + (f"; and {len(found) - 3} more" if len(found) > 3 else "")
    sweep = view.sweep
    figures = {"latency": None if sweep.latency is None else f"{sweep.latency:.3f}s", "queue": None if sweep.queue is None else str(len(sweep.queue)), "findings": str(len(found))}
    text = f"JENKINS {word} - {words or 'nothing is wrong'}".replace("|", "/").replace("\n", " ")
    print(f"{text} | {' '.join(f'{name}={value}' for name, value in figures.items() if value is not None)}")
    return code


monitor.command("probe")(probe)


@monitor.command("rules")
def rules(
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write them there.", show_default=False)] = None,
    config: ConfigFile = None,
) -> int:
    """Print the alert rules for Prometheus; [monitor] runbooks in cibus.toml says where their pages are.

    Examples:

      cibus monitor rules --out /etc/prometheus/cibus-rules.yml
    """
    from cibus.folders import write_whole
    from cibus.monitor.alerts import rules_text

    text = rules_text(configured(config).monitor)
    if out is not None:
        write_whole(out, text.encode())
    else:
        print(text, end="")
    return 0
