"""Recorded builds of a real Jenkins, all the way: served by the fake, captured, reproduced here, and compared."""

from __future__ import annotations

import concurrent.futures
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest
from fake_jenkins import FakeJenkins, empty_state
from golden_sides import Case
from served import Served
from snapshots import KEY, client_of

from cibus.builds.capture import Order, capture
from cibus.builds.locate import wanted
from cibus.cli.capture import known_secrets
from cibus.config import load_config


@dataclass(frozen=True)
class Outcome:
    """What ``cibus reproduce`` said of a case: its exit code (0 the same, 3 they part) and its words."""

    case: Case
    code: int
    words: str


def reproduced(case: Case, fake: FakeJenkins, place: Path) -> Outcome:
    """Captures a case's build and reproduces it, as golden.py runs it: what was stopped is stopped, inputs are answered."""
    served = Served(fake, case, place)
    known = known_secrets(load_config(served.config, {}))
    with client_of(fake) as client:
        for number in served.builds:
            capture(client, Order(wanted(served.job, str(number)), KEY, place / f"{number}.bundle", known=known))
    code = 1
    with (place / "words").open("wb") as words:
        for number in served.builds:
            command = [sys.executable, "-m", "cibus", "reproduce", str(place / f"{number}.bundle"), "--config", str(served.config), "--format", "jenkins"]
            for action in case.want.get("actions") or []:
                if "input" in action:
                    answer = {"proceedEmpty": "proceed", "abort": "abort"}.get(action["do"]) or json.dumps(action.get("values", {}))
                    command += ["--input", f"{action['input']}={answer}"]
            words.truncate(0)
            code = _run(command, place, [each["stop"] for each in case.want.get("actions") or [] if "stop" in each], words)
    return Outcome(case, code, (place / "words").read_text(errors="replace"))


def _run(command: list[str], folder: Path, stops: list[str], words: IO[bytes]) -> int:
    """Runs a command, and interrupts it half a second after its log has each of the texts."""
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=words, stdin=subprocess.DEVNULL, start_new_session=True) as process:
        guard = threading.Timer(120, process.kill)
        guard.start()
        assert process.stdout is not None
        for line in process.stdout:
            if stops and stops[0].encode() in line:
                stops.pop(0)
                threading.Timer(0.5, process.send_signal, (signal.SIGINT,)).start()
        code = process.wait()
        guard.cancel()
    return code


@pytest.mark.slow
def test_reproduced_builds_part_only_where_golden_finds_a_difference(golden: list[Case], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert os.environ["CIBUS_STATE_DIR"].startswith(str(tmp_path))

    def one(case: Case, fake: FakeJenkins) -> Outcome:
        place = tmp_path / case.name
        outcome = reproduced(case, fake, place)
        shutil.rmtree(place)
        return outcome

    with FakeJenkins(empty_state()) as fake, concurrent.futures.ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda case: one(case, fake), golden))
    with FakeJenkins(empty_state()) as fake:
        same = [each for each in outcomes if each.case.same]
        first = [each for each in same if each.code != 0]
        # the commands of a pipe write their "+" lines at once, now and then into each other: chance does not strike twice
        alarms = [again for each in first if (again := one(each.case, fake)).code != 0]
    with capsys.disabled():
        print(f"\nreproduce: {len(outcomes)} recorded builds captured and reproduced; {len(same)} that golden.py finds the same, {len(first)} of them part, {len(alarms)} of these in a second run, too")
        for each in first:
            print(f"--- {each.case.name}: exit {each.code}\n{each.words[-1500:]}")
    assert len(outcomes) > 230
    assert len(first) <= 4
    assert not alarms
