"""Workspaces: which folder a build gets, and keeping what different agents have apart."""

from __future__ import annotations

import contextlib
import fcntl
import threading
from pathlib import Path
from typing import IO

from cibus.errors import CibusError

LONGEST = 32  # characters of a branch job's workspace
AFAR = ".hosts"  # below the root: mirrors of workspaces on other machines


def folder_name(job: str, *, multibranch: bool) -> str:
    """A job's folder: its name with ``/`` as ``_``; of a multibranch job's branch only the last 32 characters.

    Source: WorkspaceLocatorImpl of branch-api 2.6.2, which keeps the paths of branch jobs short.
    """
    name = job.replace("/", "_").replace("%2F", "_")
    return name[-LONGEST:] if multibranch else name


class Workspaces:
    """The workspaces below a root folder.

    A job's workspace is ``ROOT/JOB`` with ``/`` as ``_``, whatever agent it is on, as scripts and logs expect. When an
    agent takes it, what another agent left there is put aside and comes back later. Who needs it while another branch
    or another run uses it gets ``@2``, ``@3``, ..., as in Jenkins.
    """

    def __init__(self, root: Path, job: str, *, multibranch: bool = False) -> None:
        self.root = root
        self.name = folder_name(job, multibranch=multibranch)
        self._lock = threading.Lock()
        self._held: dict[Path, IO[str]] = {}
        self._users: dict[Path, tuple[str, int]] = {}  # path → agent, branch
        self._moved: dict[Path, list[str]] = {}

    def allocate(self, agent: str, branch: int, builtin: str) -> Path:
        """A workspace for an agent, on behalf of a branch.

        Raises:
            CibusError: the root folder cannot be written.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with self._lock:
                main = self.root / self.name
                user = self._users.get(main)
                if user is not None and user[0] != agent and user[1] == branch:
                    # the outer block of the same branch waits for this one, so its folder can step aside meanwhile
                    self._swap(main, user[0], agent)
                    self._moved.setdefault(main, []).append(user[0])
                    self._users[main] = (agent, branch)
                    return main
                if user is None and self._hold(main):
                    self._swap(main, self._owner(main, builtin), agent)
                    self._users[main] = (agent, branch)
                    return main
                return self._another(main, agent, branch, user)
        except OSError as error:
            raise CibusError(f"the workspace folder {self.root} cannot be used: {error.strerror}; give another with --workspace-root") from error

    def _another(self, main: Path, agent: str, branch: int, user: tuple[str, int] | None) -> Path:
        suffix = f"@{agent}" if user is not None and user[0] != agent else ""
        number = 1 if suffix else 2
        while True:
            path = Path(f"{main}{suffix}" if number == 1 else f"{main}{suffix}@{number}")
            if path not in self._users and self._hold(path):
                path.mkdir(parents=True, exist_ok=True)
                self._users[path] = (agent, branch)
                return path
            number += 1

    def custom(self, path: Path) -> Path:
        """A folder that the script names; a second user at the same time gets ``@2``."""
        with self._lock:
            number, candidate = 1, path
            while candidate in self._users:
                number += 1
                candidate = Path(f"{path}@{number}")
            self._users[candidate] = ("", 0)
            return candidate

    def release(self, path: Path) -> None:
        """The block ended; a folder that stepped aside for it comes back."""
        with self._lock:
            agent, branch = self._users.pop(path, ("", 0))
            waiting = self._moved.get(path)
            if waiting:
                outer = waiting.pop()
                self._swap(path, agent, outer)
                self._users[path] = (outer, branch)
                return
            held = self._held.pop(path, None)
            if held is not None:
                held.close()

    def settle(self, builtin: str) -> None:
        """At the end of the run: what the built-in node had is at ``ROOT/JOB`` again."""
        with self._lock, contextlib.suppress(OSError):
            main = self.root / self.name
            if main not in self._users and self._hold(main):
                self._swap(main, self._owner(main, builtin), builtin)
                self._held.pop(main).close()

    # -- who had the folder

    def _aside(self, agent: str) -> Path:
        return self.root / ".agents" / agent / self.name

    def _record(self) -> Path:
        return self.root / ".agents" / f"{self.name}.owner"

    def _owner(self, main: Path, builtin: str) -> str:
        try:
            return self._record().read_text(encoding="utf-8")
        except OSError:
            return builtin

    def _swap(self, main: Path, owner: str, agent: str) -> None:
        """Makes ``main`` hold what ``agent`` had there."""
        if owner != agent:
            for suffix in ("", "@tmp"):
                here = Path(f"{main}{suffix}")
                if here.exists():
                    aside = Path(f"{self._aside(owner)}{suffix}")
                    aside.parent.mkdir(parents=True, exist_ok=True)
                    here.rename(aside)
                theirs = Path(f"{self._aside(agent)}{suffix}")
                if theirs.exists():
                    theirs.rename(here)
            self._record().parent.mkdir(parents=True, exist_ok=True)
            self._record().write_text(agent, encoding="utf-8")
        main.mkdir(parents=True, exist_ok=True)

    def _hold(self, path: Path) -> bool:
        """Takes a folder against other runs of cibus; False where one has it."""
        if path in self._held:
            return False
        locks = self.root / ".agents"
        locks.mkdir(parents=True, exist_ok=True)
        file = (locks / f"{path.name}.lock").open("w", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return False
        self._held[path] = file
        return True
