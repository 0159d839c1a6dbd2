"""Running a block: a shell of its own, its output shown as it comes, kept in parts, and compared with what it has to be."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cibus.receipts import HIDDEN
from cibus.runbooks.expect import unmet
from cibus.runbooks.page import Block, Variable

KEPT = 16 << 20  # bytes of each stream that assertions look at
Shown = Callable[[str], None]


@dataclass(frozen=True)
class Ran:
    """A block that ran; ``words`` say which assertions do not hold."""

    code: int
    seconds: float
    out: str
    words: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether all assertions hold."""
        return not self.words


def environment(variables: Mapping[str, Variable], values: Mapping[str, str]) -> dict[str, str]:
    """What a block's shell is given: the user's own, the page's variables, and this cibus first on PATH."""
    given = {variables[name].environment: value for name, value in values.items() if name in variables}
    beside = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": f"{beside}{os.pathsep}{os.environ.get('PATH', os.defpath)}", **given}


def run_block(block: Block, where: Path, environ: Mapping[str, str], values: Mapping[str, str], show: Shown) -> Ran:
    """Runs a block with ``sh -eu`` and compares its output with its assertions.

    Arguments:
        where: the folder it runs in
        show: is given what it says, as it says it

    Ctrl-C ends it with all that it started.
    """
    started = time.monotonic()
    process = subprocess.Popen(["sh", "-eu", "-c", block.script], cwd=where, env=dict(environ), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    assert process.stdout and process.stderr
    kept = [bytearray(), bytearray()]
    readers = [threading.Thread(target=_read, args=(stream, into, show), daemon=True) for stream, into in zip((process.stdout, process.stderr), kept, strict=True)]
    for reader in readers:
        reader.start()
    late = ""
    try:
        process.wait(block.timeout)
    except subprocess.TimeoutExpired:
        late = f"it did not end within {block.timeout} s"
    finally:
        _end(process)
    for reader in readers:
        reader.join(5)
    process.stdout.close()
    process.stderr.close()
    out, err = (bytes(part).decode("utf-8", "replace") for part in kept)
    words = (late,) if late else tuple(unmet(block.expect, process.returncode, out, err, values))
    return Ran(process.returncode, time.monotonic() - started, out, words)


def _read(stream: IO[bytes], into: bytearray, show: Shown) -> None:
    for line in iter(lambda: stream.readline(1 << 16), b""):
        if len(into) < KEPT:
            into += line
        show(line.decode("utf-8", "replace"))


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends all processes of the block's session that are left."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        if process.poll() is not None:
            break
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def first_line(text: str) -> str:
    """What a block that sets a variable gave."""
    return next(iter(text.splitlines()), "").strip()


def hidden(text: str, secrets: Iterable[str]) -> str:
    """The text without the secrets."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, HIDDEN)
    return text
