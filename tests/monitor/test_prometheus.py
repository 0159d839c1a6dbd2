"""A real Prometheus and a real Alertmanager: what a controller suffers from reaches its owner, and so does its end."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from fake_jenkins import FakeJenkins
from serving import asked, serving
from sickness import SICKNESSES, Ward, well
from test_alerts import promtool

from cibus.cli import main
from cibus.monitor.alerts import alert_name

EXAMPLES = Path(__file__).parents[2] / "examples" / "monitoring"
HOLD = re.compile(r"^(\s+for: )\S+$", re.MULTILINE)
# what cannot be together with others comes last, one after the other
LAST = ("agent gone", "agent forgotten", "build hangs", "flaky", "slow", "about to shut down", "all agents gone", "no right to see agents", "500 for the queue", "a web page in its place")
LEFT = {"label saturated", "one agent left"}  # their alerts are fired by others of the same condition, or not here: test_alerts fires each
ALONE = {"controller-down", "controller-fault", "controller-wrong-answer", "controller-rights", "agent-owner-missing"}
pytestmark = pytest.mark.slow


@dataclass
class Webhook:
    """Takes what Alertmanager sends: (receiver, status, labels, annotations)."""

    url: str = ""
    told: list[tuple[str, str, dict[str, str], dict[str, str]]] = field(default_factory=list)

    def names(self, receiver: str, status: str) -> set[str]:
        return {labels["alertname"] for to, how, labels, _ in self.told if (to, how) == (receiver, status)}


@contextmanager
def webhook() -> Iterator[Webhook]:
    hook = Webhook()

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            hook.told.extend((self.path.strip("/"), each["status"], each["labels"], each["annotations"]) for each in data["alerts"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taker)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hook.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def program(ready: str, log: Path, *argv: str) -> Iterator[None]:
    """A server that answers at ``ready`` while the block runs."""
    with log.open("wb") as file:
        process = subprocess.Popen(argv, stdout=file, stderr=file, cwd=log.parent)
    try:
        until(lambda: process.poll() is not None or answers(ready), 30)
        assert process.poll() is None, log.read_text()
        yield
    finally:
        process.terminate()
        process.wait(20)


def answers(url: str) -> bool:
    try:
        return asked(url)[0] == 200
    except OSError:
        return False


def until(done: Callable[[], Any], seconds: float = 40) -> Any:
    end = time.monotonic() + seconds
    while not (found := done()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.2)
    return found


@dataclass
class Guard:
    """The monitor, Prometheus and Alertmanager about a controller."""

    ward: Ward
    hook: Webhook
    prometheus: str

    def fired(self) -> set[str]:
        """The alerts that fired so far."""
        query = urllib.parse.urlencode({"query": 'max_over_time(ALERTS{alertstate="firing"}[1h])'})
        found = json.loads(asked(f"{self.prometheus}api/v1/query?{query}")[1])["data"]["result"]
        return {each["metric"]["alertname"] for each in found}


@pytest.fixture
def guard(tmp_path: Path, own_folders: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guard]:
    for name in ("prometheus", "prometheus-alertmanager"):
        if shutil.which(name) is None:
            pytest.skip(f"no {name} here: tests/hosts/packages.sh installs it on Debian")
    state, _ = well(tmp_path)
    with ExitStack() as stack:
        fake = stack.enter_context(FakeJenkins(state))
        ward = Ward(fake, tmp_path)
        stack.callback(ward.close)
        ward.configure('owner = "team-platform"\ncontroller_slow = 1\n[agents.two]\nhost = "two.example"\nowner = "team-mobile"\n')
        ward.deed("export", 3600)
        hook = stack.enter_context(webhook())
        url, _ = stack.enter_context(serving(fake, tmp_path, "--interval", "1"))
        config = _configured(tmp_path, url, hook, monkeypatch)
        alertmanager, prometheus = config
        stack.enter_context(program(f"{alertmanager}-/ready", tmp_path / "alertmanager.log", "prometheus-alertmanager", "--config.file=alertmanager.yml", f"--storage.path={tmp_path / 'am'}", f"--web.listen-address={alertmanager[7:-1]}", "--cluster.listen-address="))
        stack.enter_context(program(f"{prometheus}-/ready", tmp_path / "prometheus.log", "prometheus", "--config.file=prometheus.yml", f"--storage.tsdb.path={tmp_path / 'tsdb'}", f"--web.listen-address={prometheus[7:-1]}"))
        yield Guard(ward, hook, prometheus)


def _configured(folder: Path, monitor: str, hook: Webhook, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """The examples, with this test's addresses and with less patience; gives the addresses of both."""
    alertmanager, prometheus = (f"http://127.0.0.1:{free_port()}/" for _ in range(2))
    text = (EXAMPLES / "prometheus.yml").read_text()
    text = text.replace("127.0.0.1:9180", monitor[7:-1]).replace("127.0.0.1:9093", alertmanager[7:-1]).replace("60s", "1s")
    (folder / "prometheus.yml").write_text(text)
    text = (EXAMPLES / "alertmanager.yml").read_text()
    text = text.replace("http://127.0.0.1:8085", hook.url).replace("30s", "1s").replace("5m", "1s")
    (folder / "alertmanager.yml").write_text(text)
    monkeypatch.chdir(folder)
    assert main(["monitor", "rules", "--out", "cibus-rules.yml"]) == 0
    rules = folder / "cibus-rules.yml"
    rules.write_text(HOLD.sub(r"\g<1>1s", rules.read_text()))
    promtool("check", "config", str(folder / "prometheus.yml"))
    return alertmanager, prometheus


def test_an_alert_reaches_its_owner_and_so_does_its_end(guard: Guard) -> None:
    ward, hook = guard.ward, guard.hook
    ward.state.nodes["two"].online = False
    ward.wait("Waiting for next available executor on ‘linux’", 45)
    until(lambda: hook.names("team-platform", "firing") >= {"QueueStuck"})
    until(lambda: hook.names("team-mobile", "firing") >= {"AgentOffline"})
    sent = next(annotations for _, _, labels, annotations in hook.told if labels["alertname"] == "QueueStuck")
    assert sent["runbook_url"].rpartition("/")[2] == "queue-stuck"
    assert sent["summary"] == "A build waits for an executor for too long."
    ward.state.queue.clear()
    ward.state.nodes["two"].online = True
    until(lambda: hook.names("team-platform", "resolved") >= {"QueueStuck"})
    until(lambda: hook.names("team-mobile", "resolved") >= {"AgentOffline"})
    assert "QueueStuck" not in hook.names("team-mobile", "firing")
    assert "AgentOffline" not in hook.names("team-platform", "firing") | hook.names("everyone", "firing")


def test_whatever_it_suffers_from_fires(guard: Guard) -> None:
    ward, wanted = guard.ward, set()

    def fired(seconds: float = 40) -> None:
        end = time.monotonic() + seconds
        while missing := wanted - guard.fired():
            assert time.monotonic() < end, f"did not fire: {missing}"
            time.sleep(0.5)

    for name, (condition, _, inject) in SICKNESSES.items():
        if name not in LAST and name not in LEFT and condition not in ALONE:
            inject(ward)
            wanted.add(alert_name(condition))
    fired()
    for name in LAST:
        condition, _, inject = SICKNESSES[name]
        inject(ward)
        wanted.add(alert_name(condition))
        fired()
        ward.fake.faults.set()
    ward.close()
    wanted.add("ControllerDown")
    fired()
    assert len(wanted) >= 25
