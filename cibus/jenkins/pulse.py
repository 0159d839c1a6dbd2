"""What a controller is asked in a sweep: one tree query each, whatever the number of jobs and agents.

Of builds only those are asked for that Jenkins keeps at hand as permalinks (lastBuild, lastSuccessfulBuild, …): a range
of builds would have it read every one of them from its disk.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from cibus.errors import Garbled
from cibus.jenkins.client import EXECUTING, Client

DEPTH = 8  # levels of folders
_REVISION = "actions[lastBuiltRevision[SHA1]]"  # hudson.plugins.git.util.BuildData
_JOB = (
    "fullName,color,lastBuild[number,building,timestamp,estimatedDuration],lastCompletedBuild[number,result,timestamp],"
    f"lastSuccessfulBuild[number,timestamp,duration,{_REVISION}],lastFailedBuild[number,timestamp,{_REVISION}]"
)
_NODE = (
    "displayName,offline,temporarilyOffline,offlineCause[*],offlineCauseReason,numExecutors,"
    f"assignedLabels[name],monitorData[*],{EXECUTING}"
)
_QUEUED = "id,inQueueSince,buildable,blocked,stuck,why,task[name,url]"


def root(client: Client) -> tuple[str, float]:
    """The controller's version, and the seconds that its smallest answer took."""
    start = time.perf_counter()
    version = client.session.require_jenkins()
    return version, time.perf_counter() - start


def computers(client: Client) -> list[Mapping[str, Any]]:
    """All nodes with their executors and what the node monitors measured last."""
    return _listed(client, f"computer/api/json?tree=computer[{_NODE}]", "computer")


def queue(client: Client) -> list[Mapping[str, Any]]:
    """What waits."""
    return _listed(client, f"queue/api/json?tree=items[{_QUEUED}]", "items")


def jobs(client: Client) -> tuple[bool, list[Mapping[str, Any]]]:
    """Whether the controller is about to shut down, and all jobs in their folders."""
    tree = _JOB
    for _ in range(DEPTH - 1):
        tree = f"{_JOB},jobs[{tree}]"
    found = client.session.json(f"api/json?tree=quietingDown,jobs[{tree}]")
    if not isinstance(found, dict):
        raise _strange(client, "api/json")
    return bool(found.get("quietingDown")), found.get("jobs") or []


def _listed(client: Client, path: str, key: str) -> list[Mapping[str, Any]]:
    found = client.session.json(path)
    if not isinstance(found, dict) or not isinstance(found.get(key), list):
        raise _strange(client, path)
    return list(found[key])


def _strange(client: Client, path: str) -> Garbled:
    return Garbled(f"{client.settings.url}{path.partition('?')[0]} is no answer of Jenkins: does a proxy answer in its place?")
