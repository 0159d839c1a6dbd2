"""``cibus monitor``: is CI healthy, what is wrong, and which page says what to do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cibus.cli.causes import causes
from cibus.cli.console import LOGIN, configured, print_json, print_lines
from cibus.cli.monitorview import lines
from cibus.cli.options import AsJson, ConfigFile, Controller
from cibus.cli.probes import probe
from cibus.cli.watching import looked, serve, watch, watched_client

if TYPE_CHECKING:
    from cibus.monitor.conditions import View
    from cibus.monitor.findings import Finding

monitor = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None, help="Is CI healthy, what is wrong, and which page says what to do.\n\n" + LOGIN)



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
        print_lines(lines(view, found, loaded.monitor.runbooks))
    return exit_code(found)


def exit_code(found: Sequence[Finding]) -> int:
    """1 where there is an error, 3 where there is a warning."""
    from cibus.errors import Exit

    levels = {each.level for each in found}
    return Exit.FAILED if "error" in levels else Exit.LOOK if levels else Exit.FINE


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


monitor.command("causes")(causes)
monitor.command("probe")(probe)
monitor.command("watch")(watch)
monitor.command("serve")(serve)


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
