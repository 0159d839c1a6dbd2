"""What a snapshot's history says changed last, from real repositories."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from town import Town, freestyle

from cibus.handbook.lastchange import commits, history
from cibus.jobs.layout import MANIFEST, Key, folder_of
from cibus.jobs.manifest import Manifest


@pytest.fixture
def repo(tmp_path: Path) -> Town:
    town = Town(tmp_path / "team")
    town.folder.mkdir()
    town.git("init", "-q")
    town.snapshot({"a/b": freestyle("one"), "ö x": freestyle("one")})
    town.commit("first", "2026-01-01T10:00:00+02:00", "Ann")
    return town


def seen(town: Town, *names: str) -> dict[str, tuple[str, str, str, list[str]]]:
    """By job: kind, day, who, changes in words."""
    folders = {folder_of(Key("job", name)): name for name in names or ("a/b", "ö x")}
    found = history(town.folder / "jenkins", list(folders)).changes
    return {folders[folder]: (each.kind, each.when.isoformat()[:10], each.who, [change.in_words for change in each.changes]) for folder, each in found.items()}


def test_the_last_commit_that_touched_it_counts(repo: Town) -> None:
    assert seen(repo) == {"a/b": ("added", "2026-01-01", "Ann", []), "ö x": ("added", "2026-01-01", "Ann", [])}
    repo.snapshot({"ö x": freestyle("two")})
    repo.commit("second", "2026-01-02T10:00:00+00:00", "Bob")
    repo.write("elsewhere", "x")
    repo.commit("third", "2026-01-03T10:00:00+00:00", "Eve")
    assert seen(repo)["ö x"] == ("changed", "2026-01-02", "Bob", ["builder 1 (Shell): command: 'one' -> 'two'"])
    assert seen(repo)["a/b"][:3] == ("added", "2026-01-01", "Ann")


def test_a_change_without_meaning_and_one_that_is_no_xml(repo: Town) -> None:
    repo.snapshot({"a/b": freestyle("one").replace("  <builders>", "  <keepDependencies>false</keepDependencies>\n  <builders>"), "ö x": "<project"})
    repo.commit("second", "2026-01-02T10:00:00+00:00")
    assert seen(repo)["a/b"][3] == []
    found = history(repo.folder / "jenkins", [folder_of(Key("job", "ö x"))]).changes
    assert found[folder_of(Key("job", "ö x"))].problem != ""


def test_a_merge_that_brings_a_change(repo: Town) -> None:
    repo.git("checkout", "-q", "-b", "side")
    repo.snapshot({"a/b": freestyle("side")})
    repo.commit("on the side", "2026-01-02T10:00:00+00:00", "Sid")
    repo.git("checkout", "-q", "main")
    repo.snapshot({"ö x": freestyle("main")})
    repo.commit("on main", "2026-01-03T10:00:00+00:00", "May")
    repo.git("merge", "-q", "--no-ff", "-m", "merged", "side", when="2026-01-04T10:00:00+00:00")
    assert seen(repo)["a/b"][1:3] == ("2026-01-02", "Sid")
    assert seen(repo)["ö x"][1:3] == ("2026-01-03", "May")


def test_another_key_of_fingerprints_is_no_change_of_secrets(repo: Town) -> None:
    for number, key in enumerate(("k1", "k1", "k2")):
        secret = f"{{cibus:password:{number:016x}}}"
        repo.write(f"jenkins/{folder_of(Key('job', 'a/b'))}/config.xml", freestyle("one", secret))
        repo.write(f"jenkins/{MANIFEST}", Manifest("2", "https://ci.example/", key).text())
        repo.commit(f"{number}", f"2026-02-0{number + 1}T10:00:00+00:00")
        if number == 1:
            assert seen(repo)["a/b"][3] == ["description: secret changed (not shown)"]
    assert seen(repo)["a/b"][1:] == ("2026-02-03", "Dev One", [])


def test_what_is_not_known_is_said(repo: Town, tmp_path: Path) -> None:
    repo.snapshot({"a/b": freestyle("edited")})
    assert "not committed" in history(repo.folder / "jenkins", []).notes[0]
    repo.commit("second")
    subprocess.run(["git", "clone", "-q", "--depth", "1", repo.folder.as_uri(), str(tmp_path / "clone")], check=True, capture_output=True)
    shallow = history(tmp_path / "clone" / "jenkins", [folder_of(Key("job", "a/b"))])
    assert shallow.changes == {}
    assert "shallow" in shallow.notes[0]
    (tmp_path / "plain").mkdir()
    assert "in no git repository" in history(tmp_path / "plain", ["jobs/a"]).notes[0]
    new = Town(tmp_path / "new")
    new.folder.mkdir()
    new.git("init", "-q")
    new.snapshot({"a": freestyle("x")})
    assert "never committed" in history(new.folder / "jenkins", ["jobs/a"]).notes[0]


def test_a_repository_of_the_other_hash_and_a_snapshot_at_its_root(tmp_path: Path) -> None:
    town = Town(tmp_path / "jenkins")
    town.folder.mkdir()
    town.git("init", "-q", "--object-format=sha256")
    for number, words in enumerate(("one", "two")):
        town.write("jobs/a/config.xml", freestyle(words))
        town.commit(words, f"2026-01-0{number + 1}T10:00:00+00:00")
    found = history(town.folder, ["jobs/a"]).changes["jobs/a"]
    assert [each.in_words for each in found.changes] == ["builder 1 (Shell): command: 'one' -> 'two'"]


@pytest.mark.parametrize(
    ("log", "found"),
    [
        ("", []),
        ("\x01c1\x02p1 p2\x022026-01-01T10:00:00+00:00\x02A\x02s\0\njobs/a/config.xml\0jobs/b/x\0\0", [("c1", ("p1", "p2"), {"jobs/a", "jobs/b", ""})]),
        ("\x01c1\x02\x022026-01-01T10:00:00+00:00\x02A\x02one\x02two\0\njobs/a/c\0\0", [("c1", (), {"jobs/a", ""})]),
        ("\x01c1\x02\x022026-01-01T10:00:00+00:00\x02A\x01B\x02s\0\njobs/a/c\0\0", []),
    ],
)
def test_the_log_as_it_is_read(log: str, found: list[object]) -> None:
    assert [(each.id, each.parents, set(each.folders)) for each in commits(log)] == found
