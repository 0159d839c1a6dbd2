"""``cibus runbook``: pages that say what to do, and do it."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cibus.cli.console import configured, print_json, print_lines, terminated_is_interrupted
from cibus.cli.options import AsJson, ConfigFile
from cibus.errors import Exit, UsageError

if TYPE_CHECKING:
    from cibus.config import Config
    from cibus.runbooks.page import Runbook

runbook = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Pages that say what to do, and do it: a page per alert and per task, whose checks, fixes and verifications run.\n\n"
    "The pages are those of cibus and the team's own: runbooks/*.md beside cibus.toml.",
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The runbook, as cibus runbook list shows it.", show_default=False)]


@runbook.command("list")
def list_runbooks(config: ConfigFile = None, as_json: AsJson = False) -> int:
    """List all runbooks: what they are about, the alerts that lead to them, and who last went through them.

    Examples:

      cibus runbook list

      cibus runbook list --json
    """
    from cibus.runbooks.library import library, page_text
    from cibus.runbooks.page import PageError, parsed
    from cibus.runbooks.record import last_runs

    loaded = configured(config)
    last = last_runs(loaded)
    rows, broken = [], []
    for name, path in sorted(library(loaded.folder).items()):
        try:
            book = parsed(name, page_text(path))
        except PageError as error:
            broken.append(str(error))
            continue
        when, who = last.get(name, (None, ""))
        rows.append({"name": name, "title": book.title, "alerts": list(book.alerts), "owner": book.owner, "severity": book.severity, "minutes": book.minutes, "last": when.isoformat() if when else None, "by": who})
    if as_json:
        print_json({"runbooks": rows, "broken": broken})
    else:
        width = max((len(str(row["name"])) for row in rows), default=0)
        print_lines(("", f"{row['name']:{width}}  {row['severity']:7}  {row['minutes']:3} min  {row['title']}{'  last by ' + str(row['by']) + ', ' + str(row['last'])[:10] if row['last'] else ''}") for row in rows)
        print_lines((("yellow", each) for each in broken), stderr=True)
    return Exit.LOOK if broken else Exit.FINE


@runbook.command("show")
def show(name: Name, config: ConfigFile = None, as_json: AsJson = False) -> int:
    """Show a runbook.

    Examples:

      cibus runbook show agent-offline

      cibus runbook show agent-offline --json
    """
    from cibus.runbooks.library import found, page_text, read

    base = configured(config).folder
    if not as_json:
        print(page_text(found(base, name)), end="")
        return Exit.FINE
    book = read(base, name)
    data = asdict(book)
    data.pop("text")
    print_json({**data, "variables": {key: asdict(each) for key, each in book.variables.items()}, "page": book.digest})
    return Exit.FINE


@runbook.command("run")
def run(
    name: Name,
    var: Annotated[list[str] | None, typer.Option("--var", metavar="NAME=VALUE", help="A variable of the page; may be repeated. A secret one: the environment variable of its name in capitals.", show_default=False)] = None,
    check_only: Annotated[bool, typer.Option("--check-only", help="Only what changes nothing, without asking.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before each block; dangerous ones are asked for all the same.")] = False,
    ci: Annotated[bool, typer.Option("--ci", help="All blocks, the dangerous ones too, without asking: only on systems that cibus.toml calls practice.")] = False,
    hand: Annotated[Path | None, typer.Option("--hand", metavar="PROGRAM", help="With --ci: does what is to be done by hand; is given NAME NUMBER, the text on standard input.", show_default=False)] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Go through a runbook block by block: show, ask, run, compare; a receipt is kept.

    Exit 0 all passed; 1 a block failed; 3 something was skipped, or --check-only found another state than the page
    describes; 4 you stopped.

    Examples:

      cibus runbook run agent-offline --var agent=mac-03 --check-only

      cibus runbook run agent-offline --var agent=mac-03
    """
    from cibus import receipts
    from cibus.cli.runbookview import Guide
    from cibus.runbooks.library import read
    from cibus.runbooks.record import keep, receipt
    from cibus.runbooks.walk import walk

    loaded = configured(config)
    book = read(loaded.folder, name)
    mode = "ci" if ci else "check" if check_only else "run"
    if ci and check_only:
        raise UsageError("give --ci or --check-only, not both")
    if hand is not None and not ci:
        raise UsageError("--hand is for --ci: otherwise you are the hand")
    guide = Guide(loaded.folder, book, ask=not (ci or check_only or yes), dangerous_too=ci, hand=hand, quiet=as_json)
    values = guide.values(_given(book, var or []))
    if ci:
        _practice(loaded, values)
    receipts.writable(receipts.folder(loaded))
    started, clock = receipts.stamp(), time.monotonic()
    with terminated_is_interrupted():
        try:
            done = walk(book, values, ask=guide.ask, run=guide.run, hand=guide.hand, tell=guide.tell, check_only=check_only)
        except KeyboardInterrupt:
            done = guide.interrupted(values)
            keep(loaded, receipt(loaded, book, done, mode, started, time.monotonic() - clock))
            raise
    data = receipt(loaded, book, done, mode, started, time.monotonic() - clock)
    path = keep(loaded, data)
    if as_json:
        print_json(data)
    else:
        guide.end(done, path)
    return {"ok": Exit.FINE, "look": Exit.LOOK, "failed": Exit.FAILED, "aborted": Exit.ABORTED}[done.outcome]


@runbook.command("lint")
def lint_runbooks(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME...]", help="Only these; default: all.", show_default=False)] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Check runbooks: all parts, links, every cibus command shown, a page per alert and a rule per named alert. Exit 1 where not.

    Examples:

      cibus runbook lint

      cibus runbook lint agent-offline
    """
    from cibus.cli.parsing import why_not
    from cibus.monitor.alerts import pages as alert_pages
    from cibus.runbooks.library import found, library
    from cibus.runbooks.lint import lint

    base = configured(config).folder
    chosen = {found(base, name).stem for name in names or ()}
    pages = library(base)
    problems = [each for each in lint(pages, alert_pages(), why_not) if not chosen or each.page in chosen]
    if as_json:
        print_json([asdict(each) for each in problems])
    else:
        print_lines(("red", str(each)) for each in problems)
        count = len(chosen) or len(pages)
        print(f"{count} runbook{'s' if count != 1 else ''}, {len(problems)} problem{'s' if len(problems) != 1 else ''}")
    return Exit.FAILED if problems else Exit.FINE


@runbook.command("new")
def new(name: Name, title: Annotated[str, typer.Option("--title", help="What a person would say.")] = "", config: ConfigFile = None) -> int:
    """Write the frame of a new runbook into runbooks/ beside cibus.toml.

    Examples:

      cibus runbook new licence-server --title "The licence server does not answer"
    """
    from cibus.folders import write_whole
    from cibus.runbooks.files import NAME
    from cibus.runbooks.library import own_folder
    from cibus.runbooks.template import template

    if not NAME.fullmatch(name):
        raise UsageError(f"{name} is no name of a runbook: small letters, digits and -, as agent-offline")
    path = own_folder(configured(config).folder) / f"{name}.md"
    if path.exists():
        raise UsageError(f"{path} is there already")
    write_whole(path, template(name, title).encode("utf-8"))
    print(f"{path}: fill in where it says TODO; cibus runbook lint {name} tells when it is whole")
    return Exit.FINE


def _given(book: Runbook, texts: list[str]) -> dict[str, str]:
    """The variables of ``--var``."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name not in book.variables:
            raise UsageError(f"--var {text}: {book.name} has {'the variables ' + ', '.join(book.variables) if book.variables else 'no variables'}; give NAME=VALUE")
        if book.variables[name].secret:
            raise UsageError(f"--var {name}=…: it is a secret and everybody sees a command line; put it into the environment as {book.variables[name].environment}")
        found[name] = value
    return found


def _practice(config: Config, values: dict[str, str]) -> None:
    """Refuses what is not there to be broken.

    Raises:
        UsageError: a controller, or the agent of the variable ``agent``, is not for practice.
    """
    import os

    where = config.path or "cibus.toml"
    if not config.controllers and os.environ.get("CIBUS_JENKINS_URL"):
        raise UsageError(f"--ci changes systems without asking: name the controller in {where} and say practice = true in [controllers.NAME] if it may be changed")
    for each in config.controllers.values():
        if not each.practice:
            raise UsageError(f"--ci changes systems without asking: say practice = true in [controllers.{each.name}] of {where} if this controller may be changed")
    agent = config.agents.get(values.get("agent", ""))
    if agent is not None and not agent.practice:
        raise UsageError(f"--ci changes systems without asking: say practice = true in [agents.{agent.name}] of {where} if this agent may be changed")
