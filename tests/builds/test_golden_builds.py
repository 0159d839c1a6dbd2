"""Recorded builds of a real Jenkins, all the way: served by the fake, captured, reproduced here, and compared."""

from __future__ import annotations

import concurrent.futures
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from fake_jenkins import FakeJenkins, empty_state
from golden_sides import Case
from served import Served
from snapshots import KEY, client_of

from cibus.builds.capture import Order, capture
from cibus.builds.locate import wanted
from cibus.config import load_config
from cibus.secrets import values_of


@dataclass(frozen=True)
class Outcome:
    """What ``cibus reproduce`` said of a case: its exit code (0 the same, 3 they part) and its words."""

    case: Case
    code: int
    words: str


def reproduced(case: Case, fake: FakeJenkins, place: Path) -> Outcome:
    """Captures a case's build and reproduces it, as golden.py runs it: what was stopped is stopped, inputs are answered."""
    served = Served(fake, case, place)
    config = load_config(served.config, {})
    sources = [*config.pipeline.parameters.values(), *(each for known in config.credentials.values() for each in known.secrets.values())]
    with client_of(fake) as client:
        for number in served.builds:
            capture(client, Order(wanted(served.job, str(number)), KEY, place / f"{number}.bundle", known=values_of(sources)))
    code = 1
    with (place / "words").open("wb") as words:
        for number in served.builds:
            command = [sys.executable, "-m", "cibus", "reproduce", str(place / f"{number}.bundle"), "--config", str(served.config), "--format", "jenkins"]
            for action in case.want.get("actions") or []:
                if "input" in action:
                    answer = {"proceedEmpty": "proceed", "abort": "abort"}.get(action["do"]) or json.dumps(action.get("values", {}))
                    command += ["--input", f"{action['input']}={answer}"]
            words.truncate(0)
            code, _ = served.tool.run_once(command, place, case.want.get("actions") or [], 120, words)
    return Outcome(case, code, (place / "words").read_text(errors="replace"))


@pytest.mark.slow
def test_reproduced_builds_part_only_where_golden_finds_a_difference(golden: list[Case], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.environ["CIBUS_STATE_DIR"] = str(tmp_path / "state")

    def one(case: Case) -> Outcome:
        place = tmp_path / case.name
        outcome = reproduced(case, fake, place)
        shutil.rmtree(place)
        return outcome

    with FakeJenkins(empty_state()) as fake, concurrent.futures.ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(one, golden))
    same = [each for each in outcomes if each.case.same]
    alarms = [each for each in same if each.code != 0]
    with capsys.disabled():
        print(f"\nreproduce: {len(outcomes)} recorded builds captured and reproduced; {len(same)} that golden.py finds the same, {len(alarms)} of them part")
        for each in alarms:
            print(f"--- {each.case.name}: exit {each.code}\n{each.words[-1500:]}")
    assert len(outcomes) > 230
    assert not alarms
