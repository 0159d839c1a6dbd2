"""Capture, reproduce and compare builds of every kind on a real Jenkins."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from made_builds import INLINE, SCM

from cibus.builds.bundle import Bundle, read_bundle
from cibus.cli import main

if TYPE_CHECKING:
    from live.conftest import Live

SCRIPT = """pipeline {
  agent any
  stages {
    stage('Make') { steps { sh 'echo made > made.txt; cat made.txt' } }
    stage('Both') { parallel { stage('One') { steps { sh 'echo one' } }; stage('Two') { steps { sh 'echo two' } } } }
    stage('Fail') { steps { sh 'exit 7' } }
  }
  post { always { archiveArtifacts 'made.txt' } }
}
"""
FREESTYLE = "<project><builders><hudson.tasks.Shell><command>echo first</command></hudson.tasks.Shell><hudson.tasks.Shell><command>exit 7</command></hudson.tasks.Shell></builders></project>"
MATRIX = (
    "<matrix-project><axes><hudson.matrix.TextAxis><name>DB</name><values><string>a</string><string>b</string></values></hudson.matrix.TextAxis></axes>"
    "<builders><hudson.tasks.Shell><command>echo $DB; test $DB = a</command></hudson.tasks.Shell></builders>"
    '<executionStrategy class="hudson.matrix.DefaultMatrixExecutionStrategyImpl"><runSequentially>true</runSequentially></executionStrategy></matrix-project>'
)


@pytest.fixture
def built(command_line: None, tmp_path: Path) -> Path:
    """The folder in which the commands run; the environment names the controller."""
    return tmp_path


def build(live: Live, name: str, config: str) -> str:
    """Creates a job and starts it; gives its full name."""
    path = f"{live.folder}/{name}"
    live.client.create_item(path, config.encode())
    live.client.build_job(path)
    end = time.monotonic() + 60
    while not live.client.get_job_info(path)["builds"]:
        assert time.monotonic() < end, "the build did not start"
        time.sleep(0.5)
    return path


def captured(path: str) -> Bundle:
    """Captured while it may still run: capture follows it to its end."""
    assert main(["capture", path, "1", "-o", "b.bundle"]) in (0, 3)
    return read_bundle(Path("b.bundle"))


def test_a_pipeline(live: Live, built: Path) -> None:
    from xml.sax.saxutils import escape

    bundle = captured(build(live, "inline", INLINE.format(script=escape(SCRIPT), sandbox="true")))
    assert bundle.build.result == "FAILURE"
    assert (bundle.script or "").strip() == SCRIPT.strip()
    assert (bundle.folder / "console.steps").is_file() or "steps" in bundle.manifest.missing
    assert main(["reproduce", "b.bundle", "--html", "page.html"]) == 0
    assert main(["compare", "b.bundle", "last"]) == 0


def test_a_pipeline_from_scm(live: Live, built: Path) -> None:
    """Needs a controller that can read this machine's files: its own."""
    repository = built / "repository"
    repository.mkdir()
    (repository / "Jenkinsfile").write_text(SCRIPT.replace("made.txt", "made.txt", 1))
    for command in (("-c", "init.defaultBranch=main", "init", "-q"), ("add", "-A"), ("-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", "one")):
        subprocess.run(["git", *command], cwd=repository, check=True)
    subprocess.run(["chmod", "-R", "a+rX", str(built)], check=True)
    bundle = captured(build(live, "scm", SCM.format(url=f"file://{repository}")))
    if "Cloning" not in bundle.console.read_text() and "Fetching" not in bundle.console.read_text():
        pytest.skip("the controller cannot read this machine's files")
    assert bundle.build.own is not None and bundle.build.own.commit
    assert main(["reproduce", "b.bundle"]) == 0


def test_a_freestyle_build(live: Live, built: Path) -> None:
    bundle = captured(build(live, "freestyle", FREESTYLE))
    assert bundle.build.kind == "freestyle"
    assert main(["reproduce", "b.bundle"]) == 0


def test_a_matrix_build(live: Live, built: Path) -> None:
    bundle = captured(build(live, "matrix", MATRIX))
    assert bundle.build.kind == "matrix"
    assert sorted(each.name for each in (bundle.folder / "runs").iterdir()) == ["DB=a", "DB=b"]
    assert main(["reproduce", "b.bundle"]) == 0
