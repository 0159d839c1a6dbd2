"""``cibus handbook``: all that is known of a CI as a static site."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cibus.cli.console import configured, print_json, print_lines, said_if_interrupted, terminated_is_interrupted
from cibus.cli.options import AsJson, ConfigFile
from cibus.errors import Exit

if TYPE_CHECKING:
    from cibus.handbook.build import Built
    from cibus.handbook.records import Handbook

handbook = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="All that is known of a CI as a static site: runbooks, alerts, owners, agents, jobs, and who has practised what.\n\n"
    "It is made from files only: cibus.toml, ownership.toml, receipts, the snapshot and its git history. No controller is asked.",
)


@handbook.command("build")
def build(
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="The site's folder; a former handbook there is replaced.")] = Path("handbook-site"),
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> int:
    """Build the handbook: a folder that any web server serves, and that works when opened as a file, search included.

    The same inputs give the same bytes, so that it can be kept in git. What cannot be read is said, in the handbook, too;
    the exit code is then 3.

    Examples:

      cibus handbook build

      cibus handbook build -o public/handbook --json
    """
    from cibus.handbook.build import build as build_into
    from cibus.handbook.build import require
    from cibus.handbook.collect import collect

    require()
    start = time.monotonic()
    with terminated_is_interrupted(), said_if_interrupted(f"{out} is as it was"):
        book = collect(configured(config))
        built = build_into(book, out)
    seconds = time.monotonic() - start
    if as_json:
        counts = {"runbooks": len(book.runbooks), "alerts": len(book.alerts), "areas": len(book.owners.areas), "agents": len(book.agents), "jobs": len(book.jobs.entries) if book.jobs else 0}
        print_json({"folder": str(out), "pages": built.pages, **counts, "seconds": round(seconds, 2), "problems": [asdict(each) for each in book.problems], "lost": list(built.lost)})
    else:
        print(f"{out}: {built.pages} pages in {seconds:.1f} s; open {out / 'index.html'}")
    _tell(book, built)
    return Exit.LOOK if book.problems or built.lost else Exit.FINE


@handbook.command("serve")
def serve(
    listen: Annotated[str, typer.Option("--listen", metavar="HOST:PORT", help="Where.")] = "127.0.0.1:9181",
    config: ConfigFile = None,
) -> int:
    """Serve the handbook, and build it anew when something changes that it is made from; Ctrl-C ends and leaves nothing.

    Examples:

      cibus handbook serve

      cibus handbook serve --listen 127.0.0.1:8000
    """
    from cibus.handbook.build import require
    from cibus.handbook.serve import Server, address

    require("aiohttp")
    where = address(listen)
    with terminated_is_interrupted():
        try:
            Server(lambda: configured(config), _tell, _say).run(where)
        except KeyboardInterrupt:
            return Exit.INTERRUPTED
    return Exit.FINE


def _tell(book: Handbook, built: Built) -> None:
    """Says what could not be read, and which links of runbooks are none in the handbook."""
    print_lines((("yellow", f"{each.part}: {each.words}") for each in book.problems), stderr=True)
    print_lines((("yellow", f"runbooks: {each}: leads nowhere in the handbook, and is text there") for each in built.lost), stderr=True)


def _say(words: str) -> None:
    sys.stderr.write(f"cibus: {words}\n")
    sys.stderr.flush()
