"""Each drill: staged, not done, cheated at, done; with a real engine, and a controller that runs its builds."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_jenkins import FakeJenkins
from made import ADA, BEN, git, rebuilt, receipt, table, went_through
from running import builds_run

from cibus.cli import main
from cibus.config import load_config
from cibus.ownership.drills import alert, debug
from cibus.ownership.drills.base import Setting, recall
from cibus.ownership.drills.table import DRILLS
from cibus.ownership.registry import load

AREA = '\n[areas.mobile]\nprimary = "ada"\nsecondary = "ben"\njobs = ["*"]\nagents = ["*"]\ncredentials = ["*"]\nrunbooks = ["*"]\ncontrollers = ["*"]\n'
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def ben(team: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A team's folder in git, in which Ben sits."""
    for each in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{each}_NAME", "Ben Example")
        monkeypatch.setenv(f"GIT_{each}_EMAIL", "ben@example.org")
    (team / "ownership.toml").write_text((team / "ownership.toml").read_text() + AREA)
    git(team, "init", "-q")
    git(team, "config", "user.name", "Ben Example")
    git(team, "config", "user.email", "ben@example.org")
    return team


@pytest.fixture
def practice(ben: Path, empty_jenkins: FakeJenkins) -> Iterator[FakeJenkins]:
    """A controller to practise on, whose builds really run."""
    (ben / "cibus.toml").write_text(table(empty_jenkins) + '[agents.box]\nhost = "box.example"\npractice = true\n')
    with builds_run(empty_jenkins):
        yield empty_jenkins


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def cibus(*argv: str) -> tuple[int, str]:
        capsys.readouterr()
        code = main(list(argv))
        out = capsys.readouterr()
        assert "Traceback" not in out.err
        return code, out.out + out.err

    return cibus


def kept(team: Path, person: str = BEN) -> list[dict[str, Any]]:
    path = team / "receipts" / "drills" / f"{person}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def facts(drill: str) -> dict[str, Any]:
    begun = recall(BEN, drill)
    assert begun is not None
    return dict(begun.facts)


# -- the checklist


def test_the_checklist_comes_from_what_is_owned(ben: Path, run: Run) -> None:
    code, out = run("onboard", BEN, "--json")
    found = json.loads(out)
    assert (code, found["open"], [each["drill"] for each in found["drills"]]) == (3, 6, list(DRILLS))
    (ben / "ownership.toml").write_text((ben / "ownership.toml").read_text().replace(AREA, '\n[areas.macs]\nprimary = "ada"\nsecondary = "ben"\nagents = ["mac-*"]\n[areas.libs]\nprimary = "cleo"\nlibraries = ["*"]\n'))
    assert [each["drill"] for each in json.loads(run("onboard", BEN, "--json")[1])["drills"]] == ["rebuild", "alert", "monitors"]
    assert [each["drill"] for each in json.loads(run("onboard", "dan", "--json")[1])["drills"]] == ["debug", "monitors"], "the area without a second owner"
    assert [each["drill"] for each in json.loads(run("onboard", "dan", "--area", "macs", "--json")[1])["drills"]] == ["rebuild", "alert", "monitors"]


@pytest.mark.parametrize(
    ("do", "drill"),
    [
        (lambda team: went_through(team, "restore-job", who=BEN), "restore"),
        (lambda team: went_through(team, "rotate-secret", who=BEN), "rotate"),
        (lambda team: went_through(team, "debug-build-locally", who=BEN), "debug"),
        (lambda team: went_through(team, "monitor-daily", who=BEN), "monitors"),
        (lambda team: went_through(team, "label-without-agent", who=BEN), "alert"),
        (lambda team: rebuilt(team, "mac-3", who=BEN), "rebuild"),
    ],
)
def test_what_was_done_for_real_counts(ben: Path, run: Run, do: Callable[[Path], None], drill: str) -> None:
    do(ben)
    done = {each["drill"]: each["receipt"] for each in json.loads(run("onboard", BEN, "--json")[1])["drills"] if each["done"]}
    assert list(done) == [drill]
    assert done[drill].startswith("receipts/")


@pytest.mark.parametrize(
    "do",
    [
        lambda team: went_through(team, "restore-job", who=ADA),
        lambda team: went_through(team, "restore-job", who=BEN, mode="check"),
        lambda team: went_through(team, "restore-job", who=BEN, mode="ci"),
        lambda team: went_through(team, "restore-job", who=BEN, outcome="failed"),
        lambda team: went_through(team, "restore-job", who=BEN, days_ago=400),
        lambda team: receipt(team, "mac-3.jsonl", {"kind": "verify", "agent": "mac-3"}, who=BEN),
        lambda team: receipt(team, "drills/ben.jsonl", {"kind": "drill-step", "drill": "restore", "person": BEN, "areas": ["mobile"], "outcome": "failed"}, who=BEN),
    ],
)
def test_what_others_did_or_did_not_do_counts_not(ben: Path, run: Run, do: Callable[[Path], None]) -> None:
    do(ben)
    assert json.loads(run("onboard", BEN, "--json")[1])["open"] == 6


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("nobody",), "nobody is nobody of [people]"),
        (("ben", "--area", "x"), "there is no [areas.x]"),
        (("ben", "--begin", "swim"), "there is no drill swim"),
        (("ben", "--begin", "debug", "--verify", "debug"), "give one of"),
        (("ben", "--verify", "debug"), "was not begun here: cibus onboard ben --begin debug"),
        (("ben", "--begin", "restore"), "there is no controller to practise on"),
        (("ben", "--begin", "rebuild"), "there is no agent to practise on"),
        (("ada", "--begin", "debug"), "git says that you are Ben Example <ben@example.org>, and the drills are Ada Example's"),
        (("ben", "--again"), "--again goes with --begin"),
        (("ben", "--verify", "monitors", "--answer", "three"), "--answer takes NAME=VALUE"),
    ],
)
def test_what_cannot_be_is_said(ben: Path, run: Run, argv: tuple[str, ...], words: str) -> None:
    code, out = run("onboard", *argv)
    assert (code, words in out) == (2, True), out


def test_a_serious_controller_is_never_practised_on(ben: Path, run: Run, empty_jenkins: FakeJenkins) -> None:
    (ben / "cibus.toml").write_text(table(empty_jenkins, practice=False))
    for drill in ("restore", "alert", "rotate"):
        assert run("onboard", BEN, "--begin", drill)[0] == 2
        code, out = run("onboard", BEN, "--begin", drill, "--controller", "default")
        assert (code, "no controller to practise on: say practice = true" in out) == (2, True)
    assert not [each for each in empty_jenkins.requests if each.method == "POST"]


# -- debug


@pytest.mark.parametrize("fault", debug.FAULTS, ids=lambda fault: f"{fault.file} {fault.stage}")
def test_debug(ben: Path, run: Run, fault: debug.Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.choice", lambda _: fault)
    code, out = run("onboard", BEN, "--begin", "debug")
    assert (code, "cibus run" in out, fault.stage in out.replace(str(ben), "")) == (0, True, False), "where it fails is for Ben to find"
    place = Path(facts("debug")["place"])
    assert place.is_relative_to(ben / "practice")
    assert "practice" not in git(ben, "status", "--porcelain")
    assert run("onboard", BEN, "--verify", "debug")[0] == 1
    monkeypatch.chdir(place)
    assert main(["run"]) == 1
    monkeypatch.chdir(ben)
    file = place / fault.file
    file.write_text(file.read_text().replace(fault.wrong, fault.right))
    code, out = run("onboard", BEN, "--verify", "debug")
    assert code == 0, out
    assert [each["outcome"] for each in kept(ben)] == ["failed", "ok"]
    assert (kept(ben)[-1]["person"], kept(ben)[-1]["areas"]) == (BEN, ["mobile"])
    assert not place.exists()
    assert recall(BEN, "debug") is None
    assert json.loads(run("onboard", BEN, "--json")[1])["open"] == 5


def _remove_check(place: Path) -> None:
    text = (place / "Jenkinsfile").read_text()
    (place / "Jenkinsfile").write_text(re.sub(r" {8}stage\('Check'\).*? {8}}\n(?= {8}stage)", "", text, flags=re.DOTALL))


def _check_nothing(place: Path) -> None:
    (place / "check.sh").write_text("echo fine\n")


def _fewer_words(place: Path) -> None:
    path = place / "words.txt"
    path.write_text("".join(line for line in path.read_text().splitlines(True) if "F" not in line))


@pytest.mark.parametrize(
    ("cheat", "words"),
    [
        (_remove_check, "all stages run"),
        (_check_nothing, "only what was wrong is changed"),
        (_fewer_words, "it makes what it should"),
    ],
)
def test_debug_is_not_done_by_taking_the_check_away(ben: Path, run: Run, cheat: Callable[[Path], None], words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.choice", lambda _: debug.FAULTS[-1])
    run("onboard", BEN, "--begin", "debug")
    place = Path(facts("debug")["place"])
    monkeypatch.chdir(place)
    assert main(["run"]) == 1
    monkeypatch.chdir(ben)
    cheat(place)
    code, out = run("onboard", BEN, "--verify", "debug")
    assert (code, f"✗ {words}" in out) == (1, True), out


def test_debug_without_having_seen_it_fail(ben: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.choice", lambda _: debug.FAULTS[0])
    run("onboard", BEN, "--begin", "debug")
    file = Path(facts("debug")["place"]) / "Jenkinsfile"
    file.write_text(file.read_text().replace(debug.FAULTS[0].wrong, debug.FAULTS[0].right))
    code, out = run("onboard", BEN, "--verify", "debug")
    assert (code, out.count("✗"), "✗ the failing build was run here" in out) == (1, 1, True)


# -- restore


def test_restore(practice: FakeJenkins, ben: Path, run: Run) -> None:
    assert run("onboard", BEN, "--begin", "restore")[0] == 0
    known = facts("restore")
    assert not list(practice.state.jobs)
    code, out = run("onboard", BEN, "--verify", "restore")
    assert (code, "✗ the job is there" in out) == (1, True)
    practice.state.add(known["job"], "<flow-definition/>")
    code, out = run("onboard", BEN, "--verify", "restore")
    assert (code, "✗ it is the one" in out, "✗ its configuration" in out) == (1, True, True), "another job of the name is not it"
    assert run("jobs", "plan", known["snapshot"], "--only", known["job"], "-o", "job.json")[0] == 3
    assert run("jobs", "apply", "job.json", "--yes")[0] == 0
    code, out = run("onboard", BEN, "--verify", "restore", "--commit")
    assert code == 0, out
    assert not list(practice.state.jobs)
    assert "Drill restore by Ben Example: done" in git(ben, "log", "--format=%s")
    assert git(ben, "show", "--name-only", "--format=").split() == ["receipts/drills/ben.jsonl"]


# -- rebuild


def test_rebuild(practice: FakeJenkins, ben: Path, run: Run) -> None:
    """The rebuild itself is gone through on a booted machine in the test of the whole; here, what counts as one."""
    from fake_jenkins.nodes import Node, agent_config

    assert run("onboard", BEN, "--begin", "rebuild")[0] == 0
    node = practice.state.nodes["box"] = Node("box", agent_config("box", {}), online=True)
    more = {"findings": [], "host": "box", "versions": {}, "steps": []}
    receipt(ben, "box.jsonl", {"kind": "drill", "agent": "box", **more}, who=BEN, days_ago=1)
    receipt(ben, "box.jsonl", {"kind": "drill", "agent": "box", **more}, who=ADA, days_ago=-0.001)
    receipt(ben, "box.jsonl", {"kind": "verify", "agent": "box", **more}, who=BEN, days_ago=-0.001)
    code, out = run("onboard", BEN, "--verify", "rebuild")
    assert (code, "✗ there is a receipt" in out) == (1, True), "before it began, by another, or only a look"
    receipt(ben, "box.jsonl", {"kind": "drill", "agent": "box", "outcome": "failed", **more}, who=BEN, days_ago=-0.001)
    code, out = run("onboard", BEN, "--verify", "rebuild")
    assert (code, "✓ there is a receipt" in out, "✗ the rebuild was proved" in out) == (1, True, True)
    receipt(ben, "box.jsonl", {"kind": "drill", "agent": "box", **more}, who=BEN, days_ago=-0.002)
    node.online = False
    code, out = run("onboard", BEN, "--verify", "rebuild")
    assert (code, out.count("✗"), "✗ the agent is online" in out) == (1, 1, True)
    node.online = True
    assert run("onboard", BEN, "--verify", "rebuild")[0] == 0


# -- alert


def stage_alert(ben: Path, page: str) -> None:
    """The alert drill with a chosen alert."""
    from cibus.ownership.drills.base import Begun, remember
    from cibus.receipts import stamp

    config = load_config(ben / "cibus.toml", {})
    registry = load(config)
    setting = Setting(config, registry, registry.people[BEN], ben / "practice")
    started = stamp()
    remember(Begun("alert", BEN, ("mobile",), started, alert.stage(setting, alert.ALERTS[page])))


def test_alert_of_a_shutdown(practice: FakeJenkins, ben: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    stage_alert(ben, "controller-shutting-down")
    assert practice.state.quieting_down
    code, out = run("onboard", BEN, "--verify", "alert")
    assert (code, out.count("✗")) == (1, 3)
    practice.state.quieting_down = False
    code, out = run("onboard", BEN, "--verify", "alert")
    assert (code, "✗ the page of the alert was gone through" in out, "✓ what was wrong is put right" in out) == (1, True, True), "put right without the page"
    practice.state.quieting_down = True
    went_through(ben, "controller-shutting-down", who=ADA, days_ago=-0.001)
    went_through(ben, "controller-shutting-down", who=BEN, mode="ci", days_ago=-0.001)
    assert "✗ the page of the alert was gone through" in run("onboard", BEN, "--verify", "alert")[1]
    _answer(ben, practice, monkeypatch)
    code, out = run("onboard", BEN, "--verify", "alert")
    assert code == 0, out


def _answer(ben: Path, practice: FakeJenkins, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goes through the page on a terminal, as a person does."""
    import sys

    import pexpect

    environ = {**os.environ, "NO_COLOR": "1", "TOKEN": practice.token}
    child = pexpect.spawn(sys.executable, ["-m", "cibus", "runbook", "run", "controller-shutting-down", f"--var=url={practice.url.rstrip('/')}", f"--var=login={practice.user}"], cwd=str(ben), encoding="utf-8", timeout=60, env=environ)
    for question, answer in (("Run", ""), ("Run", ""), ("Done", ""), ("Type builds-start", "builds-start"), ("Run", "")):
        child.expect(question)
        child.sendline(answer)
    child.expect("Receipt")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_alert_of_a_label(practice: FakeJenkins, ben: Path, run: Run) -> None:
    stage_alert(ben, "label-without-agent")
    label = facts("alert")["subject"]
    found = json.loads(run("monitor", "check", "--json")[1])["findings"]
    assert (label, "label-without-agent") in [(each["subject"], each["condition"]) for each in found]
    went_through(ben, "label-without-agent", who=BEN, days_ago=-0.001)
    code, out = run("onboard", BEN, "--verify", "alert")
    assert (code, "✗ what was wrong is put right" in out) == (1, True), "the page was gone through, and it is still wrong"
    for item in practice.state.queue.values():
        item.cancelled = True
    assert run("onboard", BEN, "--verify", "alert")[0] == 0
    assert not list(practice.state.jobs)


def test_a_staged_alert_that_is_given_up_is_taken_away(practice: FakeJenkins, ben: Path, run: Run) -> None:
    assert run("onboard", BEN, "--begin", "alert")[0] == 0
    first = facts("alert")["mark"]
    assert run("onboard", BEN, "--begin", "alert")[0] == 0
    assert facts("alert")["mark"] == first, "a drill that is under way is told again, not staged again"
    assert run("onboard", BEN, "--begin", "alert", "--again")[0] == 0
    assert facts("alert")["mark"] != first
    assert "given up" in run("onboard", BEN, "--give-up", "alert")[1]
    assert (practice.state.quieting_down, list(practice.state.jobs)) == (False, [])
    assert "was not begun" in run("onboard", BEN, "--give-up", "alert")[1]


# -- rotate


def test_rotate(practice: FakeJenkins, ben: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out = run("onboard", BEN, "--begin", "rotate")
    assert code == 0
    known = facts("rotate")
    new = Path(known["file"]).read_text().strip()
    assert (Path(known["file"]).stat().st_mode & 0o777, new in out) == (0o600, False)
    code, out = run("onboard", BEN, "--verify", "rotate")
    assert (code, "✓ a build uses the credential" in out, "still the old one" in out) == (1, True, True), out
    (entry,) = [each for domain in practice.state.system.domains.values() for each in domain.credentials if each.get("id") == known["credential"]]
    entry.set("secret", practice.state.ciphers.encrypt("something else"))
    assert "another one than that of the file" in run("onboard", BEN, "--verify", "rotate")[1]
    for name, value in (("TOKEN", practice.token), ("VALUE", new)):
        monkeypatch.setenv(name, value)
    hand = ben / "hand"
    hand.write_text(f"#!/bin/sh\ncurl -fsS -u {practice.user}:$TOKEN -X POST {practice.url}job/{known['job']}/build?delay=0sec && sleep 5\n")
    hand.chmod(0o755)
    said = run("runbook", "run", "rotate-secret", "--ci", "--hand", str(hand), f"--var=credential={known['credential']}", f"--var=job={known['job']}", f"--var=url={practice.url.rstrip('/')}", f"--var=login={practice.user}")
    assert said[0] == 0, said
    code, out = run("onboard", BEN, "--verify", "rotate")
    assert code == 0, out
    assert known["credential"] not in [each.get("id") for domain in practice.state.system.domains.values() for each in domain.credentials]
    assert not Path(known["file"]).exists()
    everything = "".join(json.dumps(each) for each in kept(ben)) + out
    assert new not in everything


# -- monitors


def test_monitors(practice: FakeJenkins, ben: Path, run: Run) -> None:
    from fake_jenkins.nodes import Node, agent_config

    practice.state.nodes["box"] = Node("box", agent_config("box", {}), online=True)
    assert run("onboard", BEN, "--begin", "monitors")[0] == 0
    code, out = run("onboard", BEN, "--verify", "monitors")
    assert (code, out.count("✗"), "give --answer online=…" in out) == (1, 4, True)
    found = json.loads(run("monitor", "check", "--json")[1])["findings"]
    worst = found[0]["runbook"].removesuffix(".md").rpartition("/")[2] if found else "none"
    owner = found[0]["owner"] or "none" if found else "none"
    answers = ("--answer", "online=1", "--answer", "waiting=0", "--answer", f"worst={worst}", "--answer", f"owner={owner}")
    wrong = [each.replace("online=1", "online=2") for each in answers]
    code, out = run("onboard", BEN, "--verify", "monitors", *wrong)
    assert (code, "✗ how many agents are online: you say 2" in out) == (1, True)
    code, out = run("onboard", BEN, "--verify", "monitors", *answers)
    assert code == 0, out


def test_a_lost_controller_ends_no_drill(practice: FakeJenkins, ben: Path, run: Run) -> None:
    for drill in ("restore", "rotate", "alert"):
        assert run("onboard", BEN, "--begin", drill)[0] == 0
    practice.stop()
    for drill in ("restore", "rotate", "alert"):
        assert run("onboard", BEN, "--verify", drill)[0] == 1
        assert recall(BEN, drill) is not None
    practice.start()


def test_a_damaged_memory_is_said(ben: Path, run: Run) -> None:
    assert run("onboard", BEN, "--begin", "debug")[0] == 0
    path = next((Path(os.environ["CIBUS_STATE_DIR"]) / "drills").iterdir())
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("{")
    code, out = run("onboard", BEN, "--verify", "debug")
    assert (code, "begin it again (--again)" in out) == (1, True)


