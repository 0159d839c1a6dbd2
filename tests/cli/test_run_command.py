"""``cibus run`` as a person runs it: real repositories, real processes, real terminals."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from containers import needs_podman
from repos import MakeRepo, Repo

FAILING = """pipeline {
  agent any
  environment { TOKEN = credentials('token') }
  stages {
    stage('Build') { steps { sh 'echo built > file.txt' } }
    stage('Test') { steps {
      sh 'echo testing; test -e fixed'
      echo 'went on'
    } }
  }
}
"""
CREDENTIAL = '[credentials.token]\nkind = "string"\nsecret = { value = "s3cr3t-v4lue" }\n'


@pytest.fixture
def failing(make_repo: MakeRepo) -> Repo:
    return make_repo(FAILING, {"cibus.toml": CREDENTIAL})


def spawn(repo: Repo, *args: str, width: int = 120) -> pexpect.spawn[str]:
    env = repo.environ(SHELL="/bin/sh", TERM="xterm")
    return pexpect.spawn(repo.program, list(args), cwd=str(repo.path), env=env, encoding="utf-8", timeout=60, dimensions=(30, width))


# -- what is printed


def test_plain_output_and_summary(failing: Repo) -> None:
    done = failing.cibus("run")
    assert done.returncode == 1
    assert "\x1b" not in done.stdout
    assert "    + test -e fixed\n" in done.stdout
    assert "failed: sh echo testing; test -e fixed\n  at Jenkinsfile:7, stage Test\n" in done.stdout
    assert "next:      cibus run --resume\n" in done.stdout


def test_resume_is_what_the_summary_says(failing: Repo) -> None:
    failing.cibus("run")
    failing.write({"Jenkinsfile": FAILING.replace("test -e fixed", "cat file.txt")})
    done = failing.cibus("run", "--resume")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "built" in done.stdout


def test_the_last_json_line_is_the_record(failing: Repo) -> None:
    done = failing.cibus("run", "--format", "jsonl")
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["event"] == "run-ended"
    assert last["record"]["stages"][-1] == {**last["record"]["stages"][-1], "name": "Test", "status": "FAILED"}
    assert last["record"]["resumable"] is True
    assert "fidelity" in last["record"]


@pytest.mark.parametrize("width", [30, 120])
def test_the_live_view_ends_with_the_summary(failing: Repo, width: int) -> None:
    failing.write({"Jenkinsfile": FAILING.replace("echo testing;", "echo testing; sleep 1;")})
    child = spawn(failing, "run", width=width)
    text = child.read()
    child.close()
    assert child.exitstatus == 1
    assert "\x1b[2K" in text  # it was drawn again and again
    assert "FAILURE" in text
    assert "s3cr3t" not in text


def test_no_groovy_is_one_line(failing: Repo) -> None:
    done = failing.cibus("run", CIBUS_GROOVY_JAR="/nowhere.jar")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "CIBUS_GROOVY_JAR" in done.stderr


def test_runs_after_a_run(failing: Repo) -> None:
    failing.cibus("run")
    assert "app#1  FAILURE" in failing.cibus("runs", "list").stdout
    shown = failing.cibus("runs", "show").stdout
    assert re.search(r"to resume:\n(  .*\n)*  Test +\d+ files ", shown)
    assert failing.cibus("runs", "log").stdout.endswith("Finished: FAILURE\n")
    assert failing.cibus("runs", "clean", "--all").returncode == 0
    assert "no runs" in failing.cibus("runs", "list").stdout


# -- credentials before the run


NAMING = """def helper() { sshagent(['key-a']) { } }
node { withCredentials([string(credentialsId: 'b', variable: 'B'), usernamePassword(credentialsId: "c", usernameVariable: 'U', passwordVariable: 'P')]) { echo 'in' } }
"""


def test_missing_credentials_are_remarks(make_repo: MakeRepo) -> None:
    done = make_repo(NAMING).cibus("run")
    assert re.findall(r"Jenkinsfile:(\d+): credential '([\w-]+)' is not in cibus.toml", done.stderr) == [("1", "key-a"), ("2", "b"), ("2", "c")]
    assert done.returncode == 1  # when it is reached, as in Jenkins
    assert "Running on" in done.stdout


def test_strict_credentials_runs_nothing(make_repo: MakeRepo) -> None:
    repo = make_repo(NAMING)
    done = repo.cibus("run", "--strict-credentials")
    assert done.returncode == 2
    assert "credential 'b' is not in cibus.toml" in done.stderr
    assert "nothing was run" in done.stderr
    assert not (repo.state / "workspaces").exists()


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('secret = { env = "CIBUS_TEST_UNSET" }', "the environment variable CIBUS_TEST_UNSET is not set"),
        ('secret = { file = "nowhere.txt" }', "cannot be read"),
        ('secret = { command = "cibus-no-such-program" }', "is not installed"),
        ("", "has no secret in cibus.toml"),
    ],
)
def test_a_source_that_cannot_be_had(make_repo: MakeRepo, toml: str, words: str) -> None:
    repo = make_repo("pipeline { agent none\n environment { T = credentials('t') }\n stages { stage('A') { steps { echo 'x' } } } }", {"cibus.toml": f'[credentials.t]\nkind = "string"\n{toml}\n'})
    done = repo.cibus("run")
    assert "Jenkinsfile:2: credential 't'" in done.stderr
    assert words in done.stderr


def test_what_only_looks_like_a_credential(make_repo: MakeRepo) -> None:
    done = make_repo("// credentials('comment')\necho \"credentialsId: 'text'\"\n").cibus("run")
    assert done.returncode == 0
    assert "credential" not in done.stderr


# -- a shell where a step failed


@pytest.mark.parametrize(("answer", "code", "end"), [("a", 1, "FAILURE"), ("skip", 0, "SUCCESS"), ("r", 0, "SUCCESS")])
def test_a_shell_where_it_failed(failing: Repo, answer: str, code: int, end: str) -> None:
    child = spawn(failing, "run", "--on-failure", "shell")
    child.expect_exact("failed at Jenkinsfile:7) $ ")
    child.sendline('echo "<$TOKEN>" "<$STAGE_NAME>"; pwd; cat file.txt')
    child.expect_exact("<s3cr3t-v4lue> <Test>")
    child.expect(r"workspaces/app\s+built")
    child.sendline("touch fixed" if answer == "r" else "true")
    child.sendline("exit 3")
    child.expect_exact("[a]bort? ")
    child.sendline("what")
    child.expect_exact("[a]bort? ")
    child.sendline(answer)
    child.expect(end)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == code
    log = next(failing.state.glob("*/jobs/app/builds/1/log")).read_text()
    assert ("went on" in log) == (code == 0)
    assert log.count("+ test -e fixed") == (2 if answer == "r" else 1)


@needs_podman
def test_a_shell_in_the_container_where_it_failed(make_repo: MakeRepo) -> None:
    repo = make_repo("node { docker.image('localhost/cibus-test').inside { withEnv(['COLOUR=red']) { sh 'test -e fixed'; echo 'went on' } } }\n")
    child = spawn(repo, "run", "--inline", "--on-failure", "shell")
    child.expect_exact("failed at Jenkinsfile:1) $ ")
    child.sendline('echo "<$COLOUR>"; cat /etc/cibus-image; touch fixed')
    child.expect(r"<red>\s+cibus test image")
    child.sendline("exit")
    child.expect_exact("[a]bort? ")
    child.sendline("r")
    child.expect("SUCCESS")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_ctrl_c_at_the_question_aborts(failing: Repo) -> None:
    child = spawn(failing, "run", "--on-failure", "shell")
    child.expect_exact(") $ ")
    child.sendline("exit")
    child.expect_exact("[a]bort? ")
    child.sendintr()
    child.expect("ABORTED")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 4


def test_without_a_terminal_there_is_no_shell(failing: Repo) -> None:
    assert failing.cibus("run", "--on-failure", "shell").returncode == 1


# -- a dry run


DRY = """node('gpu') {
  checkout scm
  def version = sh(script: 'git describe', returnStdout: true).trim()
  if (sh(script: 'false', returnStatus: true) == 0) { echo "status fine, version '${version}'" }
  def data = readJSON file: 'x.json'
  echo "name ${data.name} from ${readJSON(text: '{"a": 5}').a}"
  if (!fileExists('x') && findFiles(glob: '**').size() == 0) { echo "nothing there: '${readFile 'x'}'" }
  writeFile file: 'left-behind', text: 'x'
  withCredentials([string(credentialsId: 'unknown', variable: 'X')]) { sh 'deploy' }
  stage('Ask') { input 'sure?'; def b = build(job: 'down'); echo "down: ${b.result}" }
  sleep 1000
  waitUntil { false }
  mail to: 'a@example.com', subject: 's', body: 'b'
  def tools = load 'ci/tools.groovy'
  tools.greet()
}
"""


def test_dry_run(make_repo: MakeRepo) -> None:
    repo = make_repo(DRY, {"ci/tools.groovy": "def greet() { sh 'echo greet' }\nreturn this\n"})
    started = time.monotonic()
    done = repo.cibus("run", "--dry-run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert time.monotonic() - started < 30
    for part in (
        "[dry-run] node: gpu",
        "[dry-run] sh: git describe, returnStdout=True",
        "status fine, version ''",
        "name null from 5",
        "nothing there: ''",
        "[dry-run] writeFile: left-behind, text=x",
        "[dry-run] input: sure?",
        "down: SUCCESS",
        "[dry-run] sleep: 1000",
        "[dry-run] sh: echo greet",
    ):
        assert part in done.stdout
    assert not list(repo.state.rglob("left-behind"))
    assert not (repo.state / "workspaces").exists()


def test_dry_run_of_a_declarative_pipeline(failing: Repo, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    done = failing.cibus("run", "--dry-run", "--report", str(report))
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(report.read_text())["fidelity"]["steps"]["sh"] == {"skipped": 2}
    assert not list(failing.state.rglob("file.txt"))


# -- running again on changes


@pytest.fixture
def watching(make_repo: MakeRepo) -> Iterator[tuple[Repo, pexpect.spawn[str]]]:
    repo = make_repo("node { checkout scm\n echo readFile('text.txt') }", {"text.txt": "first", ".gitignore": "*.tmp\n"})
    child = spawn(repo, "run", "--watch", "--format", "plain", width=200)
    try:
        child.expect_exact("first")
        child.expect_exact("Ctrl-C ends")
        yield repo, child
    finally:
        child.close(force=True)


def test_watch_runs_again(watching: tuple[Repo, pexpect.spawn[str]]) -> None:
    repo, child = watching
    repo.write({"ignored.tmp": "x"})
    time.sleep(1.2)
    repo.write({"text.txt": "second"})
    child.expect(r"\d\d:\d\d:\d\d text.txt changed; running again")
    child.expect_exact("second")
    child.expect_exact("Ctrl-C ends")
    repo.write({"Jenkinsfile": "node { oops"})
    child.expect_exact("Jenkinsfile changed; running again")
    child.expect_exact("FAILURE")
    child.expect_exact("Ctrl-C ends")
    child.sendintr()
    child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus == 130


def test_ctrl_c_during_a_watched_run_ends_it_all(make_repo: MakeRepo) -> None:
    repo = make_repo("node { echo 'begin'\n sleep 60 }")
    child = spawn(repo, "run", "--watch", "--format", "plain")
    child.expect_exact("Sleeping for 1 min")
    child.sendintr()
    child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus == 130


# -- looking at it in a terminal


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
@pytest.mark.parametrize(("columns", "rows"), [(110, 30), (36, 12)])
def test_the_live_tree_in_a_terminal(make_repo: MakeRepo, columns: int, rows: int) -> None:
    branches = "def b = [:]\nfor (int i = 0; i < 30; i++) { def n = i; b[\"shard $n\"] = { sh \"echo part $n; sleep 5\" } }\n"
    repo = make_repo(branches + "node { stage('Build') { sh 'echo compiled' }\n stage('Fan') { parallel b } }")
    socket = f"cibus-{os.getpid()}-{columns}"
    tmux = ["tmux", "-L", socket, "-f", "/dev/null"]
    env = {name: value for name, value in repo.environ().items() if name != "TMUX"}
    command = f"{repo.program} run; sleep 60"
    subprocess.run([*tmux, "new-session", "-d", "-x", str(columns), "-y", str(rows), command], cwd=repo.path, env=env, check=True)
    try:
        screen = _wait_for_screen(tmux, "✓ Build", "Fan", "▸ sh")
        lines = screen.splitlines()
        assert max(map(len, lines)) <= columns
        assert lines[0].split()[1:3] == ["app", "#1"]
        assert "running" in screen  # the branches that do not fit are counted
        _wait_for_screen(tmux, "log:")
    finally:
        subprocess.run([*tmux, "kill-server"], check=False, capture_output=True)


def _wait_for_screen(tmux: list[str], *parts: str) -> str:
    end = time.monotonic() + 40
    screen = ""
    while time.monotonic() < end:
        screen = subprocess.run([*tmux, "capture-pane", "-p"], capture_output=True, text=True, check=False).stdout
        if all(part in screen for part in parts):
            return screen
        time.sleep(0.2)
    raise AssertionError(f"{parts} did not show; the screen was:\n{screen}")


def test_version_imports_little() -> None:
    code = "import sys; from cibus.cli import main; main(['--version']); print(sorted({m.split('.')[0] for m in sys.modules} & {'rich', 'typer', 'yaml', 'keyring', 'watchfiles'}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
