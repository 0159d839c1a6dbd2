from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cibus.cli.runs import runs
from cibus.errors import UsageError

AddRun = Callable[..., Path]


@pytest.fixture
def add_run(tmp_path: Path) -> AddRun:
    def add(job: str, number: int, result: str = "SUCCESS", *, age: float = 0, held: bool = False) -> Path:
        folder = tmp_path / "jobs" / job / "builds" / str(number)
        folder.mkdir(parents=True)
        record = {
            "job": job,
            "number": number,
            "result": result,
            "started": time.time() - age * 86400 + number,
            "seconds": 1.5,
            "stages": [{"name": "Build", "status": "SUCCESS", "seconds": 1.0}],
            "artifacts": ["a/b.txt"],
            "tests": {"total": 3, "failed": 1, "skipped": 0},
            "parameters": {"TARGET": "x"},
            "fidelity": {"steps": {"mail": {"recorded": 1}}, "recorded": [], "differences": []},
        }
        (folder / "build.json").write_text(json.dumps(record))
        (folder / "log").write_text("line one\nFinished: ‘x’\n", encoding="utf-8")
        if held:
            (folder / "resume").mkdir()
            listed = {"f": ["f", 0o644, 2048, 1, 1, 7, "ab12"]}
            state = {"stage": "Build", "at": 1, "env": {}, "variables": {}, "lost": [], "artifacts": [], "workspace": listed, "stashes": {}, "copied": 1024}
            (folder / "resume" / "001.json").write_text(json.dumps(state))
        return folder

    return add


def call(tmp_path: Path, *args: str) -> str:
    done = CliRunner().invoke(runs, [*args, "--state-dir", str(tmp_path)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_list_is_newest_first(tmp_path: Path, add_run: AddRun) -> None:
    add_run("app", 1, age=2)
    add_run("app", 2, "FAILURE", held=True)
    add_run("lib", 7, age=1)
    lines = call(tmp_path, "list").splitlines()
    assert [line.split()[0] for line in lines] == ["app#2", "lib#7", "app#1"]
    assert lines[0].endswith("resumable")
    data = json.loads(call(tmp_path, "list", "--json"))
    assert [(row["job"], row["number"], row["resumable"]) for row in data] == [("app", 2, True), ("lib", 7, False), ("app", 1, False)]


def test_an_empty_state_folder(tmp_path: Path) -> None:
    assert "no runs" in call(tmp_path, "list")
    assert json.loads(call(tmp_path, "list", "--json")) == []


def test_show(tmp_path: Path, add_run: AddRun) -> None:
    folder = add_run("app", 2, "FAILURE", held=True)
    out = call(tmp_path, "show")
    for part in ("app#2  FAILURE", "Build  SUCCESS", "3, 1 failed", f"{folder}/artifacts/a/b.txt", "recorded mail", "to resume:", "  Build       1 files     2.0 KiB, 1.0 KiB copied for it", "parameter: TARGET=x"):
        assert part in out
    data = json.loads(call(tmp_path, "show", "app#2", "--json"))
    assert data["held"] == [{"stage": "Build", "files": 1, "bytes": 2048, "copied": 1024}]
    assert data["fidelity"]["steps"] == {"mail": {"recorded": 1}}


def test_log(tmp_path: Path, add_run: AddRun) -> None:
    add_run("app", 2)
    assert call(tmp_path, "log", "#2") == "line one\nFinished: ‘x’\n"
    assert json.loads(call(tmp_path, "log", "--json"))["log"].startswith("line one")


@pytest.mark.parametrize(("wanted", "words"), [("7", "JOB#N, #N or last"), ("#9", "no run #9"), ("app#9", "no run app#9"), ("#1", "app#1, lib#1")])
def test_wrong_names(tmp_path: Path, add_run: AddRun, wanted: str, words: str) -> None:
    add_run("app", 1)
    add_run("lib", 1)
    with pytest.raises(UsageError, match=words):
        call(tmp_path, "show", wanted)


@pytest.mark.parametrize(
    ("args", "left"),
    [
        (["--keep", "1"], ["app#3", "lib#1"]),
        (["--older", "5"], ["app#3", "app#2"]),
        (["--keep", "1", "--older", "5"], ["app#3"]),
        (["--all"], []),
        (["--keep", "9"], ["app#3", "app#2", "lib#1", "app#1"]),
    ],
)
def test_clean(tmp_path: Path, add_run: AddRun, args: list[str], left: list[str]) -> None:
    add_run("app", 1, age=30)
    add_run("app", 2, age=1)
    add_run("app", 3)
    add_run("lib", 1, age=20)
    assert call(tmp_path, "clean", *args).startswith("removed ")
    assert [f"{row['job']}#{row['number']}" for row in json.loads(call(tmp_path, "list", "--json"))] == left


def test_clean_wants_to_know_what(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--all"):
        call(tmp_path, "clean")
    with pytest.raises(UsageError, match="--all"):
        call(tmp_path, "clean", "--all", "--keep", "2")


def test_it_is_a_group() -> None:
    assert isinstance(runs, typer.Typer)
