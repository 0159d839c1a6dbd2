"""Real repositories to run the real command on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

IDENTITY = {
    "GIT_AUTHOR_NAME": "Dev One",
    "GIT_AUTHOR_EMAIL": "dev1@example.com",
    "GIT_COMMITTER_NAME": "Dev One",
    "GIT_COMMITTER_EMAIL": "dev1@example.com",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}


@dataclass(frozen=True)
class Repo:
    """A git repository with a state folder of its own beside it."""

    path: Path
    state: Path

    def git(self, *args: str) -> None:
        """Runs git in it."""
        env = {**os.environ, **IDENTITY}
        subprocess.run(["git", "-c", "init.defaultBranch=main", *args], cwd=self.path, check=True, capture_output=True, env=env)

    def write(self, files: Mapping[str, str]) -> None:
        """Writes files."""
        for name, text in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def environ(self, **more: str) -> dict[str, str]:
        """The environment that cibus gets."""
        return {**os.environ, "CIBUS_STATE_DIR": str(self.state), "NO_COLOR": "1", **more}

    @property
    def program(self) -> str:
        """The cibus under test."""
        return str(Path(sys.executable).with_name("cibus"))

    def cibus(self, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Runs cibus in it."""
        return subprocess.run(
            [self.program, *args],
            cwd=self.path,
            env=self.environ(**env),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            stdin=subprocess.DEVNULL,
        )


MakeRepo = Callable[..., Repo]
