"""Looks at every command line, here and on hosts, again and again while something runs."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from typing import Self


class Watch:
    """Use it with `with`; ``samples``: how often it looked."""

    def __init__(self) -> None:
        self._lines: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look_again, daemon=True)
        self.samples = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    def _look_again(self) -> None:
        while not self._stop.wait(0.05):
            self._look()

    def _look(self) -> None:
        # the hosts' processes are this machine's, too: their own /proc is only a view of the same
        self.samples += 1
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    self._lines.add((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
                except OSError:
                    continue

    def saw(self, words: str) -> bool:
        """Whether any command line had these words."""
        return any(words in line for line in self._lines)

