"""``cibus controllers``: the controllers that are known, and what works on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cibus.cli.console import LOGIN, configured, print_json, print_lines
from cibus.cli.options import AsJson, ConfigFile

if TYPE_CHECKING:
    from cibus.jenkins.check import Check

controllers = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None, help="The controllers that are known, and what works on them.\n\n" + LOGIN)

STYLES = {"works": "green", "not allowed": "yellow", "not there": "dim", "broken": "red"}


@controllers.command("list")
def list_controllers(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List the controllers in cibus.toml.

    Examples:

      cibus controllers list
    """
    known = configured(config).controllers.values()
    if as_json:
        print_json([{"name": each.name, "url": each.url, "user": each.user} for each in known])
        return
    if not known:
        print('no controllers: add [controllers.default] with url = "https://…" to cibus.toml')
    for each in known:
        print(f"{each.name}  {each.url}  {each.user}".rstrip())


@controllers.command("check")
def check(
    controller: Annotated[str, typer.Argument(metavar="[NAME]", help="A name in cibus.toml, or a URL.", show_default=False)] = "",
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Say what works on a controller with the given rights; exit 3 where something does not.

    Examples:

      cibus controllers check

      cibus controllers check https://ci.example/ --json
    """
    from cibus.errors import Exit
    from cibus.jenkins.check import check as check_controller
    from cibus.jenkins.client import Client
    from cibus.jenkins.settings import choose

    with Client(choose(configured(config), controller)) as client:
        found = check_controller(client)
    if as_json:
        print_json({"url": found.url, "version": found.version, "user": found.user, "probes": [vars(probe) for probe in found.probes]})
    else:
        print_lines(_lines(found))
    return Exit.FINE if found.complete else Exit.LOOK


def _lines(found: Check) -> list[tuple[str, str]]:
    width = max(len(probe.what) for probe in found.probes)
    lines = [("bold", f"{found.url}  Jenkins {found.version}, as {found.user}")]
    for probe in found.probes:
        for_what = f"  [{probe.needed}]" if probe.state != "works" else ""
        lines.append((STYLES[probe.state], f"  {probe.state:11}  {probe.what:{width}}  {probe.found}{for_what}".rstrip()))
    return lines
