from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest
from repos import MakeRepo, Repo

from cibus.builds.sides import open_side
from cibus.errors import CibusError, UsageError

SCRIPT = """
pipeline {
    agent any
    parameters { string(name: 'WORD', defaultValue: 'one') }
    environment { TOKEN = credentials('deploy-token') }
    stages {
        stage('Build') {
            steps {
                sh 'echo building; echo "word $WORD"; mkdir -p out reports; echo "$WORD" > out/app.txt; echo "deploying with $TOKEN"'
                sh '''cat > reports/t.xml <<EOF
<testsuite name="suite"><testcase classname="app.T" name="one"/>
<testcase classname="app.T" name="two">$( [ "$WORD" = one ] || echo '<failure message="no"/>' )</testcase></testsuite>
EOF'''
                junit testResults: 'reports/*.xml', skipPublishingChecks: true
                archiveArtifacts 'out/*'
            }
        }
        stage('Both') {
            parallel {
                stage('Left') { steps { sh 'for i in 1 2 3; do echo left $i; sleep 0.05; done' } }
                stage('Right') { steps { sh 'for i in 1 2 3; do echo right $i $WORD; sleep 0.05; done' } }
            }
        }
    }
}
"""
CANARY = "canary-5f3c9a7e1b"
CONFIG = f"""
[credentials.deploy-token]
kind = "string"
secret = {{ value = "{CANARY}" }}
"""


@pytest.fixture
def repo(make_repo: MakeRepo) -> Repo:
    found = make_repo(SCRIPT, {"cibus.toml": CONFIG})
    for number, word in ((1, "one"), (2, "one"), (3, "two")):
        done = found.cibus("run", "--job", "app", "--build-number", str(number), "-p", f"WORD={word}")
        assert done.returncode in (0, 3), done.stdout + done.stderr
    return found


def test_two_runs(repo: Repo, tmp_path: Path) -> None:
    same = repo.cibus("compare", "#1", "#2")
    assert (same.returncode, same.stderr) == (0, ""), same.stdout
    assert same.stdout.startswith("the same: app #1 here and app #2 here")

    other = repo.cibus("compare", "app#2")
    assert (other.returncode, other.stderr) == (3, ""), other.stdout
    lines = other.stdout.splitlines()
    assert lines[:3] == ["A: app #2 here", "B: app #3 here", "result: SUCCESS in A, UNSTABLE in B"]
    assert lines[4].startswith("they part at stage Build, sh, line 9 of the script: ")
    assert "  - word one" in lines and "  + word two" in lines
    assert "  suite/app.T.two: PASSED → FAILED" in lines
    assert "  WORD: one → two" in lines
    assert any(line.startswith("  out/app.txt: ") for line in lines)
    assert "without their order" not in other.stdout  # both know which branch a line is of

    page = tmp_path / "page.html"
    data = json.loads(repo.cibus("compare", "#1", "last", "--json", "--html", str(page)).stdout)
    assert (data["same"], data["exact"], data["result"]) == (False, True, {"name": "result", "a": "SUCCESS", "b": "UNSTABLE"})
    assert data["first"] == data["divergences"][0]
    assert {key: data["first"]["place"][key] for key in ("stages", "step", "number", "line")} == {"stages": ["Build"], "step": "sh", "number": 1, "line": 9}
    assert {each["place"]["stages"][-1] for each in data["divergences"]} >= {"Build", "Right"}
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")

    # a secret that is masked in the log is nowhere else either
    logs = [path.read_text("utf-8") for path in repo.state.rglob("log*") if path.is_file()]
    assert len(logs) == 6
    for text in (other.stdout, json.dumps(data), page.read_text("utf-8"), *logs):
        assert CANARY not in text
    assert "deploying with ****" in page.read_text("utf-8")


def test_what_is_not_there(make_repo: MakeRepo) -> None:
    repo = make_repo("echo 'x'")
    for words in (("nowhere",), ("#1",), ("last", "last"), ("app#7", "last")):
        done = repo.cibus("compare", *words)
        assert (done.returncode, done.stdout) == (2, ""), words
        assert done.stderr.startswith("cibus: error: ") and done.stderr.count("\n") == 1


def run_folder(folder: Path, **more: object) -> Path:
    folder.mkdir(parents=True)
    record = {"job": "app", "number": 7, "result": "SUCCESS", "started": time.time(), "seconds": 2.0, "workspace": "/w/app", **more}
    (folder / "build.json").write_text(json.dumps(record))
    (folder / "log").write_text("Started by user x\n[Pipeline] Start of Pipeline\n[Pipeline] End of Pipeline\nFinished: SUCCESS\n")
    return folder


def test_a_runs_folder(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "7", environment={"A": "1", "HOME": "/home/x"}, stages=[{"name": "One", "status": "SUCCESS", "seconds": 1.0}])
    (folder / "artifacts" / "x").mkdir(parents=True)
    (folder / "artifacts" / "x" / "y.txt").write_text("hello\n")
    with open_side(str(folder), None) as side:
        assert (side.title, side.kind, side.result, side.steps, side.tests) == ("app #7 here", "pipeline", "SUCCESS", None, None)
        assert side.environment["A"] == "1"
        assert dict(side.roots) == {"/w/app": "<WORKSPACE>", "/home/x": "<HOME>", "/w": "<WORKSPACES>"}
        assert side.artifacts == {"x/y.txt": "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"}
        assert [stage.name for stage in side.stages] == ["One"]
    shutil.rmtree(folder / "artifacts")
    (folder / "log").unlink()
    with pytest.raises(CibusError, match="log is not there"), open_side(str(folder), None):
        pass
    with pytest.raises(UsageError, match="no such build"), open_side(str(tmp_path / "8"), None):
        pass


def test_a_run_of_before_there_were_marks(tmp_path: Path) -> None:
    from cibus.builds.compare import compare_sides

    with open_side(str(run_folder(tmp_path / "7")), None) as one, open_side(str(run_folder(tmp_path / "8", number=8)), None) as other:
        found = compare_sides(one, other)
    assert found.same and not found.exact
