"""git, as a command."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from cibus.errors import SourceError

QUIET = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}


def git(folder: Path | None, *args: str, check: bool = True, env: dict[str, str] | None = None) -> str:
    """Runs git and gives its output without the last newline; raises SourceError with git's own words."""
    try:
        done = subprocess.run(
            ["git", *args], cwd=folder, capture_output=True, check=False, env={**os.environ, **QUIET, **(env or {})}, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError as error:
        raise SourceError("git is not installed; install it (e.g. apt-get install git)") from error
    if check and done.returncode != 0:
        raise SourceError(f"git {args[0]} failed in {folder}: {_last_words(done.stderr.decode('utf-8', 'replace'))}")
    return done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")


def _last_words(errors: str) -> str:
    """The line that says what was wrong: git puts advice behind it."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()] or ["no message"]
    return next((line for line in reversed(lines) if line.startswith(("fatal:", "error:"))), lines[-1])


def try_git(folder: Path | None, *args: str) -> str | None:
    """What git says, or None where it fails."""
    try:
        return git(folder, *args)
    except SourceError:
        return None
