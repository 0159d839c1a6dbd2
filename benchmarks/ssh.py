#!/usr/bin/env python3
"""Measures steps and workspaces on a machine over SSH, beside this machine.

    python benchmarks/ssh.py [ssh://USER@HOST] [--files N] [--runs N]

Without a host one is booted (tests/hosts; Linux, root).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT / "tests"), str(PROJECT)]

from cibus.ssh.address import parse  # noqa: E402
from cibus.ssh.host import Host  # noqa: E402
from cibus.ssh.mirror import Mirror  # noqa: E402
from cibus.ssh.process import RemoteProcess  # noqa: E402


@contextlib.contextmanager
def machine(given: str) -> Iterator[str]:
    """The host that was given, or a booted one."""
    if given:
        yield given
        return
    from hosts import base, boot

    if reason := base.missing():
        sys.exit(f"{reason}; give ssh://USER@HOST")
    with boot.booted() as host:
        os.environ["HOME"] = str(host.home)
        os.environ.pop("SSH_AUTH_SOCK", None)
        yield host.url


def row(name: str, runs: int, work: Callable[[], object], prepare: Callable[[], object] = lambda: None) -> None:
    """Prints the median of some runs, in milliseconds, with the extremes."""
    times = []
    for _ in range(runs):
        prepare()
        before = time.perf_counter()
        work()
        times.append((time.perf_counter() - before) * 1000)
    print(f"{name:<44} {statistics.median(times):8.1f} ms   ({min(times):.1f} to {max(times):.1f}, {runs} runs)")


def process(host: Host) -> None:
    done = RemoteProcess(host, ["sh", "-c", "true"], {}, "/tmp")
    assert done.stream(lambda data: None, lambda: None) == 0


def files(folder: Path, count: int) -> None:
    for n in range(count):
        path = folder / f"d{n // 100}" / f"file-{n}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"line {n}\n" * 25, "utf-8")


def workspaces(host: Host, count: int, runs: int) -> None:
    here = Path(tempfile.mkdtemp(prefix="cibus-bench-"))
    there = f"/tmp/cibus-bench-{os.getpid()}"
    app = here / "app"
    files(app, count)
    numbers = iter(range(10**6))

    def mirror() -> Mirror:
        return Mirror(host, here, there, ["app", "app@tmp"])

    def shell(script: str) -> None:
        done = RemoteProcess(host, ["sh", "-c", script], {}, f"{there}/app")
        assert done.stream(lambda data: None, lambda: None) == 0

    try:
        row(f"first sync of {count:,} files to the host", 1, lambda: mirror().start())
        made = mirror()
        made.start()

        def both() -> None:
            made.push()
            made.pull()

        row("nothing changed: before and after a step", runs, both)
        row("one file changed here", runs, both, lambda: (app / "d0/file-1.txt").write_text(f"changed {next(numbers)}"))
        row("one file changed on the host", runs, both, lambda: shell(f"echo {next(numbers)} > d0/file-2.txt"))
        shutil.rmtree(here / "app")
        row(f"first sync of {count:,} files from the host", 1, lambda: mirror().start())
        with (app / "big").open("wb") as file:
            file.truncate(200_000_000)
        fresh = mirror()
        fresh._here, fresh._there = made._here, made._there
        row("200 MB to the host", 1, fresh.push)
    finally:
        shutil.rmtree(here)
        RemoteProcess(host, ["rm", "-rf", there], {}, "/tmp").stream(lambda data: None, lambda: None)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("host", nargs="?", default="", help="ssh://USER@HOST")
    options.add_argument("--files", type=int, default=20_000)
    options.add_argument("--runs", type=int, default=11)
    given = options.parse_args()
    with machine(given.host) as url:
        row("connecting (with importing fabric)", 1, lambda: Host(parse(url)).close())
        row("connecting", given.runs, lambda: Host(parse(url)).close())
        with Host(parse(url)) as host:
            row("a process there (sh -c true)", 51, lambda: process(host))
            row("a process here (sh -c true)", 51, lambda: subprocess.run(["sh", "-c", "true"], check=True))
            workspaces(host, given.files, given.runs)


main()
