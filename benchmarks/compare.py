#!/usr/bin/env python3
"""Measures cibus compare: how long it takes and how much memory, from the start of the process to its end.

    python benchmarks/compare.py [--lines N] [--bytes N] [--runs N] [--json FILE]

The logs are made here: 200 steps in 20 stages, of which a share of the lines differs (seven of ten by a word, the
others by a duration, which is no difference), and a tenth has paths and dates that differ anyway. The large ones have
a few differences in every step.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PROGRAM = [sys.executable, "-m", "cibus"]
STEPS, STAGES = 200, 20


def lines(count: int, share: float, seed: int) -> Iterator[str]:
    """A build's log."""
    same, other = random.Random(1), random.Random(seed)
    yield f"Started by user admin\n[Pipeline] Start of Pipeline\n[Pipeline] node\nRunning on agent{seed} in /w/{seed}/app\n[Pipeline] {{\n"
    for step in range(STEPS):
        if step % (STEPS // STAGES) == 0:
            yield ("" if step == 0 else "[Pipeline] }\n[Pipeline] // stage\n") + f"[Pipeline] stage\n[Pipeline] {{ (Stage {step})\n"
        yield f"[Pipeline] sh\n+ make part-{step}\n"
        for number in range(count // STEPS):
            kind, value = same.random(), same.randrange(10**6)
            text = f"[INFO] compiling module-{step}/src/main/java/com/example/Class{value}.java with option -X{number}"
            if kind < 0.2:
                text = f"Downloaded from central: https://repo.example.com/maven2/org/lib{value}/1.{number}/lib.jar ({value} B at 12 kB/s)"
            if share and other.random() < share:
                text = text.replace("o", "0", 1) if other.random() < 0.7 else f"{text} took {other.randrange(99)} ms"
            elif kind > 0.9:
                text += f" at /w/{seed}/app/x{number} 2026-11-22 10:17:{number % 60:02d}"
            yield text + "\n"
    yield "[Pipeline] }\n[Pipeline] // stage\n[Pipeline] }\n[Pipeline] // node\n[Pipeline] End of Pipeline\nFinished: SUCCESS\n"


def run_folder(folder: Path, seed: int, count: int, share: float) -> Path:
    """A run's folder with such a log."""
    folder.mkdir()
    with (folder / "log").open("w", encoding="utf-8") as file:
        file.writelines(lines(count, share, seed))
    record = {"job": "app", "number": seed, "result": "SUCCESS", "workspace": f"/w/{seed}/app"}
    (folder / "build.json").write_text(json.dumps(record), encoding="utf-8")
    return folder


def measure(*words: str) -> tuple[float, float, int]:
    """Seconds, peak memory in MiB, and how many places differ."""
    with tempfile.TemporaryFile("w+") as out:
        started = time.perf_counter()
        process = subprocess.Popen([*PROGRAM, "compare", *words, "--json"], stdout=out, cwd=PROJECT, env={**os.environ, "PYTHONPATH": str(PROJECT)})
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        return seconds, _mebibytes(usage), int(json.load(out)["total"])


def _mebibytes(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--bytes", type=int, default=10**9, help="of the large logs; 0 for none")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="cibus-compare-") as name:
        top = Path(name)
        a = run_folder(top / "a", 1, args.lines, 0)
        size = (a / "log").stat().st_size
        for share in (0.0, 0.01, 0.30):
            b = run_folder(top / f"b{share}", 2, args.lines, share)
            rows.append(row(f"{args.lines:,} lines, {share:.0%} differ", args.runs, str(a), str(b)))
        rows.append(row("the same with the page", 1, str(a), str(b), "--html", str(top / "page.html")))
        print(f"{'the page':40} {(top / 'page.html').stat().st_size / 1e6:8.1f} MB")
        if args.bytes:
            count = args.lines * args.bytes // size
            large = [str(run_folder(top / f"large{seed}", seed, count, share)) for seed, share in ((1, 0), (2, 0.0005))]
            rows.append(row(f"{args.bytes / 1e9:.1f} GB, {count:,} lines, 0.05% differ", 1, *large))
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return 0


def row(title: str, runs: int, *words: str) -> dict[str, object]:
    """Measures and prints."""
    found = [measure(*words) for _ in range(runs)]
    seconds, memory = statistics.median(each[0] for each in found), max(each[1] for each in found)
    print(f"{title:40} {seconds:8.2f} s  {memory:6.0f} MiB  {found[0][2]:8,} places", flush=True)
    return {"title": title, "seconds": seconds, "mebibytes": memory, "places": found[0][2]}


if __name__ == "__main__":
    sys.exit(main())
