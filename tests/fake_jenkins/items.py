"""Items: jobs, folders and the root, with their configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import kinds
from .marshal import load
from .xmldoc import Element

if TYPE_CHECKING:
    from .credentials import Store
    from .views import View


@dataclass
class Build:
    """A recorded or generated build: the exported values, its log and what else hangs on its URL."""

    number: int
    values: dict[str, Any]
    cls: str = "org.jenkinsci.plugins.workflow.job.WorkflowRun"
    console: str = ""
    deep: dict[str, Any] = field(default_factory=dict)  # the values as a deeper answer has them
    extra: dict[str, tuple[str, bytes]] = field(default_factory=dict)  # path below the build -> content type, body

    @property
    def result(self) -> str | None:
        return self.values.get("result")


@dataclass(frozen=True)
class Meta:
    """What the API tells of a configuration; read once per configuration."""

    description: str | None = None
    display_name: str | None = None
    disabled: bool = False
    concurrent: bool = False
    label: str | None = None
    scm: str = "hudson.scm.NullSCM"
    parameters: Element | None = None
    axes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    downstream: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    marks: int = 0  # actions that were saved with it
    can_roam: bool = True
    worst_child: bool = False  # a folder that shows the worst health below it


class Item:
    """A job, a folder or the root."""

    def __init__(self, name: str, cls: str, parent: Item | None, config: bytes | Callable[[], bytes] = b"") -> None:
        self.name = name
        self.cls = cls
        self.parent = parent
        self._config = config
        self._meta: Meta | None = None
        self._children: dict[str, Item] = {}
        self._sorted: list[Item] | None = None
        self.builds: list[Build] = []  # newest first
        self.views: list[View] = []
        self.primary_view = "All"
        self.store: Store | None = None
        self.ghosts: set[str] = set()  # children that vanish at the next indexing
        self.reloaded = False  # since its configuration was posted a folder lists capitals first
        self.held = False  # a copy is not buildable until it is saved
        self.next_build = 1
        self.indexing_log = ""
        self.full_name: str = name
        self.rename(name)

    def __repr__(self) -> str:
        return f"<{self.cls.rpartition('.')[2]} {self.full_name}>"

    # --- configuration ---

    @property
    def config(self) -> bytes:
        if callable(self._config):
            self._config = self._config()
        return self._config

    @config.setter
    def config(self, config: bytes | str) -> None:
        self._config = config.encode() if isinstance(config, str) else config
        self._meta = None

    @property
    def meta(self) -> Meta:
        if self._meta is None:
            self._meta = _read_meta(self.config) if self.config else Meta()
        return self._meta

    def hint(self, meta: Meta) -> None:
        """Says what the configuration would say, so that it need not be made to list the item."""
        self._meta = meta

    # --- the tree ---

    @property
    def kind(self) -> kinds.Kind | None:
        return kinds.BY_CLASS.get(self.cls)

    @property
    def is_group(self) -> bool:
        return self.cls == kinds.ROOT or bool(self.kind and self.kind.group)

    @property
    def is_computed(self) -> bool:
        """Says whether it is a branch job or a repository of an organization folder."""
        return bool(
            self.parent and self.parent.kind and self.parent.kind.computed and self.name not in self.parent.ghosts
        )

    @property
    def children(self) -> list[Item]:
        if self._sorted is None:
            self._sorted = sorted(
                self._children.values(), key=lambda child: child.name if self.reloaded else child.name.lower()
            )
        return self._sorted

    def child(self, name: str) -> Item | None:
        return self._children.get(name.lower())

    def add(self, child: Item) -> Item:
        self._children[child.name.lower()] = child
        self._sorted = None
        child.parent = self
        child.rename(child.name)
        return child

    def resort(self) -> None:
        self._sorted = None

    def remove(self, child: Item) -> None:
        self._children.pop(child.name.lower(), None)
        self._sorted = None

    def rename(self, name: str) -> None:
        """Gives a name; the parent's table is the caller's business."""
        self.name = name
        self.full_name = f"{self.parent.full_name}/{name}" if self.parent and self.parent.parent else name
        for child in self._children.values():
            child.rename(child.name)

    def walk(self) -> Iterator[Item]:
        for child in self.children:
            yield child
            yield from child.walk()

    # --- what is derived ---

    @property
    def display_name(self) -> str:
        if self.meta.display_name:
            return self.meta.display_name
        return self.name.replace("%2F", "/") if self.is_computed else self.name

    @property
    def full_display_name(self) -> str:
        above = f"{self.parent.full_display_name} » " if self.parent and self.parent.parent else ""
        return above + self.display_name

    @property
    def color(self) -> str:
        if self.meta.disabled:
            return "disabled"
        build = next((build for build in self.builds if build.result or build.values.get("building")), None)
        if build is None:
            return "notbuilt"
        anime = "_anime" if self.builds[0].values.get("building") else ""
        done = next((each.result for each in self.builds if each.result), None)
        names = {
            "SUCCESS": "blue",
            "UNSTABLE": "yellow",
            "FAILURE": "red",
            "ABORTED": "aborted",
            "NOT_BUILT": "notbuilt",
        }
        return names.get(done or "", "notbuilt") + anime


def _read_meta(config: bytes) -> Meta:
    root = load(config)
    described, named = root.find("description"), root.find("displayName")
    parameters = root.find("properties/hudson.model.ParametersDefinitionProperty/parameterDefinitions")
    scm, node = root.find("scm"), root.find("assignedNode")
    axes = root.find("axes")
    trigger = root.find("publishers/hudson.tasks.BuildTrigger")
    properties = root.find("properties")
    return Meta(
        description=described.text if described is not None else None,
        display_name=named.text if named is not None else None,
        disabled=root.get("disabled") == "true",
        concurrent=root.get("concurrentBuild") == "true",
        label=node.text if node is not None else None,
        scm=scm.attrs.get("class", "hudson.scm.NullSCM") if scm is not None else "hudson.scm.NullSCM",
        parameters=parameters,
        axes=tuple(
            (axis.get("name"), tuple(v.text for v in (axis.find("values") or axis).elements)) for axis in axes.elements
        )
        if axes
        else (),
        downstream=tuple(name.strip() for name in trigger.get("childProjects").split(",") if name.strip())
        if trigger
        else (),
        marks=len(actions.elements) if (actions := root.find("actions")) else 0,
        can_roam=root.get("canRoam", "false" if root.tag == "project" else "true") == "true",
        worst_child=root.find("healthMetrics/com.cloudbees.hudson.plugins.folder.health.WorstChildHealthMetric")
        is not None,
        properties=tuple(child.tag for child in properties.elements) if properties else (),
    )
