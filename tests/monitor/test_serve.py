"""``cibus monitor serve``: who may ask, what is answered, what kills and faults leave behind, and its pages in a browser."""

from __future__ import annotations

import base64
import json
import random
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_jenkins.faults import Fault
from serving import asked, serving
from sickness import Ward
from test_alerts import promtool

from cibus.cli import main
from cibus.monitor.history import History
from cibus.monitor.statuspage import state_page
from cibus.monitor.watch import Seen
from cibus.runbooks.page import SECTIONS

pytest.importorskip("aiohttp")



def until(done: Callable[[], Any], seconds: float = 20) -> Any:
    end = time.monotonic() + seconds
    while not (found := done()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.1)
    return found


def findings(url: str) -> set[str]:
    status, text, _ = asked(f"{url}state.json")
    return {each["condition"] for each in json.loads(text)["findings"]} if status == 200 else {"(none yet)"}


def test_what_is_served(ward: Ward) -> None:
    with serving(ward.fake, ward.folder, "--interval", "1") as (url, process):
        until(lambda: asked(f"{url}healthz")[0] == 200)
        assert findings(url) == set()
        status, text, headers = asked(f"{url}metrics")
        assert status == 200
        assert headers["Content-Type"].startswith("text/plain; version=")
        assert "cibus_controller_up 1.0\n" in text
        assert promtool("check", "metrics", stdin=text.encode()) == ""
        _, text, headers = asked(f"{url}metrics", Accept="application/openmetrics-text; version=1.0.0")
        assert headers["Content-Type"].startswith("application/openmetrics-text")
        assert text.endswith("# EOF\n")
        ward.monitor("one", "Clock", diff=95_000)
        until(lambda: findings(url) == {"agent-clock"})
        _, page, headers = asked(url)
        assert "CI needs a look" in page
        assert 'href="runbooks/agent-clock"' in page
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        status, page, _ = asked(f"{url}runbooks/agent-clock")
        assert (status, "<h2>Verify</h2>" in page) == (200, True)
        for path in ("runbooks/nothing", "runbooks/..%2F..%2Fpyproject", "x"):
            assert asked(url + path)[0] == 404
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130


def test_a_token_where_others_can_ask(ward: Ward, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ward.folder)
    monkeypatch.setenv("CIBUS_JENKINS_URL", ward.fake.url)
    assert main(["monitor", "serve", "--listen", "0.0.0.0:0"]) == 2
    assert "give token in [monitor]" in capsys.readouterr().err
    assert main(["monitor", "serve", "--listen", "9180"]) == 2
    assert "give HOST:PORT" in capsys.readouterr().err
    ward.configure('token = { env = "MONITOR_TOKEN" }\n')
    with serving(ward.fake, ward.folder, "--listen", "0.0.0.0:0", env={"MONITOR_TOKEN": "s3cret-token"}) as (url, _):
        url = url.replace("0.0.0.0", "127.0.0.1")
        assert asked(f"{url}metrics")[0] == 401
        assert asked(f"{url}metrics", Authorization="Bearer wrong")[0] == 401
        assert asked(f"{url}metrics", Authorization="Basic !!!")[0] == 401
        assert asked(f"{url}metrics", Authorization="Bearer s3cret-token")[0] == 200
        basic = base64.b64encode(b"prometheus:s3cret-token").decode()
        assert asked(f"{url}metrics", Authorization=f"Basic {basic}")[0] == 200
        assert asked(f"{url}healthz")[0] in (200, 503)
        port = url.rstrip("/").rpartition(":")[2]
        monkeypatch.setenv("MONITOR_TOKEN", "s3cret-token")
        assert main(["monitor", "serve", "--listen", f"127.0.0.1:{port}"]) == 1
        assert "cannot listen there" in capsys.readouterr().err


def test_whatever_the_controller_does_it_goes_on(ward: Ward) -> None:
    faults: list[tuple[list[Any], set[str]]] = [
        ([("reset", 100.0)], {"controller-down"}),
        ([("html", 100.0)], {"controller-rights"}),
        ([Fault("truncated", path="^/computer")], {"controller-fault"}),
        ([Fault("html", path="^/queue")], {"controller-rights"}),
        ([("503", 100.0)], {"controller-fault"}),
        ([], set()),
    ]
    with serving(ward.fake, ward.folder, "--interval", "1") as (url, process):
        for kinds, condition in faults:
            ward.fake.faults.set(*kinds)
            until(lambda condition=condition: findings(url) == condition)
            assert asked(f"{url}metrics")[0] == asked(url)[0] == 200
        ward.fake.stop()
        until(lambda: findings(url) == {"controller-down"})
        assert process.poll() is None


@pytest.mark.slow
def test_a_kill_leaves_the_history_readable(ward: Ward, tmp_path: Path) -> None:
    chance = random.Random(7)
    files = tmp_path / "state" / "monitor"
    sweeps = 0
    for _ in range(12):
        with serving(ward.fake, ward.folder, "--interval", "1") as (url, process):
            until(lambda url=url: asked(f"{url}healthz")[0] == 200)
            time.sleep(chance.uniform(0, 1.3))
            process.kill()
        (path,) = files.glob("*.sqlite")
        with sqlite3.connect(path) as file:
            assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        file.close()
        with History(path) as history:
            found = len(history.series("queue_length", 0, points=10_000))
        assert found > sweeps
        sweeps = found


def test_in_a_browser(ward: Ward, tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    from browsing import program

    if not program():
        pytest.skip("no Chromium here: tests/hosts/packages.sh installs it on Debian")
    ward.monitor("one", "Clock", diff=95_000)
    ward.wait("There are no nodes with the label ‘<b>solaris</b>’", 45)
    with serving(ward.fake, ward.folder, "--interval", "1") as (url, _), playwright.sync_playwright() as play:
        until(lambda: findings(url) == {"agent-clock", "label-without-agent"})
        browser = play.chromium.launch(executable_path=program(), args=["--no-sandbox"])  # root has no sandbox
        for name, script, width in (("wide", True, 1300), ("narrow", False, 390)):
            context = browser.new_context(java_script_enabled=script, viewport={"width": width, "height": 900})
            page = context.new_page()
            said: list[str] = []
            asked_for: list[str] = []
            page.on("console", lambda message, said=said: said.append(message.text))
            page.on("pageerror", lambda error, said=said: said.append(str(error)))
            page.on("request", lambda request, asked_for=asked_for: asked_for.append(request.url))
            page.goto(url)
            assert page.locator("h1").inner_text() == "CI is ill"
            assert "<b>solaris</b>" in page.locator("ul.findings").inner_text()
            assert page.locator("figure svg").count() == 7
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth") if script else True
            page.screenshot(path=tmp_path / f"monitor-{name}.png", full_page=True)
            for href in [link.get_attribute("href") for link in page.locator("a").all()]:
                assert asked(href if "://" in href else url + href)[0] in (200, 403), href  # the controller wants a login
            page.locator("ul.findings a").first.click()
            assert page.locator("h2").all_inner_texts() == list(SECTIONS)
            page.screenshot(path=tmp_path / f"runbook-{name}.png", full_page=True)
            assert said == []
            assert all(each.startswith((url, "data:")) for each in asked_for)
            context.close()
        browser.close()


def test_a_page_before_the_first_sweep_and_without_history(ward: Ward) -> None:
    assert "The first sweep is under way" in state_page(None, {}, 0.0, 60, str)
    from cibus.config import MonitorConfig
    from cibus.monitor.conditions import View
    from cibus.monitor.state import Sweep

    text = state_page(Seen(View(Sweep("http://<ci>/", 0.0), limits=MonitorConfig())), {}, 0.0, 60, str)
    assert "http://&lt;ci&gt;/" in text
    assert text.count("nothing measured") == 7
