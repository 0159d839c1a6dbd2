"""Secrets: a type that does not show its value, and the places where values come from."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cibus.errors import SecretError

Kind = Literal["value", "env", "file", "command", "keyring"]


class Secret:
    """A secret's value; ``reveal()`` is the only way to it, so that no repr or log shows it by accident."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(****)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(("Secret", self._value))


@dataclass(frozen=True)
class SecretSource:
    """Where a secret comes from, as ``{ env = "NAME" }`` in cibus.toml.

    Arguments:
        kind: value, env, file, command or keyring
        argument: the value, the variable's name, the file's path, the command line, or ``service/user``
        folder: what a relative path is relative to
    """

    kind: Kind
    argument: str
    folder: Path

    def __repr__(self) -> str:
        shown = "****" if self.kind == "value" else self.argument
        return f"SecretSource({self.kind}: {shown})"

    def get(self) -> Secret:
        """Fetches the value.

        Raises:
            SecretError: it is not there; says what was looked for.
        """
        return Secret(_GET[self.kind](self))


def _from_env(source: SecretSource) -> str:
    value = os.environ.get(source.argument)
    if value is None:
        raise SecretError(f"the environment variable {source.argument} is not set")
    return value


def _from_file(source: SecretSource) -> str:
    path = source.folder / Path(source.argument).expanduser()
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SecretError(f"the file {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SecretError(f"the file {path} is not UTF-8 text") from error


def _from_command(source: SecretSource) -> str:
    try:
        argv = shlex.split(source.argument)
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60, cwd=source.folder)
    except ValueError as error:
        raise SecretError(f"the command {source.argument!r} cannot be read: {error}") from error
    except OSError as error:
        raise SecretError(f"the command {source.argument!r} did not start: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise SecretError(f"the command {source.argument!r} gave no answer within 60 s") from error
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or [""]
        raise SecretError(f"the command {source.argument!r} ended with {done.returncode}: {last[0]}")
    return done.stdout.rstrip("\n")


def _from_keyring(source: SecretSource) -> str:
    service, _, user = source.argument.partition("/")
    import keyring
    from keyring.errors import KeyringError

    try:
        value = keyring.get_password(service, user)
    except KeyringError as error:
        raise SecretError(f"the keyring cannot be read: {error}") from error
    if value is None:
        raise SecretError(f"the keyring has nothing for service {service!r}, user {user!r}")
    return str(value)


_GET = {
    "value": lambda source: source.argument,
    "env": _from_env,
    "file": _from_file,
    "command": _from_command,
    "keyring": _from_keyring,
}


def values_of(sources: Iterable[SecretSource]) -> tuple[str, ...]:
    """The values that can be had without asking anybody: to look for them where they should not be."""
    found = []
    for source in sources:
        if source.kind in ("value", "env", "file"):
            with contextlib.suppress(SecretError):
                found.append(source.get().reveal())
    return tuple(found)
