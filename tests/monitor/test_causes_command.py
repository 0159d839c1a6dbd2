"""``cibus monitor causes`` on files and against the fake Jenkins."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from command import Cibus
from fake_jenkins import FakeJenkins
from made_builds import INLINE, add_build

LOGS = Path(__file__).parent / "logs"


def add(fake: FakeJenkins, number: int, log: str, result: str, commit: str = "", **values: Any) -> None:
    if fake.state.jobs.find("app") is None:
        fake.state.add("app", INLINE.format(script="node {}", sandbox="true"))
    actions = [{"_class": "hudson.plugins.git.util.BuildData", "lastBuiltRevision": {"SHA1": commit * 40, "branch": []}}] if commit else []
    add_build(fake, "app", number, {"result": result, "actions": actions, **values}, console=(LOGS / f"{log}.txt").read_text())


@pytest.fixture
def app(empty_jenkins: FakeJenkins) -> FakeJenkins:
    """A job with six builds, of which four failed."""
    builds: Mapping[int, tuple[str, str, str]] = {
        1: ("success-1", "SUCCESS", "a"), 2: ("test-failures-1", "FAILURE", "a"), 3: ("disk-full-1", "FAILURE", "b"),
        4: ("disk-full-2", "FAILURE", "c"), 5: ("unknown-1", "FAILURE", "d"), 6: ("success-2", "SUCCESS", "e"),
    }  # fmt: skip
    for number, (log, result, commit) in builds.items():
        add(empty_jenkins, number, log, result, commit)
    return empty_jenkins


def test_one_build(app: FakeJenkins, cibus: Cibus) -> None:
    code, out, err = cibus(app, "monitor", "causes", "app", "3")
    assert code == 3, err
    assert out.startswith("app #3: FAILURE: the disk is full (disk-full, infrastructure) → runbooks/build-disk-full.md\n  line ")
    assert "no space left on device" in out


def test_by_url_and_as_json(app: FakeJenkins, cibus: Cibus) -> None:
    code, out, _ = cibus(app, "monitor", "causes", f"{app.url}job/app/5/console", "--json")
    data = json.loads(out)
    assert code == 3 and data["unknown"] and data["runbook"] == "build-unknown" and data["causes"] == []


def test_a_build_that_succeeded(app: FakeJenkins, cibus: Cibus) -> None:
    code, out, _ = cibus(app, "monitor", "causes", "app", "6")
    assert (code, out) == (0, "app #6: SUCCESS, nothing failed\n")


def test_a_build_that_runs(app: FakeJenkins, cibus: Cibus) -> None:
    add(app, 7, "unknown-1", "", building=True)
    code, out, _ = cibus(app, "monitor", "causes", "app", "7")
    assert (code, out) == (0, "app #7 still runs\n")


def test_the_last_failed_builds_are_grouped(app: FakeJenkins, cibus: Cibus) -> None:
    code, out, _ = cibus(app, "monitor", "causes", "app")
    assert code == 3
    assert out.splitlines()[:2] == ["app: 4 failed builds", "2 × disk-full: the disk is full → runbooks/build-disk-full.md"]
    assert [line for line in out.splitlines() if "flaky" in line] == [line for line in out.splitlines() if line.startswith("  #2 ")] != []


def test_groups_as_json(app: FakeJenkins, cibus: Cibus) -> None:
    _, out, _ = cibus(app, "monitor", "causes", "app", "--last", "3", "--json")
    data = json.loads(out)
    assert data["groups"] == [{"cause": "disk-full", "builds": [4, 3]}, {"cause": "unknown", "builds": [5]}]
    assert [(each["number"], each["flaky"]) for each in data["builds"]] == [(5, False), (4, False), (3, False)]


def test_nothing_failed(empty_jenkins: FakeJenkins, cibus: Cibus) -> None:
    add(empty_jenkins, 1, "success-1", "SUCCESS")
    assert cibus(empty_jenkins, "monitor", "causes", "app")[:2] == (0, "app: none of its last 1 builds failed\n")


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("app", "99"), 1, "app on"), (("nothing",), 1, "has no job nothing"), (("app", "next"), 2, "not a build's number"), ((), 2, "give a job"),
        (("app", "--file", "x"), 2, "give a job"), (("--file", "not-there.txt"), 2, "not-there.txt: cannot be read: No such file"), (("app", "--last", "0"), 2, "last"),
    ],
)  # fmt: skip
def test_one_clear_line(app: FakeJenkins, cibus: Cibus, args: tuple[str, ...], code: int, words: str) -> None:
    got, out, err = cibus(app, "monitor", "causes", *args)
    assert got == code and words in err and not out and "Traceback" not in err


def test_a_file(app: FakeJenkins, cibus: Cibus) -> None:
    before = len(app.requests)
    code, out, _ = cibus(app, "monitor", "causes", "--file", str(LOGS / "agent-lost-1.txt"), "--json")
    assert code == 3 and json.loads(out)["causes"][0]["id"] == "agent-lost"
    assert len(app.requests) == before


def test_secrets_are_not_shown(app: FakeJenkins, cibus: Cibus, tmp_path: Path) -> None:
    secret = "Zx9Kq2Lm7pWv4"
    log = f"[Pipeline] node\n[Pipeline] sh\nfatal: unable to access 'https://ci:{secret}@git.example/a.git/': Could not resolve host: git.example\n[Pipeline] End of Pipeline\nERROR: script returned exit code 128\nFinished: FAILURE\n"
    (tmp_path / "log.txt").write_text(log)
    for extra in ((), ("--json",)):
        code, out, err = cibus(app, "monitor", "causes", "--file", "log.txt", *extra)
        assert code == 3 and "Could not resolve host" in out and secret not in out + err


def test_a_controller_that_is_down(app: FakeJenkins, cibus: Cibus) -> None:
    app.stop()
    code, _, err = cibus(app, "monitor", "causes", "app")
    assert code == 1 and "cannot be reached" in err and len(err.splitlines()) == 1
