"""Capturing a long log, and resuming in a large workspace: seconds and peak memory, side by side.

usage: builds.py [--megabytes 64] [--files 20000]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from fake_jenkins import FakeJenkins, empty_state
from made_builds import INLINE, add_build, replay_page
from peak import peak

LINES = (
    "> Task :app:compile{a}\n",
    "Download https://repo.example/maven/org/acme/lib-{b}/1.{a}/lib-{b}-1.{a}.jar\n",
    "\tat com.acme.app.Screen{a}.draw(Screen{a}.java:{b})\n",
    "[INFO] Tests run: {a}, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: {b} ms\n",
    "compiling source/module{a}/file{n}.c\n",
)


def log(size: int) -> str:
    """A log of some megabytes, as builds print them: mostly alike, a fifth of the lines each their own."""
    pieces, length, number = [], 0, 0
    while length < size:
        piece = LINES[number % len(LINES)].format(a=number % 61, b=number % 997, n=number)
        pieces.append(piece)
        length += len(piece)
        number += 1
    return "".join(pieces)


def timed(command: list[str], cwd: Path, env: dict[str, str]) -> tuple[float, int]:
    """Seconds, and peak memory in MiB."""
    started = time.perf_counter()
    size = peak(*command, cwd=cwd, env=env)[1]
    return time.perf_counter() - started, size


def capture(megabytes: int, place: Path) -> Iterator[str]:
    with FakeJenkins(empty_state()) as fake:
        fake.state.add("app", INLINE.format(script="node {}", sandbox="true"))
        env = {**os.environ, "CIBUS_JENKINS_URL": fake.url, "CIBUS_JENKINS_USER": fake.user, "CIBUS_JENKINS_TOKEN": fake.token, "CIBUS_SNAPSHOT_KEY": "k" * 32}
        for number, size in ((1, 1), (2, megabytes)):
            add_build(fake, "app", number, {"result": "FAILURE"}, console=log(size << 20), extra={"replay": replay_page("node {}")})
            seconds, peak = timed(["capture", "app", str(number), "-o", str(place / f"b{number}")], place, env)
            yield f"capture, log of {size:5} MB        {seconds:8.1f} s  {peak:5} MiB"


SCRIPT = """pipeline {{ agent any
  stages {{
    stage('Make') {{ steps {{ sh 'mkdir -p f; i=0; while [ $i -lt {files} ]; do echo $i > f/$i; i=$((i+1)); done' }} }}
    stage('Change') {{ steps {{ sh 'echo x >> f/1' }} }}
    stage('Fail') {{ steps {{ sh 'test -f {flag}' }} }}
  }} }}
"""


def resume(files: int, place: Path) -> Iterator[str]:
    folder = place / "app"
    folder.mkdir()
    flag = place / "go"
    (folder / "Jenkinsfile").write_text(SCRIPT.format(files=files, flag=flag))
    env = {**os.environ, "CIBUS_STATE_DIR": str(place / "state")}
    first = timed(["run", "--inline", "--format", "jenkins"], folder, env)[0]
    flag.touch()
    rows = [("whole run, first time", first), ("--resume at its third stage", timed(["run", "--inline", "--resume", "--format", "jenkins"], folder, env)[0])]
    subprocess.run(["rm", "-rf", *map(str, (place / "state").glob("*/workspaces"))], check=True)
    rows.append(("--resume, the workspace is gone", timed(["run", "--inline", "--resume", "--from", "Fail", "--format", "jenkins"], folder, env)[0]))
    (folder / "Jenkinsfile").write_text("pipeline { agent any; stages { stage('A') { steps { sh 'true' } } } }\n")
    timed(["run", "--inline", "--format", "jenkins"], folder, env)
    rows.append(("for comparison: a run of sh 'true'", timed(["run", "--inline", "--format", "jenkins"], folder, env)[0]))
    for what, seconds in rows:
        yield f"{files} files: {what:36} {seconds:6.2f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=64)
    parser.add_argument("--files", type=int, default=20_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cibus-bench-") as place:
        for row in resume(given.files, Path(place)):
            print(row, flush=True)
        for row in capture(given.megabytes, Path(place)):
            print(row, flush=True)


if __name__ == "__main__":
    main()
