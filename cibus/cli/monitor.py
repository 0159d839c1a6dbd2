"""``cibus monitor``: whether CI is healthy."""

from __future__ import annotations

import typer

from cibus.cli.probes import probe

monitor = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None, help="Whether CI and what it depends on are healthy.")
monitor.command("probe")(probe)


@monitor.callback()
def _group() -> None:
    """Keeps the name of the command, while there is only one."""
