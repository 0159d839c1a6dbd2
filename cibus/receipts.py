"""Receipts: who did what on which thing, when, and what came of it; proof that it can be done, and by whom.

JSON lines in a folder kept in git; lines are only ever added. What an agent's receipt holds is in agents/receipts.py.
"""

from __future__ import annotations

import getpass
import json
import os
import platform
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from cibus.config import Config
from cibus.errors import CibusError
from cibus.git import try_git

VERSION = 1
HIDDEN = "****"


def folder(config: Config) -> Path:
    """Where receipts are kept: as cibus.toml says, else ``receipts`` beside it, else in the current folder."""
    if config.rebuild.receipts is not None:
        return config.rebuild.receipts
    return config.folder / "receipts"


def operator(config: Config) -> dict[str, str]:
    """Who does it: the git identity where cibus.toml is, else the user's name on this machine."""
    where = config.folder if config.folder.is_dir() else None
    name, mail = try_git(where, "config", "user.name"), try_git(where, "config", "user.email")
    try:
        login = getpass.getuser()
    except (KeyError, OSError):
        login = "unknown"
    return {"name": name or login, "email": mail or ""}


def versions() -> dict[str, str]:
    """The versions of what did it."""
    found = {"python": platform.python_version()}
    for name in ("cibus", "ansible-core", "ansible-runner"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def stamp(when: datetime | None = None) -> str:
    """A time as receipts have it."""
    return (when or datetime.now(UTC)).isoformat(timespec="seconds")


def scrubbed(data: Any, secrets: Iterable[str]) -> Any:
    """The same without the secrets, wherever they stand."""
    known = sorted({form for each in secrets for form in _forms(each) if len(form) >= 4}, key=len, reverse=True)
    return _scrubbed(data, known)


def _forms(secret: str) -> Iterator[str]:
    """How a secret may stand in a text: as it is, as JSON has it, and a long one line by line."""
    plain = secret.strip()
    yield plain
    for ascii_only in (True, False):
        once = json.dumps(plain, ensure_ascii=ascii_only)[1:-1]
        yield from (once, json.dumps(once, ensure_ascii=ascii_only)[1:-1])  # Ansible shows JSON in JSON
    yield from (line.strip() for line in plain.splitlines() if len(line.strip()) >= 16)


def _scrubbed(data: Any, known: Sequence[str]) -> Any:
    if isinstance(data, str):
        for secret in known:
            data = data.replace(secret, HIDDEN)
        return data
    if isinstance(data, Mapping):
        return {str(_scrubbed(key, known)): _scrubbed(value, known) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_scrubbed(each, known) for each in data]
    return data


def append_line(path: Path, data: Mapping[str, Any]) -> Path:
    """Adds a receipt to a file, which it makes with its folders where it is not there.

    Raises:
        CibusError: it cannot be written.
    """
    line = json.dumps(data, ensure_ascii=False, sort_keys=False).encode("utf-8", "replace") + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torn = path.is_file() and path.stat().st_size > 0 and not _ends_with_newline(path)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(handle, (b"\n" if torn else b"") + line)  # one write: two of them at once do not mix
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise CibusError(f"{path}: the receipt cannot be written: {error.strerror}") from error
    return path


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def read_lines(path: Path) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """The receipts of a file, each with its ``file:line``; None for a line that is none.

    Raises:
        CibusError: the file cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CibusError(f"{path}: the receipts cannot be read: {error.strerror}") from error
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
        except (ValueError, RecursionError):
            data = None
        yield f"{path}:{number}", data if isinstance(data, dict) else None


def writable(place: Path) -> None:
    """Makes sure that receipts can be kept: better before the work than after it.

    Raises:
        CibusError: they cannot.
    """
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        raise CibusError(f"{place}: receipts cannot be kept there: {error.strerror}; name another folder as receipts in [rebuild] of cibus.toml") from error
