"""``cibus monitor``: is CI healthy, what is wrong, and which page says what to do."""

from __future__ import annotations

import typer

from cibus.cli.causes import causes
from cibus.cli.console import LOGIN

monitor = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None, help="Is CI healthy, what is wrong, and which page says what to do.\n\n" + LOGIN)


@monitor.callback()
def _group() -> None:
    """Keeps the commands' names while there is only one."""


monitor.command("causes")(causes)
