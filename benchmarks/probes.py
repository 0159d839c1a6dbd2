#!/usr/bin/env python3
"""Measures the probe against a server whose delays are known: 500 connections at once, held for 30 s.

    python benchmarks/probes.py [--connections N] [--hold SECONDS]

Prints what the server did beside what the probe says.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT / "tests" / "monitor"), str(PROJECT)]

from known_server import known, nearest_rank  # noqa: E402

from cibus.config import ProbeConfig  # noqa: E402
from cibus.monitor.probes import run_probes  # noqa: E402
from cibus.monitor.results import ProbeResult  # noqa: E402


def measure(kind: str, connections: int, hold: int) -> None:
    with known(kind) as server:
        results: list[ProbeResult] = []
        config = ProbeConfig(kind, f"{kind}://127.0.0.1:{server.port}", timeout=3000, send="ping\n", connections=connections, hold=hold)
        before = time.process_time()
        asyncio.run(run_probes([config], results.append))
        spent = time.process_time() - before
        (result,), seen = results, server.seen()
    print(f"{kind}: {result.ok} ok, {result.timeouts} timeouts, {result.dropped} dropped of {result.tried}; server: {len(seen['first'])} answered, peak {seen['peak']}, {seen['exchanges']} exchanges")
    for percent, said in ((50, result.total.p50), (95, result.total.p95), (99, result.total.p99), (100, result.total.max)):
        print(f"  p{percent:<4} {said:7.1f} ms, server {nearest_rank(seen['first'], percent):7.1f} ms")
    print(f"  held p50 {result.held.p50:.1f}, p95 {result.held.p95:.1f} ms of {result.held.count} exchanges; {result.seconds:.1f} s, {spent:.1f} s of processor time, {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB at most")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=500)
    parser.add_argument("--hold", type=int, default=30)
    given = parser.parse_args()
    for kind in ("tcp", "ws"):
        measure(kind, given.connections, given.hold)


if __name__ == "__main__":
    main()
