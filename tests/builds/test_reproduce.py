"""``cibus reproduce``: a captured build runs here with its commit, script, parameters, libraries and variables."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from command import Cibus
from containers import IMAGE, needs_podman
from fake_jenkins import FakeJenkins
from hosts.boot import Host
from made_builds import INLINE, SCM, add_build, git, replay_page

Json = dict[str, Any]
USER = {"_class": "hudson.model.CauseAction", "causes": [{"_class": "hudson.model.Cause$UserIdCause", "shortDescription": "Started by user admin", "userName": "admin"}]}


def commit(folder: Path, message: str, **files: str) -> str:
    """Writes files (``a__b`` is ``a/b``) and commits them; gives the commit."""
    if not (folder / ".git").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        git(folder, "-c", "init.defaultBranch=main", "init", "-q")
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)
    return git(folder, "rev-parse", "HEAD")


def build_data(url: str, revision: str, branch: str = "main") -> Json:
    found = {"SHA1": revision, "branch": [{"SHA1": revision, "name": f"refs/remotes/origin/{branch}"}]}
    return {"_class": "hudson.plugins.git.util.BuildData", "lastBuiltRevision": found, "remoteUrls": [url]}


def parameters(**values: str | bool) -> Json:
    listed = [{"_class": f"hudson.model.{'Boolean' if isinstance(value, bool) else 'String'}ParameterValue", "name": name, "value": value} for name, value in values.items()]
    return {"_class": "hudson.model.ParametersAction", "parameters": listed}


SCRIPT_AT = "node {{\n  checkout scm\n  stage('Say') {{ sh 'cat word.txt; echo \"$TARGET $BUILD_NUMBER\"; git rev-parse HEAD' }}\n  stage('End') {{ sh 'exit {code}' }}\n}}\n"
CONSOLE = """Started by user admin
Obtained Jenkinsfile from git {url}
[Pipeline] Start of Pipeline
[Pipeline] node
Running on Jenkins in /var/lib/jenkins/workspace/app
[Pipeline] {{
[Pipeline] checkout
Cloning repository {url}
Checking out Revision {commit} (refs/remotes/origin/main)
[Pipeline] stage
[Pipeline] {{ (Say)
[Pipeline] sh
+ cat word.txt
{word}
+ echo prod 12
prod 12
+ git rev-parse HEAD
{commit}
[Pipeline] }}
[Pipeline] // stage
[Pipeline] stage
[Pipeline] {{ (End)
[Pipeline] sh
+ exit 5
[Pipeline] }}
[Pipeline] // stage
[Pipeline] }}
[Pipeline] // node
[Pipeline] End of Pipeline
ERROR: script returned exit code 5
Finished: FAILURE
"""


class App:
    """A repository that has moved on since build 12 of the job ``app`` was made of it."""

    def __init__(self, fake: FakeJenkins, folder: Path) -> None:
        self.folder = folder
        self.url = f"file://{folder}"
        self.commit = commit(folder, "one", Jenkinsfile=SCRIPT_AT.format(code=5), word_txt="then\n")
        git(folder, "mv", "word_txt", "word.txt")
        git(folder, "commit", "-q", "--amend", "-m", "one")
        self.commit = git(folder, "rev-parse", "HEAD")
        (folder / "word.txt").write_text("now\n")
        (folder / "Jenkinsfile").write_text(SCRIPT_AT.format(code=0))
        git(folder, "commit", "-q", "-a", "-m", "two")
        fake.state.add("app", SCM.format(url=self.url))
        actions = [USER, parameters(TARGET="prod"), build_data(self.url, self.commit)]
        console = CONSOLE.format(url=self.url, commit=self.commit, word="then")
        self.build = add_build(fake, "app", 12, {"result": "FAILURE", "actions": actions}, console=console, extra={"replay": replay_page(SCRIPT_AT.format(code=5))})


@pytest.fixture
def app(empty_jenkins: FakeJenkins, tmp_path: Path) -> App:
    return App(empty_jenkins, tmp_path / "app-repo")


def test_given_only_the_url(empty_jenkins: FakeJenkins, app: App, cibus: Cibus) -> None:
    code, out, err = cibus(empty_jenkins, "reproduce", f"{empty_jenkins.url}job/app/12/", "--format", "jenkins")
    assert "then\n" in out and f"prod 12\n+ git rev-parse HEAD\n{app.commit}\n" in out and "Finished: FAILURE" in out
    assert "the same: app #12" in err
    assert code == 0


def test_offline_from_the_bundle_and_a_clone(empty_jenkins: FakeJenkins, app: App, cibus: Cibus, tmp_path: Path) -> None:
    cibus(empty_jenkins, "capture", "app", "12", "-o", "b.tar.zst")
    empty_jenkins.state.remove("app")
    git(tmp_path, "clone", "-q", str(app.folder), "clone")
    shutil.rmtree(app.folder)
    code, _, err = cibus(empty_jenkins, "reproduce", "b.tar.zst")
    assert code == 2 and "cannot be fetched" in err and "--repo" in err
    code, out, err = cibus(empty_jenkins, "reproduce", "b.tar.zst", "--repo", "clone", "--format", "jenkins")
    assert code == 0, err
    assert f"prod 12\n+ git rev-parse HEAD\n{app.commit}\n" in out


def test_where_this_machine_parts(empty_jenkins: FakeJenkins, app: App, cibus: Cibus, tmp_path: Path) -> None:
    app.build.console = app.build.console.replace("+ exit 5", "make: *** No rule\n+ exit 5")
    code, _, err = cibus(empty_jenkins, "reproduce", "app", "12", "--html", "page.html")
    assert code == 3
    assert "they part at stage End, sh" in err
    assert "  - make: *** No rule" in err
    assert "No rule" in (tmp_path / "page.html").read_text()


def test_the_commit_is_gone(empty_jenkins: FakeJenkins, app: App, cibus: Cibus) -> None:
    app.build.values["actions"][2] = build_data(app.url, "f" * 40)
    app.build.console = app.build.console.replace(app.commit, "f" * 40)
    code, _, err = cibus(empty_jenkins, "reproduce", "app", "12")
    assert code == 2
    assert f"has no commit {'f' * 40}" in err and "--repo" in err


def test_parameters_and_variables_of_the_command_line_are_stronger(empty_jenkins: FakeJenkins, app: App, cibus: Cibus) -> None:
    code, out, _ = cibus(empty_jenkins, "reproduce", "app", "12", "-p", "TARGET=mine", "--format", "jenkins", "--no-compare")
    assert "mine 12" in out
    assert code == 1  # the run's own result


def test_a_replayed_script_runs_instead_of_the_repositorys(empty_jenkins: FakeJenkins, app: App, cibus: Cibus) -> None:
    app.build.extra["replay"] = ("text/html", replay_page("node { echo 'edited' }").encode())
    _, out, _ = cibus(empty_jenkins, "reproduce", "app", "12", "--format", "jenkins", "--no-compare")
    assert "\nedited\n" in out and "then" not in out


def test_libraries_and_other_repositories_are_as_they_were(empty_jenkins: FakeJenkins, cibus: Cibus, tmp_path: Path) -> None:
    library, docs = tmp_path / "library", tmp_path / "docs"
    old = commit(library, "one", vars__say_groovy="def call() { echo 'old library' }\n")
    git(library, "mv", "vars/say_groovy", "vars/say.groovy")
    git(library, "commit", "-q", "--amend", "-m", "one")
    old = git(library, "rev-parse", "HEAD")
    (library / "vars" / "say.groovy").write_text("def call() { echo 'new library' }\n")
    git(library, "commit", "-q", "-a", "-m", "two")
    page = commit(docs, "one", page="old page\n")
    commit(docs, "two", page="new page\n")
    script = f"library 'tools@main'\nnode {{\n  git url: 'file://{docs}', branch: 'main'\n  say()\n  sh 'cat page'\n}}\n"
    console = f"""Started by user admin
Loading library tools@main
Found match: refs/heads/main revision {old}
Cloning repository file://{library}
Checking out Revision {old} (main)
[Pipeline] git
Cloning repository file://{docs}
Checking out Revision {page} (refs/remotes/origin/main)
Finished: SUCCESS
"""
    empty_jenkins.state.add("app", INLINE.format(script="node {}", sandbox="true"))
    actions = [USER, build_data(f"file://{library}", old), build_data(f"file://{docs}", page)]
    add_build(empty_jenkins, "app", 3, {"actions": actions}, console=console, extra={"replay": replay_page(script)})
    code, out, err = cibus(empty_jenkins, "reproduce", "app", "3", "--format", "jenkins", "--no-compare")
    assert code == 0, err
    assert "old library" in out and "old page" in out


def test_variables_of_the_build_and_not_of_its_machine(empty_jenkins: FakeJenkins, cibus: Cibus) -> None:
    injected = {"envMap": {"COLOUR": "blue", "PATH": "/agent/bin", "HOME": "/agent", "BUILD_NUMBER": "99", "TOKEN": "tok-12345678-secret", "CACHE": "/home/jenkins/agent/workspace/app/cache"}}
    console = "Running on agent7 in /home/jenkins/agent/workspace/app\nFinished: SUCCESS\n"
    empty_jenkins.state.add("app", INLINE.format(script="node {}", sandbox="true"))
    script = "node { sh 'echo \"[$COLOUR][$TOKEN][$CACHE][$BUILD_NUMBER]\"; test $HOME != /agent' }"
    add_build(empty_jenkins, "app", 3, {"actions": [USER]}, console=console, extra={"replay": replay_page(script), "injectedEnvVars/api/json": injected})
    code, out, err = cibus(empty_jenkins, "reproduce", "app", "3", "--format", "jenkins", "--no-compare")
    assert code == 0, err
    assert "[blue][][][3]" in out


def test_what_is_needed_is_said_before_anything_runs(empty_jenkins: FakeJenkins, cibus: Cibus) -> None:
    empty_jenkins.state.add("app", INLINE.format(script="node {}", sandbox="true"))
    script = "node('android-sdk') {\n  withCredentials([string(credentialsId: 'deploy', variable: 'KEY')]) { sh 'true' }\n}\n"
    secret = {"_class": "hudson.model.ParametersAction", "parameters": [{"_class": "hudson.model.PasswordParameterValue", "name": "PIN"}]}
    console = "Running on agent1 in /home/jenkins/agent/workspace/app\nFinished: SUCCESS\n"
    add_build(empty_jenkins, "app", 3, {"actions": [USER, secret]}, console=console, extra={"replay": replay_page(script)})
    code, out, err = cibus(empty_jenkins, "reproduce", "app", "3", "--format", "jenkins", "--strict-credentials")
    assert code == 2
    assert "needs the password parameter PIN: give -p PIN=…" in err
    assert "needs the credentials deploy" in err
    assert "credential 'deploy' is not in cibus.toml" in err
    assert "+ true" not in out


def test_a_freestyle_build(jenkins: FakeJenkins, cibus: Cibus, tmp_path: Path) -> None:
    """The recorded one: its builders become stages; its repository is one of here."""
    repository = tmp_path / "acme-app"
    head = commit(repository, "one", tests__unit_xml="")
    git(repository, "mv", "tests/unit_xml", "tests/unit.xml")
    (repository / "tests" / "unit.xml").write_text('<testsuite name="acme.UnitTest"><testcase classname="acme.UnitTest" name="adds" time="0.1"/></testsuite>')
    git(repository, "commit", "-q", "-a", "--amend", "-m", "one")
    head = git(repository, "rev-parse", "HEAD")
    cibus(jenkins, "capture", "acme/platform/app-build", "2", "-o", "b.bundle")
    record = json.loads((tmp_path / "b.bundle" / "build.json").read_text())
    record["checkouts"][0]["commit"] = head
    (tmp_path / "b.bundle" / "build.json").write_text(json.dumps(record))
    code, _, err = cibus(jenkins, "reproduce", "b.bundle")
    assert code == 2 and "build.json: has" in err  # edited
    from cibus.builds.bundle import seal

    seal(tmp_path / "b.bundle", "x", "now", {})
    code, out, err = cibus(jenkins, "reproduce", "b.bundle", "--repo", str(repository), "--format", "jenkins", "--no-compare")
    assert code == 0, err
    assert "[Pipeline] { (Shell 1)" in out and "Recording test results" in out and "Archiving artifacts" in out


def test_a_matrix_build(jenkins: FakeJenkins, cibus: Cibus) -> None:
    code, out, _ = cibus(jenkins, "reproduce", "acme/platform/matrix", "1", "--format", "jenkins", "--no-compare")
    assert code == 1
    assert [line for line in out.splitlines() if line.startswith("[Pipeline] { (DB=")] == [f"[Pipeline] {{ (DB={db},OS={system})" for db in "ab" for system in ("linux", "bsd")]
    assert "ERROR: script returned exit code 1" in out


DECLARATIVE = """pipeline {
  agent any
  stages {
    stage('Make') { steps { sh 'echo made > made.txt' } }
    stage('Check') { steps { sh 'test "$FIXED" = yes' } }
    stage('Ship') { steps { sh 'cat made.txt' } }
  }
}
"""


def test_from_a_stage_with_what_was_there(empty_jenkins: FakeJenkins, cibus: Cibus) -> None:
    empty_jenkins.state.add("app", INLINE.format(script="node {}", sandbox="true"))
    add_build(empty_jenkins, "app", 3, {"actions": [USER], "result": "FAILURE"}, console="Finished: FAILURE\n", extra={"replay": replay_page(DECLARATIVE)})
    code, out, _ = cibus(empty_jenkins, "reproduce", "app", "3", "--no-compare", "--format", "plain")
    assert code == 1
    assert re.search(r"next: +cibus reproduce \S+/app-3\.bundle --resume\n", out)
    code, out, err = cibus(empty_jenkins, "reproduce", "app", "3", "--from", "Check", "--env", "FIXED=yes", "--format", "jenkins")
    assert "resuming build #3 at stage Check" in err
    assert "+ cat made.txt\nmade\n" in out
    assert "+ echo made" not in out
    assert code == 0
    code, _, err = cibus(empty_jenkins, "reproduce", "app", "3", "--from", "Nothing")
    assert code == 2


def test_a_bundle_that_is_none(empty_jenkins: FakeJenkins, cibus: Cibus, tmp_path: Path) -> None:
    (tmp_path / "b.bundle").mkdir()
    code, _, err = cibus(empty_jenkins, "reproduce", "b.bundle")
    assert code == 2 and "is not a bundle: it has no manifest.json" in err
    code, _, err = cibus(empty_jenkins, "reproduce", "missing.tar.zst")
    assert code == 2 and "there is no such bundle" in err


def test_a_build_is_captured_once(empty_jenkins: FakeJenkins, app: App, cibus: Cibus) -> None:
    cibus(empty_jenkins, "reproduce", "app", "12")
    seen = len(empty_jenkins.requests)
    code, _, err = cibus(empty_jenkins, "reproduce", "app", "12")
    assert code == 0, err
    assert len(empty_jenkins.requests) == seen
    cibus(empty_jenkins, "reproduce", "app", "12", "--fresh")
    assert len(empty_jenkins.requests) > seen


def test_the_last_failed_build_is_the_default(empty_jenkins: FakeJenkins, app: App, cibus: Cibus, tmp_path: Path) -> None:
    add_build(empty_jenkins, "app", 13, {"result": "SUCCESS", "actions": [USER]}, console="Finished: SUCCESS\n")
    for _ in range(2):
        code, _, err = cibus(empty_jenkins, "reproduce", "app")
        assert code == 0, err
        assert "cibus: app #12 (FAILURE)" in err
    assert [each.name for each in (tmp_path / "state" / "bundles").glob("*/*")] == ["app-12.bundle"]


# -- freestyle and matrix jobs beside the pipelines that are made of them

FREE = "<project><builders>{builders}</builders></project>"
SHELL = "<hudson.tasks.Shell><command>{command}</command></hudson.tasks.Shell>"
FREE_LOG = """Started by user admin
Running as SYSTEM
Building on master in workspace /var/lib/jenkins/workspace/app
[app] $ /bin/sh -xe /tmp/jenkins4711.sh
+ echo first
first
[app] $ /bin/sh -xe /tmp/jenkins4712.sh
+ echo second of 2
second of 2
+ exit 7
Build step 'Execute shell' marked build as failure
Finished: FAILURE
"""


@pytest.mark.parametrize(("said", "code"), [("second of 2", 0), ("second of 3", 3)])
def test_a_freestyle_build_is_compared_by_its_builders(empty_jenkins: FakeJenkins, cibus: Cibus, said: str, code: int) -> None:
    builders = SHELL.format(command="echo first") + SHELL.format(command="echo second of 2; exit 7")
    empty_jenkins.state.add("app", FREE.format(builders=builders))
    add_build(empty_jenkins, "app", 4, {"result": "FAILURE", "actions": [USER]}, console=FREE_LOG.replace("second of 2", said), cls="hudson.model.FreeStyleBuild")
    got, _, err = cibus(empty_jenkins, "reproduce", "app", "4")
    assert got == code, err
    if code:
        assert "Shell 2" in err and "- second of 3" in err


MATRIX = """<matrix-project><axes><hudson.matrix.TextAxis><name>DB</name><values><string>a</string><string>b</string></values></hudson.matrix.TextAxis></axes>
<builders><hudson.tasks.Shell><command>echo db is $DB</command></hudson.tasks.Shell><hudson.tasks.Shell><command>test $DB = a</command></hudson.tasks.Shell></builders>
<executionStrategy class="hudson.matrix.DefaultMatrixExecutionStrategyImpl"/></matrix-project>"""
CELL = """Started by upstream project "app" build number 4
originally caused by:
 Started by user admin
Building on master in workspace /var/lib/jenkins/workspace/app/DB/{db}
[{db}] $ /bin/sh -xe /tmp/jenkins1{db}.sh
+ echo db is {db}
db is {shown}
[{db}] $ /bin/sh -xe /tmp/jenkins2{db}.sh
+ test {db} = a
{end}"""


@pytest.mark.parametrize(("shown", "code"), [("b", 0), ("bb", 3)])
def test_a_matrix_build_is_compared_by_combination(empty_jenkins: FakeJenkins, cibus: Cibus, shown: str, code: int) -> None:
    empty_jenkins.state.add("app", MATRIX)
    log = "Started by user admin\nBuilding on master in workspace /var/lib/jenkins/workspace/app\nTriggering app » a\nTriggering app » b\napp » a completed with result SUCCESS\napp » b completed with result FAILURE\nFinished: FAILURE\n"
    build = add_build(empty_jenkins, "app", 4, {"result": "FAILURE", "actions": [USER]}, console=log, cls="hudson.matrix.MatrixBuild")
    for db, end, result in (("a", "Finished: SUCCESS\n", "SUCCESS"), ("b", "Build step 'Execute shell' marked build as failure\nFinished: FAILURE\n", "FAILURE")):
        cell = CELL.format(db=db, shown=shown if db == "b" else db, end=end)
        build.extra[f"DB={db}/consoleText"] = ("text/plain", cell.encode())
        build.extra[f"DB={db}/api/json"] = ("application/json", json.dumps({"_class": "hudson.matrix.MatrixRun", "result": result, "duration": 5}).encode())
    got, _, err = cibus(empty_jenkins, "reproduce", "app", "4")
    assert got == code, err
    if code:
        assert "- db is bb" in err


@needs_podman
def test_in_a_container(empty_jenkins: FakeJenkins, app: App, cibus: Cibus, monkeypatch: pytest.MonkeyPatch) -> None:
    app.build.extra["replay"] = ("text/html", replay_page(SCRIPT_AT.format(code=5).replace("; git rev-parse HEAD", f"; echo {app.commit}; test -f /run/.containerenv")).encode())
    monkeypatch.setenv("CIBUS_CONTAINERS", "podman")
    code, out, err = cibus(empty_jenkins, "reproduce", "app", "12", "--on", f"container:{IMAGE}", "--format", "jenkins", "--no-compare")
    assert "then\n" in out and "+ test -f /run/.containerenv\n[Pipeline] }" in out, err
    assert "script returned exit code 5" in out
    assert code == 1


def test_on_another_machine(empty_jenkins: FakeJenkins, app: App, cibus: Cibus, host: Host) -> None:
    code, out, err = cibus(empty_jenkins, "reproduce", "app", "12", "--on", host.url, "--format", "jenkins")
    assert "Running on" in out and f"prod 12\n+ git rev-parse HEAD\n{app.commit}\n" in out
    assert code == 0, err
