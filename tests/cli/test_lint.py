from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from cibus.cli.lint import LintFormat, lint
from cibus.errors import UsageError

FINE = "pipeline {\n  agent any\n  stages { stage('A') { steps { echo 'a' } } }\n}\n"
WRONG = "pipeline {\n  agent any\n}\n"
DOUBTFUL = "pipeline {\n  agent any\n  stages { stage('A') { steps { ecoh 'a' } } }\n}\n"


@pytest.fixture(autouse=True)
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """The start-up cache is not made here: it would go on after the test."""
    monkeypatch.setattr("cibus.pipeline.engine.process.train_in_background", lambda made: None)


def run(text: str, tmp_path: Path, format: LintFormat = LintFormat.human) -> tuple[int, str]:
    path = tmp_path / "Jenkinsfile"
    path.write_text(text, "utf-8")
    try:
        lint([path], format)
    except typer.Exit as end:
        return end.exit_code, str(path)
    return 0, str(path)


def test_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, name = run(FINE, tmp_path)
    assert (code, capsys.readouterr().out) == (0, f"{name}: fine\n")


def test_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, name = run(WRONG, tmp_path)
    assert (code, capsys.readouterr().out) == (1, f'{name}:1:1: error: Missing required section "stages"\n')


def test_warnings_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, name = run(DOUBTFUL, tmp_path)
    message = '"ecoh" is not a step that cibus knows; the nearest one is "echo"'
    assert (code, capsys.readouterr().out) == (3, f"{name}:3:33: warning: {message}\n")


def test_jenkins_prints_no_warnings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _ = run(DOUBTFUL, tmp_path, LintFormat.jenkins)
    assert (code, capsys.readouterr().out) == (0, "Jenkinsfile successfully validated.\n")


def test_scripted_is_fine_with_a_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, name = run("node { echo 'x' }\n", tmp_path)
    out = capsys.readouterr().out
    assert (code, out) == (0, f"{name}: fine (a scripted pipeline: it compiles, no more is checked)\n")


def test_classes_of_an_absent_library_are_no_errors(tmp_path: Path) -> None:
    text = "@Library('shared') import com.example.Names\nimport com.example.Other\n" + FINE.replace("echo", "deploy")
    assert run(text, tmp_path)[0] == 0


def test_json_and_sarif(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(WRONG, tmp_path, LintFormat.json)[0] == 1
    (file,) = json.loads(capsys.readouterr().out)["files"]
    assert not file["valid"]
    assert file["findings"][0]["line"] == 1
    assert run(DOUBTFUL, tmp_path, LintFormat.sarif)[0] == 3
    log = json.loads(capsys.readouterr().out)
    (result,) = log["runs"][0]["results"]
    assert (log["version"], result["level"], result["ruleId"]) == ("2.1.0", "warning", "advice")
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 3, "startColumn": 33}


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file or directory") as error:
        lint([tmp_path / "nothing"])
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 2


@pytest.mark.parametrize(
    ("steps", "want"),
    [
        ("retry(3)", '"retry" needs a block'),
        ("echo('x') { sh 'y' }", '"echo" takes no block'),
    ],
)
def test_what_fails_when_it_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str], steps: str, want: str) -> None:
    code, _ = run(FINE.replace("echo 'a'", steps), tmp_path)
    assert code == 3
    assert want in capsys.readouterr().out


def test_a_nested_pipeline_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, name = run("node {\n  " + FINE + "}\n", tmp_path)
    message = "pipeline block must be at the top-level, not within another block."
    assert (code, capsys.readouterr().out) == (1, f"{name}:2:3: error: {message}\n")


def test_command_line(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    app = typer.Typer()
    app.command()(lint)
    (tmp_path / "a").write_text(FINE, "utf-8")
    (tmp_path / "b").write_text(WRONG, "utf-8")
    result = CliRunner().invoke(app, [str(tmp_path / "a"), str(tmp_path / "b"), "--format", "jenkins"])
    assert result.exit_code == 1
    assert result.output.splitlines()[:3] == [
        "Jenkinsfile successfully validated.",
        "Errors encountered validating Jenkinsfile:",
        'WorkflowScript: 1: Missing required section "stages" @ line 1, column 1.',
    ]
