"""The values behind a snapshot's placeholders, in a private file beside it: what a lost controller is restored with.

Encrypted values (``{AQAA…}``) can only be read by a controller that has the same ``secrets/`` folder.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from cibus.errors import SecretError, UsageError
from cibus.folders import write_whole
from cibus.jobs.trees import git
from cibus.secrets import Secret, SecretSource
from cibus.tomltext import quoted

HEAD = "# The values behind the placeholders of a snapshot. Keep it where you keep passwords, and out of git."


def read_secrets(path: Path) -> dict[str, SecretSource]:
    """The values by placeholder.

    Raises:
        SecretError: the file cannot be read, is none, or others can read it.
    """
    try:
        data = tomllib.loads(path.read_text("utf-8"))
        mode = path.stat().st_mode
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SecretError(f"{path} cannot be read as a file of secrets: {error}") from error
    if mode & 0o077:
        raise SecretError(f"{path} can be read by others: chmod 600 {path}")
    if not all(isinstance(value, str) for value in data.values()):
        raise SecretError(f"{path} is no file of secrets: its lines are placeholder = value")
    return {name: SecretSource("value", value, path.parent) for name, value in data.items()}


def write_secrets(path: Path, values: Mapping[str, Secret]) -> None:
    """Adds values to a file; what an older snapshot may need stays in it."""
    known = {name: source.argument for name, source in read_secrets(path).items()} if path.exists() else {}
    known.update({name: secret.reveal() for name, secret in values.items()})
    lines = [HEAD, *(f"{quoted(name)} = {quoted(value)}" for name, value in sorted(known.items()))]
    write_whole(path, ("\n".join(lines) + "\n").encode("utf-8", "surrogatepass"), private=True)


def refuse_published(path: Path, snapshot: Path) -> None:
    """Refuses a place from which secrets would be published.

    Raises:
        UsageError: it is in the snapshot, or in a git repository that does not ignore it.
    """
    if path.resolve().is_relative_to(snapshot.resolve()):
        raise UsageError(f"{path} is in the snapshot: keep secrets outside of it")
    folder = path.resolve().parent
    try:
        git(folder, "rev-parse", "--show-toplevel")
    except UsageError:  # no repository, or no such folder yet
        return
    try:
        git(folder, "check-ignore", "--quiet", path.name)
    except UsageError:
        raise UsageError(f"{path} is in a git repository that does not ignore it: keep secrets elsewhere") from None
