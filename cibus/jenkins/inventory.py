"""What there is on a controller: items, views, nodes. Tree queries, so that the number of jobs does not matter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cibus.jenkins.paths import job_url
from cibus.jenkins.session import Session

DEPTH = 8  # levels of folders in one query; deeper ones are asked for one by one

# Folders whose items are computed from the SCM, not configured.
COMPUTED = (
    "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject",
    "jenkins.branch.OrganizationFolder",
    "com.cloudbees.hudson.plugins.folder.computed.ComputedFolder",
)


@dataclass(frozen=True)
class ItemRef:
    """An item: its full name, its Java class, and whether it holds items that are configured."""

    path: str
    cls: str
    folder: bool


@dataclass(frozen=True)
class ViewRef:
    """A view: the folder that it is in ('' is the root), its name and class."""

    folder: str
    name: str
    cls: str


def items(session: Session) -> list[ItemRef]:
    """Every item but those that are computed (branch jobs, an organization's repositories), sorted by path."""
    return sorted((each for each in _walk(session, "") if isinstance(each, ItemRef)), key=lambda each: each.path)


def items_and_views(session: Session) -> tuple[list[ItemRef], list[ViewRef]]:
    """Items as by :func:`items`, and the views of the root and of every folder that holds configured items."""
    found = list(_walk(session, ""))
    return (
        sorted((each for each in found if isinstance(each, ItemRef)), key=lambda each: each.path),
        sorted((each for each in found if isinstance(each, ViewRef)), key=lambda each: (each.folder, each.name)),
    )


def nodes(session: Session) -> list[str]:
    """The names of the permanent agents; the built-in node has no config, and a cloud's agents come and go."""
    computers = session.json("computer/api/json?tree=computer[displayName]")["computer"]
    return sorted(each["displayName"] for each in computers if each["_class"].endswith("SlaveComputer"))


def is_computed(cls: str) -> bool:
    """Whether the items in a folder of this class are computed from the SCM."""
    return cls in COMPUTED or cls.endswith(("MultiBranchProject", "OrganizationFolder"))


def _walk(session: Session, path: str) -> Iterator[ItemRef | ViewRef]:
    found = session.json(f"{job_url(path)}api/json?tree={_tree(DEPTH)}")
    yield from _level(session, path, found, DEPTH)


def _tree(depth: int) -> str:
    tree = "name,views[name],jobs[name]"
    for _ in range(depth - 1):
        tree = f"name,views[name],jobs[{tree}]"
    return tree


def _level(session: Session, path: str, found: dict[str, Any], left: int) -> Iterator[ItemRef | ViewRef]:
    for view in found.get("views") or ():
        yield ViewRef(path, view["name"], view["_class"])
    for job in found.get("jobs") or ():
        below = f"{path}/{job['name']}" if path else job["name"]
        holds = "jobs" in job or "Folder" in job["_class"]
        configured = holds and not is_computed(job["_class"])
        yield ItemRef(below, job["_class"], configured)
        if not configured:
            continue
        if left > 2:
            yield from _level(session, below, job, left - 1)
        else:
            yield from _walk(session, below)
