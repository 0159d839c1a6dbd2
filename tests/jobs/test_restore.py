"""Plan, apply, proof and rollback, by the command line against a controller that keeps its state."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fake_jenkins import FakeJenkins, Fault
from snapshots import configs_of, files_of

APP = "acme/platform/app-build"
APP_FILE = "jobs/acme/jobs/platform/jobs/app-build/config.xml"


def config(fake: FakeJenkins, path: str) -> str:
    return fake.state.jobs[path].config.decode()


def posts(fake: FakeJenkins) -> list[str]:
    return [f"{each.method} {each.path}" for each in fake.requests if each.method == "POST" and "scriptText" not in each.path and "configuration-as-code" not in each.path]


@pytest.fixture
def snap(jenkins: FakeJenkins, cibus, tmp_path: Path) -> Path:  # type: ignore[no-untyped-def]
    """A snapshot of the recorded controller."""
    cibus(jenkins, "jobs", "export", "snap")
    jenkins.requests.clear()
    return tmp_path / "snap"


def test_nothing_to_do(jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    assert cibus(jenkins, "jobs", "diff")[0] == 0
    assert cibus(jenkins, "jobs", "plan", "snap")[:2] == (0, "nothing to do\n")
    code, out, _ = cibus(jenkins, "jobs", "apply", "snap", "--yes")
    assert (code, out) == (0, "nothing to do: the controller is as the snapshot says\n")
    assert posts(jenkins) == []


def test_a_change_by_hand_is_seen_and_undone(jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    before = config(jenkins, APP)
    jenkins.state.jobs[APP].config = before.replace("<canRoam>true", "<canRoam>false")
    code, out, _ = cibus(jenkins, "jobs", "diff", "snap")
    assert code == 3
    assert f"~ changed {APP}" in out
    assert "'true' -> 'false'" in out
    assert out.rstrip().endswith("1 changed")
    code, out, _ = cibus(jenkins, "jobs", "plan", "snap", "-o", "plan.json")
    assert code == 3
    assert f"~ update {APP}" in out
    assert "kept from the controller" in out
    code, out, _ = cibus(jenkins, "jobs", "apply", "plan.json", "--yes")
    assert code == 0, out
    assert "proved: what was touched was read again and is as the plan says" in out
    assert posts(jenkins) == ["POST /job/acme/job/platform/job/app-build/config.xml"]
    assert cibus(jenkins, "jobs", "verify", "snap")[0] == 0
    assert "AQAA" in config(jenkins, APP), "the secret was kept"
    code, out, _ = cibus(jenkins, "jobs", "rollback", "last", "--yes")
    assert code == 0, out
    assert cibus(jenkins, "jobs", "diff", "snap")[0] == 3
    assert cibus(jenkins, "jobs", "rollback", "last", "--yes")[1] == "nothing left to undo\n"


def test_a_plan_for_what_was_changed_since_is_refused(jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    jenkins.state.jobs[APP].config = config(jenkins, APP).replace("<canRoam>true", "<canRoam>false")
    cibus(jenkins, "jobs", "plan", "snap", "-o", "plan.json")
    jenkins.state.jobs[APP].config = config(jenkins, APP).replace("<disabled>false", "<disabled>true")
    now = config(jenkins, APP)
    code, out, _ = cibus(jenkins, "jobs", "apply", "plan.json", "--yes")
    assert code == 1
    assert "refused  update acme/platform/app-build: it was changed since the plan was made: make a new plan" in out
    assert config(jenkins, APP) == now


def test_a_lost_controller_is_restored(jenkins: FakeJenkins, empty_jenkins: FakeJenkins, cibus, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for fake in (jenkins, empty_jenkins):
        fake.state.extra_kinds["org.acme.OwnJob"] = "org.acme.OwnJob"
    for path, xml in EVERY_KIND.items():
        jenkins.state.add(path, xml)
    code, out, err = cibus(jenkins, "jobs", "export", "snap", "--secrets", "secrets.toml")
    assert code in (0, 3), err
    code, out, err = cibus(empty_jenkins, "jobs", "plan", "snap")
    assert code == 1, "secrets are missing"
    assert "missing: nothing is known of it" in out
    assert "secrets are missing: give --secrets FILE" in err
    code, out, err = cibus(empty_jenkins, "jobs", "apply", "snap", "--yes", "--secrets", "secrets.toml")
    assert code == 0, out + err
    assert "proved" in out
    code, out, _ = cibus(empty_jenkins, "jobs", "export", "again")
    assert configs_of(tmp_path / "again") == configs_of(tmp_path / "snap")
    for path in EVERY_KIND:
        assert path in empty_jenkins.state.jobs
    assert cibus(empty_jenkins, "jobs", "verify", "snap")[0] == 0
    code, out, err = cibus(empty_jenkins, "jobs", "rollback", "last", "--yes")
    assert code == 0, out + err
    assert list(empty_jenkins.state.jobs) == []


EVERY_KIND = {
    "kinds": "<com.cloudbees.hudson.plugins.folder.Folder plugin='cloudbees-folder@6.15'><description>all of them</description></com.cloudbees.hudson.plugins.folder.Folder>",
    "kinds/maven": "<maven2-moduleset plugin='maven-plugin@3.10'><rootModule><groupId>org.acme</groupId></rootModule><goals>clean  verify</goals></maven2-moduleset>",
    "kinds/organization": "<jenkins.branch.OrganizationFolder plugin='branch-api@2.6.2'><navigators/><projectFactories/></jenkins.branch.OrganizationFolder>",
    "kinds/external": "<hudson.model.ExternalJob><description>cron on another machine</description></hudson.model.ExternalJob>",
    "kinds/unknown": "<org.acme.OwnJob plugin='acme-own@1.0'><command>a &amp;&amp; b &lt; c</command><list><string>2</string><string>1</string></list></org.acme.OwnJob>",
}


@pytest.mark.parametrize("place", ["snap/secrets.toml", "repo/secrets.toml"])
def test_secrets_are_not_put_where_they_would_be_published(jenkins: FakeJenkins, cibus, tmp_path: Path, place: str) -> None:  # type: ignore[no-untyped-def]
    import subprocess

    subprocess.run(["git", "init", "-q", "repo"], cwd=tmp_path, check=True)
    code, _, err = cibus(jenkins, "jobs", "export", "snap", "--secrets", place)
    assert code == 2
    assert "keep secrets" in err
    assert not (tmp_path / place).exists()


def test_the_file_of_secrets_is_private_and_keeps_what_it_has(jenkins: FakeJenkins, cibus, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "secrets.toml"
    file.write_text('"{cibus:password:0123456789abcdef}" = "old"\n')
    code, _, err = cibus(jenkins, "jobs", "export", "snap", "--secrets", "secrets.toml")
    assert code == 2
    assert "can be read by others: chmod 600" in err
    file.chmod(0o600)
    cibus(jenkins, "jobs", "export", "snap", "--secrets", "secrets.toml")
    assert file.stat().st_mode & 0o77 == 0
    assert '"old"' in file.read_text()
    assert "AQAA" in file.read_text()


def test_a_missing_secret_is_refused(jenkins: FakeJenkins, empty_jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = cibus(empty_jenkins, "jobs", "apply", "snap", "--yes", "--keep-going")
    assert code == 1
    assert "refused  create acme: nothing is known for {cibus:" in out
    assert "{cibus:" not in "".join(config(empty_jenkins, path) for path in empty_jenkins.state.jobs)


def test_it_stops_at_an_error_or_goes_on(jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    for name in ("matrix", "pipe-scm", "downstream"):
        jenkins.state.remove(f"acme/platform/{name}")
    jenkins.faults.set(Fault("500", path="createItem", times=1))
    code, out, _ = cibus(jenkins, "jobs", "apply", "snap", "--yes", "--keep-going")
    assert code == 1
    assert "1 failed" in out
    assert "2 done" in out
    code, out, _ = cibus(jenkins, "jobs", "apply", "snap", "--yes")
    assert code == 0, "the same command goes on"
    assert cibus(jenkins, "jobs", "verify", "snap")[0] == 0


@pytest.mark.parametrize("kind", ["reset", "503"])
def test_a_connection_that_breaks_while_creating(jenkins: FakeJenkins, cibus, snap: Path, kind: str) -> None:  # type: ignore[no-untyped-def]
    jenkins.state.remove("acme/platform/matrix")
    jenkins.faults.set(Fault(kind, path="createItem", times=1))
    code, out, _ = cibus(jenkins, "jobs", "apply", "snap", "--yes")
    if kind == "503":
        assert code == 1
        assert "failed" in out
        code, out, _ = cibus(jenkins, "jobs", "apply", "snap", "--yes")
    assert code == 0, out
    assert cibus(jenkins, "jobs", "verify", "snap")[0] == 0


def test_prune_deletes_and_rollback_brings_back(jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    jenkins.state.add("extra", "<com.cloudbees.hudson.plugins.folder.Folder/>")
    jenkins.state.add("extra/job", "<project><description>by hand</description></project>")
    code, out, _ = cibus(jenkins, "jobs", "plan", "snap")
    assert code == 0
    assert "left alone (--prune deletes it): extra with 1 in it" in out
    code, out, _ = cibus(jenkins, "jobs", "apply", "snap", "--yes", "--prune")
    assert code == 0, out
    assert "extra" not in jenkins.state.jobs
    assert "extra/job" not in jenkins.state.jobs
    code, out, err = cibus(jenkins, "jobs", "rollback", "last", "--yes")
    assert code == 0, out + err
    assert "by hand" in config(jenkins, "extra/job")


def test_a_rename_is_a_move(jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    jenkins.state.rename(jenkins.state.jobs["acme/platform/matrix"], "grid")
    code, out, _ = cibus(jenkins, "jobs", "diff", "snap")
    assert code == 3
    assert "> moved acme/platform/matrix -> acme/platform/grid" in out
    code, out, _ = cibus(jenkins, "jobs", "apply", "snap", "--yes")
    assert code == 0, out
    assert "acme/platform/matrix" in jenkins.state.jobs
    assert "acme/platform/grid" not in jenkins.state.jobs
    assert cibus(jenkins, "jobs", "rollback", "last", "--yes")[0] == 0
    assert "acme/platform/grid" in jenkins.state.jobs


def test_a_folder_that_was_renamed(jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    jenkins.state.rename(jenkins.state.jobs["acme/platform"], "base")
    old = config(jenkins, "acme/base/app-build")
    jenkins.state.jobs["acme/base/app-build"].config = old.replace("<canRoam>true", "<canRoam>false")
    code, out, _ = cibus(jenkins, "jobs", "diff", "snap")
    assert f"> moved acme/platform -> acme/base with {len([p for p in jenkins.state.jobs if p.startswith('acme/base/')])} in it" in out
    assert "~ changed acme/base/app-build" in out
    code, out, _ = cibus(jenkins, "jobs", "apply", "snap", "--yes")
    assert code == 0, out
    assert cibus(jenkins, "jobs", "verify", "snap")[0] == 0
    assert cibus(jenkins, "jobs", "rollback", "last", "--yes")[0] == 0
    assert config(jenkins, "acme/base/app-build").count("<canRoam>false") == 1


def test_disabled(jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    for name in ("matrix", "pipe-scm"):
        jenkins.state.remove(f"acme/platform/{name}")
    code, out, _ = cibus(jenkins, "jobs", "apply", "snap", "--yes", "--disabled")
    assert code == 0, out
    assert "proved" in out
    for name in ("matrix", "pipe-scm"):
        assert "<disabled>true</disabled>" in config(jenkins, f"acme/platform/{name}")
    assert cibus(jenkins, "jobs", "verify", "snap")[0] == 3
    assert cibus(jenkins, "jobs", "verify", "snap", "--disabled")[0] == 0


def test_views_and_nodes_come_back(jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    cibus(jenkins, "jobs", "export", "before")
    with_client(jenkins, lambda client: (client.delete_view_in("", "acme-root"), client.delete_node_named("acme-agent2")))
    code, out, _ = cibus(jenkins, "jobs", "plan", "snap")
    assert "+ create node acme-agent2" in out
    assert out.index("+ create node") < out.index("+ create view"), "views last"
    code, out, _ = cibus(jenkins, "jobs", "apply", "snap", "--yes")
    assert code == 0, out
    assert cibus(jenkins, "jobs", "verify", "snap")[0] == 0
    cibus(jenkins, "jobs", "export", "after")
    assert configs_of(Path("after")) == configs_of(Path("before"))


def with_client(fake: FakeJenkins, work) -> None:  # type: ignore[no-untyped-def]
    from snapshots import client_of

    with client_of(fake) as client:
        work(client)


def test_an_agent_is_not_renamed_by_mistake(jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    path = snap / "nodes/agent1/config.xml"
    path.write_text(path.read_text().replace("<name>agent1</name>", "<name>agent9</name>"))
    code, out, _ = cibus(jenkins, "jobs", "apply", "snap", "--yes")
    assert code == 1
    assert "its config says <name>agent9</name>: Jenkins would rename the agent" in out
    assert "agent1" in jenkins.state.nodes


def test_the_primary_view_is_not_deleted(jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    import shutil

    shutil.rmtree(snap / "views/all")
    code, out, _ = cibus(jenkins, "jobs", "apply", "snap", "--yes", "--prune")
    assert code == 1
    assert "it is the primary view" in out
    assert "all" in [view.name for view in jenkins.state.root.views]


def test_a_build_in_progress_is_left_alone(jenkins: FakeJenkins, cibus, snap: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    jenkins.state.add("extra", "<project/>")
    monkeypatch.setattr("cibus.jobs.apply.running_builds", lambda client: iter([f"{jenkins.url}job/extra/7/"]))
    code, out, _ = cibus(jenkins, "jobs", "apply", "snap", "--yes", "--prune")
    assert code == 3
    assert "skipped  delete extra: a build is in progress there: left alone" in out
    assert "extra" in jenkins.state.jobs


def test_warnings(jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    for name in ("matrix", "pipe-scm", "upstream-pipe"):
        jenkins.state.remove(f"acme/platform/{name}")
    jenkins.state.set_plugin("matrix-project", None)
    jenkins.state.set_plugin("git", "4.0.0")
    script = snap / "jobs/acme/jobs/platform/jobs/upstream-pipe/script.groovy"
    script.write_text("@Library('no-such-lib') _\n" + script.read_text())
    pipe = snap / "jobs/acme/jobs/platform/jobs/pipe-scm/config.xml"
    pipe.write_text(pipe.read_text().replace("<url>", "<credentialsId>no-such-id</credentialsId><url>"))
    _, out, _ = cibus(jenkins, "jobs", "plan", "snap")
    assert "warning: plugin matrix-project 1.18 is not installed" in out
    assert "warning: plugin git is 4.0.0, older than 4.5.2" in out
    assert "warning: acme/platform/upstream-pipe uses the library 'no-such-lib'" in out
    assert "warning: acme/platform/pipe-scm uses the credential 'no-such-id'" in out


def test_a_secret_that_changed_on_the_controller_is_kept(jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    import re

    other = "{AQAABAAAAAQ" + "Z" * 32 + "=}"
    new = re.sub(r"\{AQAA[^}]*\}", other, config(jenkins, APP)).replace("<canRoam>true", "<canRoam>false")
    jenkins.state.jobs[APP].config = new
    _, out, _ = cibus(jenkins, "jobs", "diff", "snap")
    assert "secret changed (not shown)" in out
    assert "ZZZZ" not in out
    _, out, _ = cibus(jenkins, "jobs", "plan", "snap", "-o", "plan.json")
    assert "changed on the controller since; its value there is kept" in out
    assert "ZZZZ" not in Path("plan.json").read_text()
    cibus(jenkins, "jobs", "apply", "plan.json", "--yes")
    assert other in config(jenkins, APP)
    assert "<canRoam>true" in config(jenkins, APP)


def test_an_edit_of_the_script_is_applied(jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    script = snap / "jobs/acme/jobs/platform/jobs/pipe-inline/script.groovy"
    script.write_text(script.read_text() + "// reviewed & <merged>\n")
    code, out, _ = cibus(jenkins, "jobs", "diff", "snap")
    assert code == 3
    assert "-// reviewed & <merged>" in out
    assert cibus(jenkins, "jobs", "apply", "snap", "--yes")[0] == 0
    assert "// reviewed &amp; &lt;merged&gt;" in config(jenkins, "acme/platform/pipe-inline")


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (["jobs", "apply", "snap"], 2, "there is no terminal to ask on: give --yes"),
        (["jobs", "apply", "nope"], 2, "nope is no folder, no REVISION:FOLDER, and no controller"),
        (["jobs", "apply", "snapshot-not", "--yes"], 2, "is no folder"),
        (["jobs", "diff", "empty"], 2, "empty is no snapshot: it has no snapshot.toml"),
        (["jobs", "rollback", "2019", "--yes"], 2, "there is no apply run '2019'"),
        (["jobs", "apply", "plan.txt", "--yes"], 2, "plan.txt is no plan of cibus jobs plan"),
        (["jobs", "diff", "snap", "v9:snap"], 2, "'v9' is no revision|not a git repository"),
        (["controllers", "check", "http://127.0.0.1:9/"], 1, "cannot be reached: connection refused"),
    ],
)
def test_what_is_wrong_is_one_line(jenkins: FakeJenkins, cibus, snap: Path, tmp_path: Path, argv: list[str], code: int, words: str) -> None:  # type: ignore[no-untyped-def]
    import re

    (tmp_path / "empty").mkdir()
    (tmp_path / "plan.txt").write_text("hello")
    if "snap" in argv:
        (snap / "views/all/config.xml").write_text((snap / "views/all/config.xml").read_text().replace("<filterQueue>false", "<filterQueue>true"))
    found, _, err = cibus(jenkins, *argv)
    assert found == code, err
    assert re.search(words, err), err
    assert err.count("\n") == 1


def test_a_plan_for_another_controller_is_refused(jenkins: FakeJenkins, empty_jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    jenkins.state.jobs[APP].config = config(jenkins, APP).replace("<canRoam>true", "<canRoam>false")
    cibus(jenkins, "jobs", "plan", "snap", "-o", "plan.json")
    code, _, err = cibus(empty_jenkins, "jobs", "apply", "plan.json", "--yes")
    assert code == 2
    assert "the plan is for" in err


def test_another_controllers_snapshot_is_not_written_over(jenkins: FakeJenkins, empty_jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    before = files_of(snap)
    code, _, err = cibus(empty_jenkins, "jobs", "export", "snap")
    assert code == 1
    assert f"is the snapshot of {jenkins.url}, not of {empty_jenkins.url}" in err
    assert files_of(snap) == before
    assert cibus(empty_jenkins, "jobs", "export", "snap", "--force")[0] == 0


@pytest.mark.parametrize("command", [["export", "other"], ["plan", "snap"], ["apply", "snap", "--yes"]])
def test_what_matches_nothing_is_an_error(jenkins: FakeJenkins, cibus, snap: Path, command: list[str]) -> None:  # type: ignore[no-untyped-def]
    code, _, err = cibus(jenkins, "jobs", *command, "--only", "acme/platfrom/*")
    assert code == 2
    assert "matches --only acme/platfrom/*" in err


def test_some_jobs_are_checked_for_plugins_and_credentials_too(jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    jenkins.state.remove("acme/platform/matrix")
    jenkins.state.set_plugin("matrix-project", None)
    _, out, _ = cibus(jenkins, "jobs", "plan", "snap", "--only", "acme/platform/matrix")
    assert "warning: plugin matrix-project 1.18 is not installed" in out


def test_end_of_input_is_a_no(jenkins: FakeJenkins, cibus, snap: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    import io

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    jenkins.state.remove("acme/platform/matrix")
    monkeypatch.setattr("sys.stdin", Terminal(""))
    assert cibus(jenkins, "jobs", "apply", "snap")[0] == 4
    assert "acme/platform/matrix" not in jenkins.state.jobs


def test_json_everywhere(jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    jenkins.state.jobs[APP].config = config(jenkins, APP).replace("<canRoam>true", "<canRoam>false")
    diff = json.loads(cibus(jenkins, "jobs", "diff", "snap", "--json")[1])
    assert diff["drift"] is True
    assert diff["configs"][0]["changes"][0]["old"] == "true"
    assert json.loads(cibus(jenkins, "jobs", "plan", "snap", "--json")[1])["steps"][0]["action"] == "update"
    assert json.loads(cibus(jenkins, "jobs", "verify", "snap", "--json")[1])["verified"] > 20
    applied = json.loads(cibus(jenkins, "jobs", "apply", "snap", "--yes", "--json")[1])
    assert applied["steps"] == [{"action": "update", "name": APP, "status": "done", "why": ""}]
    assert json.loads(cibus(jenkins, "jobs", "runs", "--json")[1])[0]["steps"] == {"done": 1}
    assert json.loads(cibus(jenkins, "jobs", "rollback", "last", "--yes", "--json")[1])["undone"] == 1
    assert json.loads(cibus(jenkins, "jobs", "export", "snap2", "--json")[1])["counts"]["jobs"] > 10
    assert json.loads(cibus(jenkins, "controllers", "check", "--json")[1])["version"] == "2.277.3"


def test_the_page(jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    jenkins.state.jobs[APP].config = config(jenkins, APP).replace("<canRoam>true", "<canRoam>false").replace("Builds &lt;b&gt;", "Makes &lt;script&gt;")
    assert cibus(jenkins, "jobs", "diff", "snap", "--html", "drift.html")[0] == 3
    page = Path("drift.html").read_text()
    assert APP in page
    assert "<script>" not in page


def test_saved_configs_are_private(jenkins: FakeJenkins, cibus, snap: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    jenkins.state.jobs[APP].config = config(jenkins, APP).replace("<canRoam>true", "<canRoam>false")
    cibus(jenkins, "jobs", "apply", "snap", "--yes")
    (run,) = (tmp_path / "state/applies").iterdir()
    assert run.stat().st_mode & 0o77 == 0
    saved = [path for path in run.iterdir() if path.name.startswith("before")]
    assert saved
    assert all(path.stat().st_mode & 0o77 == 0 for path in saved)
    assert "AQAA" not in (run / "plan.json").read_text()


def test_three_way(jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    import subprocess

    for argv in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "Export"]):
        subprocess.run(["git", *argv], cwd=snap, check=True)
    ours = snap / APP_FILE
    ours.write_text(ours.read_text().replace("<canRoam>true", "<canRoam>false").replace("<concurrentBuild>false", "<concurrentBuild>true"))
    theirs = config(jenkins, APP).replace("<disabled>false", "<disabled>true")
    jenkins.state.jobs[APP].config = theirs
    code, out, err = cibus(jenkins, "jobs", "diff", "snap", "live", "--base", "HEAD")
    assert code == 3, err
    assert err == ""
    assert out.count("\nwe ") == 2
    assert out.count("\nthey ") == 1
    jenkins.state.jobs[APP].config = config(jenkins, APP).replace("<canRoam>true", "<canRoam>maybe")
    code, out, err = cibus(jenkins, "jobs", "diff", "snap", "live", "--base", "HEAD", "--json")
    assert code == 3, err
    assert "1 conflict(s)" in err
    assert [move["who"] for move in json.loads(out)["moves"]].count("conflict") == 1


def test_revisions(jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    import subprocess

    for argv in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "Export"]):
        subprocess.run(["git", *argv], cwd=snap.parent, check=True)
    assert cibus(jenkins, "jobs", "diff", "HEAD:snap", "snap")[0] == 0
    (snap / APP_FILE).write_text((snap / APP_FILE).read_text().replace("<canRoam>true", "<canRoam>false"))
    code, out, _ = cibus(jenkins, "jobs", "diff", "HEAD:snap", "snap", "--stat")
    assert code == 3
    assert f"~ {APP}  1" in out
    assert cibus(jenkins, "jobs", "plan", "HEAD:snap")[0] == 0, "the controller is as the commit says"


def test_plugin_versions_are_one_line(jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    for path in jenkins.state.jobs:
        jenkins.state.jobs[path].config = config(jenkins, path).replace("git@4.5.2", "git@4.7.1")
    code, out, _ = cibus(jenkins, "jobs", "diff", "snap")
    assert code == 0
    assert [line for line in out.splitlines() if "git" in line] == ["plugin git 4.5.2 -> 4.7.1 in 3 configs"]


def test_a_snapshot_made_with_another_key(jenkins: FakeJenkins, cibus, snap: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("CIBUS_SNAPSHOT_KEY", "another key of some length")
    code, out, _ = cibus(jenkins, "jobs", "diff", "snap")
    assert code == 0, out
    assert "made with different keys: whether a secret changed cannot be seen" in out


def test_files_are_not_touched_by_reading(jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    before = files_of(snap)
    for argv in (["diff"], ["plan", "snap"], ["verify", "snap"]):
        cibus(jenkins, "jobs", *argv)
    assert files_of(snap) == before
