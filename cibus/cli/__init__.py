"""The command line: one module per command, its function named as the command."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

COMMANDS = {
    "run": ("cibus.cli.run", "run", "Run a Jenkinsfile on this machine."),
    "lint": ("cibus.cli.lint", "lint", "Check Jenkinsfiles with Jenkins' own messages, without a controller."),
    "stages": ("cibus.cli.stages", "stages", "Show the stages of a Jenkinsfile."),
    "steps": ("cibus.cli.steps", "steps", "Show the steps that cibus knows."),
    "runs": ("cibus.cli.runs", "runs", "List, show and clean the runs kept here."),
    "capture": ("cibus.cli.capture", "capture", "Capture a controller's build in a bundle."),
    "reproduce": ("cibus.cli.reproduce", "reproduce", "Run a controller's build here, and compare."),
    "compare": ("cibus.cli.compare", "compare", "Compare two builds: the first place where they part."),
    "controllers": ("cibus.cli.controllers", "controllers", "The controllers that are known, and what works on them."),
    "jobs": ("cibus.cli.jobs", "jobs", "Keep a controller's configuration in a folder: export, diff, plan, apply, prove."),
    "agents": ("cibus.cli.agents", "agents", "The machines that builds run on: list, examine, rebuild and prove them."),
    "runbook": ("cibus.cli.runbook", "runbook", "Pages that say what to do, and do it: list, show, run, check, write."),
    "owners": ("cibus.cli.owners", "owners", "Who owns what, how many could leave, and what if somebody did."),
    "onboard": ("cibus.cli.onboard", "onboard", "Make somebody a second owner: drills that are staged and verified."),
    "offboard": ("cibus.cli.offboard", "offboard", "What somebody who leaves has to hand over, and whether it was."),
    "monitor": ("cibus.cli.monitor", "monitor", "Is CI healthy, what is wrong, and which page says what to do."),
    "handbook": ("cibus.cli.handbook", "handbook", "All that is known of this CI as a static site that works offline: build, serve."),
}


def main(argv: list[str] | None = None) -> int:
    """Runs a command and gives its exit code."""
    argv = sys.argv[1:] if argv is None else argv
    if argv == ["--version"]:
        from cibus import __version__

        print(f"cibus {__version__}")
        return 0
    if argv[:1] == ["run"]:
        from cibus.cli import prestart

        prestart.begin()
    from cibus.cli.errors import guarded

    try:
        return guarded(lambda: _app(argv)(argv, prog_name="cibus", standalone_mode=False))
    finally:
        if argv[:1] == ["run"]:
            from cibus.cli import prestart

            prestart.discard()


def _app(argv: list[str]) -> Callable[..., object]:
    """The typer app, with only the asked-for command imported."""
    import typer
    from typer.main import get_command

    app = typer.Typer(
        name="cibus",
        help="Debug, rebuild and own a Jenkins: run its pipelines here, keep its configuration, its agents and its knowledge.\n\n"
        "Exit codes: 0 fine, 1 failed, 2 usage or configuration, 3 something to look at, 4 aborted, 5 not built, 130 interrupted.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    asked = next((word for word in argv if not word.startswith("-")), None)

    @app.callback()
    def _root(version: bool = typer.Option(False, "--version", help="Print the version.")) -> None:
        """Debug, rebuild and own a Jenkins."""
        if version:
            from cibus import __version__

            typer.echo(f"cibus {__version__}")
            raise typer.Exit

    for name, (module, function, text) in COMMANDS.items():
        _add(app, name, module, function, text, load=asked == name)
    return get_command(app)


def _add(app: typer.Typer, name: str, module: str, function: str, text: str, *, load: bool) -> None:
    """Adds a command; one that was not asked for only shows its summary."""
    if load:
        import importlib

        found = getattr(importlib.import_module(module), function)
        if hasattr(found, "registered_commands"):
            app.add_typer(found, name=name)  # with its own help, which says more
        else:
            app.command(name)(found)
        return

    def placeholder() -> None:
        raise NotImplementedError(name)

    app.command(name, help=text)(placeholder)
