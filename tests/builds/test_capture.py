"""``cibus capture`` against the fake Jenkins: what a bundle holds, bad days, and that no secret is in it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from command import Cibus
from fake_jenkins import FakeJenkins, Fault
from made_builds import add_build
from peak import peak
from plain_build import CONSOLE, SCRIPT, AddPipeline

from cibus.builds.bundle import Bundle, read_bundle
from cibus.builds.packing import opened
from cibus.marks import Lines, Opened, read_marks


def captured(path: Path) -> Bundle:
    return read_bundle(path)


def test_a_pipeline(empty_jenkins: FakeJenkins, add_pipeline: AddPipeline, cibus: Cibus, tmp_path: Path) -> None:
    add_pipeline()
    code, out, _ = cibus(empty_jenkins, "capture", f"{empty_jenkins.url}job/app/12/console")
    assert out.startswith("app-12.bundle: app #12 (pipeline, FAILURE), 0 secrets left out\n")
    bundle = captured(tmp_path / "app-12.bundle")
    assert bundle.script == SCRIPT
    assert bundle.console.read_text() == CONSOLE
    assert [(each.name, each.value, each.kind) for each in bundle.build.parameters] == [("TARGET", "prod", "string")]
    assert [(each.kind, each.detail) for each in bundle.build.causes] == [("hudson.model.Cause$UserIdCause", "admin")]
    assert [(each["name"], each["status"], each["seconds"]) for each in bundle.json("stages.json")] == [("Build", "SUCCESS", 0.3), ("Test", "FAILED", 0.4)]
    assert [(each.name, each.workspace) for each in bundle.build.agents] == [("agent7", "/home/jenkins/agent/workspace/app")]
    assert bundle.json("plugins.json")["workflow-cps"]
    assert bundle.build.script.origin == "build"
    assert bundle.build.jenkins == "2.277.3"
    assert code == 3 and "agent agent7" in out  # it is gone, which the bundle says


def test_the_last_failed_build_is_the_default(empty_jenkins: FakeJenkins, add_pipeline: AddPipeline, cibus: Cibus, tmp_path: Path) -> None:
    add_pipeline()
    add_pipeline(number=13, result="SUCCESS")
    cibus(empty_jenkins, "capture", "app")
    assert captured(tmp_path / "app-12.bundle").build.number == 12


def test_one_file(empty_jenkins: FakeJenkins, add_pipeline: AddPipeline, cibus: Cibus, tmp_path: Path) -> None:
    add_pipeline()
    cibus(empty_jenkins, "capture", "app", "12", "-o", "app.tar.zst")
    with opened(tmp_path / "app.tar.zst") as bundle:
        assert bundle.build.number == 12
    assert sorted(each.name for each in tmp_path.iterdir() if each.name.startswith((".app", "app"))) == ["app.tar.zst"]


RECORDED = {
    "acme/platform/app-build": ("2", "freestyle", "builders"),
    "acme/platform/pipe-scm": ("3", "pipeline", "build"),
    "acme/platform/pipe-inline": ("3", "pipeline", "config"),
    "acme/platform/matrix": ("1", "matrix", "builders"),
}


@pytest.mark.parametrize("job", RECORDED)
def test_recorded_builds(jenkins: FakeJenkins, cibus: Cibus, tmp_path: Path, job: str) -> None:
    number, kind, origin = RECORDED[job]
    code, _, err = cibus(jenkins, "capture", job, number, "-o", "b")
    assert code in (0, 3), err
    build = captured(tmp_path / "b").build
    assert (build.kind, build.script.origin, build.job, build.number) == (kind, origin, job, int(number))


def test_a_freestyle_build(jenkins: FakeJenkins, cibus: Cibus, tmp_path: Path) -> None:
    cibus(jenkins, "capture", "acme/platform/app-build", "2", "-o", "b")
    bundle = captured(tmp_path / "b")
    build = bundle.build
    secret = {each.name: each for each in build.parameters}["API_KEY"]
    assert secret.secret and secret.kind == "password" and secret.value == ""
    assert {each.name: each.kind for each in build.parameters}["FLAVOUR"] == "choice"
    assert [(each.url, each.commit[:8], each.branch, each.own) for each in build.checkouts] == [("file:///srv/git/acme-app.git", "766bfdf7", "main", True)]
    assert [each["msg"] for each in build.changes][1:] == ["Second change", "Fix test"]
    assert "stage('Shell 1')" in (bundle.script or "")
    assert "junit testResults: 'out/*.xml'" in (bundle.script or "")
    assert "{AQAA" not in (bundle.folder / "config.xml").read_text()


def test_a_matrix(jenkins: FakeJenkins, cibus: Cibus, tmp_path: Path) -> None:
    cibus(jenkins, "capture", "acme/platform/matrix", "1", "-o", "b")
    bundle = captured(tmp_path / "b")
    assert (bundle.folder / "runs" / "DB=b,OS=bsd" / "console.txt").read_text().endswith("Finished: FAILURE\n")
    assert (bundle.script or "").count("withEnv(['DB=") == 4
    assert "run DB=a,OS=bsd" in bundle.manifest.missing


INLINE_AGENT = "<slave><name>agent7</name><remoteFS>/home/jenkins</remoteFS><label>linux android-sdk</label><nodeProperties><hudson.slaves.EnvironmentVariablesNodeProperty><envVars serialization='custom'><unserializable-parents/><tree-map><default><comparator class='hudson.util.CaseInsensitiveComparator'/></default><int>2</int><string>ANDROID_HOME</string><string>/opt/android</string><string>UPLOAD_TOKEN</string><string>tok-9f8e7d6c5b4a</string></tree-map></envVars></hudson.slaves.EnvironmentVariablesNodeProperty></nodeProperties></slave>"


def test_the_environment_from_all_that_tells(empty_jenkins: FakeJenkins, add_pipeline: AddPipeline, cibus: Cibus, tmp_path: Path) -> None:
    injected = {"_class": "x", "envMap": {"COLOUR": "blue", "DEPLOY_PASSWORD": "correct-horse-7"}}
    console = CONSOLE.replace("testing\n+ exit 3", "+ env\nSHAPE=round\nBUILD_MODE=fast\ntesting\n+ exit 3")
    add_pipeline(extra={"injectedEnvVars/api/json": injected}, console=console)
    cibus(empty_jenkins, "capture", "app", "12")
    build = captured(tmp_path / "app-12.bundle").build
    assert build.environment["COLOUR"] == "blue"
    assert (build.environment["SHAPE"], build.environment_from["SHAPE"]) == ("round", "log")
    assert "correct-horse-7" not in json.dumps(build.environment)


def test_tests_and_artifacts(empty_jenkins: FakeJenkins, add_pipeline: AddPipeline, cibus: Cibus, tmp_path: Path) -> None:
    cases = [{"className": "a.B", "name": "c", "status": "REGRESSION", "duration": 0.5, "errorDetails": "expected 1"}, {"className": "a.B", "name": "d", "status": "FIXED", "duration": 0.1}]
    action = {"_class": "hudson.tasks.junit.TestResultAction", "failCount": 1, "totalCount": 2, "urlName": "testReport"}
    build = add_pipeline(extra={"testReport/api/json": {"_class": "r", "suites": [{"name": "s", "cases": cases}]}}, actions=[action], artifacts=[{"fileName": "app.txt", "relativePath": "out/app.txt"}])
    build.extra["artifact/out/app.txt"] = ("text/plain", b"made of password=Zx9Kq2Lm7p\n")
    cibus(empty_jenkins, "capture", "app", "12", "--artifacts")
    bundle = captured(tmp_path / "app-12.bundle")
    assert [(each["name"], each["status"], each["message"]) for each in bundle.json("tests.json")] == [("c", "FAILED", "expected 1"), ("d", "PASSED", "")]
    listed = bundle.json("artifacts.json")[0]
    assert (listed["path"], listed["size"], listed["redacted"]) == ("out/app.txt", 28, True)
    assert "Zx9Kq2Lm7p" not in (bundle.folder / "artifacts" / "out" / "app.txt").read_text()


def test_a_replayed_build_has_the_script_that_ran(empty_jenkins: FakeJenkins, add_pipeline: AddPipeline, cibus: Cibus, tmp_path: Path) -> None:
    cause = {"_class": "org.jenkinsci.plugins.workflow.cps.replay.ReplayCause", "shortDescription": "Replayed #11"}
    add_pipeline(script="echo '<edited> & replayed'\n", actions=[{"_class": "hudson.model.CauseAction", "causes": [cause]}])
    cibus(empty_jenkins, "capture", "app", "12")
    bundle = captured(tmp_path / "app-12.bundle")
    assert bundle.script == "echo '<edited> & replayed'\n"
    assert bundle.build.script.replayed


def test_libraries_and_several_repositories(empty_jenkins: FakeJenkins, add_pipeline: AddPipeline, cibus: Cibus, tmp_path: Path) -> None:
    one, two, three = "1" * 40, "2" * 40, "3" * 40
    console = f"""Started by timer
Obtained ci/Jenkinsfile from git https://git.example/app.git
Loading library tools@main
Attempting to resolve main from remote references...
Found match: refs/heads/main revision {one}
Cloning repository https://git.example/tools.git
Checking out Revision {one} (main)
[Pipeline] Start of Pipeline
Cloning repository https://git.example/app.git
Checking out Revision {two} (refs/remotes/origin/feature/x)
Cloning repository https://git.example/docs.git
Checking out Revision {three} (refs/remotes/origin/main)
Finished: FAILURE
"""
    urls = [("https://git.example/tools.git", one), ("https://git.example/app.git", two), ("https://git.example/docs.git", three)]
    data = [{"_class": "hudson.plugins.git.util.BuildData", "lastBuiltRevision": {"SHA1": commit, "branch": [{"SHA1": commit, "name": "refs/remotes/origin/main"}]}, "remoteUrls": [url]} for url, commit in urls]
    data[1]["lastBuiltRevision"]["branch"][0]["name"] = "refs/remotes/origin/feature/x"  # type: ignore[index]
    add_pipeline(console=console, actions=data)
    cibus(empty_jenkins, "capture", "app", "12")
    build = captured(tmp_path / "app-12.bundle").build
    assert [(each.url, each.commit, each.branch, each.own) for each in build.checkouts] == [
        ("https://git.example/app.git", two, "feature/x", True),
        ("https://git.example/docs.git", three, "main", False),
    ]
    assert [(each.name, each.version, each.commit, each.url) for each in build.libraries] == [("tools", "main", one, "https://git.example/tools.git")]
    assert build.script.path == "ci/Jenkinsfile"


# -- bad days

WORDS = {
    ("app", "99"): (1, "has no build 99: not built yet; it has #12 to #12"),
    ("app", "3"): (1, "has no build 3: it was deleted; it has #12 to #12"),
    ("nothing",): (1, "has no job nothing, or admin may not see it (404)"),
    ("app", "next"): (2, "next: not a build's number"),
    ("ftp://ci.example/job/app/1/",): (2, "not the URL of a build"),
    ("http://u:secret@ci.example/job/app/1/",): (2, "leave user and password out of the URL"),
    ("https://ci.example/",): (2, "names no job"),
}


@pytest.mark.parametrize("args", WORDS)
def test_one_clear_line(empty_jenkins: FakeJenkins, add_pipeline: AddPipeline, cibus: Cibus, args: tuple[str, ...]) -> None:
    add_pipeline()
    code, words = WORDS[args]
    got, out, err = cibus(empty_jenkins, "capture", *args)
    assert (got, out) == (code, "")
    assert words in err and err.count("\n") == 1
    assert "secret" not in err


@pytest.mark.parametrize(("kind", "code", "words"), [("401", 2, "refuses user 'admin' or the token"), ("403", 1, "refuses"), ("html", 2, "login")])
def test_refused(empty_jenkins: FakeJenkins, add_pipeline: AddPipeline, cibus: Cibus, kind: str, code: int, words: str) -> None:
    add_pipeline()
    empty_jenkins.faults.set(Fault(kind, path="/12/"))
    got, _, err = cibus(empty_jenkins, "capture", "app", "12")
    assert got == code and words in err and err.count("\n") == 1


def test_a_login_page_instead_of_the_log(empty_jenkins: FakeJenkins, add_pipeline: AddPipeline, cibus: Cibus, tmp_path: Path) -> None:
    add_pipeline()
    empty_jenkins.faults.set(Fault("html", path="/consoleText"))
    code, _, err = cibus(empty_jenkins, "capture", "app", "12")
    assert code == 2 and "login page" in err
    empty_jenkins.faults.set()
    code, out, _ = cibus(empty_jenkins, "capture", "app", "12")
    assert "went on with a capture that was interrupted" in out
    assert captured(tmp_path / "app-12.bundle").console.read_text() == CONSOLE


@pytest.mark.parametrize("kind", ["reset", "500", "503", "truncated", "slow"])
def test_a_controller_that_is_ill_now_and_then(empty_jenkins: FakeJenkins, add_pipeline: AddPipeline, cibus: Cibus, tmp_path: Path, kind: str) -> None:
    add_pipeline()
    empty_jenkins.faults.set(*(Fault(kind, path=path, times=1, seconds=0.3) for path in ("/api/json", "consoleText", "wfapi", "pluginManager", "replay")))
    code, _, err = cibus(empty_jenkins, "capture", "app", "12")
    assert code in (0, 3), err
    bundle = captured(tmp_path / "app-12.bundle")
    assert bundle.console.read_text() == CONSOLE
    assert bundle.script == SCRIPT
    assert bundle.json("stages.json")


def test_without_plugins_and_rights_it_says_what_is_missing(empty_jenkins: FakeJenkins, add_pipeline: AddPipeline, cibus: Cibus, tmp_path: Path) -> None:
    build = add_pipeline()
    del build.extra["wfapi/describe"], build.extra["replay"]
    empty_jenkins.faults.set(Fault("403", path="pluginManager"))
    code, out, _ = cibus(empty_jenkins, "capture", "app", "12")
    assert code == 3
    assert "not had: stages: the controller has no stage view (plugin pipeline-rest-api)" in out
    assert "not had: script: the replay page is not to be had" in out
    assert "not had: plugins:" in out
    assert captured(tmp_path / "app-12.bundle").script == "node {}"


def test_nothing_is_overwritten_unasked(empty_jenkins: FakeJenkins, add_pipeline: AddPipeline, cibus: Cibus, tmp_path: Path) -> None:
    add_pipeline()
    (tmp_path / "mine").write_text("precious")
    code, _, err = cibus(empty_jenkins, "capture", "app", "12", "-o", "mine")
    assert code == 2 and "is there already" in err
    assert (tmp_path / "mine").read_text() == "precious"
    assert cibus(empty_jenkins, "capture", "app", "12", "-o", "b")[0] == 3
    assert cibus(empty_jenkins, "capture", "app", "12", "-o", "b", "--force")[0] == 3
    captured(tmp_path / "b")


def test_a_build_that_still_runs_is_followed(empty_jenkins: FakeJenkins, add_pipeline: AddPipeline, cibus: Cibus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cibus.builds.logcapture.POLL", 0.05)
    build = add_pipeline(result=None, building=True, console="")

    def run() -> None:
        at = 0
        while at < len(CONSOLE):
            time.sleep(0.06)
            at += 97  # in the middle of lines
            build.console = CONSOLE[:at]
        time.sleep(0.2)
        build.values.update(building=False, result="FAILURE")

    thread = threading.Thread(target=run)
    thread.start()
    code, _, err = cibus(empty_jenkins, "capture", "app", "12")
    thread.join()
    assert code == 3, err
    bundle = captured(tmp_path / "app-12.bundle")
    assert bundle.console.read_text() == CONSOLE
    assert bundle.build.result == "FAILURE"
    assert not [each for each in empty_jenkins.requests if "consoleText" in str(each)]


def test_interrupted_at_many_moments(empty_jenkins: FakeJenkins, add_pipeline: AddPipeline, tmp_path: Path) -> None:
    """``kill -9`` while any of the requests is answered: no bundle, or a whole one; the next capture completes it."""
    line = "[INFO] step {} of many, nothing special about it\n"
    console = CONSOLE.replace("testing\n+ exit", "".join(line.format(number) for number in range(20_000)) + "+ exit")
    add_pipeline(console=console)
    environ = {**os.environ, "CIBUS_JENKINS_URL": empty_jenkins.url, "CIBUS_JENKINS_USER": empty_jenkins.user, "CIBUS_JENKINS_TOKEN": empty_jenkins.token}
    command = [sys.executable, "-m", "cibus", "capture", "app", "12", "-o", str(tmp_path / "b")]
    whole = subprocess.run(command, env=environ, check=False, capture_output=True, text=True)
    assert whole.returncode == 3, whole.stderr
    wanted = (tmp_path / "b" / "console.txt").read_bytes()
    count = len(empty_jenkins.requests)
    for moment in range(1, count, 3):
        subprocess.run(["rm", "-rf", str(tmp_path / "b")], check=True)
        started = threading.Event()
        seen = len(empty_jenkins.requests)
        process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and len(empty_jenkins.requests) - seen < moment:
            started.wait(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if (tmp_path / "b").exists():
            captured(tmp_path / "b")
            continue
        again = subprocess.run(command, env=environ, check=False, capture_output=True, text=True)
        assert again.returncode == 3, again.stderr
        captured(tmp_path / "b")
        assert (tmp_path / "b" / "console.txt").read_bytes() == wanted


def test_a_log_that_breaks_off_is_gone_on_with(empty_jenkins: FakeJenkins, add_pipeline: AddPipeline, cibus: Cibus, tmp_path: Path) -> None:
    console = CONSOLE.replace("testing\n", "".join(f"line {number} with ünïcode\n" for number in range(50_000)))
    add_pipeline(console=console)
    empty_jenkins.faults.set(Fault("truncated", path="consoleText", times=3))
    code, _, err = cibus(empty_jenkins, "capture", "app", "12")
    assert code == 3, err
    assert captured(tmp_path / "app-12.bundle").console.read_text() == console


def test_an_artifact_with_a_path_that_leads_outside(empty_jenkins: FakeJenkins, add_pipeline: AddPipeline, cibus: Cibus, tmp_path: Path) -> None:
    add_pipeline(artifacts=[{"fileName": "x", "relativePath": "../../../outside"}])
    code, _, err = cibus(empty_jenkins, "capture", "app", "12", "--artifacts")
    assert code == 2 and "leads outside" in err
    assert not (tmp_path.parent / "outside").exists()


def test_constant_memory(empty_jenkins: FakeJenkins, add_pipeline: AddPipeline, tmp_path: Path) -> None:
    """Five times the log takes no more memory than the small one, and a little."""
    peaks = []
    for number, megabytes in ((1, 6), (2, 30)):
        text = "[Pipeline] sh\n" + "+ make all\ncompiling source/file.c\n" * (megabytes * 28_000)
        add_build(empty_jenkins, _job(empty_jenkins, add_pipeline), number, {"result": "FAILURE"}, console=text + "Finished: FAILURE\n")
        environ = {"CIBUS_JENKINS_URL": empty_jenkins.url, "CIBUS_JENKINS_USER": empty_jenkins.user, "CIBUS_JENKINS_TOKEN": empty_jenkins.token}
        code, size = peak("capture", "app", str(number), "-o", str(tmp_path / str(number)), env=environ)
        assert code == 3
        peaks.append(size)
        assert (tmp_path / str(number) / "console.txt").stat().st_size == len(text) + len("Finished: FAILURE\n")
    assert peaks[1] < peaks[0] + 12, peaks  # MiB; the log grew by 24


def _job(fake: FakeJenkins, add_pipeline: AddPipeline) -> str:
    if fake.state.jobs.find("app") is None:
        add_pipeline()
    return "app"


def annotated(console: str) -> str:
    """The log as a browser sees it: each step's line with its node, each other line with whose it is."""
    pieces, number, stack, owner = [], 1, ["1"], ""
    for line in console.splitlines(keepends=True):
        text = line.replace("&", "&amp;").replace("<", "&lt;")
        words = line.removeprefix("[Pipeline] ").rstrip("\n")
        if words + "\n" == line:
            pieces.append(f'<span class="pipeline-node-{owner}">{text}</span>' if owner else text)
            continue
        number += 1
        owner = str(number)
        if words.startswith(("}", "//", "End")):
            pieces.append(f'<span class="pipeline-new-node" nodeId="{number}" startId="{stack.pop()}">{text}</span>')
            continue
        pieces.append(f'<span class="pipeline-new-node" nodeId="{number}" startId="{number}" enclosingId="{stack[-1]}">{text}</span>')
        if words.startswith(("{", "node", "stage", "Start")):
            stack.append(owner)
    return "".join(pieces)


@pytest.mark.parametrize("whole", [True, False])
def test_which_step_each_line_belongs_to(empty_jenkins: FakeJenkins, add_pipeline: AddPipeline, cibus: Cibus, tmp_path: Path, whole: bool) -> None:
    build = add_pipeline()
    build.extra["logText/progressiveHtml"] = ("text/html;charset=utf-8", annotated(CONSOLE if whole else CONSOLE[:-20]).encode())
    cibus(empty_jenkins, "capture", "app", "12")
    bundle = captured(tmp_path / "app-12.bundle")
    path = bundle.folder / "console.steps"
    assert path.is_file() is whole
    if not whole:
        assert "has other lines than the log" in bundle.manifest.missing["steps"]
        return
    marks = list(read_marks(path))
    lines = CONSOLE.splitlines()
    steps = [each for each in marks if isinstance(each, Opened) and each.name == "sh"]
    assert [lines[each.at or 0] for each in steps] == ["[Pipeline] sh", "[Pipeline] sh"]
    owned = {each.id: lines[each.first : each.first + each.count] for each in marks if isinstance(each, Lines)}
    assert [owned[each.id] for each in steps] == [["+ echo building for prod", "building for prod"], ["+ echo testing", "testing", "+ exit 3"]]
