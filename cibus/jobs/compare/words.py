"""What things in a config are called: Jenkins' own words where there are some, else the elements."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from cibus.jobs.compare.nodes import Node

FIELDS = {
    "authToken": "trigger token",
    "assignedNode": "label expression",
    "blockBuildWhenDownstreamBuilding": "block when downstream builds",
    "blockBuildWhenUpstreamBuilding": "block when upstream builds",
    "canRoam": "may run anywhere",
    "childProjects": "projects to build",
    "choices": "choices",
    "columns": "columns",
    "command": "command",
    "concurrentBuild": "concurrent builds",
    "credentialsId": "credentials",
    "daysToKeep": "days to keep builds",
    "defaultValue": "default",
    "disabled": "disabled",
    "displayName": "display name",
    "fileName": "file name",
    "host": "host",
    "includeRegex": "regular expression",
    "keepDependencies": "keep dependencies",
    "label": "labels",
    "launchTimeoutSeconds": "launch timeout",
    "lightweight": "lightweight checkout",
    "mode": "usage",
    "name": "name",
    "numExecutors": "executors",
    "numToKeep": "builds to keep",
    "pruneDeadBranches": "prune dead branches",
    "quietPeriod": "quiet period",
    "recurse": "recurse into folders",
    "refspec": "refspec",
    "remote": "remote",
    "remoteFS": "remote root",
    "sandbox": "sandbox",
    "scmCheckoutRetryCount": "checkout retries",
    "script": "pipeline script",
    "scriptPath": "script path",
    "spec": "schedule",
    "temporaryOfflineCause": "temporarily offline",
    "trim": "trim",
    "url": "URL",
    "values": "values",
    "webSocket": "WebSocket",
}
# elements that only hold others: not worth a word
_HOLDERS = frozenset(
    {
        "a", "axes", "branches", "builders", "buildWrappers", "data", "definition", "domainCredentialsMap", "envVars", "folderViews", "healthMetrics",
        "hudson.model.ParametersDefinitionProperty", "hudson.plugins.git.UserRemoteConfig", "nodeProperties", "parameterDefinitions", "privateKeySource",
        "properties", "publishers", "source", "sources", "strategy", "string", "traits", "triggers", "userRemoteConfigs", "views", "entry", "list",
        "com.cloudbees.hudson.plugins.folder.properties.FolderCredentialsProvider_-FolderCredentialsProperty", "java.util.concurrent.CopyOnWriteArrayList",
        "hudson.slaves.EnvironmentVariablesNodeProperty", "tree-map", "hudson.plugins.git.BranchSpec",
    }
)  # fmt: skip
# fields that begin a part of their own
_PARTS = {
    "scm": "SCM",
    "launcher": "launcher",
    "retentionStrategy": "availability",
    "orphanedItemStrategy": "orphaned items",
    "executionStrategy": "execution strategy",
    "icon": "icon",
    "factory": "branch recognition",
    "temporaryOfflineCause": "temporarily offline",
}
_UNORDERED = frozenset(
    {
        "properties",
        "triggers",
        "jobNames",
        "nodeProperties",
        "actions",
        "healthMetrics",
        "specifications",
        "domainCredentialsMap",
    }
)


@dataclass(frozen=True)
class Place:
    """Where a comparison is.

    Arguments:
        part: the nearest thing with a name of its own, in words
        rest: the elements below it
        path: all elements, with keys
    """

    part: str = ""
    rest: tuple[str, ...] = ()
    path: str = ""

    @property
    def what(self) -> str:
        """In words."""
        rest = "/".join(self.rest)
        return f"{self.part}: {rest}" if self.part and rest else self.part or rest or "the item"

    def field(self, name: str) -> Place:
        """A field of what is here."""
        path = f"{self.path}/{name}" if self.path else name
        if name in _PARTS:
            return Place(_joined(self.part, _PARTS[name]), (), path)
        if name in _HOLDERS or (name == "name" and self.part.endswith("branches")):
            return replace(self, path=path)
        return Place(self.part, (*self.rest, FIELDS.get(name, name)), path)

    def item(self, holder: Node, item: Node, number: int, mark: str) -> Place:
        """An item of the list that is here.

        Arguments:
            holder: the list
            item: the item
            number: its position from 1
            mark: what tells it from the others in the path
        """
        path = f"{self.path}/{mark}" if self.path else mark
        name = _ITEMS.get(holder.tag)
        if name is not None:
            part = name(item, number)
            return Place(_joined(self.part, part) if holder.tag in _WITHIN else part, (), path)
        if holder.tag == "CopyOnWriteArrayList" or item.value("id"):
            return Place(
                f"credential {item.value('id')}"
                if "Credentials" in item.tag or "PrivateKey" in item.tag
                else item.value("id"),
                (),
                path,
            )
        if item.tag in _HOLDERS:
            return replace(self, path=path)
        return Place(self.part, (*self.rest, short(item.tag)), path)


def short(tag: str) -> str:
    """A class without its package: ``hudson.tasks.Shell`` is Shell."""
    return re.split(r"[.$]|_-", tag)[-1]


def is_unordered(holder: Node) -> bool:
    """Whether a list is a set to Jenkins."""
    return holder.tag in _UNORDERED


def key_of(holder: Node, item: Node) -> str:
    """What an item of a list is called by, apart from its position; empty if by nothing."""
    if holder.tag in ("parameterDefinitions", "axes", "views"):
        return item.value("name")
    if item.value("id"):
        return item.value("id")
    if item.tag == "entry" and item.children:
        key = item.children[0]
        return key.text or key.value("name") or key.tag
    source = item.fields.get("source")
    if source is not None and source.value("id"):
        return source.value("id")
    if holder.tag in _UNORDERED or holder.tag in ("extensions", "traits", "columns"):
        return item.text if item.tag == "string" else item.tag
    return ""


def _joined(part: str, more: str) -> str:
    return f"{part}: {more}" if part else more


def _numbered(word: str) -> Callable[[Node, int], str]:
    return lambda item, number: f"{word} {number} ({short(item.tag)})"


def _classed(word: str) -> Callable[[Node, int], str]:
    return lambda item, number: f"{word} {short(item.tag)}"


def _named(word: str) -> Callable[[Node, int], str]:
    return lambda item, number: f"{word} {item.value('name')}"


def _property(item: Node, number: int) -> str:
    if item.tag.endswith("FolderCredentialsProperty"):
        return "folder credentials"
    return "" if item.tag in _HOLDERS else f"property {short(item.tag)}"


def _branch_source(item: Node, number: int) -> str:
    source = item.fields.get("source")
    return f"branch source {source.value('id') if source is not None and source.value('id') else number}"


_ITEMS: dict[str, Callable[[Node, int], str]] = {
    "axes": _named("axis"),
    "branches": lambda item, number: "branches",
    "builders": _numbered("builder"),
    "buildWrappers": _classed("build wrapper"),
    "columns": _classed("column"),
    "data": _branch_source,
    "extensions": _classed("extension"),
    "healthMetrics": _classed("health metric"),
    "jobFilters": _classed("job filter"),
    "jobNames": lambda item, number: f"job list: {item.text}",
    "nodeProperties": _property,
    "parameterDefinitions": _named("parameter"),
    "properties": _property,
    "publishers": _classed("publisher"),
    "traits": _classed("behaviour"),
    "triggers": lambda item, number: f"trigger {item.tag}",
    "views": _named("view"),
}
_WITHIN = frozenset({"branches", "extensions", "traits", "columns", "jobNames", "jobFilters"})
