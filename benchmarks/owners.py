"""What ownership costs: the history of a large repository, and areas over a snapshot of many jobs.

Prints seconds, medians of some runs; the machine's own speed is shown by git's log alone, beside.
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from cibus.config import load_config
from cibus.ownership.absence import absence, somebody
from cibus.ownership.checking import gaps
from cibus.ownership.histories import history
from cibus.ownership.inventory import snapshot_of, things
from cibus.ownership.known import known
from cibus.ownership.measure import factors
from cibus.ownership.registry import load
from cibus.ownership.uses import uses

PEOPLE, AREAS = 30, 20


def timed(what: str, do: Callable[[], object], runs: int = 3) -> None:
    spent = []
    for _ in range(runs):
        start = time.perf_counter()
        do()
        spent.append(time.perf_counter() - start)
    print(f"{what:60} {statistics.median(spent):8.2f} s", flush=True)


def stream(commits: int, files: int) -> Iterator[str]:
    """A history for git fast-import: many people, each commit changes some files."""
    pick = random.Random(1)
    now = int(time.time())
    for number in range(1, commits + 1):
        who = f"p{pick.randrange(PEOPLE)}"
        yield f"commit refs/heads/main\nmark :{number}\ncommitter {who} <{who}@example.org> {now - (commits - number) * 600} +0000\ndata 1\nx\n"
        if number > 1:
            yield f"from :{number - 1}\n"
        for _ in range(3):
            name = f"vars/f{pick.randrange(files)}.groovy"
            text = f"{number} {pick.random()}\n" * 20
            yield f"M 100644 inline {name}\ndata {len(text)}\n{text}\n"


def repository(folder: Path, commits: int, files: int) -> None:
    folder.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=folder, check=True)
    subprocess.run(["git", "fast-import", "--quiet"], cwd=folder, check=True, input="".join(stream(commits, files)), text=True)
    subprocess.run(["git", "reset", "-q", "--hard"], cwd=folder, check=True)


def team(folder: Path, jobs: int) -> None:
    """A team with a snapshot of many jobs in folders, a matrix, and areas of them."""
    people = "".join(f'[people.p{number}]\nemails = ["p{number}@example.org"]\nreach = "x"\n' for number in range(PEOPLE))
    areas = "".join(f'[areas.a{number}]\nprimary = "p{number}"\nsecondary = "p{number + 1}"\njobs = ["team-{number}/*"]\nrepositories = ["../app"]\n' for number in range(AREAS))
    (folder / "cibus.toml").write_text("")
    (folder / "ownership.toml").write_text(people + areas)
    snapshot = folder / "jenkins"
    for number in range(jobs):
        place = snapshot / "jobs" / f"team-{number % AREAS}" / "jobs" / f"job-{number}"
        place.mkdir(parents=True)
        (place / "config.xml").write_text(f"<flow-definition><description>{number}</description><assignedNode>linux</assignedNode></flow-definition>")
    for number in range(AREAS):
        (snapshot / "jobs" / f"team-{number}" / "config.xml").write_text(f"<folder><properties><com.cloudbees.hudson.plugins.folder.properties.AuthorizationMatrixProperty><permission>hudson.model.Item.Configure:p{number}</permission></com.cloudbees.hudson.plugins.folder.properties.AuthorizationMatrixProperty></properties></folder>")
    (snapshot / "system").mkdir()
    grants = "".join(f'      - user:\n          name: "p{number}"\n          permissions: ["Overall/Read", "Job/Read", "Job/Build"]\n' for number in range(PEOPLE))
    (snapshot / "system" / "jenkins.yaml").write_text(f"jenkins:\n  authorizationStrategy:\n    projectMatrix:\n      entries:\n{grants}")
    (snapshot / "credentials.toml").write_text("".join(f'["system/_/c{number}"]\nid = "c{number}"\n' for number in range(500)))
    (snapshot / "snapshot.toml").write_text("form = 1\n[blocks]\nversions = ''''''\ndigests = ''''''\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commits", type=int, default=20_000)
    parser.add_argument("--jobs", type=int, default=10_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        top = Path(place)
        repository(top / "app", given.commits, 2_000)
        print(f"{given.commits:,} commits of {PEOPLE} people, 3 files each, 2,000 files; {given.jobs:,} jobs, 500 credentials, {AREAS} areas; Python {sys.version.split()[0]}")
        timed("git log --name-status alone", lambda: subprocess.run(["git", "log", "--no-merges", "-M", "--name-status", "--format=%aN"], cwd=top / "app", check=True, stdout=subprocess.DEVNULL))
        timed("history()", lambda: history(top / "app"))
        (top / "team").mkdir()
        team(top / "team", given.jobs)
        config = load_config(top / "team" / "cibus.toml", {})
        registry = load(config)
        timed("things()", lambda: things(config))
        everything = things(config)
        timed("gaps() (owners check)", lambda: gaps(registry, everything, datetime.now(UTC).date()))
        timed("known(): things, rights, histories, receipts", lambda: known(config, registry), 1)
        found = known(config, registry)
        timed("factors() (owners factor)", lambda: factors(config, registry, found), 1)
        timed("uses()", lambda: uses(config, found.things, snapshot_of(config), None), 1)
        used = uses(config, found.things, snapshot_of(config), None)
        timed("absence() (owners whatif)", lambda: absence(config, registry, somebody(registry, found, "p3"), found, used), 1)


if __name__ == "__main__":
    main()
