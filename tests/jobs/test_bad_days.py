"""What goes wrong on a bad day is said in one line that names the file and what to do."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from fake_jenkins import FakeJenkins

from cibus.cli.errors import guarded

SCRIPT = "jobs/acme/jobs/platform/jobs/upstream-pipe/script.groovy"
CONFIG = "jobs/acme/jobs/platform/jobs/x/config.xml"
CONFLICT = "<<<<<<< HEAD\necho 'ours'\n=======\necho 'theirs'\n>>>>>>> other\n"


@pytest.fixture
def snap(jenkins: FakeJenkins, cibus, tmp_path: Path) -> Path:  # type: ignore[no-untyped-def]
    """A snapshot of the recorded controller."""
    cibus(jenkins, "jobs", "export", "snap")
    return tmp_path / "snap"


def test_a_script_with_conflict_markers_is_given_to_no_controller(jenkins: FakeJenkins, empty_jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    with (snap / SCRIPT).open("a") as file:
        file.write(CONFLICT)
    before = jenkins.state.jobs["acme/platform/upstream-pipe"].config
    for fake in (jenkins, empty_jenkins):
        code, _, err = cibus(fake, "jobs", "apply", "snap", "--yes")
        assert code == 1
        assert f"snap/{SCRIPT} has the conflict markers of a merge: resolve it first" in err
    assert jenkins.state.jobs["acme/platform/upstream-pipe"].config == before
    assert "acme" not in empty_jenkins.state.jobs


def test_a_script_that_only_looks_like_a_conflict_is_applied(jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    with (snap / SCRIPT).open("a") as file:
        file.write("sh 'grep -q \"^<<<<<<< \" a'\n// =======\n")
    assert cibus(jenkins, "jobs", "apply", "snap", "--yes")[0] == 0


@pytest.mark.parametrize("command", ["diff", "plan", "verify"])
def test_of_a_broken_config_the_file_is_named(jenkins: FakeJenkins, cibus, snap: Path, command: str) -> None:  # type: ignore[no-untyped-def]
    (snap / CONFIG).write_text("<broken\n")
    code, _, err = cibus(jenkins, "jobs", command, "snap")
    assert code == 1
    assert err.startswith(f"cibus: error: snap/{CONFIG}: line 2: ")


def test_a_broken_config_is_not_created(empty_jenkins: FakeJenkins, jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    (snap / CONFIG).write_text("<broken\n")
    code, _, err = cibus(empty_jenkins, "jobs", "plan", "snap")
    assert code == 1
    assert f"snap/{CONFIG}: line 2: " in err


def test_where_nothing_was_done_nothing_is_proved(jenkins: FakeJenkins, empty_jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = cibus(empty_jenkins, "jobs", "apply", "snap", "--yes")
    assert code == 1
    assert "1 refused" in out
    assert "proved" not in out


def test_of_a_run_on_another_controller_the_way_out_is_said(jenkins: FakeJenkins, empty_jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    cibus(empty_jenkins, "jobs", "apply", "snap", "--yes")
    code, _, err = cibus(jenkins, "jobs", "rollback", "last", "--yes")
    assert code == 2
    assert f"is for {empty_jenkins.url}" in err
    assert "give --controller" in err


def test_a_file_where_a_folder_should_be_is_no_bug(jenkins: FakeJenkins, cibus, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "taken").write_text("")
    code, _, err = cibus(jenkins, "jobs", "export", "taken")
    assert (code, err) == (1, "cibus: error: taken: File exists\n")


def test_a_full_disk_is_no_bug(capsys: pytest.CaptureFixture[str]) -> None:
    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    assert guarded(full) == 1
    assert capsys.readouterr().err == "cibus: error: writing: No space left on device\n"


def test_an_export_that_is_interrupted_says_what_became_of_it(jenkins: FakeJenkins, cibus, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    def interrupted(*args: object, **named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cibus.jobs.export.export", interrupted)
    code, _, err = cibus(jenkins, "jobs", "export", "snap")
    assert code == 130
    assert "interrupted; the snapshot is as it was, and the same command goes on" in err


def test_what_is_in_a_folder_that_was_not_made_says_so(jenkins: FakeJenkins, empty_jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    code, out, _ = cibus(empty_jenkins, "jobs", "apply", "snap", "--yes", "--keep-going")
    assert code == 1
    assert "refused  create acme/platform: the folder acme was not created" in out
    assert "refused  create acme/platform/x: the folder acme/platform was not created" in out
    assert "404" not in out
    assert "done     create node agent1" in out


def test_a_plan_with_nothing_to_do_warns_of_nothing(jenkins: FakeJenkins, cibus, snap: Path) -> None:  # type: ignore[no-untyped-def]
    assert cibus(jenkins, "jobs", "plan", "snap", "--only", "acme/platform/x")[:2] == (0, "nothing to do\n")
