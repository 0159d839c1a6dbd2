"""The exported classes of computers, labels and the root."""

from __future__ import annotations

from functools import partial
from typing import Any

from . import kinds
from .context import Context
from .exported import BY_CLASS, VIEW, bean, beans
from .exported_builds import recorded
from .items import Item
from .nodes import Node, monitor_data
from .stapler import ALWAYS, SKIP, Bean, Data, Exported, Prop
from .state import State


def _busy(context: Context, node: Node) -> int:
    return len(node.running)


def _executors(context: Context, node: Node) -> list[Data]:
    order = node.executor_order or range(node.num_executors)
    out = []
    for position, number in enumerate(order):
        running = node.running[position] if position < len(node.running) else None
        values = {
            "currentExecutable": recorded(running["currentExecutable"]) if running else None,
            "idle": running is None,
            "likelyStuck": bool(running and running.get("likelyStuck")),
            "number": number,
            "progress": running.get("progress", 50) if running else -1,
        }
        out.append(Data(None, values))
    return out


def load_statistics(context: object = None, node: object = None) -> Data:
    names = ["available", "busy", "connecting", "defined", "idle", "online"]
    keys = [f"{name}Executors" for name in names] + ["queueLength", "totalExecutors"]
    series = {name: Data(None, {"history": [0.0], "latest": 0.0}) for name in ("hour", "min", "sec10")}
    return Data("hudson.model.Label$1", {key: Data(None, dict(series)) for key in keys})


def _tied_to(item: Item) -> str | None:
    """A project that may not roam and names no label stays on the built-in node."""
    if item.cls == kinds.PIPELINE:
        return None
    return item.meta.label or (None if item.meta.can_roam else "master")


def label_values(context: Context, name: str) -> dict[str, Any]:
    nodes = [node for node in context.state.nodes.values() if name in node.labels]
    online = [node for node in nodes if not node.offline]
    total = sum(node.num_executors for node in online)
    busy = sum(len(node.running) for node in online)
    tied = [item for item in context.state.root.walk() if not item.is_group and _tied_to(item) == name]
    return {
        "actions": [],
        "busyExecutors": busy,
        "clouds": [],
        "description": None,
        "idleExecutors": total - busy,
        "loadStatistics": load_statistics(context, None),
        "name": name,
        "nodes": [Bean(ROOT, context.state.root) if node.builtin else _node_data(node) for node in nodes],
        "offline": not online,
        "tiedJobs": [bean(item) for item in tied],
        "totalExecutors": total,
        "propertiesList": [],
    }


def _node_data(node: Node) -> Data:
    values = {
        "assignedLabels": [Data(None, {"name": name}, {"name": 2}) for name in node.labels],
        "mode": node.field("mode", "NORMAL"),
        "nodeDescription": node.description,
        "nodeName": node.name,
        "numExecutors": node.num_executors,
    }
    return Data("hudson.slaves.DumbSlave", values, {"nodeName": ALWAYS})


def _label_value(key: str, context: Context, name: str) -> Any:
    return label_values(context, name)[key]


LABEL = Exported(
    tuple(
        Prop(key, partial(_label_value, key), 2 if key == "name" else 1)
        for key in [
            "actions",
            "busyExecutors",
            "clouds",
            "description",
            "idleExecutors",
            "loadStatistics",
            "name",
            "nodes",
            "offline",
            "tiedJobs",
            "totalExecutors",
            "propertiesList",
        ]
    ),
    lambda name: None,
)
LABEL_ATOM = Exported(LABEL.props, lambda name: "hudson.model.labels.LabelAtom")


def _icon(context: Context, node: Node) -> str:
    return "computer-user-offline" if node.offline_cause is not None else "computer-x" if node.offline else "computer"


def _cause(node: Node) -> Data | None:
    if node.offline_cause is None:
        return None
    described = f"Disconnected by {node.field('temporaryOfflineCause/userId', 'admin')} : {node.offline_cause}"
    values = {"timestamp": int(node.field("temporaryOfflineCause/timestamp", "0")), "description": described}
    return Data("hudson.slaves.OfflineCause$UserCause", values)


_COMPUTER_PROPS = (
    Prop("actions", lambda context, node: []),
    Prop("assignedLabels", lambda context, node: [Bean(LABEL, name) for name in node.labels]),
    Prop("description", lambda context, node: node.description),
    Prop("displayName", lambda context, node: node.display_name),
    Prop("executors", _executors),
    Prop("icon", lambda context, node: f"{_icon(context, node)}.png"),
    Prop("iconClassName", lambda context, node: f"icon-{_icon(context, node)}"),
    Prop("idle", lambda context, node: not node.running),
    Prop("jnlpAgent", lambda context, node: node.launcher.endswith("JNLPLauncher")),
    Prop("launchSupported", lambda context, node: not node.launcher.endswith("JNLPLauncher")),
    Prop("loadStatistics", load_statistics),
    Prop("manualLaunchAllowed", lambda context, node: True),
    Prop("monitorData", lambda context, node: monitor_data(node)),
    Prop("numExecutors", lambda context, node: node.num_executors),
    Prop("offline", lambda context, node: node.offline),
    Prop(
        "offlineCause",
        lambda context, node: _cause(node),
    ),
    Prop("offlineCauseReason", lambda context, node: node.offline_cause or ""),
    Prop("oneOffExecutors", lambda context, node: []),
    Prop("temporarilyOffline", lambda context, node: node.offline_cause is not None),
    Prop(
        "absoluteRemotePath",
        lambda context, node: SKIP if node.builtin else node.field("remoteFS") if node.online else None,
    ),
)
COMPUTER = Exported(
    tuple(Prop(p.name, p.get) for p in _COMPUTER_PROPS),
    lambda node: "hudson.model.Hudson$MasterComputer" if node.builtin else "hudson.slaves.SlaveComputer",
)


def computers(state: State) -> list[Node]:
    """The built-in node first, the others by name."""
    return sorted(state.nodes.values(), key=lambda node: (not node.builtin, node.name))


COMPUTER_SET = Exported(
    (
        Prop("busyExecutors", lambda context, state: sum(len(node.running) for node in state.nodes.values())),
        Prop("computer", lambda context, state: [Bean(COMPUTER, node) for node in computers(state)], inline=True),
        Prop("displayName", lambda context, state: "Nodes"),
        Prop(
            "totalExecutors", lambda context, state: sum(n.num_executors for n in state.nodes.values() if not n.offline)
        ),
    ),
    lambda state: "hudson.model.ComputerSet",
)


# --- the root ---

ROOT = Exported(
    (
        Prop("assignedLabels", lambda context, item: [Bean(LABEL, "master")]),
        Prop("mode", lambda context, item: "NORMAL"),
        Prop("nodeDescription", lambda context, item: "the master Jenkins node"),
        Prop("nodeName", lambda context, item: "", ALWAYS),
        Prop("numExecutors", lambda context, item: context.state.nodes[""].num_executors),
        Prop("description", lambda context, item: None),
        Prop("jobs", lambda context, item: beans(context, item.children)),
        Prop("overallLoad", lambda context, item: Data(None)),
        Prop(
            "primaryView",
            lambda context, item: next((Bean(VIEW, v) for v in item.views if v.name == item.primary_view), None),
        ),
        Prop("quietDownReason", lambda context, item: None),
        Prop("quietingDown", lambda context, item: context.state.quieting_down),
        Prop("slaveAgentPort", lambda context, item: -1),
        Prop("unlabeledLoad", lambda context, item: Data("jenkins.model.UnlabeledLoadStatistics")),
        Prop("url", lambda context, item: context.url(item)),
        Prop("useCrumbs", lambda context, item: True),
        Prop("useSecurity", lambda context, item: True),
        Prop(
            "views",
            lambda context, item: [Bean(VIEW, view) for view in sorted(item.views, key=lambda v: v.name.lower())],
        ),
    ),
    lambda item: kinds.ROOT,
)
BY_CLASS[kinds.ROOT] = ROOT
