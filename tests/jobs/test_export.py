from __future__ import annotations

import hashlib
import json
import subprocess
import tomllib
from pathlib import Path

import pytest
from fake_jenkins import FakeJenkins, Fault
from snapshots import KEY, client_of, files_of

from cibus.errors import ControllerError, SnapshotError, Unauthorized, UsageError
from cibus.jenkins.client import Client
from cibus.jobs.collect import Filter
from cibus.jobs.export import export
from cibus.jobs.store import settle
from cibus.redaction import Redacted, Redactor


def git(folder: Path, *args: str) -> str:
    return subprocess.run(["git", *args], cwd=folder, check=True, capture_output=True, text=True).stdout


def test_everything_is_there(client: Client, with_script_console: FakeJenkins, tmp_path: Path) -> None:
    done = export(client, tmp_path / "snap", KEY)
    files = files_of(tmp_path / "snap")
    assert "jobs/acme/jobs/platform/jobs/app-build/config.xml" in files
    assert "jobs/acme/jobs/platform/jobs/pipe-inline/script.groovy" in files
    assert "jobs/acme/jobs/app/config.xml" in files, "a multibranch"
    assert not any(path.startswith("jobs/acme/jobs/app/jobs/") for path in files), "its branches are computed"
    assert done.missing == {}
    assert {"views/all/config.xml", "nodes/agent1/config.xml", "plugins.toml", "credentials.toml", "system/jenkins.yaml", "system/scriptApproval.xml"} <= files.keys()
    assert tomllib.loads(files["plugins.toml"].decode())["git"] == "4.5.2"
    assert "admin" in tomllib.loads(files["users.toml"].decode())["users"]
    assert any(each["type"] == "Secret text" for each in tomllib.loads(files["credentials.toml"].decode()).values())
    manifest = tomllib.loads(files["snapshot.toml"].decode())
    assert manifest["counts"] == done.counts
    assert manifest["jenkins"] == "2.277.3"
    lines = [line.split("  ", 1) for line in manifest["blocks"]["digests"].splitlines()]
    assert {path: digest for digest, path in lines} == {path: hashlib.sha256(data).hexdigest() for path, data in files.items() if path != "snapshot.toml"}


def test_without_configuration_as_code_the_xml_files_are_there(with_script_console: FakeJenkins, tmp_path: Path) -> None:
    with_script_console.faults.set(Fault("404", path="configuration-as-code"))
    with client_of(with_script_console) as client:
        export(client, tmp_path / "snap", KEY)
    config = (tmp_path / "snap/system/config.xml").read_text()
    assert "<numExecutors>4</numExecutors>" in config
    assert "views" not in config, "they are exported one by one"
    assert (tmp_path / "snap/system/org.jenkinsci.plugins.workflow.libs.GlobalLibraries.xml").exists()


def test_the_same_controller_gives_the_same_bytes(client: Client, tmp_path: Path) -> None:
    export(client, tmp_path / "one", KEY)
    export(client, tmp_path / "two", KEY)
    export(client, tmp_path / "one", KEY)
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")
    assert not (tmp_path / "one/.cibus/next").exists()


@pytest.mark.parametrize(("user", "missing"), [("viewer", "needs the permission Job/ExtendedRead"), ("reader", "")])
def test_what_may_not_be_read_is_listed(jenkins: FakeJenkins, tmp_path: Path, user: str, missing: str) -> None:
    from cibus.jenkins.settings import Settings
    from cibus.secrets import Secret

    known = jenkins.state.users[user]
    with Client(Settings("test", jenkins.url, user, Secret(known.token or known.password))) as client:
        done = export(client, tmp_path / "snap", KEY)
    assert done.missing.get("acme/platform/app-build", "") == missing
    assert done.missing["plugins"] == "needs the permission Overall/Administer"
    assert tomllib.loads((tmp_path / "snap/snapshot.toml").read_text())["missing"] == done.missing


def test_only_some_jobs_leaves_the_others_as_they_are(jenkins: FakeJenkins, client: Client, tmp_path: Path) -> None:
    snap = tmp_path / "snap"
    export(client, snap, KEY)
    before = files_of(snap)
    for name in ("app-build", "old disabled job"):
        client.post_job_config(f"acme/platform/{name}", b"<project><description>changed</description></project>")
    export(client, snap, KEY, Filter(only=("acme/platform/app-*",)))
    after = files_of(snap)
    assert after.keys() == before.keys()
    assert {path for path in after if after[path] != before[path]} == {"jobs/acme/jobs/platform/jobs/app-build/config.xml", "snapshot.toml"}
    export(client, tmp_path / "without", KEY, Filter(exclude=("acme/platform",)))
    assert not any("platform" in path for path in files_of(tmp_path / "without"))


@pytest.mark.parametrize(
    ("only", "exclude", "path", "takes"),
    [
        ((), (), "a/b", True), (("a",), (), "a/b", True), (("a/*",), (), "a/b/c", True), (("b",), (), "a/b", False),
        ((), ("a",), "a/b", False), (("a",), ("a/b",), "a/b", False), (("*/b",), (), "a/b", True), (("A",), (), "a", False),
    ],
)  # fmt: skip
def test_globs(only: tuple[str, ...], exclude: tuple[str, ...], path: str, takes: bool) -> None:
    assert Filter(only, exclude).takes(path) is takes


def test_a_job_that_goes_away_meanwhile_is_left_out(jenkins: FakeJenkins, client: Client, tmp_path: Path) -> None:
    jenkins.before("app-build/config.xml", lambda state: state.remove("acme/platform/app-build"))
    done = export(client, tmp_path / "snap", KEY)
    assert not done.missing.get("acme/platform/app-build")
    assert not (tmp_path / "snap/jobs/acme/jobs/platform/jobs/app-build").exists()


def test_a_job_that_cannot_be_read_now_is_kept_as_it_was(jenkins: FakeJenkins, client: Client, tmp_path: Path) -> None:
    snap = tmp_path / "snap"
    export(client, snap, KEY)
    before = files_of(snap)
    jenkins.faults.set(Fault("404", path="app-build/config.xml"))
    done = export(client, snap, KEY)
    assert "not there, or not to be seen" in done.missing["acme/platform/app-build"]
    path = "jobs/acme/jobs/platform/jobs/app-build/config.xml"
    assert files_of(snap)[path] == before[path]


def test_a_config_that_the_controller_fails_at_is_listed(jenkins: FakeJenkins, client: Client, tmp_path: Path) -> None:
    jenkins.faults.set(Fault("500", path="app-build/config.xml"))
    done = export(client, tmp_path / "snap", KEY)
    assert done.missing["acme/platform/app-build"] == "the controller fails at it (500): see its log"
    assert "jobs/acme/jobs/platform/jobs/pipe-scm/config.xml" in files_of(tmp_path / "snap")


def test_a_controller_that_breaks_down_leaves_the_old_snapshot(jenkins: FakeJenkins, client: Client, tmp_path: Path) -> None:
    snap = tmp_path / "snap"
    export(client, snap, KEY)
    before = files_of(snap)
    jenkins.faults.set(Fault("401", path="app-build/config.xml"))
    with pytest.raises(Unauthorized):
        export(client, snap, KEY)
    assert files_of(snap) == before
    jenkins.faults.set(Fault("reset", path="pipe-scm/config.xml"))
    with pytest.raises(ControllerError):
        export(client, snap, KEY, fresh=True)
    assert files_of(snap) == before


def test_an_interrupted_export_is_gone_on_with(jenkins: FakeJenkins, client: Client, tmp_path: Path) -> None:
    snap = tmp_path / "snap"
    export(client, tmp_path / "whole", KEY)
    jenkins.faults.set(Fault("401", path="waits-for-label/config.xml"))
    with client_of(jenkins, concurrency=1) as one, pytest.raises(Unauthorized):
        export(one, snap, KEY)
    jenkins.faults.set()
    jenkins.requests.clear()
    with client_of(jenkins, concurrency=1) as one:
        done = export(one, snap, KEY)
    asked = [record for record in jenkins.requests if record.path.endswith("config.xml")]
    assert done.resumed > 5
    assert len(asked) == sum(done.counts.values()) - done.resumed
    assert files_of(snap) == files_of(tmp_path / "whole")


def test_a_job_that_went_away_after_the_interruption_is_dropped(jenkins: FakeJenkins, tmp_path: Path) -> None:
    jenkins.faults.set(Fault("401", path="waits-for-label/config.xml"))
    with client_of(jenkins, concurrency=1) as one:
        with pytest.raises(Unauthorized):
            export(one, tmp_path / "snap", KEY)
        jenkins.faults.set()
        jenkins.state.remove("acme/platform/app-build")
        export(one, tmp_path / "snap", KEY)
    assert "jobs/acme/jobs/platform/jobs/app-build/config.xml" not in files_of(tmp_path / "snap")


def test_another_key_does_not_go_on_with_it(jenkins: FakeJenkins, tmp_path: Path) -> None:
    jenkins.faults.set(Fault("401", path="waits-for-label/config.xml"))
    with client_of(jenkins, concurrency=1) as one:
        with pytest.raises(Unauthorized):
            export(one, tmp_path / "snap", KEY)
        jenkins.faults.set()
        assert export(one, tmp_path / "snap", b"another key for fingerprints").resumed == 0


def test_a_secret_that_slips_through_fails_the_export(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snap = tmp_path / "snap"
    export(client, snap, KEY)
    before = files_of(snap)
    real = Redactor.config

    def leaky(self: Redactor, xml: str, scripts: dict[str, str], where: str) -> Redacted:
        return Redacted(xml, scripts, {}, ()) if where == "acme/platform/app-build" else real(self, xml, scripts, where)

    monkeypatch.setattr(Redactor, "config", leaky)
    with pytest.raises(SnapshotError, match=r"the export would hold \d+ secrets? and was removed: .* in jobs/acme/jobs/platform/jobs/app-build/config.xml") as caught:
        export(client, snap, KEY)
    assert "AQAA" not in str(caught.value)
    assert files_of(snap) == before
    assert not (snap / ".cibus/next").exists()


def test_edits_that_are_in_no_commit_are_not_written_over(jenkins: FakeJenkins, client: Client, tmp_path: Path) -> None:
    snap = tmp_path / "snap"
    export(client, snap, KEY)
    path = snap / "jobs/acme/jobs/platform/jobs/pipe-inline/script.groovy"
    path.write_text("echo 'edited'\n")
    with pytest.raises(SnapshotError, match=r"1 file\(s\) in .* were edited since the last export and are in no commit"):
        export(client, snap, KEY)
    assert path.read_text() == "echo 'edited'\n"
    git(snap, "init", "-q")
    git(snap, "add", "-A")
    git(snap, "commit", "-qm", "An edit")
    export(client, snap, KEY)
    assert path.read_text() != "echo 'edited'\n"
    path.write_text("echo 'edited again'\n")
    export(client, snap, KEY, force=True)
    assert git(snap, "status", "--porcelain", "--", "jobs") != ""


def test_a_folder_with_something_else_is_refused(client: Client, tmp_path: Path) -> None:
    (tmp_path / "snap/jobs").mkdir(parents=True)
    with pytest.raises(UsageError, match=r"has jobs but no snapshot.toml"):
        export(client, tmp_path / "snap", KEY)


def test_what_is_yours_in_the_folder_stays(client: Client, tmp_path: Path) -> None:
    snap = tmp_path / "snap"
    snap.mkdir()
    (snap / "README.md").write_text("ours\n")
    export(client, snap, KEY)
    export(client, snap, KEY)
    assert (snap / "README.md").read_text() == "ours\n"


def test_two_exports_at_once(jenkins: FakeJenkins, client: Client, tmp_path: Path) -> None:
    caught: list[Exception] = []

    def second(_: object) -> None:
        try:
            with client_of(jenkins) as other:
                export(other, tmp_path / "snap", KEY)
        except SnapshotError as error:
            caught.append(error)

    import threading

    done: list[threading.Thread] = []

    def begin(state: object) -> None:
        thread = threading.Thread(target=second, args=(state,))
        thread.start()
        done.append(thread)

    jenkins.before("app-build/config.xml", begin)
    jenkins.latency = 0.05
    export(client, tmp_path / "snap", KEY)
    done[0].join()
    assert "another export into" in str(caught[0])


def test_a_move_into_place_that_was_cut_short_is_finished(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snap = tmp_path / "snap"
    export(client, snap, KEY)
    client.post_job_config("acme/platform/app-build", b"<project><description>changed</description></project>")
    renames = 0
    real = Path.rename

    def dies(self: Path, target: Path) -> Path:
        nonlocal renames
        renames += 1
        if renames == stop:
            raise KeyboardInterrupt
        return real(self, target)

    stop = 4
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", dies)
        with pytest.raises(KeyboardInterrupt):
            export(client, snap, KEY)
    settle(snap)
    export(client, tmp_path / "whole", KEY)
    assert files_of(snap) == files_of(tmp_path / "whole")


def test_the_commit_says_what_changed_and_who(jenkins: FakeJenkins, client: Client, tmp_path: Path) -> None:
    from cibus.jobs.history import commit

    snap = tmp_path / "repo" / "jenkins"
    snap.mkdir(parents=True)
    git(tmp_path / "repo", "init", "-q")
    export(client, snap, KEY)
    assert commit(snap, client).startswith("Export of http://127.0.0.1")
    assert commit(snap, client) == ""
    jenkins.state.job_config_history = True
    jenkins.state.job_history["acme/platform/app-build"] = [
        {"date": "2026-11-22_10-14-59", "job": "acme/platform/app-build", "operation": "Changed", "user": "Admin", "userID": "admin"},
        {"date": "2026-11-20_09-00-00", "job": "acme/platform/app-build", "operation": "Created", "user": "Jo", "userID": "jo"},
    ]
    raw = client.job_config("acme/platform/app-build").replace(b"Builds", b"Makes")
    client.post_job_config("acme/platform/app-build", raw)
    export(client, snap, KEY)
    subject = commit(snap, client)
    assert subject == "changed acme/platform/app-build"
    message = git(snap, "log", "-1", "--format=%B")
    assert "description" in message
    assert "(by admin, 2026-11-22 10-14-59)" in message
    assert git(tmp_path / "repo", "status", "--porcelain") == ""
    jenkins.state.remove("acme/platform/app-build")
    export(client, snap, KEY)
    assert commit(snap, client) == "removed acme/platform/app-build"
    assert git(tmp_path / "repo", "status", "--porcelain") == ""


def test_the_script_for_the_console_is_read_only() -> None:
    from cibus.jobs.system import READ_XML

    assert not any(word in READ_XML for word in ("delete", "save", "write", "execute", "doReload", "set"))


def test_documents_that_are_not_json(jenkins: FakeJenkins, client: Client, tmp_path: Path) -> None:
    jenkins.state.on_script = lambda script: "groovy.lang.MissingPropertyException: No such property"
    done = export(client, tmp_path / "snap", KEY)
    assert "gave no JSON" in done.missing["script approvals"]
    assert json.dumps(done.missing)
