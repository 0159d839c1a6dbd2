"""A controller that is well, and all that it can be made to suffer from, each with the condition that must be found."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from fake_jenkins import FakeJenkins, empty_state, kinds
from fake_jenkins.faults import Fault
from fake_jenkins.items import Build, Item, Meta
from fake_jenkins.nodes import Node, agent_config, fake_monitors
from fake_jenkins.state import QueueItem, State

HOUR, DAY, GIB = 3600.0, 86400.0, 1 << 30
HEALTHY = '[monitor]\nlabels = ["linux"]\njobs = ["app"]\nsnapshot = "jenkins"\n'
SHA = "1f" * 20


@dataclass
class Ward:
    """What an injection may change: the controller, the folder with cibus.toml, and the user's state."""

    fake: FakeJenkins
    folder: Path
    other: http.server.ThreadingHTTPServer | None = None

    @property
    def state(self) -> State:
        return self.fake.state

    def replace(self) -> None:
        """Another server answers at the controller's address."""
        port = int(self.fake.url.rstrip("/").rpartition(":")[2])
        self.fake.stop()
        (self.folder / "site").mkdir()
        (self.folder / "site" / "index.html").write_text("<html><title>It works!</title></html>")

        class Pages(http.server.SimpleHTTPRequestHandler):
            def do_GET(self) -> None:
                self.path = "/index.html"
                super().do_GET()

            def log_message(self, *_: object) -> None:
                pass

        self.other = http.server.ThreadingHTTPServer(("127.0.0.1", port), partial(Pages, directory=str(self.folder / "site")))
        threading.Thread(target=self.other.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Ends the other server."""
        if self.other is not None:
            self.other.shutdown()
            self.other.server_close()

    def configure(self, more: str) -> None:
        """Adds to cibus.toml."""
        path = self.folder / "cibus.toml"
        path.write_text(path.read_text() + more)

    def monitor(self, node: str, name: str, **values: Any) -> None:
        """Sets a reading of a node."""
        self.state.nodes[node].monitors[f"hudson.node_monitors.{name}Monitor"].update(values)

    def wait(self, why: str, minutes: float, count: int = 1) -> None:
        """Has builds wait in the queue."""
        for _ in range(count):
            ident = self.state.next_queue_id
            self.state.queue[ident] = QueueItem(ident, self.state.jobs["app"], "admin", why, int((time.time() - minutes * 60) * 1000))
            self.state.next_queue_id += 1

    def build(self, job: str, result: str | None, ago: float, **values: Any) -> None:
        """Adds a build that began so many seconds ago; ``result`` None: it runs."""
        item = self.state.jobs[job]
        item.builds.insert(0, build(len(item.builds) + 1, result, ago, **values))

    def deed(self, name: str, ago: float, **facts: Any) -> None:
        """Notes that something was done so many seconds ago."""
        from cibus.jenkins import deeds

        deeds.note(self.fake.url, name, **facts)
        path = deeds._path(self.fake.url)
        known = json.loads(path.read_text())
        known[name]["when"] -= ago
        path.write_text(json.dumps(known))

    def receipt(self, agent: str, check: str, level: str, words: str) -> None:
        """Writes the receipt of a verify that found something."""
        from cibus.agents.receipts import append
        from cibus.receipts import VERSION, stamp

        found = [{"check": check, "level": level, "words": words, "runbook": "" if level == "fine" else "agent-java"}]
        who = {"name": "A Tester", "email": "tester@example.org"}
        append(self.folder / "receipts", {"schema": VERSION, "kind": "verify", "agent": agent, "outcome": "look", "operator": who, "started": stamp(), "seconds": 1.0, "host": agent, "versions": {}, "steps": [], "findings": found})


def build(number: int, result: str | None, ago: float, *, seconds: float = 60, estimated: float = 60, sha: str = "", console: str = "") -> Build:
    """A build as Jenkins exports it."""
    actions = [{"_class": "hudson.plugins.git.util.BuildData", "lastBuiltRevision": {"SHA1": sha, "branch": []}}] if sha else []
    values = {"result": result, "building": result is None, "timestamp": int((time.time() - ago) * 1000), "duration": int(seconds * 1000), "estimatedDuration": int(estimated * 1000), "actions": actions}
    return Build(number, values, console=console)


def well(folder: Path) -> tuple[State, Path]:
    """A controller that nothing is wrong with, and its cibus.toml."""
    state = empty_state()
    for name in ("one", "two", "three"):
        node = Node(name, agent_config(name, {"numExecutors": 2, "remoteFS": "/agent", "labelString": "linux"}), online=True)
        node.monitors = fake_monitors("/agent")
        state.nodes[name] = node
    for name in ("app", *(f"job-{number}" for number in range(30))):
        item = state.root.add(Item(name, kinds.PIPELINE, state.root, b"<flow-definition/>"))
        item.hint(Meta())
        item.builds = [build(1, "SUCCESS", 2 * HOUR)]
    path = folder / "cibus.toml"
    path.write_text(HEALTHY)
    return state, path


Inject = Callable[[Ward], None]
SICKNESSES: dict[str, tuple[str, str, Inject]] = {}


def sickness(name: str, condition: str, subject: str = "") -> Callable[[Inject], Inject]:
    """Names an injection, the condition that must be found, and what it must be about."""

    def add(inject: Inject) -> Inject:
        SICKNESSES[name] = (condition, subject, inject)
        return inject

    return add


def simple(name: str, condition: str, subject: str, inject: Inject) -> None:
    SICKNESSES[name] = (condition, subject, inject)


simple("stopped", "controller-down", "", lambda ward: ward.fake.stop())
simple("resets connections", "controller-down", "", lambda ward: ward.fake.faults.set(("reset", 100.0)))
simple("a web page in its place", "controller-wrong-answer", "", lambda ward: ward.replace())
simple("a login page", "controller-rights", "", lambda ward: ward.fake.faults.set(("html", 100.0)))
simple("a queue that is cut off", "controller-fault", "queue", lambda ward: ward.fake.faults.set(Fault("truncated", path="^/queue")))
simple("500 for the queue", "controller-fault", "queue", lambda ward: ward.fake.faults.set(Fault("500", path="^/queue")))
simple("503 for everything", "controller-fault", "", lambda ward: ward.fake.faults.set(("503", 100.0)))
simple("no right to see agents", "controller-rights", "agents", lambda ward: ward.fake.faults.set(Fault("403", path="^/computer")))
simple("wrong token", "controller-rights", "", lambda ward: ward.fake.faults.set(("401", 100.0)))
simple("slow", "controller-slow", "", lambda ward: setattr(ward.fake, "latency", 1.3))
simple("about to shut down", "controller-shutting-down", "", lambda ward: setattr(ward.state, "quieting_down", True))
simple("many wait", "queue-long", "", lambda ward: ward.wait("Waiting for next available executor on ‘linux’", 1, 60))
simple("one waits for long", "queue-stuck", "", lambda ward: ward.wait("Waiting for next available executor on ‘linux’", 45))
simple("a reason in another language", "queue-stuck", "", lambda ward: ward.wait("Warte auf den nächsten freien Build-Prozessor", 45))
simple("unknown label", "label-without-agent", "solaris", lambda ward: ward.wait("There are no nodes with the label ‘solaris’", 1))
simple("label offline", "label-offline", "arm", lambda ward: ward.wait("All nodes of label ‘arm’ are offline", 1))


@sickness("label saturated", "label-saturated", "linux")
def _(ward: Ward) -> None:
    for name in ("one", "two", "three"):
        busy = {"currentExecutable": {"_class": "hudson.model.FreeStyleBuild", "url": f"{ward.fake.url}job/app/1/"}}
        ward.state.nodes[name].running = [busy, busy]
    ward.wait("Waiting for next available executor on ‘linux’", 20)


@sickness("one agent left", "label-single-agent", "linux")
def _(ward: Ward) -> None:
    for name in ("two", "three"):
        ward.state.nodes[name].set_cause("for a while", "admin")


simple("agent gone", "agent-offline", "two", lambda ward: setattr(ward.state.nodes["two"], "online", False))


@sickness("all agents gone", "agents-all-offline")
def _(ward: Ward) -> None:
    for name in ("one", "two", "three"):
        ward.state.nodes[name].online = False


@sickness("agent forgotten", "agent-taken-offline", "two")
def _(ward: Ward) -> None:
    node = ward.state.nodes["two"]
    node.set_cause("new disk", "admin")
    assert node.root is not None
    stamp = node.root.find("temporaryOfflineCause/timestamp")
    assert stamp is not None
    stamp.children = [str(int((time.time() - 3 * DAY) * 1000))]


simple("disk full", "agent-disk-full", "one", lambda ward: ward.monitor("one", "DiskSpace", size=2 * GIB))
simple("temporary folder full", "agent-disk-full", "one", lambda ward: ward.monitor("one", "TemporarySpace", size=GIB // 4))
simple("clock ahead", "agent-clock", "one", lambda ward: ward.monitor("one", "Clock", diff=-95_000))
simple("clock behind", "agent-clock", "one", lambda ward: ward.monitor("one", "Clock", diff=95_000))
simple("no memory", "agent-memory", "one", lambda ward: ward.monitor("one", "SwapSpace", availablePhysicalMemory=GIB // 2))
simple("slow agent", "agent-slow", "one", lambda ward: ward.monitor("one", "ResponseTime", average=8_000))
simple("old Java", "agent-java", "one", lambda ward: ward.receipt("one", "java", "error", "Java 11, the controller needs 17"))
simple("identity ends", "mac-identity-expires", "mac", lambda ward: ward.receipt("mac", "identities", "warning", "Apple Distribution: Example: valid for 9 days"))
simple("no owner", "agent-owner-missing", "one", lambda ward: ward.configure('[agents.one]\nhost = "one.example"\n'))
simple("build hangs", "build-stuck", "app", lambda ward: ward.build("app", None, 2 * HOUR, estimated=600))


@sickness("chosen job fails", "jobs-failing", "app")
def _(ward: Ward) -> None:
    ward.state.jobs["app"].builds = []
    ward.build("app", "SUCCESS", 10 * DAY)
    ward.build("app", "FAILURE", 2 * DAY)


@sickness("other jobs fail", "jobs-failing")
def _(ward: Ward) -> None:
    for name in ("job-1", "job-2"):
        ward.state.jobs[name].builds = [build(1, "FAILURE", 3 * DAY)]


@sickness("most builds fail", "builds-failing")
def _(ward: Ward) -> None:
    for number in range(20):
        ward.build(f"job-{number}", "FAILURE", HOUR)


@sickness("flaky", "build-flaky", "app")
def _(ward: Ward) -> None:
    ward.build("app", "FAILURE", 2 * HOUR, sha=SHA)
    ward.build("app", "SUCCESS", HOUR, sha=SHA)


simple("slower", "build-slower", "app", lambda ward: ward.build("app", "SUCCESS", HOUR, seconds=3000, estimated=600))
simple("export is old", "backup-old", "", lambda ward: ward.deed("export", 3 * DAY))
simple("drift", "config-drift", "", lambda ward: ward.deed("diff", HOUR, differences=3))
