"""Options that several commands on controllers have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cibus.jobs.collect import Filter

ConfigFile = Annotated[Path | None, typer.Option("--config", help="The cibus.toml to use.")]
Controller = Annotated[str, typer.Option("--controller", help="A name in cibus.toml, or a URL.", show_default=False)]
Only = Annotated[list[str] | None, typer.Option("--only", metavar="GLOB", help="Only jobs whose full name matches; may be repeated.", show_default=False)]
Exclude = Annotated[list[str] | None, typer.Option("--exclude", metavar="GLOB", help="Not these jobs; may be repeated.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def filter_of(only: list[str] | None, exclude: list[str] | None) -> Filter:
    """The jobs that ``--only`` and ``--exclude`` mean."""
    from cibus.jobs.collect import Filter

    return Filter(tuple(only or ()), tuple(exclude or ()))
