"""Views of the root and of folders."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .items import Item
from .xmldoc import Element

ALL_VIEW = "hudson.model.AllView"
KNOWN_VIEWS = frozenset(
    {ALL_VIEW, "hudson.model.ListView", "hudson.model.MyView", "jenkins.branch.MultiBranchProjectViewHolder$ViewImpl"}
)


def empty_view(cls: str, name: str) -> Element:
    """Gives the configuration of a view that a form has just made."""
    plain = [
        Element("name", {}, [name]),
        Element("filterExecutors", {}, ["false"]),
        Element("filterQueue", {}, ["false"]),
        Element("properties", {"class": "hudson.model.View$PropertyList"}),
    ]
    if cls != "hudson.model.ListView":
        return Element(cls, {}, list(plain))
    names = Element("jobNames", {}, [Element("comparator", {"class": "hudson.util.CaseInsensitiveComparator"})])
    columns = [
        Element(f"hudson.views.{column}Column")
        for column in ("Status", "Weather", "Job", "LastSuccess", "LastFailure", "LastDuration", "BuildButton")
    ]
    return Element(
        cls,
        {},
        [
            *plain,
            names,
            Element("jobFilters"),
            Element("columns", {}, list(columns)),
            Element("recurse", {}, ["false"]),
        ],
    )


@dataclass
class View:
    """A view."""

    root: Element
    owner: Item

    @property
    def name(self) -> str:
        return self.root.get("name")

    @property
    def cls(self) -> str:
        return self.root.tag

    @property
    def description(self) -> str | None:
        found = self.root.find("description")
        return found.text if found is not None else None

    @property
    def job_names(self) -> list[str]:
        names = self.root.find("jobNames")
        return [each.text for each in names.elements if each.tag == "string"] if names else []

    def set_job(self, name: str, shown: bool) -> None:
        names = self.root.find("jobNames")
        if names is None:
            names = Element("jobNames")
            self.root.children.append(names)
        wanted = {each for each in self.job_names if each != name} | ({name} if shown else set())
        kept = [each for each in names.elements if each.tag != "string"]
        names.children = [*kept, *(Element("string", {}, [each]) for each in sorted(wanted, key=str.lower))]

    def items(self) -> list[Item]:
        """Gives the items that the view shows."""
        if self.cls != "hudson.model.ListView":
            return self.owner.children
        recurse = self.root.get("recurse") == "true"
        pattern = self.root.get("includeRegex")
        names = set(self.job_names)
        depth = len(self.owner.full_name) + 1 if self.owner.parent else 0
        candidates = list(self.owner.walk()) if recurse else self.owner.children
        return [
            item
            for item in candidates
            if item.full_name[depth:] in names or (pattern and re.fullmatch(pattern, item.full_name[depth:]))
        ]
