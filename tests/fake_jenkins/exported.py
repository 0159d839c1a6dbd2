"""The exported classes: which properties items, views, nodes and the root have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from . import kinds
from .auth import ITEM_READ, Caller
from .credentials import Store
from .health import reports, tests
from .items import Build, Item
from .names import encode_segment
from .nodes import Node, monitor_data
from .parameters import definitions
from .stapler import ALWAYS, SKIP, Bean, Data, Exported, Prop
from .state import State
from .views import View

CREDENTIALS_ACTION = "com.cloudbees.plugins.credentials.ViewCredentialsAction"
PARAMETERS = "hudson.model.ParametersDefinitionProperty"
DISPLAY_ACTION = "org.jenkinsci.plugins.displayurlapi.actions.JobDisplayAction"


@dataclass
class Context:
    """Of whom and of what an answer speaks; items on the request's path keep the URL that was asked for."""

    state: State
    root_url: str
    caller: Caller
    urls: dict[int, str] = field(default_factory=dict)
    view_urls: dict[int, str] = field(default_factory=dict)
    queue_item: Any = None  # how a queue item is exported: it exports its task in turn

    def url(self, item: Item) -> str:
        found = self.urls.get(id(item))
        if found is None:
            found = self.root_url if item.parent is None else f"{self.url(item.parent)}job/{encode_segment(item.name)}/"
            self.urls[id(item)] = found
        return found

    def visible(self, items: list[Item]) -> list[Item]:
        return items if self.caller.may(ITEM_READ) else []


def bean(value: Item) -> Bean:
    return Bean(_BY_CLASS.get(value.cls) or (FOLDER if value.is_group else JOB), value)


def _beans(context: Context, items: list[Item]) -> list[Bean]:
    return [bean(item) for item in context.visible(items)]


# --- builds ---


def build_data(context: Context, item: Item, build: Build) -> Data:
    """A build in a job's answer: number and url are seen one level deeper than the rest."""
    values = dict(build.values)
    values["number"] = build.number
    values["url"] = f"{context.url(item)}{build.number}/"
    shown = {name: recorded(each, build.deep.get(name)) for name, each in values.items()}
    shown["actions"] = [_run_action(context, item, build, action) for action in shown.get("actions", [])]
    return Data(build.cls, shown, {"number": 2, "url": 2})


def _run_action(context: Context, item: Item, build: Build, action: Any) -> Any:
    if action.cls != "org.jenkinsci.plugins.displayurlapi.actions.RunDisplayAction":
        return action
    job = context.url(item)
    own = f"{job}{build.number}/"
    urls = {
        "artifactsUrl": f"{own}artifact",
        "changesUrl": f"{job}changes",
        "displayUrl": own,
        "testsUrl": f"{own}testReport",
    }
    return Data(action.cls, urls)


def recorded(value: Any, deep: Any = None) -> Any:
    """Turns recorded JSON into beans that a tree can prune; what only the deeper answer has needs depth or a name."""
    if isinstance(value, dict):
        more = deep if isinstance(deep, dict) else {}
        inner = {name: recorded(each, more.get(name)) for name, each in {**more, **value}.items() if name != "_class"}
        hidden = {name: 1 for name in inner if name not in value}
        return Data(value.get("_class", more.get("_class")), inner, hidden, default=ALWAYS)
    if isinstance(value, list):
        further = deep if isinstance(deep, list) and len(deep) == len(value) else [None] * len(value)
        return [recorded(each, more) for each, more in zip(value, further, strict=True)]
    return value


def _find_build(*results: str) -> Any:
    def get(context: Context, item: Item) -> Any:
        for build in item.builds:
            if build.result in results:
                return build_data(context, item, build)
        return None

    return get


def _first_or_last(index: int) -> Any:
    return lambda context, item: build_data(context, item, item.builds[index]) if item.builds else None


def _last_completed(context: Context, item: Item) -> Any:
    return next((build_data(context, item, build) for build in item.builds if build.result), None)


def _health(context: Context, item: Item) -> list[Data]:
    return [report.data() for report in reports(item)]


# --- jobs ---


def _actions(blanks_before: int, displays: bool, blanks_after: int) -> Any:
    def get(context: Context, item: Item) -> list[Any]:
        blank = Data(None)
        stores: dict[str, Any] = {"folder": item.store.data()} if item.store else {}
        parameters = definitions(item.meta.parameters)
        out: list[Any] = [Data(PARAMETERS, {"parameterDefinitions": parameters}, default=2)] if parameters else []
        out += [blank] * blanks_before
        if displays:
            out.append(Data(DISPLAY_ACTION, {"displayUrl": context.url(item)}))
        out += [blank] * blanks_after
        return [*out, Data(CREDENTIALS_ACTION, {"stores": stores})]

    return get


def _pipeline_actions(context: Context, item: Item) -> list[Any]:
    """A pipeline's properties and the marks of Declarative add actions that export nothing."""
    own = len(item.meta.properties) - 1 if item.is_computed else len(item.meta.properties)
    blanks = (4 if item.is_computed else 5) + max(0, own) + item.meta.marks
    return [each for each in _actions(blanks, True, 2)(context, item) if each.cls != PARAMETERS]


def _property(context: Context, item: Item) -> list[Any]:
    out: list[Any] = []
    for tag in item.meta.properties:
        if tag == PARAMETERS:
            out.append(Data(tag, {"parameterDefinitions": definitions(item.meta.parameters)}, default=2))
        elif tag.endswith("BranchJobProperty"):
            out.append(Data(tag, {"branch": _branch()}, default=1))
        else:
            out.append(Data(tag))
    return out


def _branch() -> Data:
    head = Data("jenkins.plugins.git.GitBranchSCMHead")
    return Data(None, {"head": head, "scm": Data("hudson.plugins.git.GitSCM")})


def _related(context: Context, item: Item, downstream: bool) -> list[Bean]:
    parent = item.parent
    if parent is None:
        return []
    if downstream:
        found = [parent.child(name) for name in item.meta.downstream]
        return [bean(each) for each in found if each is not None]
    return [bean(each) for each in parent.children if not each.is_group and item.name in each.meta.downstream]


def _configurations(context: Context, item: Item) -> list[Data]:
    combos: list[dict[str, str]] = [{}]
    for name, values in sorted(item.meta.axes):
        combos = [{**combo, name: value} for combo in combos for value in values]
    out = []
    for combo in combos if item.meta.axes else []:
        name = ",".join(f"{axis}={value}" for axis, value in sorted(combo.items()))
        values = {"name": name, "url": f"{context.url(item)}{encode_segment(name)}/", "color": item.color}
        out.append(Data(None, values, {"name": ALWAYS, "url": ALWAYS, "color": 2}))
    return out


def _exposed(item: Item) -> str:
    return item.cls


def _item_props(actions: Any) -> tuple[Prop, ...]:
    return (
        Prop("actions", actions),
        Prop("description", lambda context, item: item.meta.description),
        Prop("displayName", lambda context, item: item.display_name),
        Prop(
            "displayNameOrNull",
            lambda context, item: (
                item.meta.display_name or (item.display_name if item.display_name != item.name else None)
            ),
        ),
        Prop("fullDisplayName", lambda context, item: item.full_display_name),
        Prop("fullName", lambda context, item: item.full_name),
        Prop("name", lambda context, item: item.name, ALWAYS),
        Prop("url", lambda context, item: context.url(item), ALWAYS),
    )


def _queue_item(context: Context, item: Item) -> Any:
    queued = next(
        (
            each
            for each in context.state.queue.values()
            if each.item is item and not each.cancelled and each.executable is None
        ),
        None,
    )
    return context.queue_item(queued) if queued and context.queue_item else None


_JOB_PROPS = (
    # shown by name only
    Prop("allBuilds", lambda context, item: [build_data(context, item, build) for build in item.builds], -99),
    Prop("buildable", lambda context, item: not item.meta.disabled and not item.held),
    Prop("builds", lambda context, item: [build_data(context, item, build) for build in item.builds[:100]]),
    Prop("color", lambda context, item: item.color, 2),
    Prop("firstBuild", _first_or_last(-1)),
    Prop("healthReport", _health, inline=False),
    Prop(
        "inQueue", lambda context, item: any(q.item is item and not q.cancelled for q in context.state.queue.values())
    ),
    Prop("keepDependencies", lambda context, item: False),
    Prop("lastBuild", _first_or_last(0)),
    Prop("lastCompletedBuild", _last_completed),
    Prop("lastFailedBuild", _find_build("FAILURE")),
    Prop("lastStableBuild", _find_build("SUCCESS")),
    Prop("lastSuccessfulBuild", _find_build("SUCCESS", "UNSTABLE")),
    Prop("lastUnstableBuild", _find_build("UNSTABLE")),
    Prop("lastUnsuccessfulBuild", _find_build("FAILURE", "UNSTABLE", "ABORTED", "NOT_BUILT")),
    Prop("nextBuildNumber", lambda context, item: item.next_build),
    Prop("property", _property, inline=True),
    Prop("queueItem", _queue_item),
)
_PROJECT_PROPS = (
    Prop("concurrentBuild", lambda context, item: item.meta.concurrent),
    Prop("disabled", lambda context, item: item.meta.disabled),
    Prop("downstreamProjects", lambda context, item: _related(context, item, True)),
    Prop("labelExpression", lambda context, item: item.meta.label),
    Prop("scm", lambda context, item: Data(item.meta.scm)),
    Prop("upstreamProjects", lambda context, item: _related(context, item, False)),
)
JOB = Exported((*_item_props(_actions(3, True, 0)), *_JOB_PROPS), _exposed)
FREESTYLE = Exported(
    (
        *_item_props(lambda c, i: _actions(3 + bool(i.meta.parameters) + bool(tests(i)), True, 0)(c, i)),
        *_JOB_PROPS,
        *_PROJECT_PROPS,
    ),
    _exposed,
)
MATRIX = Exported(
    (*_item_props(_actions(3, True, 0)), *_JOB_PROPS, *_PROJECT_PROPS, Prop("activeConfigurations", _configurations)),
    _exposed,
)
PIPELINE = Exported(
    (
        *_item_props(_pipeline_actions),
        *_JOB_PROPS,
        Prop("concurrentBuild", lambda context, item: "DisableConcurrentBuilds" not in " ".join(item.meta.properties)),
        Prop("resumeBlocked", lambda context, item: "DisableResume" in " ".join(item.meta.properties)),
    ),
    _exposed,
)
_GROUP_PROPS = (
    Prop("healthReport", _health),
    Prop("jobs", lambda context, item: _beans(context, item.children)),
    Prop(
        "primaryView",
        lambda context, item: next((Bean(VIEW, v) for v in item.views if v.name == item.primary_view), None),
    ),
    Prop(
        "views",
        lambda context, item: [Bean(VIEW, view) for view in sorted(item.views, key=lambda view: view.name.lower())],
    ),
)
FOLDER = Exported((*_item_props(_actions(3, False, 0)), *_GROUP_PROPS), _exposed)
MULTIBRANCH = Exported(
    (
        *_item_props(_actions(6, False, 0)),
        *_GROUP_PROPS,
        Prop("sources", lambda context, item: [Data(None, {"source": Data("jenkins.plugins.git.GitSCMSource")})]),
    ),
    _exposed,
)
_BY_CLASS = {
    kinds.FOLDER: FOLDER,
    kinds.MULTIBRANCH: MULTIBRANCH,
    kinds.ORGANIZATION: MULTIBRANCH,
    kinds.FREESTYLE: FREESTYLE,
    kinds.MATRIX: MATRIX,
    kinds.PIPELINE: PIPELINE,
}


# --- views ---


def view_url(context: Context, view: View) -> str:
    if id(view) in context.view_urls:
        return context.view_urls[id(view)]
    base = context.url(view.owner)
    return base if view.name == view.owner.primary_view else f"{base}view/{encode_segment(view.name)}/"


VIEW = Exported(
    (
        Prop("description", lambda context, view: view.description),
        Prop("jobs", lambda context, view: _beans(context, view.items())),
        Prop("name", lambda context, view: view.name, ALWAYS),
        Prop("property", lambda context, view: []),
        Prop("url", view_url, ALWAYS),
    ),
    lambda view: view.cls,
)


# --- nodes ---


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


LABEL = Exported(
    tuple(
        Prop(key, lambda context, name, key=key: label_values(context, name)[key], 2 if key == "name" else 1)
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
        Prop("jobs", lambda context, item: _beans(context, item.children)),
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
_BY_CLASS[kinds.ROOT] = ROOT


def credentials_action(store: Store, root: bool) -> Data:
    cls = f"{CREDENTIALS_ACTION}$RootActionImpl" if root else CREDENTIALS_ACTION
    return Data(cls, {"stores": {store.kind: store.data()}})
