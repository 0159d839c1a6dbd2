"""``cibus agents`` as its own process, in a folder whose ``home`` is the user's."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Done:
    """What a command ended with; ``all`` is what a person saw."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err


def run_agents(folder: Path, *argv: str, env: dict[str, str] | None = None, timeout: float = 300) -> Done:
    """Runs ``cibus agents …`` as its own process, in a folder whose ``home`` is the user's."""
    environ = {**os.environ, "HOME": str(folder / "home"), "CIBUS_STATE_DIR": str(folder / "state"), "NO_COLOR": "1", **(env or {})}
    for name in ("SSH_AUTH_SOCK", "CIBUS_JENKINS_URL", "CIBUS_JENKINS_USER", "CIBUS_JENKINS_TOKEN"):
        environ.pop(name, None)
    done = subprocess.run([sys.executable, "-m", "cibus", "agents", *argv], cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=timeout, stdin=subprocess.DEVNULL)
    return Done(done.returncode, done.stdout, done.stderr)
