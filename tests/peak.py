"""How much memory a command takes at its most."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

# not getrusage: it also counts what the parent had before exec
_CHILD = """
import sys
from cibus.cli import main
code = main(sys.argv[1:])
sys.stdout.flush()
sys.stderr.write('PEAK ' + open('/proc/self/status').read().partition('VmHWM:')[2].split()[0])
sys.exit(code)
"""


def peak(*arguments: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> tuple[int, int]:
    """Runs ``cibus`` with arguments; gives its exit code and its peak memory in MiB."""
    done = subprocess.run([sys.executable, "-c", _CHILD, *arguments], cwd=cwd, env={**os.environ, **(env or {})}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    _, mark, size = done.stderr.rpartition("PEAK ")
    assert mark, done.stderr
    return done.returncode, int(size) // 1024
