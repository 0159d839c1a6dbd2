"""Whether a command line of cibus parses, without running it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import click

VARIABLE = re.compile(r"\$(\w+|\{\w+\}|\()")


def why_not(words: Sequence[str]) -> str:
    """Why a command line, without the word ``cibus``, does not parse; "" where it does.

    A variable of the shell stands for a value that fits: ``1``. Placeholders of help texts (``…``, ``...``) end the line.
    """
    from cibus.cli import COMMANDS, _app

    given = ["1" if VARIABLE.search(word) else word for word in words if word not in ("…", "...")]
    group = next((word for word in given if not word.startswith("-")), "")
    if group and group not in COMMANDS:
        return f"there is no command {group}"
    command = _app(given)
    assert isinstance(command, click.Command)
    return _parse(command, given, None)


def _parse(command: click.Command, words: list[str], parent: click.Context | None) -> str:
    try:
        with command.make_context(command.name or "cibus", list(words), parent, help_option_names=[]) as context:
            rest = [*context._protected_args, *context.args]
            if not isinstance(command, click.Group) or not rest:
                return ""
            name, found, left = command.resolve_command(context, rest)
            return _parse(found, left, context) if found is not None and name else ""
    except click.exceptions.NoArgsIsHelpError:
        return ""
    except click.exceptions.Exit:
        return ""
    except click.ClickException as error:
        return " ".join(error.format_message().split())
