"""A controller's answers as records. Pure functions; what has another form than Jenkins' raises."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cibus.jenkins.client import executing
from cibus.jenkins.paths import item_path
from cibus.monitor.state import Job, Node, Waiting

BUILTIN = "hudson.model.Hudson$MasterComputer"
BUILTIN_LABELS = ("master", "built-in")
# core/src/main/resources/hudson/model/Messages.properties and hudson.slaves' kin; the class of the item says it where Jenkins speaks another language
WHY = (
    ("label", re.compile(r"no nodes with the label [‘'](?P<label>[^’']+)[’']")),
    ("label", re.compile(r"doesn[’']t have label [‘'](?P<label>[^’']+)[’']")),
    ("offline", re.compile(r"[Aa]ll nodes of label [‘'](?P<label>[^’']+)[’'] are offline")),
    ("offline", re.compile(r"[‘'](?P<label>[^’']+)[’'] is offline")),
    ("busy", re.compile(r"[Ww]aiting for next available executor(?: on [‘'](?P<label>[^’']+)[’'])?")),
    ("shutdown", re.compile(r"about to shut ?down")),
)


def node(data: Mapping[str, Any]) -> Node:
    """A computer of ``computer/api/json``."""
    name, builtin = str(data["displayName"]), data.get("_class") == BUILTIN
    own = (name, *BUILTIN_LABELS) if builtin else (name,)
    cause = data.get("offlineCause") or {}
    monitors = {key.rpartition(".")[2].removesuffix("Monitor"): value for key, value in (data.get("monitorData") or {}).items()}
    return Node(
        name,
        online=not data["offline"],
        builtin=builtin,
        away=bool(data.get("temporarilyOffline")),
        reason=" ".join(str(data.get("offlineCauseReason") or cause.get("description") or "").split()),
        since=_seconds(cause.get("timestamp")),
        executors=int(data.get("numExecutors") or 0),
        busy=len([*executing(data)]),
        labels=tuple(each["name"] for each in data.get("assignedLabels") or () if each["name"] not in own),
        disk=_measured(monitors, "DiskSpace", "size"),
        temporary=_measured(monitors, "TemporarySpace", "size"),
        memory=_memory(monitors.get("SwapSpace") or {}),
        response=_thousandth(_measured(monitors, "ResponseTime", "average")),
        clock=_thousandth(_measured(monitors, "Clock", "diff")),
    )


def _measured(monitors: Mapping[str, Any], name: str, field: str) -> int | None:
    value = (monitors.get(name) or {}).get(field)
    return None if value is None else int(value)


def _thousandth(value: int | None) -> float | None:
    return None if value is None else value / 1000


def _seconds(milliseconds: Any) -> float | None:
    return milliseconds / 1000 if milliseconds else None


def _memory(data: Mapping[str, Any]) -> float | None:
    """What is free of memory and swap together (hudson.node_monitors.SwapSpaceMonitor; -1: not known)."""
    free = [int(data.get(f"available{each}", -1)) for each in ("PhysicalMemory", "SwapSpace")]
    total = [int(data.get(f"total{each}", -1)) for each in ("PhysicalMemory", "SwapSpace")]
    if free[0] < 0 or total[0] <= 0:
        return None
    return (free[0] + max(free[1], 0)) / (total[0] + max(total[1], 0))


def waiting(data: Mapping[str, Any]) -> Waiting:
    """An item of ``queue/api/json``."""
    task = data.get("task") or {}
    why = " ".join(str(data.get("why") or "").split())
    kind, label = _why(why)
    if data.get("blocked"):
        kind, label = "blocked", ""
    elif not data.get("buildable", True):
        kind, label = "quiet", ""
    job = item_path(str(task.get("url") or "")) or str(task.get("name") or "")
    return Waiting(job, data["inQueueSince"] / 1000, kind, why, label)


def _why(text: str) -> tuple[str, str]:
    for kind, pattern in WHY:
        if found := pattern.search(text):
            return kind, found.groupdict().get("label") or ""
    return "other", ""


def jobs(found: Iterable[Mapping[str, Any]]) -> Iterator[Job]:
    """The jobs of ``api/json``, folders gone through."""
    for each in found:
        if "jobs" in each:
            yield from jobs(each["jobs"])
        elif "color" in each:  # folders below the last level have none
            yield _job(each)


def _job(data: Mapping[str, Any]) -> Job:
    last, ended = data.get("lastBuild") or {}, data.get("lastCompletedBuild") or {}
    good, bad = data.get("lastSuccessfulBuild") or {}, data.get("lastFailedBuild") or {}
    both = _revisions(good)
    same = sorted(both)[0] if both and both == _revisions(bad) else ""
    return Job(
        str(data["fullName"]),
        int(ended.get("number") or 0),
        str(ended.get("result") or ""),
        started=_seconds(last.get("timestamp")) if last.get("building") else None,
        estimated=max((last.get("estimatedDuration") or 0) / 1000, 0.0),
        ended=_seconds(ended.get("timestamp")),
        succeeded=_seconds(good.get("timestamp")),
        duration=_seconds(good.get("duration")),
        flaky=same,
        disabled=str(data["color"]).startswith("disabled"),
    )


def _revisions(build: Mapping[str, Any]) -> frozenset[str]:
    """The commits that a build checked out."""
    return frozenset(action["lastBuiltRevision"]["SHA1"] for action in build.get("actions") or () if action.get("lastBuiltRevision"))
