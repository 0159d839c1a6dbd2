"""The history: survives kills, damage, a full disk and other processes; stays bounded."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cibus.monitor.history import DAY, HOUR, MOST_NAMES, History, history_path
from cibus.monitor.results import ProbeResult, Times

NOW = 1_800_000_000.0
TOP = Path(__file__).parents[2]
WRITER = """
import sys
from pathlib import Path
from cibus.monitor.history import History
with History(Path(sys.argv[1])) as history:
    number = int(sys.argv[2])
    while True:
        if history.add(float(number), {f"name_{each}": float(number) for each in range(50)}):
            print(number, flush=True)
        history.note_findings(float(number), ["agent-offline mac-03"])
        number += 1
        if number % 100 == 0:
            history.prune(float(number))
assert not history.warnings
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "monitor" / "main.sqlite"


def asides(path: Path) -> list[Path]:
    return sorted(each for each in path.parent.glob("*.aside-*") if not each.name.endswith(("-wal", "-shm")))


def start_writer(path: Path, first: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(first)], stdout=subprocess.PIPE, cwd=TOP, env={**os.environ, "PYTHONPATH": str(TOP)})


def test_its_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CIBUS_STATE_DIR", str(tmp_path))
    assert history_path("main") == tmp_path / "monitor" / "main.sqlite"
    assert history_path("../../etc/passwd").parent == tmp_path / "monitor"


def test_what_is_added_is_there_again(path: Path) -> None:
    with History(path) as history:
        assert history.latest() == (0.0, {})
        assert history.add(NOW, {"queue_length": 3, 'busy{label="linux"}': 0.5, "bad": float("nan"), "worse": float("inf")})
        assert history.add(NOW + 60, {"queue_length": 4})
    with History(path) as history:
        assert history.names() == ['busy{label="linux"}', "queue_length"]
        assert history.series("queue_length", NOW) == [(NOW, 3.0), (NOW + 60, 4.0)]
        assert history.series("queue_length", NOW, NOW + 59) == [(NOW, 3.0)]
        assert history.series("queue_length", NOW + 61) == []
        assert history.series("nothing", 0) == []
        assert history.latest() == (NOW + 60, {"queue_length": 4.0})
        assert history.warnings == []
    assert path.stat().st_mode & 0o077 == 0


def test_many_points_are_means_or_peaks_of_equal_spans(path: Path) -> None:
    with History(path) as history:
        for second in range(1000):
            history.add(NOW + second, {"a": float(second)})
        means = history.series("a", NOW, points=10)
        assert len(means) == 10
        assert means[0] == (NOW + 49.5, 49.5)
        assert [value for _, value in history.series("a", NOW, points=10, peak=True)][-1] == 999.0
        assert len(history.series("a", NOW, points=300)) == 300


def test_old_samples_are_rolled_up_and_the_bound_holds(path: Path) -> None:
    """A sweep every 10 minutes for 60 days: at most 7*144 raw rows and 28*24 hourly ones."""
    step = 600
    with History(path) as history:
        for number in range(60 * 144):
            when = NOW + number * step
            history.add(when, {"a": float(number % 6), "gone": 1.0} if number < 144 else {"a": float(number % 6)})
            if number % 700 == 0:
                history.prune(when)
        history.prune(when)
        history.prune(when)
        rows = history.series("a", 0, points=10**6)
        assert len(rows) <= 7 * 144 + 6 + 28 * 24
        assert rows[0][0] >= when - 35 * DAY
        assert len(rows) >= 7 * 144 + 27 * 24
        assert {value for at, value in rows if at < when - 8 * DAY} == {2.5}  # the mean of 0..5
        assert {value for at, value in history.series("a", 0, when - 8 * DAY, points=10**6, peak=True)} == {5.0}
        assert history.names() == ["a"]
        assert history.warnings == []
    assert path.stat().st_size < 60 * len(rows) + 100_000


def test_probes_are_rolled_up_too(path: Path) -> None:
    with History(path) as history:
        begin = NOW - NOW % HOUR
        for number in range(12):
            slow = Times(9, 20, 300 + number, 310, 320)
            history.add_probe(ProbeResult("mirror", begin + number * 300, 1, tried=10, ok=9, timeouts=1, message="no answer", total=slow, certificate_days=80 - number))
        assert len(history.probe_results("mirror", 0)) == 12
        history.prune(begin + 8 * DAY)
        (one,) = history.probe_results("mirror", 0)
        assert (one.tried, one.ok, one.timeouts, one.message, one.total.p95, one.certificate_days) == (120, 108, 12, "no answer", 311, 69)
        history.prune(begin + 36 * DAY)
        assert history.probe_results("mirror", 0) == []


def test_a_probe_without_any_outcome_is_not_kept(path: Path) -> None:
    with History(path) as history:
        assert not history.add_probe(ProbeResult("mirror", NOW))
        assert history.probe_results("mirror", 0) == []


def test_the_number_of_names_is_bounded(path: Path) -> None:
    with History(path) as history:
        history.add(NOW, {f"name_{number}": 1 for number in range(MOST_NAMES + 50)})
        history.add(NOW + 1, {"one_more": 1, "name_0": 2})
        assert len(history.names()) == MOST_NAMES
        assert history.series("name_0", 0) == [(NOW, 1.0), (NOW + 1, 2.0)]
        assert any(str(MOST_NAMES) in line for line in history.warnings)


def test_since_when_survives_restarts(path: Path) -> None:
    with History(path) as history:
        assert history.note_findings(NOW, ["a", "b"]) == {"a": NOW, "b": NOW}
    with History(path) as history:
        assert history.note_findings(NOW + 60, ["a", "c"]) == {"a": NOW, "c": NOW + 60}
        assert history.note_findings(NOW + 120, ["a", "b"]) == {"a": NOW, "b": NOW}  # away for one sweep
        for number in range(3):
            assert history.note_findings(NOW + 180 + number, ["b"], partial=True) == {"b": NOW}
        assert history.note_findings(NOW + 240, ["b"]) == {"b": NOW}
    with History(path) as history:
        assert history.note_findings(NOW + 300, ["a", "c"]) == {"a": NOW, "c": NOW + 300}
        assert history.note_findings(NOW + 360, []) == {}
        assert history.note_findings(NOW + 420, []) == {}
        assert history.note_findings(NOW + 480, ["a"]) == {"a": NOW + 480}


def test_a_kill_at_any_moment_leaves_it_whole(path: Path) -> None:
    """Every sweep whose writer said that it is kept is there, whole."""
    dice, first, said = random.Random(7), 1, []
    for _ in range(30):
        writer = start_writer(path, first)
        assert writer.stdout is not None
        said.append(int(writer.stdout.readline()))
        time.sleep(dice.uniform(0, 0.08))
        writer.send_signal(signal.SIGKILL)
        said += [int(line) for line in writer.stdout.read().splitlines() if line]
        writer.stdout.close()
        writer.wait(10)
        first = said[-1] + 2  # the one after may have been kept without being said
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()
    assert len(said) > 60
    with History(path) as history:
        kept = {at for at, _ in history.series("name_0", 0, points=10**6)}
        assert kept >= {float(each) for each in said}
        assert {at for at, _ in history.series("name_49", 0, points=10**6)} == kept
        assert history.note_findings(1e6, ["agent-offline mac-03"]) == {"agent-offline mac-03": 1.0}
        assert history.warnings == []
    assert asides(path) == []


def test_two_processes_at_once(path: Path) -> None:
    writers = [start_writer(path, first) for first in (1, 1_000_001)]
    said: list[list[int]] = [[], []]

    def read(index: int) -> None:
        stdout = writers[index].stdout
        assert stdout is not None
        for _ in range(60):
            said[index].append(int(stdout.readline()))

    threads = [threading.Thread(target=read, args=(index,)) for index in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for writer in writers:
        writer.kill()
        writer.communicate()
    with History(path) as history:
        kept = {at for at, _ in history.series("name_7", 0, points=10**6)}
        assert kept >= {float(each) for each in said[1]}  # the other's numbers are too old for what is kept, after a prune
        assert history.warnings == []
    assert asides(path) == []


FOREIGN = sqlite3.connect(":memory:")
FOREIGN.execute("CREATE TABLE mine (x)")
SOMEONES = FOREIGN.serialize()
FOREIGN.close()


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"not a database, " * 400, "is not a"), (b"\0" * 8192, "is not a"), (SOMEONES, "is not a history of cibus"), (b"x", "is not a"), (SOMEONES[:700], "is")],
    ids=["text", "zeros", "someone's", "one byte", "someone's, torn"],
)
def test_what_is_not_a_history_is_set_aside(path: Path, content: bytes, words: str) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with History(path) as history:
        assert history.add(NOW, {"a": 1})
        assert history.series("a", 0) == [(NOW, 1.0)]
        (line,) = history.warnings
    (aside,) = asides(path)
    assert aside.read_bytes() == content
    assert words in line
    assert aside.name in line
    assert "\n" not in line


def filled(path: Path) -> bytes:
    with History(path) as history:
        for number in range(400):
            history.add(NOW + number, {f"name_{each}": 1.5 for each in range(10)})
    return path.read_bytes()


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
def test_a_truncated_file(path: Path, keep: float) -> None:
    whole = filled(path)
    torn = whole[: int(len(whole) * keep)]
    path.write_bytes(torn)
    with History(path) as history:
        for number in range(3):
            for name in range(10):
                history.series(f"name_{name}", 0)
            assert history.add(NOW + 1000 + number, {"name_0": 2.0})
        assert (NOW + 1002, 2.0) in history.series("name_0", 0, points=10**6)
        assert len(history.warnings) == 1
    (aside,) = asides(path)
    assert len(aside.read_bytes()) >= len(torn) - 4096


def test_any_bytes_overwritten(path: Path) -> None:
    """Damage is found when it is met; nothing raises, and what is written afterwards is there."""
    whole, dice = filled(path), random.Random(3)
    for _ in range(40):
        data = bytearray(whole)
        for _ in range(dice.randrange(1, 30)):
            place = dice.randrange(len(data) - 64)
            data[place : place + 64] = dice.randbytes(64)
        path.write_bytes(data)
        with History(path) as history:
            for name in range(10):
                history.series(f"name_{name}", 0)
            history.latest()
            history.names()
            history.note_findings(NOW, ["a"])
            history.prune(NOW + 3 * DAY)
            kept = history.add(NOW + 1000, {"new": 2.0})
            assert history.series("new", 0) == [(NOW + 1000, 2.0)] or not kept
            assert kept or history.warnings
        for each in path.parent.iterdir():
            each.unlink()


def test_the_file_of_a_newer_cibus_is_left_alone(path: Path) -> None:
    filled(path)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    with History(path) as history:
        assert not history.add(NOW, {"a": 1})
        assert history.note_findings(NOW, ["a"]) == {"a": NOW}
        assert history.note_findings(NOW + 60, ["a"]) == {"a": NOW}
        assert "newer cibus" in history.warnings[0]
        assert len(history.warnings) == 1
    assert path.read_bytes() == before


def test_a_file_that_is_removed_meanwhile_is_made_anew(path: Path) -> None:
    with History(path) as history:
        history.add(NOW, {"a": 1})
        for each in list(path.parent.iterdir()):
            each.unlink()
        assert history.add(NOW + 1, {"a": 2})
        assert history.series("a", 0) == [(NOW + 1, 2.0)]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with History(tmp_path / "file" / "x.sqlite") as history:
        assert not history.add(NOW, {"a": 1})
        history.set_state("told", "x")
        assert history.get_state("told") == "x"
        assert len(history.warnings) == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "none", str(folder)], capture_output=True, check=False).returncode:
        pytest.skip("a small disk can only be mounted by root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_said_and_monitoring_goes_on(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    with History(small_disk / "x.sqlite") as history:
        assert history.note_findings(NOW, ["a"]) == {"a": NOW}
        history.add(NOW, {"before": 1})
        with ballast.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
            while True:
                file.write(b"x" * 512)
        results = [history.add(NOW + number, {f"name_{each}": 1.0 for each in range(200)}) for number in range(1, 40)]
        assert not results[-1]
        assert any("disk is full" in line for line in history.warnings), history.warnings
        assert len(history.warnings) <= 2
        assert history.note_findings(NOW + 60, ["a", "b"]) == {"a": NOW, "b": NOW + 60}
        assert history.note_findings(NOW + 90, ["a", "b"]) == {"a": NOW, "b": NOW + 60}
        history.set_state("told", "new")
        assert history.get_state("told") == "new"
        ballast.unlink()
        assert history.add(NOW + 100, {"after": 2})
        assert history.series("before", 0) == [(NOW, 1.0)]
        assert history.series("after", 0) == [(NOW + 100, 2.0)]
        assert history.note_findings(NOW + 120, ["a", "b"]) == {"a": NOW, "b": NOW + 60}
