#!/usr/bin/env python3
"""Measures cibus jobs beside what it is compared with, in one run: medians and ratios.

    python benchmarks/jobs.py [--runs N] [--jobs N] [--json FILE]

The controller is tests/fake_jenkins in a process of its own, once as fast as it can be and once with 20 ms of latency
in every answer. Exports are measured from the start of the process to its end.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT / "tests"), str(PROJECT)]

from fake_jenkins import run  # noqa: E402

LOOP = """
import sys, jenkins
server = jenkins.Jenkins(sys.argv[1], "admin", "fake-token")
for job in server.get_all_jobs():
    server.get_job_config(job["fullname"])
"""
URLS = """
import sys
from cibus.jenkins.client import Client
from cibus.jenkins.inventory import items
from cibus.jenkins.paths import job_url
from cibus.jenkins.settings import Settings
from cibus.secrets import Secret
with Client(Settings("bench", sys.argv[1], "admin", Secret("fake-token"))) as client:
    for number, item in enumerate(items(client.session)):
        print(f'url = "{sys.argv[1]}{job_url(item.path)}config.xml"\\noutput = "{sys.argv[2]}/{number}"')
"""


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    name: str
    value: float
    unit: str
    goal: str = ""
    met: bool | None = None

    def __str__(self) -> str:
        verdict = "" if self.met is None else "  met" if self.met else "  MISSED"
        return f"{self.name:62} {self.value:9.2f} {self.unit:4} {self.goal}{verdict}"


class Bench:
    """One run of the benchmark."""

    def __init__(self, top: Path, runs: int, jobs: int) -> None:
        self.top = top
        self.runs = runs
        self.jobs = jobs
        self.rows: list[Row] = []
        self.cibus = [sys.executable, "-m", "cibus"]

    def add(self, name: str, value: float, unit: str, goal: str = "", met: bool | None = None) -> None:
        self.rows.append(Row(name, value, unit, goal, met))
        print(self.rows[-1], flush=True)

    def timed(self, *argv: str, env: dict[str, str] | None = None, codes: tuple[int, ...] = (0,)) -> float:
        begin = time.perf_counter()
        done = subprocess.run(argv, env={**os.environ, **(env or {})}, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - begin
        if done.returncode not in codes:
            raise SystemExit(f"{' '.join(argv)} ended with {done.returncode}: {done.stderr[-500:]}")
        return seconds

    def in_turns(self, ways: dict[str, Callable[[], float]], runs: int = 0) -> dict[str, float]:
        """The median of each way; they take turns so that a busy machine slows all alike."""
        found: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(runs or self.runs):
            for name, way in ways.items():
                found[name].append(way())
        return {name: statistics.median(times) for name, times in found.items()}

    def env(self, url: str) -> dict[str, str]:
        return {
            "CIBUS_JENKINS_URL": url, "CIBUS_JENKINS_USER": "admin", "CIBUS_JENKINS_TOKEN": "fake-token",
            "CIBUS_SNAPSHOT_KEY": "a key for measurements", "CIBUS_STATE_DIR": str(self.top / "state"),
        }  # fmt: skip

    def exports(self, latency: int, runs: int) -> None:
        label = f"{latency} ms of latency" if latency else "loopback"
        with run("--jobs", str(self.jobs), "--latency", str(latency)) as url:
            urls, out = self.top / "urls", self.top / "out"
            urls.write_text(subprocess.run([sys.executable, "-c", URLS, url, str(out)], check=True, capture_output=True, text=True).stdout)

            def curl() -> float:
                shutil.rmtree(out, ignore_errors=True)
                out.mkdir()
                return self.timed("curl", "-s", "--parallel", "--parallel-max", "16", "-u", "admin:fake-token", "-K", str(urls))

            def export() -> float:
                shutil.rmtree(self.top / "snap", ignore_errors=True)
                return self.timed(*self.cibus, "jobs", "export", str(self.top / "snap"), env=self.env(url), codes=(0, 3))

            def again() -> float:
                return self.timed(*self.cibus, "jobs", "export", str(self.top / "snap"), env=self.env(url), codes=(0, 3))

            def loop() -> float:
                return self.timed(sys.executable, "-c", LOOP, url)

            found = self.in_turns({"curl": curl, "loop": loop, "export": export, "again": again}, runs)
            self.add(f"{label}: curl --parallel, {self.jobs} jobs, the raw limit", found["curl"], "s")
            self.add(f"{label}: python-jenkins, loop of get_job_config", found["loop"], "s")
            self.add(f"{label}: cibus jobs export, the whole process", found["export"], "s")
            self.add(f"{label}: cibus jobs export once more", found["again"], "s")
            ratio, faster, goal = found["export"] / found["curl"], found["loop"] / found["export"], 10 if latency else 2
            self.add(f"{label}: export / curl", ratio, "x", "<= 1.25", ratio <= 1.25)
            self.add(f"{label}: python-jenkins / export", faster, "x", f">= {goal}", faster >= goal)
            if not latency:
                self.unchanged(url)

    def unchanged(self, url: str) -> None:
        log = self.timed(*self.cibus, "jobs", "apply", str(self.top / "snap"), "--yes", env=self.env(url), codes=(0, 3))
        self.add(f"apply of {self.jobs} unchanged jobs (compares, posts nothing)", log, "s")

    def large(self, jobs: int) -> None:
        with run("--jobs", str(jobs)) as url:
            one, two = self.top / "one", self.top / "two"
            seconds = self.timed(*self.cibus, "jobs", "export", str(one), env=self.env(url), codes=(0, 3))
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            self.add(f"export of {jobs} jobs", seconds, "s")
            self.add(f"export of {jobs} jobs: peak memory", peak, "MiB", "<= 250", peak <= 250)
            shutil.copytree(one, two)
            for number, path in enumerate(sorted(two.rglob("config.xml"))):
                if number % 100 == 0:
                    path.write_text(path.read_text("utf-8").replace("<keepDependencies>false", "<keepDependencies>true"), "utf-8")
            found = self.in_turns({"diff": lambda: self.timed(*self.cibus, "jobs", "diff", str(one), str(two), "--stat", env=self.env(url), codes=(0, 3))})
            self.add(f"diff of two snapshots of {jobs} jobs, 1 in 100 changed", found["diff"], "s", "<= 3", found["diff"] <= 3)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        self.add("peak memory of everything", peak, "MiB", "<= 250", peak <= 250)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--large", type=int, default=10_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cibus-bench-") as name:
        bench = Bench(Path(name), options.runs, options.jobs)
        bench.large(options.large)
        bench.exports(0, options.runs)
        bench.exports(20, max(1, options.runs // 2))
    if options.json:
        options.json.write_text(json.dumps([vars(row) for row in bench.rows], indent=2))


if __name__ == "__main__":
    main()
