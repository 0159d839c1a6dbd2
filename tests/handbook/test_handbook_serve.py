"""``cibus handbook serve``: where alerts lead, what else is answered, and that it follows what changes."""

from __future__ import annotations

import html
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from serving import asked
from test_handbook_browser import browser
from town import PAGE, Town

from cibus.cli import main
from cibus.config import MonitorConfig
from cibus.handbook.serve import file_of
from cibus.monitor.alerts import rules
from cibus.runbooks import files

for needed in ("aiohttp", "mkdocs", "material"):
    pytest.importorskip(needed)


@contextmanager
def serving(folder: Path, *more: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Its URL, once it answers, and its process."""
    temporary(folder).mkdir(exist_ok=True)
    command = [sys.executable, "-m", "cibus", "handbook", "serve", "--listen", "127.0.0.1:0", *more]
    with (temporary(folder) / "serve.err").open("wb") as errors:
        process = subprocess.Popen(command, cwd=folder, env={**os.environ, "TMPDIR": str(temporary(folder))}, stderr=errors)
    try:
        yield until(lambda: re.findall(r"serving (http://\S+?/)[;\s]", said(folder))), process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(20)


def said(folder: Path) -> str:
    return (temporary(folder) / "serve.err").read_text("utf-8")


def temporary(folder: Path) -> Path:
    """Where its temporary folders are, and what it said."""
    return folder.with_name("temporary")


def until(done: Callable[[], Any], seconds: float = 30) -> Any:
    end = time.monotonic() + seconds
    while not (found := done()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.1)
    return found[0] if isinstance(found, list) else found


@pytest.fixture
def quiet(town: Town) -> Town:
    for name in ("nasty.md", "licence-server.md"):
        (town.folder / "runbooks" / name).unlink()
    return town


def test_every_alert_lands_on_its_page(quiet: Town) -> None:
    with serving(quiet.folder) as (url, process):
        found = [rule for group in rules(MonitorConfig(runbooks=f"{url}runbooks"))["groups"] for rule in group["rules"]]
        assert len(found) > 30
        for rule in found:
            address = rule["annotations"]["runbook_url"]
            status, page, headers = asked(address)
            name = address.rpartition("/")[2]
            title = files.title(files.text(name) or "", "")
            assert status == 200, address
            assert title
            assert f"<title>{html.escape(title)} - CI handbook</title>" in page.replace("&#39;", "&#x27;"), address
            assert headers["Content-Type"].startswith("text/html")
        assert process.poll() is None


def test_what_is_answered(quiet: Town) -> None:
    with serving(quiet.folder) as (url, process):
        status, page, headers = asked(url)
        assert (status, "<title>CI handbook</title>" in page) == (200, True)
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")
        for path in ("alerts.html", "alerts", "jobs/", "jobs", "runbooks/agent-offline/", "assets/handbook.css", "search/search_index.json"):
            assert asked(url + path)[0] == 200, path
        for path in ("nothing", "runbooks/nothing", "..%2F..%2Fcibus.toml", "runbooks/..%2F..%2F..%2Fetc%2Fpasswd", "%00", ".cibus-handbook", "x" * 5000):
            assert asked(url + path)[0] == 404, path[:50]
        for script in (True, False):
            with browser(script=script) as (page, told, requests):
                page.goto(f"{url}runbooks/agent-offline/")
                page.wait_for_url("**/agent-offline.html")
                page.goto(f"{url}runbooks/agent-offline")
                page.locator("article a", has_text="rebuild the agent").click()
                assert "Rebuild an agent" in page.locator("h1").inner_text()
                if script:
                    page.locator("input.md-search__input").click()
                    page.keyboard.type("acme/app")
                    page.locator(".md-search-result__link", has_text="acme/app").first.click(timeout=15_000)
                    page.wait_for_url("**/jobs/acme.html*")
                assert told == []
                assert all(each.startswith((url, "data:")) for each in requests)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    assert [each.name for each in temporary(quiet.folder).iterdir()] == ["serve.err"]
    assert "Traceback" not in said(quiet.folder)


def test_it_follows_what_changes(quiet: Town) -> None:
    with serving(quiet.folder) as (url, process):
        quiet.write("runbooks/licence-server.md", PAGE.format(title="The licence server", words="x"))
        until(lambda: asked(f"{url}runbooks/licence-server")[0] == 200)
        quiet.receipt("linux-1", started="2026-05-05T08:00:00+00:00")
        until(lambda: "2026-05-05" in asked(f"{url}agents/linux-1.html")[1])
        quiet.snapshot({"acme/new": "<project/>"})
        quiet.commit("added acme/new", "2026-06-06T08:00:00+00:00")
        until(lambda: "2026-06-06" in asked(f"{url}jobs/acme.html")[1])
        quiet.write("cibus.toml", "[monitor]\nsnapshots = 1\n")
        until(lambda: "not built anew: " in said(quiet.folder))
        assert "2026-06-06" in asked(f"{url}jobs/acme.html")[1]
        quiet.write("cibus.toml", '[agents.other]\nhost = "other.example"\n')
        until(lambda: asked(f"{url}agents/other")[0] == 200)
        assert "There is no snapshot" in asked(f"{url}jobs/")[1]
        assert len(list(next(temporary(quiet.folder).glob("cibus-handbook-site-*")).iterdir())) <= 3  # the one that is served, the one before, the next one
        process.terminate()
        assert process.wait(20) == 130
    assert [each.name for each in temporary(quiet.folder).iterdir()] == ["serve.err"]


def test_a_port_in_use_and_a_wrong_address_are_one_line(quiet: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(quiet.folder)
    monkeypatch.setattr(tempfile, "tempdir", str(quiet.folder))
    with serving(quiet.folder) as (url, _):
        port = url.rstrip("/").rpartition(":")[2]
        assert main(["handbook", "serve", "--listen", f"127.0.0.1:{port}"]) == 1
        err = capsys.readouterr().err
        assert "cannot listen there" in err and err.count("\n") == 1
    assert main(["handbook", "serve", "--listen", "9181"]) == 2
    assert "give HOST:PORT" in capsys.readouterr().err
    assert [each.name for each in quiet.folder.iterdir() if each.name.startswith("cibus-handbook")] == []


@pytest.mark.parametrize(
    ("path", "found"),
    [("", "index.html"), ("a", "a.html"), ("a.html", "a.html"), ("a/", "a/index.html"), ("b", "b/"), ("b/", "b/index.html"), ("c", None), ("c/", None), ("../x", None), ("", "index.html"), ("link", None), (".cibus-handbook", None)],
)
def test_the_file_of_an_address(tmp_path: Path, path: str, found: str | None) -> None:
    site = tmp_path / "site"
    for name in ("index.html", "a.html", "a/index.html", "b/index.html", "c/x.txt", ".cibus-handbook"):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).touch()
    (tmp_path / "x").touch()
    (site / "link").symlink_to(tmp_path / "x")
    answer = file_of(site, path)
    assert (str(answer.relative_to(site)) if isinstance(answer, Path) else answer) == found
