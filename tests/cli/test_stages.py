from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from cibus.cli.stages import GraphFormat, stages
from cibus.errors import UsageError

SCRIPT = """pipeline {
  agent none
  stages {
    stage('Build') { steps { echo 'b' } }
    stage('Test') { parallel {
      stage('Unit') { stages { stage('One') { steps { echo '1' } }
                               stage('Two') { steps { echo '2' } } } }
      stage('Lint') { steps { echo 'l' } } } }
    stage('Ship') { matrix { axes { axis { name 'OS'; values 'linux', 'mac' } }
                             stages { stage('Push') { steps { echo 'p' } } } } }
  }
}
"""


@pytest.fixture(autouse=True)
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """The start-up cache is not made here: it would go on after the test."""
    monkeypatch.setattr("cibus.pipeline.engine.process.train_in_background", lambda made: None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "Jenkinsfile"
    found.write_text(SCRIPT, "utf-8")
    return found


def test_tree(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stages(path)
    assert capsys.readouterr().out.splitlines() == [
        "Build",
        "Test  (parallel)",
        "  Unit",
        "    One",
        "    Two",
        "  Lint",
        "Ship [OS: linux mac]  (matrix)",
        "  Push",
    ]


def test_json(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stages(path, as_json=True)
    data = json.loads(capsys.readouterr().out)
    build, test, ship = data["stages"]
    assert build == {"name": "Build", "kind": "steps", "line": 4}
    assert [inner["name"] for inner in test["stages"]] == ["Unit", "Lint"]
    assert ship["axes"] == {"OS": ["linux", "mac"]}


def test_mermaid(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stages(path, graph=GraphFormat.mermaid)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "flowchart LR"
    assert '  s0["Build"]' in lines
    assert {"  s0 --> s1", "  s1 --> s2", "  s1 --> s5", "  s4 --> s6", "  s5 --> s6"} <= set(lines)


def test_dot(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stages(path, graph=GraphFormat.dot)
    out = capsys.readouterr().out
    assert out.startswith("digraph stages {\n")
    assert '  s6 [label="Ship [OS: linux mac]"];' in out


def test_scripted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "Jenkinsfile"
    path.write_text(
        "node {\n  stage('Build') { echo 'x' }\n"
        "  stage('Test') { parallel(a: { stage('In') { echo 'y' } }, b: { echo 'z' }) }\n}\n"
        "def more() { stage('More') { echo 'm' } }\n",
        "utf-8",
    )
    stages(path)
    got = capsys.readouterr()
    assert got.out.splitlines() == ["Build", "Test  (parallel)", "  a", "    In", "  b", "More"]
    assert "best effort" in got.err


def test_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "Jenkinsfile"
    path.write_text("pipeline { agent any }\n", "utf-8")
    with pytest.raises(typer.Exit) as end:
        stages(path)
    assert end.value.exit_code == 1
    assert 'Missing required section "stages"' in capsys.readouterr().err


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        stages(tmp_path / "nothing")
