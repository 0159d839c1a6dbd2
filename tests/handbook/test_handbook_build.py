"""``cibus handbook build``: what it writes, what it refuses, and what is left when it is stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from repos import IDENTITY
from town import Town, made, pipeline

from cibus.cli import main
from cibus.handbook.build import MARKER, settle, take_place
from cibus.handbook.collect import collect
from cibus.handbook.site import site
from cibus.monitor.alerts import pages as alert_pages
from cibus.runbooks.library import library

pytest.importorskip("mkdocs")
pytest.importorskip("material")

Said = pytest.CaptureFixture[str]


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def here(town: Town, monkeypatch: pytest.MonkeyPatch) -> Town:
    monkeypatch.chdir(town.folder)
    (town.folder / "runbooks" / "nasty.md").unlink()  # links of theirs lead nowhere
    (town.folder / "runbooks" / "licence-server.md").unlink()
    return town


def test_a_site_with_all_parts(here: Town, capsys: Said) -> None:
    assert main(["handbook", "build", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {name: told[name] for name in ("folder", "runbooks", "alerts", "agents", "jobs", "areas", "problems", "lost")} == {
        "folder": "handbook-site", "runbooks": len(library(here.folder)), "alerts": len(alert_pages()), "agents": 3, "jobs": 5, "areas": 0, "problems": [], "lost": [],
    }  # fmt: skip
    assert main(["handbook", "build", "-o", "public/book"]) == 0
    out = capsys.readouterr()
    assert out.out.startswith("public/book: ") and out.out.count("\n") == 1  # mkdocs and its theme say nothing
    assert out.err == ""
    assert (here.folder / "public/book/index.html").is_file()


def test_the_same_inputs_give_the_same_bytes(here: Town, tmp_path: Path) -> None:
    for seed, name in (("1", "a"), ("2", "b")):
        subprocess.run([sys.executable, "-m", "cibus", "handbook", "build", "-o", str(tmp_path / name)], env={**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo" if name == "b" else "UTC"}, check=True, capture_output=True)
        time.sleep(1.1)  # another second
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


def test_nothing_is_there_and_each_part_says_what_would_make_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Said) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["handbook", "build"]) == 0
    assert capsys.readouterr().err == ""
    for page, command in (("jobs/index", "cibus jobs export jenkins --commit"), ("owners/index", "ownership.toml"), ("owners/people", "ownership.toml"), ("agents/index", "cibus agents import -o cibus.toml"), ("onboarding", "ownership.toml"), ("index", "cibus runbook run")):
        assert command in (tmp_path / "handbook-site" / f"{page}.html").read_text("utf-8"), page


def test_what_is_broken_is_said_and_the_rest_is_there(here: Town, capsys: Said) -> None:
    here.append("receipts/linux-1.jsonl", '{"half a')
    here.append("receipts/runbooks/agent-offline.jsonl", '{"mode": "run"}')
    here.write("runbooks/torn.md", "---\nowner: nobody\n---\n# A torn <page>\n\nwith *words*\n")
    here.write("runbooks/agent-clock.md", "no front matter, [gone](nowhere.md) and \udcff bytes\n")
    here.write("jenkins/snapshot.toml", "<<<<<<< HEAD\n")
    here.write("cibus.toml", (here.folder / "cibus.toml").read_text() + '[rebuild]\ninventory = "no-hosts"\n')
    assert main(["handbook", "build"]) == 3
    err = capsys.readouterr().err
    for words in ("linux-1.jsonl:3", "agent-offline.jsonl:2", "torn.md:", "agent-clock.md:", "snapshot.toml", "no-hosts", "agent-clock.md: nowhere.md: leads nowhere"):
        assert words in err, words
    assert str(here.folder) not in err
    site = here.folder / "handbook-site"
    assert "linux-1.jsonl:3" in (site / "agents/index.html").read_text("utf-8")
    assert "2026-04-01" in (site / "agents/linux-1.html").read_text("utf-8")
    assert "agent-offline.jsonl:2" in (site / "runbooks/index.html").read_text("utf-8")
    torn = (site / "runbooks/torn.html").read_text("utf-8")
    assert "not of the form of a runbook" in torn and "<em>words</em>" in torn and "A torn &lt;page&gt;" in torn.replace("&#60;", "&lt;").replace("&#62;", "&gt;")
    assert "snapshot.toml" in (site / "jobs/index.html").read_text("utf-8")
    assert "no-hosts" in (site / "index.html").read_text("utf-8")


def test_no_receipt_whatever_is_in_it_breaks_the_handbook(here: Town) -> None:
    whole = json.loads((here.folder / "receipts" / "linux-1.jsonl").read_text().splitlines()[-1])
    whole |= {"changes": {"count": 1, "tasks": []}, "second": {"changed": 0}, "failed": "x", "words": "y", "reason": "z"}
    odd: list[Any] = [None, [], {}, "", "<b>", 0, -1.5, True, [None], {"name": None}, "2026-01-01"]
    for key in whole:
        for value in odd:
            here.append("receipts/linux-1.jsonl", json.dumps({**whole, key: value}))
            here.append("receipts/linux-1.jsonl", json.dumps({name: each for name, each in whole.items() if name != key}))
    for key in whole["findings"][0]:
        for value in odd:
            here.append("receipts/linux-1.jsonl", json.dumps({**whole, "findings": [{**whole["findings"][0], key: value}]}))
            here.append("receipts/linux-1.jsonl", json.dumps({**whole, "findings": [{name: each for name, each in whole["findings"][0].items() if name != key}]}))
            book = collect(here.config)
            assert len(site(book).pages) > 80
    runs = {"mode": "run", "runbook": "agent-offline", "outcome": "ok", "operator": {"name": "A"}, "started": "2026-04-02T08:00:00+00:00"}
    for key in runs:
        for value in odd:
            here.append("receipts/runbooks/agent-offline.jsonl", json.dumps({**runs, key: value}))
    assert len(site(collect(here.config)).pages) > 80


def test_a_page_that_is_called_as_the_list_is_said(here: Town, capsys: Said) -> None:
    here.write("runbooks/index.md", "# Mine\n")
    here.write("runbooks/pictures.md", "# Mine\n")
    assert main(["handbook", "build"]) == 3
    assert "runbooks/index.md: in the handbook this is the list" in capsys.readouterr().err
    assert "<h1" in (here.folder / "handbook-site/runbooks/pictures.html").read_text("utf-8")


def test_a_wrong_cibus_toml_is_one_line(here: Town, capsys: Said) -> None:
    here.write("cibus.toml", "[monitor]\nsnapshots = 'x'\n")
    assert main(["handbook", "build"]) == 2
    assert "did you mean 'snapshot'" in capsys.readouterr().err


@pytest.mark.parametrize("what", ["file", "folder", "repository"])
def test_what_is_no_handbook_is_not_replaced(here: Town, capsys: Said, what: str) -> None:
    place = here.folder if what == "repository" else here.folder / "mine"
    if what == "file":
        place.write_text("mine")
    elif what == "folder":
        (place / "kept").mkdir(parents=True)
    before = tree(here.folder)
    assert main(["handbook", "build", "-o", str(place)]) == 2
    err = capsys.readouterr().err
    assert "is no handbook" in err and err.count("\n") == 1
    assert tree(here.folder) == before


def test_a_library_that_is_missing_is_one_line(here: Town, capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import sys; sys.modules['mkdocs'] = None\nimport importlib.util as u; find = u.find_spec; u.find_spec = lambda name, *more: None if name == 'mkdocs' else find(name, *more)\nfrom cibus.cli import main; sys.exit(main(['handbook', 'build']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "cibus: error: mkdocs is not installed; install with pip install 'cibus[handbook]'\n"


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -9)])
def test_an_interrupted_build_leaves_the_former_site(here: Town, number: signal.Signals, code: int) -> None:
    assert main(["handbook", "build"]) == 0
    site = here.folder / "handbook-site"
    before = tree(site)
    here.run("agent-clock")
    for wait in (0.0, 0.5, 1.0):
        there = set(here.folder.glob(".handbook-site*"))
        process = subprocess.Popen([sys.executable, "-m", "cibus", "handbook", "build"], cwd=here.folder, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        end = time.monotonic() + 60
        while not set(here.folder.glob(".handbook-site*")) - there and time.monotonic() < end:
            time.sleep(0.01)  # until it builds
        time.sleep(wait)
        process.send_signal(number)
        _, err = process.communicate(timeout=20)
        if process.returncode == 0:
            break  # it was done before
        assert process.returncode == code, err
        assert tree(site) == before
        if number != signal.SIGKILL:
            assert b"handbook-site is as it was" in err
            assert [each.name for each in here.folder.glob(".handbook-site*")] == []
    assert main(["handbook", "build"]) == 0
    assert tree(site) != before
    assert [each.name for each in here.folder.glob(".handbook-site*")] == []


def test_a_kill_between_two_renames_is_mended(tmp_path: Path) -> None:
    place, former = tmp_path / "site", tmp_path / ".site.former"
    former.mkdir()
    (former / MARKER).touch()
    settle(place)
    assert (place / MARKER).is_file() and not former.exists()
    with pytest.raises(FileNotFoundError):
        take_place(tmp_path / "not-made", place)
    assert (place / MARKER).is_file()


def test_a_job_with_a_script_is_compared_by_meaning(here: Town) -> None:
    here.snapshot({"acme/pipe": (pipeline(), "echo 'three'\n")})
    here.commit("changed acme/pipe", "2026-03-09T09:00:00+00:00", "Zoë")
    assert main(["handbook", "build"]) == 0
    page = (here.folder / "handbook-site/jobs/acme.html").read_text("utf-8")
    assert "2026-03-09" in page and "by Zoë" in page
    assert "<ins>+echo &#x27;three&#x27;</ins>" in page


def test_it_is_built_where_no_controller_and_no_git_identity_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in CI: a fresh clone, and no home."""
    town = made(tmp_path / "origin")
    subprocess.run(["git", "clone", "-q", "--depth", "1", town.folder.as_uri(), str(tmp_path / "clone")], check=True, env={**os.environ, **IDENTITY}, capture_output=True)
    monkeypatch.setenv("HOME", "/nonexistent")
    monkeypatch.chdir(tmp_path / "clone")
    assert main(["handbook", "build"]) == 3  # for the links of the team's pages that lead nowhere
    assert "This clone is shallow" in (tmp_path / "clone/handbook-site/jobs/index.html").read_text("utf-8")
