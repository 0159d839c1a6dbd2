"""A controller that fails at random, and a cibus that is killed at any moment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_jenkins import FakeJenkins, Fault, State, empty_state, recorded_state
from fake_jenkins.generate import add_jobs
from snapshots import KEY, client_of, configs_of, files_of

from cibus.errors import CibusError
from cibus.jobs.export import export
from cibus.jobs.sides import folder_snapshot

JOBS = 60
KINDS = ("reset", "slow", "401", "403", "404", "429", "500", "503", "truncated", "html")


@pytest.fixture
def generated() -> Iterator[FakeJenkins]:
    """A controller with some generated jobs, besides the recorded ones."""
    state = recorded_state()
    add_jobs(state, JOBS, 0)
    with FakeJenkins(state, seed=1) as fake:
        yield fake


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What an undisturbed export of that controller holds."""
    state = recorded_state()
    add_jobs(state, JOBS, 0)
    folder = tmp_path_factory.mktemp("truth")
    with FakeJenkins(state) as fake, client_of(fake) as client:
        export(client, folder / "snap", KEY)
    return configs_of(folder / "snap")


@pytest.mark.parametrize("kind", KINDS)
def test_export_ends_right_or_says_what_is_missing(generated: FakeJenkins, tmp_path: Path, kind: str, truth: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    generated.faults.set(Fault(kind, 5, seconds=0.05))
    with client_of(generated, timeout=5) as client:
        try:
            done = export(client, tmp_path / "snap", KEY)
        except CibusError as error:
            assert kind == "401", error
            assert "refuses user" in str(error)
            assert "snapshot.toml" not in files_of(tmp_path / "snap")
            return
    found = configs_of(tmp_path / "snap")
    assert found.keys() <= truth.keys()
    assert all(data == truth[path] for path, data in found.items())
    unread = {name for name in done.missing if name not in ("users", "script approvals", "system", "plugins", "credentials", "nodes")}
    lost = {path.rpartition("/")[0] for path in truth.keys() - found.keys()}
    assert len(lost) == len(unread), (lost, done.missing)
    if kind not in ("403", "404", "500"):
        assert not unread


@pytest.mark.parametrize("kind", KINDS)
def test_apply_ends_right_or_says_what_is_missing(cibus, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("cibus.jenkins.session.Session.wait", lambda *_: None)  # it would wait a second for each 503
    with FakeJenkins(_generated()) as full, FakeJenkins(empty_state(), seed=2) as fake:
        cibus(full, "jobs", "export", "snap")
        fake.faults.set(Fault(kind, 5, seconds=0.05))
        for _ in range(30):
            code, out, err = cibus(fake, "jobs", "apply", "snap", "--yes", "--keep-going", "--only", "*")
            assert code in (0, 1, 2, 3)
            assert "bug" not in err
            if code == 0:
                break
            assert any(word in out + err for word in ("failed", "refused", "not reached", "error", "differs")), out + err
        fake.faults.set()
        cibus(fake, "jobs", "apply", "snap", "--yes", "--only", "*")
        assert cibus(fake, "jobs", "verify", "snap", "--only", "*")[0] == 0


def _generated() -> State:
    state = empty_state()
    add_jobs(state, 30, 0)
    return state


def test_a_change_between_plan_and_apply(generated: FakeJenkins, cibus) -> None:  # type: ignore[no-untyped-def]
    cibus(generated, "jobs", "export", "snap")
    path = "acme/platform/app-build"
    job = generated.state.jobs[path]
    job.config = job.config.replace(b"<keepDependencies>false", b"<keepDependencies>true")

    def meddle(state: State) -> None:
        here = state.jobs[path]
        here.config = here.config.replace(b"<keepDependencies>true", b"<keepDependencies>by-hand")

    cibus(generated, "jobs", "plan", "snap", "-o", "plan.json")
    generated.before("config.xml", meddle)
    code, out, _ = cibus(generated, "jobs", "apply", "plan.json", "--yes")
    assert code == 1
    assert "it was changed since the plan was made" in out
    assert b"by-hand" in generated.state.jobs[path].config


# -- killed at any moment

MOMENTS = 50


def start(fake: FakeJenkins, folder: Path, *argv: str) -> subprocess.Popen[str]:
    env = {
        **os.environ, "CIBUS_JENKINS_URL": fake.url, "CIBUS_JENKINS_USER": "admin", "CIBUS_JENKINS_TOKEN": fake.token,
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }  # fmt: skip
    return subprocess.Popen([sys.executable, "-m", "cibus", *argv], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)


def run_to_the_end(fake: FakeJenkins, folder: Path, *argv: str) -> tuple[int, int, str]:
    """Gives how many requests it took, the exit code and the output."""
    before = len(fake.requests)
    out, _ = (process := start(fake, folder, *argv)).communicate(timeout=60)
    return len(fake.requests) - before, process.returncode, out


def kill_at(fake: FakeJenkins, folder: Path, dice: random.Random, requests: int, *argv: str) -> bool:
    """Kills a command after so many requests at most, and a little later; says whether it was still running.

    Counting requests meets every part of the work, however fast or busy the machine is.
    """
    before = len(fake.requests)
    process = start(fake, folder, *argv)
    moment = before + dice.randint(1, requests)
    while len(fake.requests) < moment and process.poll() is None:
        time.sleep(0.002)
    time.sleep(dice.uniform(0, 0.06))
    running = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return running


def test_export_killed_at_any_moment(generated: FakeJenkins, tmp_path: Path) -> None:
    """After each kill one of the two snapshots is there, whole; the next run completes."""
    argv = ("jobs", "export", "snap")
    run_to_the_end(generated, tmp_path, *argv)
    requests, _, _ = run_to_the_end(generated, tmp_path, *argv)
    dice = random.Random(1)
    known = [configs_of(tmp_path / "snap")]
    killed = 0
    job = generated.state.jobs["acme/platform/app-build"]
    for moment in range(MOMENTS):
        job.config = job.config.replace(b"<canRoam>true", b"<canRoam>false") if moment % 2 else job.config.replace(b"<canRoam>false", b"<canRoam>true")
        killed += kill_at(generated, tmp_path, dice, requests, *argv)
        snapshot = folder_snapshot(tmp_path / "snap")
        found = configs_of(tmp_path / "snap")
        assert {path: snapshot.manifest.digests[path] for path in found} == {path: _sha(data) for path, data in found.items()}
        if found not in known:
            known.append(found)
    assert killed > MOMENTS / 2, killed
    assert len(known) <= 2
    _, code, out = run_to_the_end(generated, tmp_path, *argv, "--fresh")
    assert code in (0, 3), out
    assert configs_of(tmp_path / "snap") in known


def test_apply_and_rollback_killed_at_any_moment(generated: FakeJenkins, tmp_path: Path) -> None:
    """No config is ever anything but the old or the new one; the next run completes, forwards and backwards."""
    run_to_the_end(generated, tmp_path, "jobs", "export", "old")
    old = {path: generated.state.jobs[path].config for path in generated.state.jobs}
    change_all(tmp_path / "old", tmp_path / "new")
    apply = ("jobs", "apply", "new", "--yes", "--prune")
    requests, code, out = run_to_the_end(generated, tmp_path, *apply)
    assert code == 0, out
    new = {path: generated.state.jobs[path].config for path in generated.state.jobs}
    assert new != old
    dice = random.Random(2)
    forwards = False
    killed = 0
    for _ in range(MOMENTS):
        argv = apply if forwards else ("jobs", "apply", "old", "--yes", "--prune")
        killed += kill_at(generated, tmp_path, dice, requests, *argv)
        check_nothing_torn(generated, old, new)
        kill_at(generated, tmp_path, dice, 60, "jobs", "rollback", "last", "--yes")
        check_nothing_torn(generated, old, new)
        forwards = not forwards
    assert killed > MOMENTS / 2, killed
    _, code, out = run_to_the_end(generated, tmp_path, *apply)
    assert code == 0, out
    assert run_to_the_end(generated, tmp_path, "jobs", "verify", "new")[1] == 0
    _, code, out = run_to_the_end(generated, tmp_path, "jobs", "apply", "old", "--yes", "--prune")
    assert code == 0, out
    kill_at(generated, tmp_path, dice, 60, "jobs", "rollback", "last", "--yes")
    _, code, out = run_to_the_end(generated, tmp_path, "jobs", "rollback", "last", "--yes")
    assert code == 0, out
    assert run_to_the_end(generated, tmp_path, "jobs", "verify", "new")[1] == 0


def change_all(old: Path, new: Path) -> None:
    """A snapshot in which many configs differ and some are gone."""
    import shutil

    shutil.copytree(old, new)
    for number, path in enumerate(sorted(new.rglob("config.xml"))):
        text = path.read_text("utf-8")
        path.write_text(text.replace("<disabled>false", "<disabled>true").replace("<keepDependencies>false", "<keepDependencies>true"), "utf-8")
        if number % 7 == 3 and not (path.parent / "jobs").exists() and path.relative_to(new).parts[0] == "jobs":
            shutil.rmtree(path.parent)


def check_nothing_torn(fake: FakeJenkins, old: dict[str, bytes], new: dict[str, bytes]) -> None:
    from cibus.canonical import canonical

    for path in fake.state.jobs:
        now = canonical(fake.state.jobs[path].config)
        assert now in [canonical(each[path]) for each in (old, new) if path in each], path


def _sha(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()
