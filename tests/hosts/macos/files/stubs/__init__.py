"""Programs of macOS, as far as the roles and Ansible's modules use them.

Strict: a subcommand or an option that is not modelled here ends with 64 (EX_USAGE) and says so; so do words that the manual
page does not have.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PLACE = Path("/var/db/stubs")
State = dict[str, Any]
Program = Callable[[list[str]], int]
PROGRAMS: dict[str, tuple[str, Program]] = {}


class Unknown(Exception):
    """An option or a subcommand that is not modelled."""


def program(path: str) -> Callable[[Program], Program]:
    """Registers a program under the path that it has on a Mac."""

    def note(function: Program) -> Program:
        PROGRAMS[Path(path).name] = (path, function)
        return function

    return note


@contextlib.contextmanager
def state() -> Iterator[State]:
    """The state of this Mac; what the block changes is kept."""
    with (PLACE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path = PLACE / "state.json"
        before = path.read_text("utf-8")
        now: State = json.loads(before)
        yield now
        after = json.dumps(now, indent=1)
        if after != before:
            path.write_text(after, "utf-8")


def say(*lines: object) -> int:
    """Prints lines; 0."""
    for line in lines:
        print(line)
    return 0


def fail(words: str, status: int = 1) -> int:
    """Prints words as an error; the status."""
    print(words, file=sys.stderr)
    return status


def root(name: str) -> None:
    """Ends where the caller is not root, as the real program does."""
    if os.geteuid():
        raise SystemExit(fail(f"{name}: you must be root", 77))


def only(words: list[str], *known: str) -> None:
    """All options of these words are known ones."""
    for word in words:
        if word.startswith("-") and word not in known:
            raise Unknown(word)


def main(name: str, words: list[str]) -> int:
    """Runs a program; each call is noted, so that tests can look for what must not be in arguments."""
    from stubs import accounts, brew, jobs, keychain, system, tools, xcode  # noqa: F401 (they register their programs)

    with contextlib.suppress(OSError), (PLACE / "calls").open("a", encoding="utf-8") as calls:
        calls.write(json.dumps([os.geteuid(), name, *words]) + "\n")
    try:
        return PROGRAMS[name][1](words)
    except Unknown as unknown:
        return fail(f"{name}: not modelled or not in its manual page: {unknown} (in: {' '.join(words)})", 64)
