"""The fake in a process of its own, for measurements: it must not share the interpreter with the client."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PROJECT = Path(__file__).resolve().parents[2]


@contextmanager
def run(*options: str) -> Iterator[str]:
    """Starts `python -m tests.fake_jenkins` with options and gives its URL."""
    command = [sys.executable, "-m", "tests.fake_jenkins", *options]
    with subprocess.Popen(command, cwd=_PROJECT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
