"""What several commands print: styled lines, JSON, a bar of progress. Colour only on a terminal."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cibus.config import Config

LOGIN = (
    "The controller, the user and the API token come from [controllers.NAME] in cibus.toml, or from CIBUS_JENKINS_URL,"
    " CIBUS_JENKINS_USER and CIBUS_JENKINS_TOKEN, or from netrc."
)
Progress = Callable[[str, int, int], None]
LABELS = {"list": "listing", "config": "reading configs", "system": "reading the system's settings", "scan": "looking for secrets", "console": "reading the log, MB", "following": "following the log, MB", "artifacts": "reading artifacts, MB"}


def print_lines(lines: Iterable[tuple[str, str]], *, stderr: bool = False) -> None:
    """Prints lines, each with its style."""
    from rich.console import Console
    from rich.text import Text

    console = Console(soft_wrap=True, highlight=False, stderr=stderr)
    for style, text in lines:
        console.print(Text(text, style=style))


def print_json(data: Any) -> None:
    """Prints data as JSON."""
    print(json.dumps(data, indent=2, ensure_ascii=False))


def counted(counts: Mapping[str, int]) -> str:
    """``{"jobs": 2, "views": 1}`` → ``2 jobs, 1 view``."""
    return ", ".join(f"{count} {kind.removesuffix('s') if count == 1 else kind}" for kind, count in sorted(counts.items()))


@contextlib.contextmanager
def progress() -> Iterator[Progress]:
    """A bar on standard error with rate and time left; nothing where that is no terminal."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TaskProgressColumn(show_speed=True), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)

        def tell(what: str, done: int, total: int) -> None:
            bar.update(task, description=LABELS.get(what, what), completed=done, total=total or None)

        yield tell


@contextlib.contextmanager
def said_if_interrupted(what: str) -> Iterator[None]:
    """Says after Ctrl-C what became of the work, and what to do."""
    try:
        yield
    except KeyboardInterrupt:
        sys.stderr.write(f"\ncibus: interrupted; {what}\n")
        raise


def configured(path: Path | None) -> Config:
    """The cibus.toml that is given, or the one of this folder or above it."""
    from cibus.config import find_config, load_config

    return load_config(path or find_config(Path.cwd()))


def confirm(question: str, yes: bool) -> None:
    """Asks, where ``--yes`` was not given; no is exit 4.

    Raises:
        UsageError: there is nobody to ask.
    """
    import typer

    from cibus.errors import Exit, UsageError

    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask on: give --yes")
    try:
        answer = input(f"{question} [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() not in ("y", "yes"):
        raise typer.Exit(Exit.ABORTED)
