"""A real Prometheus and a real Alertmanager, as the examples configure them, and the webhook that they tell."""

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
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from serving import asked

from cibus.cli import main

EXAMPLES = Path(__file__).parents[1] / "examples" / "monitoring"
HOLD = re.compile(r"^(\s+for: )\S+$", re.MULTILINE)


def missing() -> str:
    """Why they do not run here, or ""."""
    absent = [name for name in ("prometheus", "prometheus-alertmanager") if shutil.which(name) is None]
    return f"no {absent[0]} here: tests/hosts/packages.sh installs it on Debian" if absent else ""


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


@dataclass(frozen=True)
class Watchers:
    """Where Prometheus and Alertmanager answer, and what these told."""

    prometheus: str
    alertmanager: str
    hook: Webhook

    def fired(self) -> set[str]:
        """The alerts that fired so far."""
        return {each["metric"]["alertname"] for each in self.value('max_over_time(ALERTS{alertstate="firing"}[1h])')}

    def value(self, query: str) -> list[dict[str, Any]]:
        """What Prometheus gives for a query."""
        asked_for = urllib.parse.urlencode({"query": query})
        found: list[dict[str, Any]] = json.loads(asked(f"{self.prometheus}api/v1/query?{asked_for}")[1])["data"]["result"]
        return found


def configured(folder: Path, monitor: str, hook: Webhook, token: str = "") -> Watchers:
    """Writes the examples into a folder, which has to be the current one, with other addresses and with less patience."""
    alertmanager, prometheus = (f"http://127.0.0.1:{free_port()}/" for _ in range(2))
    text = (EXAMPLES / "prometheus.yml").read_text()
    if token:
        text = re.sub(r"# authorization: .*", f"authorization: {{ credentials: {token} }}", text)
    text = text.replace("127.0.0.1:9180", monitor).replace("127.0.0.1:9093", alertmanager[7:-1]).replace("60s", "1s")
    (folder / "prometheus.yml").write_text(text)
    text = (EXAMPLES / "alertmanager.yml").read_text()
    text = text.replace("http://127.0.0.1:8085", hook.url).replace("30s", "1s").replace("5m", "1s")
    (folder / "alertmanager.yml").write_text(text)
    assert main(["monitor", "rules", "--out", "cibus-rules.yml"]) == 0
    rules = folder / "cibus-rules.yml"
    rules.write_text(HOLD.sub(r"\g<1>1s", rules.read_text()))
    return Watchers(prometheus, alertmanager, hook)


@contextmanager
def watching(folder: Path, watchers: Watchers) -> Iterator[None]:
    """Both run, as configured in the folder."""
    alertmanager, prometheus = watchers.alertmanager, watchers.prometheus
    with (
        program(f"{alertmanager}-/ready", folder / "alertmanager.log", "prometheus-alertmanager", "--config.file=alertmanager.yml", f"--storage.path={folder / 'am'}", f"--web.listen-address={alertmanager[7:-1]}", "--cluster.listen-address="),
        program(f"{prometheus}-/ready", folder / "prometheus.log", "prometheus", "--config.file=prometheus.yml", f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address={prometheus[7:-1]}"),
    ):
        yield
