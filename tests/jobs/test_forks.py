"""Work in several processes: all of it is done, errors come through, and nothing is left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_jenkins import FakeJenkins, Fault, recorded_state
from fake_jenkins.generate import add_jobs
from snapshots import KEY, client_of, files_of

from cibus.errors import CibusError, Forbidden, SnapshotError, Unauthorized
from cibus.jobs import forks
from cibus.jobs.export import export
from cibus.jobs.forks import each_forked, processes
from cibus.redaction import Redacted, Redactor

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is one process")


def nothing(threads: int) -> None:
    """What each process does first."""


def children() -> set[str]:
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


@pytest.fixture(autouse=True)
def none_is_left() -> Iterator[None]:
    """Every process is waited for."""
    before = children()
    yield
    assert children() <= before


def test_all_is_done_once() -> None:
    done = list(each_forked(range(1000), lambda n: (n * n, os.getpid()), 4, 3, nothing))
    assert sorted(n for n, _ in done) == list(range(1000))
    assert all(square == n * n for n, (square, _) in done)
    assert len({pid for _, (_, pid) in done} - {os.getpid()}) == 3


def test_few_things_are_not_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert processes(forks.WORTH - 1, 16) == 1
    assert processes(100_000, 1) == 1
    assert processes(100_000, 16) == min(len(os.sched_getaffinity(0)), forks.MOST)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert processes(100_000, 16) == 1


class Odd(Exception):
    """An error that pickle cannot bring back."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"{one} and {other}")


@pytest.mark.parametrize(("error", "raised"), [(Forbidden("no", "Job/Read"), Forbidden), (Unauthorized("who?"), Unauthorized), (Odd(1, 2), RuntimeError), (KeyboardInterrupt(), KeyboardInterrupt)])
def test_an_error_ends_all_and_keeps_its_type(error: BaseException, raised: type[BaseException]) -> None:
    def work(number: int) -> int:
        if number == 7:
            raise error
        time.sleep(0.05)
        return number

    begin = time.monotonic()
    with pytest.raises(raised) as caught:
        list(each_forked(range(10_000), work, 2, 2, nothing))
    assert time.monotonic() - begin < 5
    assert str(error) in str(caught.value)
    assert getattr(caught.value, "permission", "") == getattr(error, "permission", "")


def test_a_process_that_is_killed_is_missed() -> None:
    with pytest.raises(CibusError, match="was killed"):
        list(each_forked(range(100), lambda n: os.kill(os.getpid(), signal.SIGKILL) if n == 5 else time.sleep(0.01), 2, 2, nothing))


def test_leaving_early_ends_them() -> None:
    def work(number: int) -> int:
        time.sleep(0.1 if number else 0)
        return number

    for number, _ in each_forked(range(10_000), work, 2, 2, nothing):
        assert number >= 0
        break


# -- exports


@pytest.fixture
def full() -> Iterator[FakeJenkins]:
    state = recorded_state()
    add_jobs(state, 150, 0)
    with FakeJenkins(state) as fake:
        yield fake


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small exports are done in two processes, too."""
    monkeypatch.setattr("cibus.jobs.export.processes", lambda things, threads: min(2, threads, max(things, 1)))


def test_an_export_is_the_same(full: FakeJenkins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, int, int]] = []
    with client_of(full) as client:
        one = export(client, tmp_path / "one", KEY)
        monkeypatch.setattr("cibus.jobs.export.processes", lambda *_: 2)
        two = export(client, tmp_path / "two", KEY, progress=lambda *each: told.append(each))
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")
    assert (one.counts, one.missing, dict(one.secrets)) == (two.counts, two.missing, dict(two.secrets))
    assert [done for what, done, _ in told if what == "config"] == list(range(sum(two.counts.values()) + 1))


@pytest.mark.usefixtures("forked")
def test_what_goes_wrong_in_an_export_comes_through(full: FakeJenkins, tmp_path: Path) -> None:
    full.faults.set(Fault("401", path="app-build/config.xml"))
    with client_of(full) as client, pytest.raises(Unauthorized, match="refuses user"):
        export(client, tmp_path / "snap", KEY)
    assert files_of(tmp_path / "snap") == {}
    full.faults.set(Fault("403", path="app-build/config.xml"))
    with client_of(full) as client:
        done = export(client, tmp_path / "snap", KEY)
    assert list(done.missing) == ["acme/platform/app-build"]


@pytest.mark.usefixtures("forked")
def test_a_leak_is_found_in_each_process(full: FakeJenkins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Redactor, "config", lambda self, xml, scripts, where: Redacted(xml, scripts, {}, ()))
    with client_of(full) as client, pytest.raises(SnapshotError, match=r"would hold \d+ secrets and was removed"):
        export(client, tmp_path / "snap", KEY)
    assert not (tmp_path / "snap/.cibus/next").exists()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_export_that_is_ended_leaves_no_process(tmp_path: Path, how: signal.Signals) -> None:
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # what a shell starts in the background ignores it, and so would its children
        signal.signal(signal.SIGINT, signal.default_int_handler)
    state = recorded_state()
    add_jobs(state, forks.WORTH * 2, 0)
    with FakeJenkins(state) as fake:
        fake.latency = 0.2
        env = {
            **os.environ, "CIBUS_JENKINS_URL": fake.url, "CIBUS_JENKINS_USER": "admin", "CIBUS_JENKINS_TOKEN": fake.token,
            "CIBUS_SNAPSHOT_KEY": KEY.decode(), "PYTHONPATH": str(Path(__file__).parents[2]),
        }  # fmt: skip
        process = subprocess.Popen([sys.executable, "-m", "cibus", "jobs", "export", "snap"], cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        begin = time.monotonic()
        while time.monotonic() - begin < 30 and len(workers := path.read_text().split()) < min(2, len(os.sched_getaffinity(0))):
            time.sleep(0.05)
        assert workers, process.communicate(timeout=30)
        process.send_signal(how)
        process.communicate(timeout=10)
        assert process.returncode == (130 if how == signal.SIGINT else -signal.SIGKILL)
        end = time.monotonic() + 5
        while any(_runs(worker) for worker in workers) and time.monotonic() < end:
            time.sleep(0.05)
        assert not any(_runs(worker) for worker in workers)


def _runs(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
