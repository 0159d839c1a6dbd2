#!/usr/bin/env python3
"""Measures cibus beside what it is compared with, in one run: medians and ratios.

    python benchmarks/bench.py [--runs N] [--without-npm] [--json FILE]

Each figure is the median of N runs, taken in turns so that a busy machine slows both sides alike. gitlab-ci-local is
installed with npm into a temporary folder. The JVM's start-up cache is made before the warm runs, as it is after a
user's first run that went well.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

MARK = "the-first-step"
DECLARATIVE = f"pipeline {{\n  agent any\n  stages {{\n    stage('One') {{\n      steps {{\n        echo '{MARK}'\n      }}\n    }}\n  }}\n}}\n"
GITLAB = f"one:\n  script:\n    - echo {MARK}\n"
SHELLS = 200
ECHOES = 10_000
BRANCHES = 1_000
RIVAL = "gitlab-ci-local@4.61.1"  # later ones need a Node.js that is newer than what Debian has


@dataclass(frozen=True)
class Timing:
    """One run of a program: seconds to the marked output (None without one) and to the end."""

    first: float | None
    total: float
    peak_mib: float


@dataclass(frozen=True)
class Row:
    """A line of the table: what was measured, the figure, its unit, the goal and whether it is met."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """Whether the goal is met, in words."""
        return "" if self.goal is None else "met" if self.value <= self.goal else "MISSED"


@dataclass
class Bench:
    """The folders and settings of one benchmark run."""

    top: Path
    runs: int
    rows: list[Row] = field(default_factory=list)

    def env(self, **more: str) -> dict[str, str]:
        """The environment of what is measured: its own cache and state."""
        base = {"CIBUS_CACHE_DIR": str(self.top / "cache"), "CIBUS_STATE_DIR": str(self.top / "state"), "NO_COLOR": "1"}
        return {**os.environ, **base, **more}

    def add(self, name: str, value: float, unit: str, goal: float | None = None, note: str = "") -> None:
        """Takes a figure and shows it at once."""
        row = Row(name, value, unit, goal, note)
        self.rows.append(row)
        goal_text = "" if goal is None else f"<= {goal:g}"
        print(f"{row.name:58} {row.value:9.2f} {row.unit:4} {goal_text:>8} {row.verdict:6} {row.note}", flush=True)


def cibus(*args: str) -> list[str]:
    """The command line of the cibus that belongs to this Python."""
    program = Path(sys.executable).with_name("cibus")
    return [str(program) if program.exists() else shutil.which("cibus") or "cibus", *args]


def measure(
    argv: list[str], cwd: Path, env: dict[str, str], mark: str | None = None, *, memory: bool = False
) -> Timing:
    """Runs a program once; raises RuntimeError with its output where it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(
        argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    watcher = _Memory(process.pid) if memory else None
    first: float | None = None
    seen: list[bytes] = []
    assert process.stdout is not None
    for line in process.stdout:
        if first is None and mark is not None and mark.encode() in line:
            first = time.perf_counter() - started
        if len(seen) < 50:
            seen.append(line)
    code = process.wait()
    total = time.perf_counter() - started
    if code != 0:
        raise RuntimeError(f"{' '.join(argv)} ended with {code}:\n{b''.join(seen).decode(errors='replace')}")
    return Timing(first, total, watcher.stop() if watcher else 0.0)


class _Memory:
    """Samples the resident memory of a process and all below it (Linux)."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._peak = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._done.wait(0.02):
            self._peak = max(self._peak, sum(map(_resident, _below(self._root))))

    def stop(self) -> float:
        """The highest sum, in MiB."""
        self._done.set()
        self._thread.join()
        return self._peak / (1 << 20)


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def _below(root: int) -> list[int]:
    found = [root]
    for pid in found:
        try:
            for task in Path(f"/proc/{pid}/task").iterdir():
                found.extend(int(child) for child in (task / "children").read_text().split())
        except OSError:
            continue
    return found


def median(values: list[float]) -> float:
    """The median, in milliseconds."""
    return statistics.median(values) * 1000


def in_turns(runs: int, *works: Callable[[], float]) -> list[float]:
    """Runs each work ``runs`` times, one after the other in each round; gives the median of each in ms."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(runs):
        for work, values in zip(works, taken, strict=True):
            values.append(work())
    return [median(values) for values in taken]


def repository(folder: Path, **files: str) -> Path:
    """A git repository with these files and one commit."""
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / {"gitlab": ".gitlab-ci.yml"}.get(name, name)).write_text(text, encoding="utf-8")
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.com", "-c", "init.defaultBranch=main"]
    for args in (
        ["init", "-q"],
        ["add", "-A"],
        ["commit", "-q", "-m", "bench"],
        ["remote", "add", "origin", "git@example.com:bench/bench.git"],
    ):
        subprocess.run(["git", *identity, *args], cwd=folder, check=True, capture_output=True)
    return folder


def warm_up(bench: Bench, repo: Path) -> None:
    """Makes the harness and waits for the start-up cache."""
    measure(cibus("run", "--format", "plain"), repo, bench.env())
    deadline = time.monotonic() + 90
    cache = bench.top / "cache"
    while time.monotonic() < deadline and not list(cache.glob("engine-*/start.*[ta]")):
        time.sleep(0.25)
    time.sleep(1)


def start_up(bench: Bench, repo: Path) -> None:
    """Process start: Python's own, --version, and the first step of a trivial Declarative file."""
    env = bench.env()
    python = [sys.executable, "-c", "pass"]
    run = cibus("run", "--format", "plain")

    def first() -> float:
        found = measure(run, repo, env, MARK).first
        assert found is not None
        return found

    script = repo / "Jenkinsfile"
    edits = itertools.count()

    def edited() -> float:
        script.write_text(f"{DECLARATIVE}// edit {next(edits)}\n")
        try:
            return first()
        finally:
            script.write_text(DECLARATIVE)

    bare, version, step, fresh = in_turns(
        bench.runs,
        lambda: measure(python, repo, env).total,
        lambda: measure(cibus("--version"), repo, env).total,
        first,
        edited,
    )
    total = median([measure(run, repo, env, MARK).total for _ in range(bench.runs)])
    bench.add("python -c pass", bare, "ms")
    bench.add("cibus --version", version, "ms")
    bench.add("cibus --version above python -c pass", version - bare, "ms", 100)
    bench.add("first step of a trivial Declarative file, warm", step, "ms", 250)
    bench.add("  that, as a multiple of python -c pass", step / bare, "x", 6)
    bench.add("  the whole run", total, "ms")
    bench.add("  its first step right after an edit: all through Groovy", fresh, "ms")


def cold(bench: Bench, repo: Path) -> None:
    """The first run ever: an empty cache, the Groovy jar given."""
    folder = bench.top / "cold"
    env = bench.env(CIBUS_CACHE_DIR=str(folder))
    jar = next((bench.top / "cache").glob("groovy-all-*.jar"), None)
    if jar is not None:
        env["CIBUS_GROOVY_JAR"] = str(jar)
    taken = []
    for _ in range(min(3, bench.runs)):
        shutil.rmtree(folder, ignore_errors=True)
        found = measure(cibus("run", "--format", "plain"), repo, env, MARK).first
        taken.append(found or 0.0)
        time.sleep(8)  # the making of the start-up cache goes on in the background
    bench.add("first step of the first run ever (empty cache)", median(taken), "ms")


def echoes(bench: Bench) -> None:
    """What an echo costs, over many."""
    repo = repository(bench.top / "echo", Jenkinsfile=f"for (int i = 0; i < {ECHOES}; i++) {{ echo 'x' }}\n")
    empty = repository(bench.top / "none", Jenkinsfile="echo 'x'\n")
    run = cibus("run", "--format", "plain")
    many, none = in_turns(
        min(3, bench.runs),
        lambda: measure(run, repo, bench.env()).total,
        lambda: measure(run, empty, bench.env()).total,
    )
    bench.add(f"echo, each of {ECHOES:,}", (many - none) / ECHOES * 1000, "us")


def shells(bench: Bench) -> None:
    """What ``sh 'true'`` costs above the process that it starts."""
    repo = repository(bench.top / "sh", Jenkinsfile=f"node {{ for (int i = 0; i < {SHELLS}; i++) {{ sh 'true' }} }}\n")
    empty = repository(bench.top / "nosh", Jenkinsfile="node { echo 'x' }\n")
    script = bench.top / "true.sh"
    script.write_text("true")
    run = cibus("run", "--format", "plain")

    def bare() -> float:
        started = time.perf_counter()
        for _ in range(SHELLS):
            subprocess.run(["sh", "-xe", str(script)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True)
        return (time.perf_counter() - started) / SHELLS

    process, many, none = in_turns(
        min(3, bench.runs),
        bare,
        lambda: measure(run, repo, bench.env()).total,
        lambda: measure(run, empty, bench.env()).total,
    )
    bench.add("a bare subprocess: sh -xe", process, "ms")
    bench.add("sh 'true' above that", (many - none) / SHELLS - process, "ms", 3)


def branches(bench: Bench) -> None:
    """A thousand parallel branches, and the memory that runs take."""
    script = f'def b = [:]\nfor (int i = 0; i < {BRANCHES}; i++) {{ def n = i; b["b$n"] = {{ echo "in $n" }} }}\nparallel b\n'
    repo = repository(bench.top / "wide", Jenkinsfile=script)
    small = bench.top / "trivial"
    run = cibus("run", "--format", "plain")
    wide = measure(run, repo, bench.env(), memory=True)
    one = measure(run, small, bench.env(), memory=True)
    bench.add(f"{BRANCHES:,} parallel branches, the whole run", wide.total * 1000, "ms")
    bench.add("  its peak memory, with the JVM", wide.peak_mib, "MiB")
    bench.add("peak memory of the trivial run, with the JVM", one.peak_mib, "MiB")


def against_gitlab(bench: Bench, repo: Path) -> None:
    """A one-job run beside gitlab-ci-local's."""
    missing = [program for program in ("npm", "rsync") if shutil.which(program) is None]
    if missing:
        print(f"gitlab-ci-local: left out, it needs {' and '.join(missing)}")
        return
    place = bench.top / "npm"
    place.mkdir()
    done = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(place), RIVAL],
        capture_output=True,
        text=True,
        check=False,
    )
    program = place / "node_modules" / ".bin" / "gitlab-ci-local"
    if done.returncode != 0 or not program.exists():
        print(
            f"gitlab-ci-local: left out, npm could not install it: {(done.stderr.strip().splitlines() or ['no message'])[-1]}"
        )
        return
    theirs = [str(program), "one"]
    ours = cibus("run", "--format", "plain")

    firsts: list[list[float]] = [[], []]
    totals: list[list[float]] = [[], []]
    for _ in range(bench.runs):
        for number, argv in enumerate((ours, theirs)):
            timing = measure(argv, repo, bench.env(), MARK)
            firsts[number].append(timing.first or timing.total)
            totals[number].append(timing.total)
    bench.add("gitlab-ci-local, one job: to its first output", median(firsts[1]), "ms")
    bench.add("gitlab-ci-local, one job: the whole run", median(totals[1]), "ms")
    bench.add("cibus as a multiple of it, to the first output", median(firsts[0]) / median(firsts[1]), "x", 0.5)
    bench.add("cibus as a multiple of it, the whole run", median(totals[0]) / median(totals[1]), "x", 0.5)


def main() -> int:
    """Measures everything and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=11)
    parser.add_argument("--without-npm", action="store_true")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cibus-bench-", ignore_cleanup_errors=True) as top:
        bench = Bench(Path(top), args.runs)
        print(
            f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, median of {args.runs}\n"
        )
        print(f"{'':58} {'figure':>9} {'':4} {'goal':>8}")
        repo = repository(bench.top / "trivial", Jenkinsfile=DECLARATIVE, gitlab=GITLAB)
        warm_up(bench, repo)
        start_up(bench, repo)
        if not args.without_npm:
            against_gitlab(bench, repo)
        echoes(bench)
        shells(bench)
        branches(bench)
        cold(bench, repo)
        if args.json:
            rows = [
                {
                    "name": r.name.strip(),
                    "value": round(r.value, 3),
                    "unit": r.unit,
                    "goal": r.goal,
                    "verdict": r.verdict,
                }
                for r in bench.rows
            ]
            args.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
