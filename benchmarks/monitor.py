"""What a sweep costs: 10,000 jobs with builds, 200 agents and 500 queue items on the fake controller.

Prints requests, the client's own time, wall time and peak memory of ``cibus monitor check``, beside those of a controller
with 100 jobs, and how many series come of both. The fake makes its answers in Python: wall time is mostly its.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests")]

from fake_jenkins import FakeJenkins, empty_state  # noqa: E402
from fake_jenkins.generate import add_agents, add_jobs, add_queue  # noqa: E402
from sickness import build  # noqa: E402

RUNS = 5
SIZES = ((100, 20, 5), (10_000, 200, 500))


def controller(jobs: int, agents: int, queue: int) -> FakeJenkins:
    """A fake of this size, each job with three builds."""
    state = empty_state()
    add_jobs(state, jobs)
    add_agents(state, agents)
    add_queue(state, queue)
    chance = random.Random(1)
    for item in state.root.walk():
        if not item.is_group:
            results = [chance.choice(("SUCCESS", "SUCCESS", "UNSTABLE", "FAILURE")) for _ in range(3)]
            item.builds = [build(3 - n, result, 3600.0 * (n + 1), sha=f"{chance.getrandbits(160):040x}") for n, result in enumerate(results)]
    return FakeJenkins(state)


CHILD = """
import json, resource, sys, time
from pathlib import Path
before = time.process_time()
from cibus.cli.watching import looked, watched_client
from cibus.config import Config
from cibus.monitor.conditions import findings
from cibus.monitor.metrics import Collector
from cibus.monitor.watch import Seen
with watched_client(Config(), "") as client:
    start = time.process_time()
    view = looked(Config(), client)
    found = findings(view)
    collector = Collector()
    collector.seen = Seen(view, tuple(found))
    series = sum(len(each.samples) for each in collector.collect())
print(json.dumps({"cpu": time.process_time() - start, "all": time.process_time() - before, "wall": view.sweep.seconds, "requests": view.sweep.requests, "jobs": len(view.sweep.jobs or ()), "series": series, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""


def measured(fake: FakeJenkins) -> dict[str, float]:
    """One sweep in a process of its own; requests are counted by the controller."""
    fake.requests.clear()
    env = {**os.environ, "CIBUS_JENKINS_URL": fake.url, "CIBUS_JENKINS_USER": fake.user, "CIBUS_JENKINS_TOKEN": fake.token, "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run([sys.executable, "-c", CHILD], env={**env, "CIBUS_STATE_DIR": place}, cwd=place, capture_output=True, text=True, check=True)
    return {**json.loads(done.stdout), "requests": len(fake.requests)}


def main() -> None:
    """Measures both sizes and prints them side by side."""
    print(f"{'jobs':>7} {'agents':>7} {'queue':>6} {'requests':>9} {'client CPU':>11} {'wall':>8} {'peak':>9} {'series':>7}   (medians of {RUNS} runs)")
    for jobs, agents, queue in SIZES:
        with controller(jobs, agents, queue) as fake:
            runs = [measured(fake) for _ in range(RUNS)]
        middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        print(f"{jobs:7,} {agents:7} {queue:6} {middle['requests']:9.0f} {middle['cpu']:9.2f} s {middle['wall']:6.2f} s {middle['peak']:6.0f} MB {middle['series']:7.0f}")


if __name__ == "__main__":
    main()
