"""The exported classes of jobs, folders and views: which properties they have."""

from __future__ import annotations

from typing import Any

from . import kinds
from .context import Context
from .credentials import Store
from .exported_builds import build_data, find_build, first_or_last, last_completed
from .health import reports, tests
from .items import Item
from .names import encode_segment
from .parameters import definitions
from .stapler import ALWAYS, Bean, Data, Exported, Prop
from .views import View

CREDENTIALS_ACTION = "com.cloudbees.plugins.credentials.ViewCredentialsAction"
PARAMETERS = "hudson.model.ParametersDefinitionProperty"
DISPLAY_ACTION = "org.jenkinsci.plugins.displayurlapi.actions.JobDisplayAction"


def bean(value: Item) -> Bean:
    return Bean(BY_CLASS.get(value.cls) or (FOLDER if value.is_group else JOB), value)


def beans(context: Context, items: list[Item]) -> list[Bean]:
    return [bean(item) for item in context.visible(items)]


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
        shown = {"name": name, "url": f"{context.url(item)}{encode_segment(name)}/", "color": item.color}
        out.append(Data(None, shown, {"name": ALWAYS, "url": ALWAYS, "color": 2}))
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
    Prop("firstBuild", first_or_last(-1)),
    Prop("healthReport", _health, inline=False),
    Prop(
        "inQueue", lambda context, item: any(q.item is item and not q.cancelled for q in context.state.queue.values())
    ),
    Prop("keepDependencies", lambda context, item: False),
    Prop("lastBuild", first_or_last(0)),
    Prop("lastCompletedBuild", last_completed),
    Prop("lastFailedBuild", find_build("FAILURE")),
    Prop("lastStableBuild", find_build("SUCCESS")),
    Prop("lastSuccessfulBuild", find_build("SUCCESS", "UNSTABLE")),
    Prop("lastUnstableBuild", find_build("UNSTABLE")),
    Prop("lastUnsuccessfulBuild", find_build("FAILURE", "UNSTABLE", "ABORTED", "NOT_BUILT")),
    Prop("nextBuildNumber", lambda context, item: item.next_build),
    Prop("property", _property, inline=True),
    Prop("queueItem", _queue_item),
)
_PROJECT_PROPS = (
    Prop("concurrentBuild", lambda context, item: item.meta.concurrent),
    Prop("disabled", lambda context, item: item.meta.disabled),
    Prop("downstreamProjects", lambda context, item: _related(context, item, True)),
    Prop("labelExpression", lambda context, item: item.meta.label),
    Prop("scm", lambda context, item: Data(item.meta.scm, {"browser": None, "type": item.meta.scm})),
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
# --- views ---


def view_url(context: Context, view: View) -> str:
    if id(view) in context.view_urls:
        return context.view_urls[id(view)]
    base = context.url(view.owner)
    return base if view.name == view.owner.primary_view else f"{base}view/{encode_segment(view.name)}/"


VIEW = Exported(
    (
        Prop("description", lambda context, view: view.description),
        Prop("jobs", lambda context, view: beans(context, view.items())),
        Prop("name", lambda context, view: view.name, ALWAYS),
        Prop("property", lambda context, view: []),
        Prop("url", view_url, ALWAYS),
    ),
    lambda view: view.cls,
)


# --- folders ---

_GROUP_PROPS = (
    Prop("healthReport", _health),
    Prop("jobs", lambda context, item: beans(context, item.children)),
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
BY_CLASS = {
    kinds.FOLDER: FOLDER,
    kinds.MULTIBRANCH: MULTIBRANCH,
    kinds.ORGANIZATION: MULTIBRANCH,
    kinds.FREESTYLE: FREESTYLE,
    kinds.MATRIX: MATRIX,
    kinds.PIPELINE: PIPELINE,
}


def credentials_action(store: Store, root: bool) -> Data:
    cls = f"{CREDENTIALS_ACTION}$RootActionImpl" if root else CREDENTIALS_ACTION
    return Data(cls, {"stores": {store.kind: store.data()}})
