"""Starting the JVM with as few imports as possible: it starts while the rest of cibus is still being imported."""

from __future__ import annotations

import os
import time
from typing import NamedTuple


class Spawned(NamedTuple):
    """A JVM that was started: its process id and this side's ends of its pipes."""

    pid: int
    to: int
    come: int
    stderr: int
    folder: str


def spawn(command: list[str], folder: str) -> Spawned:
    """Starts the command with two pipes, whose numbers end its command line, in a session of its own.

    Raises:
        OSError: it did not start.
    """
    theirs_in, to = os.pipe()
    come, theirs_out = os.pipe()
    stderr = _unnamed_file()
    try:
        for number in (theirs_in, theirs_out):
            os.set_inheritable(number, True)
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, stderr, 1),
            (os.POSIX_SPAWN_DUP2, stderr, 2),
        ]
        pid = os.posix_spawn(command[0], [*command, str(theirs_in), str(theirs_out)], os.environ, file_actions=actions, setsid=True)
    except OSError:
        for number in (to, come, stderr):
            os.close(number)
        raise
    finally:
        os.close(theirs_in)
        os.close(theirs_out)
    return Spawned(pid, to, come, stderr, folder)


def _unnamed_file() -> int:
    """A file without a name for what the JVM prints."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("cibus-jvm")
    import tempfile

    handle, path = tempfile.mkstemp(prefix="cibus-jvm-")
    os.unlink(path)  # noqa: PTH108 - pathlib is not imported here, to start fast
    return handle


class Process:
    """A child process by its id."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code, negative for a signal, or None while it runs."""
        if self.returncode is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                self.returncode = 0
                return 0
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        """Waits for the end; gives None where the time is over."""
        end = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None and (end is None or time.monotonic() < end):
            time.sleep(0.002)
        return code

    def kill(self) -> None:
        """Ends it at once."""
        if self.poll() is None:
            os.kill(self.pid, 9)


def fingerprint(sources: str, groovy: str) -> str:
    """What the command depends on and can be looked at quickly: environment, sources, the jar."""
    parts = [os.environ.get(name, "") for name in ("JAVA_HOME", "PATH", "CIBUS_GROOVY_JAR", "CIBUS_CACHE_DIR", "XDG_CACHE_HOME")]
    for folder in (sources, os.path.join(sources, "cibus"), os.path.join(sources, "standins")):  # noqa: PTH118
        with os.scandir(folder) as entries:
            parts.extend(f"{entry.name}:{entry.stat().st_mtime_ns}:{entry.stat().st_size}" for entry in entries if entry.name.endswith(".groovy"))
    stat = os.stat(groovy)  # noqa: PTH116
    parts.append(f"{groovy}:{stat.st_mtime_ns}:{stat.st_size}")
    return "|".join(sorted(parts)).replace("\n", " ")


def remembered(stamp: str, sources: str) -> tuple[list[str], str] | None:
    """The command of the last start and its folder, where nothing that it depends on has changed."""
    try:
        with open(stamp, encoding="utf-8") as file:  # noqa: PTH123
            groovy, seen, folder, *command = file.read().split("\n")
        if seen != fingerprint(sources, groovy) or not os.path.exists(os.path.join(folder, "harness.jar")):  # noqa: PTH110, PTH118
            return None
        trained = [name for name in ("start.aot", "start.jsa") if os.path.exists(os.path.join(folder, name))]  # noqa: PTH110, PTH118
        if trained and not any(trained[0] in word for word in command):
            return None
    except (OSError, ValueError):
        return None
    return command, folder
