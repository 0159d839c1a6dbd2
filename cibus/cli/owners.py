"""``cibus owners``: who owns what, how many could leave, and what if somebody did."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cibus.cli.console import configured, print_json, print_lines
from cibus.cli.options import AsJson, ConfigFile
from cibus.errors import Exit, UsageError

if TYPE_CHECKING:
    from cibus.config import Config
    from cibus.jenkins.client import Client
    from cibus.ownership.records import Registry

owners = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Who owns what, how many could leave, and what if somebody did.\n\nAreas and people are in ownership.toml beside cibus.toml; cibus owners new writes a first one.",
)
Asked = Annotated[str, typer.Option("--controller", metavar="NAME", help="Also ask a controller: a name in cibus.toml, or a URL. Default: only files.", show_default=False)]


@owners.command("check")
def check(controller: Asked = "", config: ConfigFile = None, as_json: AsJson = False) -> int:
    """Check that everything has two owners who are there and can be reached. Exit 3 where not.

    Looked at: jobs, agents and credentials of the snapshot, what cibus.toml has, playbooks, runbooks.

    Examples:

      cibus owners check

      cibus owners check --controller default --json
    """
    from datetime import UTC, datetime

    from cibus.cli.ownersview import gap_data, gap_lines
    from cibus.ownership.checking import gaps, unknown
    from cibus.ownership.codeowners import stale
    from cibus.ownership.inventory import things
    from cibus.wording import counted

    loaded, registry = _registry(config)
    with _client(loaded, controller) as client:
        everything = things(loaded, client)
    found = [*gaps(registry, everything, datetime.now(UTC).date()), *stale(loaded, registry)]
    if as_json:
        print_json({"things": len(everything), "areas": len(registry.areas), "gaps": gap_data(found), "unknown": list(unknown(everything))})
    else:
        print_lines(gap_lines(found))
        print_lines(("dim", words) for words in unknown(everything))
        alone = len({thing for gap in found for thing in gap.things})
        print_lines([("bold", f"{counted(len(everything), 'thing')} in {counted(len(registry.areas), 'area')}: {len(everything) - alone} with two owners, {alone} without")])
    return Exit.LOOK if found else Exit.FINE


@owners.command("of")
def of(
    thing: Annotated[str, typer.Argument(metavar="THING", help="A name, or with its kind: job:NAME, agent:, credential:, library:, playbook:, runbook:, controller:.", show_default=False)],
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Say who owns something, and how to reach them. Exit 3 where it is nobody.

    Examples:

      cibus owners of mac-03

      cibus owners of job:mobile/app --json
    """
    from cibus.cli.ownersview import owner_data, owner_lines
    from cibus.ownership.inventory import things
    from cibus.ownership.matching import meant, owners_of

    loaded, registry = _registry(config)
    found = [(each, owners_of(registry, each)) for each in meant(thing, things(loaded))]
    if as_json:
        print_json([owner_data(registry, each, areas) for each, areas in found])
    else:
        print_lines(line for each, areas in found for line in owner_lines(registry, each, areas))
    return Exit.FINE if all(areas for _, areas in found) else Exit.LOOK


@owners.command("factor")
def factor(
    areas: Annotated[list[str] | None, typer.Argument(metavar="[AREA...]", help="Only these, with all evidence; default: all.", show_default=False)] = None,
    evidence: Annotated[bool, typer.Option("--evidence", help="Who counts and why, and what would raise the number.")] = False,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a page.", show_default=False)] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Measure each area's bus factor: the least of knowledge, access and practice. Exit 3 where one is below 2.

    Knowledge: the truck factor of its Jenkinsfiles, libraries, playbooks and pages in git (Avelino and others, 2016),
    among those who committed within a year. Access: who holds the rights, by the snapshot, receipts and [access].
    Practice: who has a receipt of a drill or an incident within a year.

    Examples:

      cibus owners factor

      cibus owners factor mobile

      cibus owners factor --html owners.html
    """
    from cibus.cli.ownersview import factor_data, factor_lines
    from cibus.folders import write_whole
    from cibus.ownership.known import known
    from cibus.ownership.measure import factors
    from cibus.ownership.page import page

    loaded, registry = _registry(config)
    for name in areas or ():
        _area(registry, name)
    found = known(loaded, registry)
    measured = [each for each in factors(loaded, registry, found) if not areas or each.area in areas]
    if html is not None:
        write_whole(html, page(registry, measured).encode("utf-8", "replace"))
    if as_json:
        print_json(factor_data(measured))
    else:
        print_lines(factor_lines(registry, measured, evidence=evidence or bool(areas)))
    if not registry.areas:
        print_lines([("yellow", f"{registry.path} has no [areas.NAME]: nothing is measured")], stderr=True)
    print_lines((("yellow", line) for line in found.torn), stderr=True)
    return Exit.FINE if registry.areas and all(each.number is not None and each.number >= 2 for each in measured) and not found.torn else Exit.LOOK


@owners.command("whatif")
def whatif(
    without: Annotated[str, typer.Option("--without", metavar="PERSON", help="An id, name, address, user or handle.", show_default=False)],
    most: Annotated[int, typer.Option("--most", help="How many things are listed.", min=1)] = 20,
    controller: Asked = "",
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Say what is orphaned if somebody leaves, the most used first. Exit 3 where something is.

    Examples:

      cibus owners whatif --without jo

      cibus owners whatif --without jo@example.org --controller default
    """
    from cibus.cli.ownersview import absence_data, absence_lines
    from cibus.ownership.absence import absence, somebody
    from cibus.ownership.inventory import snapshot_of
    from cibus.ownership.known import known
    from cibus.ownership.uses import uses

    loaded, registry = _registry(config)
    with _client(loaded, controller) as client:
        found = known(loaded, registry)
        used = uses(loaded, found.things, snapshot_of(loaded), client)
    gone = absence(loaded, registry, somebody(registry, found, without), found, used)
    if as_json:
        print_json(absence_data(gone))
    else:
        print_lines(absence_lines(gone, most))
    return Exit.LOOK if gone.orphans or gone.areas else Exit.FINE


@owners.command("new")
def new(config: ConfigFile = None) -> int:
    """Write a first ownership.toml beside cibus.toml: an area for each kind of thing that there is, and whom git knows.

    Examples:

      cibus owners new
    """
    from cibus.folders import write_whole
    from cibus.ownership.frame import frame
    from cibus.ownership.inventory import things
    from cibus.ownership.registry import path_of

    loaded = configured(config)
    path = path_of(loaded)
    if path.exists():
        raise UsageError(f"{path} is there already")
    write_whole(path, frame(loaded, things(loaded)).encode("utf-8"))
    print(f"{path}: name the owners, and make areas of what belongs together; cibus owners check tells what is missing")
    return Exit.FINE


@owners.command("import")
def import_owners(
    repository: Annotated[Path, typer.Argument(metavar="REPOSITORY", help="A clone with a CODEOWNERS.")],
    config: ConfigFile = None,
) -> int:
    """Print tables for ownership.toml from what a repository's CODEOWNERS says of its pipeline files.

    Examples:

      cibus owners import ../mobile-app >> ownership.toml
    """
    from cibus.ownership.codeowners import PLACES, found_in, imported
    from cibus.ownership.registry import load

    path = found_in(repository)
    if path is None:
        raise UsageError(f"{repository} has none of {', '.join(PLACES)}")
    loaded = configured(config)
    print(imported(repository, path.read_text("utf-8", "replace"), str(path), load(loaded), loaded.folder), end="")
    return Exit.FINE


@owners.command("export")
def export_owners(
    repository: Annotated[Path, typer.Argument(metavar="REPOSITORY", help="A clone that an area names, or the repository of ownership.toml.")],
    write: Annotated[bool, typer.Option("--write", help="Put the lines into its CODEOWNERS, in the place of those of the last time.")] = False,
    config: ConfigFile = None,
) -> int:
    """Print CODEOWNERS lines for a repository from ownership.toml: its pipeline files, runbooks and playbooks.

    Examples:

      cibus owners export ../mobile-app

      cibus owners export . --write
    """
    from cibus.folders import write_whole
    from cibus.ownership.codeowners import exported, found_in, merged

    loaded, registry = _registry(config)
    text = exported(loaded, registry, repository)
    if not write:
        print(text, end="")
        return Exit.FINE
    path = found_in(repository) or repository / "CODEOWNERS"
    before = path.read_text("utf-8") if path.is_file() else ""
    write_whole(path, merged(before, text).encode("utf-8"))
    print(f"{path}: written")
    return Exit.FINE


# -- what the commands share


def _registry(path: Path | None) -> tuple[Config, Registry]:
    from cibus.ownership.registry import load

    loaded = configured(path)
    registry = load(loaded)
    if not registry.path.is_file():
        raise UsageError(f"there is no {registry.path}: cibus owners new writes a first one")
    return loaded, registry


def _area(registry: Registry, name: str) -> None:
    from cibus.tomltables import hint

    if name not in registry.areas:
        raise UsageError(f"there is no [areas.{name}] in {registry.path}{hint(name, registry.areas)}")


@contextmanager
def _client(config: Config, name: str) -> Iterator[Client | None]:
    """The controller that is to be asked; None where none is named."""
    if not name:
        yield None
        return
    from cibus.jenkins.client import Client
    from cibus.jenkins.settings import choose

    with Client(choose(config, name)) as client:
        yield client
