"""Nodes: the built-in one and agents, as configuration and as computers."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import Any

from .stapler import ALWAYS, Data
from .xmldoc import Element

MONITORS = ("SwapSpace", "TemporarySpace", "DiskSpace", "Architecture", "ResponseTime", "Clock")


def text(tag: str, value: object) -> Element:
    return Element(tag, {}, [str(value)])


def agent_config(name: str, form: dict[str, Any]) -> Element:
    """Gives the configuration that a node's form makes."""
    retention = form.get("retentionStrategy") or {"stapler-class": "hudson.slaves.RetentionStrategy$Always"}
    retained = [text(key, retention[key]) for key in ("inDemandDelay", "idleDelay") if key in retention]
    return Element(
        "slave",
        {},
        [
            text("name", name),
            text("description", form.get("nodeDescription", "")),
            *([text("remoteFS", form["remoteFS"])] if "remoteFS" in form else []),
            text("numExecutors", form.get("numExecutors", 1)),
            text("mode", form.get("mode", "NORMAL")),
            Element("retentionStrategy", {"class": retention["stapler-class"]}, list(retained)),
            _launcher(form.get("launcher") or {}),
            text("label", form.get("labelString", "")),
            _properties(form.get("nodeProperties") or {}),
        ],
    )


def _launcher(form: dict[str, Any]) -> Element:
    cls = form.get("stapler-class", "hudson.slaves.JNLPLauncher")
    if cls == "hudson.plugins.sshslaves.SSHLauncher":
        verifier = form.get("sshHostKeyVerificationStrategy", {}).get("stapler-class", "")
        return Element(
            "launcher",
            {"class": cls, "plugin": "ssh-slaves@1.31.2"},
            [
                *(text(key, form.get(key, "")) for key in ("host", "port", "credentialsId")),
                *(text(key, form.get(key, 0)) for key in ("launchTimeoutSeconds", "maxNumRetries", "retryWaitTime")),
                Element("sshHostKeyVerificationStrategy", {"class": verifier}),
                text("tcpNoDelay", str(form.get("tcpNoDelay", True)).lower()),
            ],
        )
    settings = form.get("workDirSettings") or {}
    return Element(
        "launcher",
        {"class": cls},
        [
            Element(
                "workDirSettings",
                {},
                [
                    text("disabled", str(settings.get("disabled", False)).lower()),
                    text("internalDir", settings.get("internalDir", "remoting")),
                    text("failIfWorkDirIsMissing", str(settings.get("failIfWorkDirIsMissing", False)).lower()),
                ],
            ),
            text("webSocket", str(form.get("webSocket", False)).lower()),
        ],
    )


def _properties(form: dict[str, Any]) -> Element:
    bag = form.get("hudson-slaves-EnvironmentVariablesNodeProperty")
    if not bag:
        return Element("nodeProperties")
    pairs = [each for entry in bag["env"] for each in (text("string", entry["key"]), text("string", entry["value"]))]
    default = Element("default", {}, [Element("comparator", {"class": "hudson.util.CaseInsensitiveComparator"})])
    tree_map = Element("tree-map", {}, [default, text("int", len(bag["env"])), *pairs])
    variables = Element("envVars", {"serialization": "custom"}, [Element("unserializable-parents"), tree_map])
    return Element("nodeProperties", {}, [Element("hudson.slaves.EnvironmentVariablesNodeProperty", {}, [variables])])


def split_labels(label: str) -> list[str]:
    """Splits a label string; quoted labels may hold spaces."""
    out, word, quoted = [], "", False
    for char in label + " ":
        if char == '"':
            quoted = not quoted
        elif char == " " and not quoted:
            out += [word] if word else []
            word = ""
        else:
            word += char
    return out


@dataclass
class Node:
    """A node with its computer; the built-in node has no configuration."""

    name: str
    root: Element | None = None
    online: bool = False
    offline_cause: str | None = None  # set while it is taken offline by hand
    monitors: dict[str, Any] = field(default_factory=dict)
    executors: int = 4  # of the built-in node
    executor_order: tuple[int, ...] = ()
    running: list[dict[str, Any]] = field(default_factory=list)  # currentExecutable of busy executors
    log: str = ""
    seen: float | None = None  # when its process called last
    job: Any = None  # the build that it runs
    description_of_builtin: str = "the master Jenkins node"

    @property
    def builtin(self) -> bool:
        return self.root is None

    def field(self, tag: str, default: str = "") -> str:
        return self.root.get(tag, default) if self.root else default

    @property
    def display_name(self) -> str:
        return "master" if self.builtin else self.name

    @property
    def description(self) -> str:
        return self.description_of_builtin if self.builtin else self.field("description")

    @property
    def num_executors(self) -> int:
        return self.executors if self.builtin else int(self.field("numExecutors", "1"))

    @property
    def labels(self) -> list[str]:
        return sorted({self.display_name, *split_labels(self.field("label"))})

    @property
    def offline(self) -> bool:
        return not self.online or self.offline_cause is not None

    @property
    def launcher(self) -> str:
        found = self.root.find("launcher") if self.root else None
        return found.attrs.get("class", "") if found is not None else ""

    def toggle_offline(self, cause: str, user: str) -> None:
        """Takes the node offline or back; the cause is kept in the configuration."""
        if self.offline_cause is None:
            self.set_cause(cause, user)
        else:
            self.offline_cause = None
            if self.root is not None:
                self.root.children = [c for c in self.root.elements if c.tag != "temporaryOfflineCause"]

    def set_cause(self, cause: str, user: str) -> None:
        self.offline_cause = cause
        if self.root is None:
            return
        args = Element("args", {}, [text("string", user), text("string", f" : {cause}" if cause else "")])
        holder = Element("holder", {}, [text("owner", "hudson.slaves.Messages")])
        described = Element("description", {}, [holder, text("key", "SlaveComputer.DisconnectedBy"), args])
        saved = Element(
            "temporaryOfflineCause",
            {"class": "hudson.slaves.OfflineCause$UserCause"},
            [text("timestamp", int(time.time() * 1000)), described, text("userId", user)],
        )
        self.root.children = [saved, *(c for c in self.root.elements if c.tag != "temporaryOfflineCause")]


def secret_of(node: Node) -> str:
    """What the agent's process identifies itself with."""
    return hashlib.sha256(f"agent {node.name}".encode()).hexdigest()


def form_json(raw: str | None) -> dict[str, Any]:
    """Reads the `json` of a form submission."""
    value = json.loads(raw or "null")
    if not isinstance(value, dict):
        raise ValueError("not a form")  # noqa: TRY004 - one way to say that a form is unreadable
    return value


def monitor_data(node: Node) -> dict[str, Any]:
    """Gives monitorData; an agent that was never online has none."""
    out: dict[str, Any] = {}
    if node.builtin and not node.monitors:
        return out  # not measured yet
    for short in MONITORS:
        name = f"hudson.node_monitors.{short}Monitor"
        value = node.monitors.get(name)
        if isinstance(value, dict):
            out[name] = Data(
                value["_class"], {key: each for key, each in value.items() if key != "_class"}, default=ALWAYS
            )
        else:
            out[name] = value
    return out


def fake_monitors(path: str, disk: int = 77_998_059_520) -> dict[str, Any]:
    """Gives readings of an agent that is well."""
    now = int(time.time() * 1000)
    space = "hudson.node_monitors.DiskSpaceMonitorDescriptor$DiskSpace"
    readings: dict[str, Any] = {
        "SwapSpace": {
            "_class": "hudson.node_monitors.SwapSpaceMonitor$MemoryUsage2",
            "availablePhysicalMemory": 23_565_393_920,
            "availableSwapSpace": 0,
            "totalPhysicalMemory": 25_276_502_016,
            "totalSwapSpace": 0,
        },
        "TemporarySpace": {"_class": space, "timestamp": now, "path": "/tmp", "size": disk},
        "DiskSpace": {"_class": space, "timestamp": now, "path": path, "size": disk},
        "Architecture": "Linux (amd64)",
        "ResponseTime": {"_class": "hudson.node_monitors.ResponseTimeMonitor$Data", "timestamp": now, "average": 12},
        "Clock": {"_class": "hudson.util.ClockDifference", "diff": 0},
    }
    return {f"hudson.node_monitors.{short}Monitor": value for short, value in readings.items()}
