"""No secret is in a bundle, a page, a log or a run's record: not those of the job, nor those that its log printed."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import unescape

import pytest
from command import Cibus
from fake_jenkins import FakeJenkins
from made_builds import INLINE, add_build, replay_page

from cibus.builds.packing import opened

sys.path.insert(0, str(Path(__file__).parents[1] / "jobs"))
from canaries import Canary, canaries


def everything(folder: Path) -> bytes:
    return b"\0".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def forms(secret: str) -> Iterator[bytes]:
    """A secret as it is, and as JSON and XML write it; of one with several lines each long line."""
    for part in secret.split("\n") if "\n" in secret else [secret]:
        if len(part) >= 9 and "-----" not in part:
            yield part.encode()
            yield json.dumps(part)[1:-1].encode()


def chosen() -> list[Canary]:
    found = list(canaries(seed=11, each=3))
    assert len({each.kind for each in found}) > 30
    return found


def test_no_secret_of_a_job_is_in_its_bundles(empty_jenkins: FakeJenkins, cibus: Cibus, tmp_path: Path) -> None:
    """Each canary stands in a job's configuration, and its build's log prints what the configuration says."""
    leaks = []
    for number, canary in enumerate(chosen()):
        job = f"job-{number}"
        try:
            empty_jenkins.state.add(job, canary.config)
        except (KeyError, ValueError):
            continue  # a node's or a credential's configuration
        text = unescape(canary.config, {"&quot;": '"', "&apos;": "'"})
        console = f"Started by user admin\n[app] $ /bin/sh -xe /tmp/jenkins1.sh\n{text}\n+ echo {canary.secret.splitlines()[0]}\nFinished: FAILURE\n"
        cls = "hudson.model.FreeStyleBuild" if "<project>" in canary.config else "org.jenkinsci.plugins.workflow.job.WorkflowRun"
        add_build(empty_jenkins, job, 1, {"result": "FAILURE"}, console=console, cls=cls)
        code, _, err = cibus(empty_jenkins, "capture", job, "1")
        assert code in (0, 3), err
        data = everything(tmp_path / f"{job}-1.bundle")
        leaks += [(canary.kind, part) for part in forms(canary.secret) if part in data]
    assert len(list(tmp_path.glob("*.bundle"))) > 80
    assert sorted({kind for kind, _ in leaks}) == [], leaks


TOKEN = "ghp_" + "a1B2c3D4e5F6" * 3
PLACES = {
    "description": f"see https://ci:{TOKEN}@git.example/app.git",
    "console": f"Started by user admin\n+ curl -H 'Authorization: Bearer {TOKEN}' https://x/\n+ echo password=Hunter2Hunter2\nFinished: FAILURE\n",
}


def test_no_secret_of_a_build_is_in_its_bundle(empty_jenkins: FakeJenkins, cibus: Cibus, tmp_path: Path) -> None:
    """In the description, the parameters, the causes, the changes, the test report, the stages, the variables."""
    key = "-----BEGIN RSA PRIVATE KEY-----\n" + "\n".join(base64.b64encode(bytes([n]) * 48).decode() for n in range(40, 52)) + "\n-----END RSA PRIVATE KEY-----"
    action = [
        {"_class": "hudson.model.ParametersAction", "parameters": [{"_class": "hudson.model.StringParameterValue", "name": "API_TOKEN", "value": "plain-4711-text"}]},
        {"_class": "hudson.model.CauseAction", "causes": [{"_class": "x.RemoteCause", "shortDescription": f"Started with token={TOKEN}", "userName": "ci"}]},
        {"_class": "hudson.plugins.git.util.BuildData", "lastBuiltRevision": {"SHA1": "a" * 40, "branch": []}, "remoteUrls": [f"https://ci:{TOKEN}@git.example/app.git"]},
        {"_class": "hudson.tasks.junit.TestResultAction", "failCount": 1, "totalCount": 1},
    ]
    change = {"commitId": "a" * 40, "author": {"fullName": "dev"}, "msg": f"set password: Zebra77Crossing, {TOKEN}", "paths": []}
    case = {"className": "a", "name": "b", "status": "FAILED", "duration": 1, "errorDetails": f"401 for {TOKEN}"}
    injected = {"envMap": {"SECRET_WORD": "aardvark-88-zoo", "URL": f"https://u:{TOKEN}@h/"}}
    empty_jenkins.state.add("app", INLINE.format(script="node {}", sandbox="true"))
    extra = {
        "replay": replay_page(f"node {{ sh 'deploy --password=Kangaroo99 ' }}\ndef key = '''{key}'''\n"),
        "testReport/api/json": {"suites": [{"name": "s", "cases": [case]}]},
        "wfapi/describe": {"stages": [{"name": f"upload {TOKEN}", "status": "FAILED", "durationMillis": 1}]},
        "injectedEnvVars/api/json": injected,
    }
    console = PLACES["console"] + key + "\n+ echo Kangaroo99 plain-4711-text aardvark-88-zoo\n"
    add_build(empty_jenkins, "app", 1, {"result": "FAILURE", "description": PLACES["description"], "actions": action, "changeSets": [{"items": [change]}]}, console=console, extra=extra)
    for target in ("b", "b.tar.zst"):
        code, _, err = cibus(empty_jenkins, "capture", "app", "1", "-o", target)
        assert code in (0, 3), err
    with opened(tmp_path / "b.tar.zst") as bundle:
        data = everything(bundle.folder) + everything(tmp_path / "b")
    secrets = [TOKEN, "Hunter2Hunter2", "Zebra77Crossing", "Kangaroo99", "aardvark-88-zoo", "plain-4711-text", *key.splitlines()[1:-1]]
    assert [each for each in secrets if each.encode() in data] == []
    assert (tmp_path / "b" / "console.txt").read_text().count("\n") == console.count("\n")


SCRIPT = """node {
  stage('Use') {
    withCredentials([string(credentialsId: 'deploy', variable: 'KEY')]) { sh 'echo "key is $KEY"' }
    sh 'echo "pin is $PIN"'
    echo "pin: ${params.PIN}"
    sh 'exit 4'
  }
}
"""
LOG = """Started by user admin
[Pipeline] Start of Pipeline
[Pipeline] node
Running on Jenkins in /var/lib/jenkins/workspace/app
[Pipeline] {
[Pipeline] stage
[Pipeline] { (Use)
[Pipeline] withCredentials
Masking supported pattern matches of $KEY
[Pipeline] {
[Pipeline] sh
+ echo key is ****
key is ****
[Pipeline] }
[Pipeline] // withCredentials
[Pipeline] sh
+ echo pin is PIN-VALUE
pin is PIN-VALUE
[Pipeline] echo
Warning: A secret was passed to "echo" using Groovy String interpolation, which is insecure.
\t\t Affected argument(s) used the following variable(s): [PIN]
\t\t See https://jenkins.io/redirect/groovy-string-interpolation for details.
pin: PIN-VALUE
[Pipeline] sh
+ exit 4
[Pipeline] }
[Pipeline] // stage
[Pipeline] }
[Pipeline] // node
[Pipeline] End of Pipeline
ERROR: script returned exit code 4
Finished: FAILURE
"""


def test_no_secret_is_in_what_a_reproduction_leaves(empty_jenkins: FakeJenkins, cibus: Cibus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A credential and a password parameter, which the controller prints plainly; here both come from cibus.toml."""
    monkeypatch.setenv("PIN_SOURCE", "pin-31415-canary")
    monkeypatch.setenv("KEY_SOURCE", "key-27182-canary")
    (tmp_path / "cibus.toml").write_text('[pipeline.parameters]\nPIN = { env = "PIN_SOURCE" }\n[credentials.deploy]\nkind = "string"\nsecret = { env = "KEY_SOURCE" }\n')
    empty_jenkins.state.add("app", INLINE.format(script="node {}", sandbox="true"))
    actions = [{"_class": "hudson.model.ParametersAction", "parameters": [{"_class": "hudson.model.PasswordParameterValue", "name": "PIN"}]}]
    add_build(empty_jenkins, "app", 7, {"result": "FAILURE", "actions": actions}, console=LOG.replace("PIN-VALUE", "pin-31415-canary"), extra={"replay": replay_page(SCRIPT)})
    code, out, err = cibus(empty_jenkins, "reproduce", "app", "7", "--html", "page.html", "--format", "jenkins")
    assert "key is ****" in out and "pin is ****" in out
    assert code == 0, err
    code, compared, _ = cibus(empty_jenkins, "compare", *[str(each) for each in (tmp_path / "state").glob("bundles/*/*.bundle")], "last", "--json")
    assert (code, json.loads(compared)["same"]) == (0, True)
    written = everything(tmp_path) + out.encode() + err.encode() + compared.encode()
    assert b"canary" not in written
    assert (tmp_path / "page.html").stat().st_size > 1000
