"""``cibus run --watch``: runs again when a file of the repository changes."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from cibus.errors import CibusError, Exit

DEBOUNCE = 400  # milliseconds without a change, before it runs again
OWN = frozenset(
    {".git", ".hg", ".svn", "__pycache__", "node_modules", ".venv", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
)


def watch_and_run(script: Path, run_once: Callable[[], int], *, in_place: bool = False) -> int:
    """Runs, waits for a change, runs again, until Ctrl-C; gives 130.

    What changes while it runs counts too, but not with ``in_place``, where the run itself may have changed it.
    """
    from cibus.git import try_git

    folder = script.resolve().parent
    root = Path(try_git(folder, "rev-parse", "--show-toplevel") or folder)
    watcher = Watcher(root)
    try:
        while _run(run_once):
            if in_place:
                watcher.forget()
            _say(f"{_time()} watching {root}; Ctrl-C ends")
            changed = watcher.wait()
            _say(f"{_time()} {_shown(changed, root)} changed; running again")
    except KeyboardInterrupt:
        pass
    finally:
        watcher.close()
    return int(Exit.INTERRUPTED)


def _run(run_once: Callable[[], int]) -> bool:
    """One run; what is wrong with it is said and does not end the watching. False after a Ctrl-C."""
    presses, signals = os.pipe()
    os.set_blocking(signals, False)
    os.set_blocking(presses, False)
    before = signal.set_wakeup_fd(signals)  # sees the signal whatever the run makes of it
    try:
        run_once()
    except CibusError as error:
        sys.stderr.write(f"cibus: error: {error}\n")
    finally:
        signal.set_wakeup_fd(before)
        try:
            seen = os.read(presses, 64)
        except BlockingIOError:
            seen = b""
        os.close(presses)
        os.close(signals)
    return signal.SIGINT not in seen


class Watcher:
    """Collects the changes below a folder, also while nobody waits for them."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._changes: queue.SimpleQueue[list[Path]] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._collect, name="watch", daemon=True)
        self._thread.start()

    def _collect(self) -> None:
        from watchfiles import watch

        def wanted(change: object, path: str) -> bool:
            return not OWN & set(Path(path).relative_to(self._root).parts)

        for changes in watch(
            self._root,
            watch_filter=wanted,
            debounce=DEBOUNCE,
            stop_event=self._stop,
            raise_interrupt=False,
            rust_timeout=500,
        ):
            counting = counted({Path(path) for _, path in changes}, self._root)
            if counting:
                self._changes.put(counting)

    def wait(self) -> list[Path]:
        """Waits for changes of files that count."""
        while True:
            try:
                found = self._changes.get(timeout=0.5)  # not for ever, so that a Ctrl-C gets through
            except queue.Empty:
                continue
            while not self._changes.empty():
                found = sorted({*found, *self._changes.get()})
            return found

    def forget(self) -> None:
        """Drops what was collected so far."""
        time.sleep(2 * DEBOUNCE / 1000)
        while not self._changes.empty():
            self._changes.get()

    def close(self) -> None:
        """Ends the watching."""
        self._stop.set()
        self._thread.join(timeout=2)


def counted(paths: Iterable[Path], root: Path) -> list[Path]:
    """The paths that git does not ignore, sorted; all of them outside a repository."""
    wanted = sorted(paths)
    text = "\0".join(str(path) for path in wanted)
    try:
        done = subprocess.run(
            ["git", "check-ignore", "-z", "--stdin"], cwd=root, input=text, capture_output=True, text=True, check=False
        )
    except OSError:
        return wanted
    ignored = set(done.stdout.split("\0")) if done.returncode == 0 else set()
    return [path for path in wanted if str(path) not in ignored]


def _shown(paths: list[Path], root: Path) -> str:
    first = paths[0].relative_to(root) if paths[0].is_relative_to(root) else paths[0]
    return str(first) if len(paths) == 1 else f"{first} and {len(paths) - 1} more"


def _say(text: str) -> None:
    sys.stderr.write(f"cibus: {text}\n")
    sys.stderr.flush()


def _time() -> str:
    return time.strftime("%H:%M:%S")
