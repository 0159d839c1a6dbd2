"""What the controller holds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import kinds
from .auth import Sessions, User, standard_users
from .ciphers import Ciphers
from .credentials import PROPERTY, Store
from .items import Build, Item
from .marshal import identity, load, saved
from .nodes import Node
from .views import ALL_VIEW, View, empty_view
from .xmldoc import Document, Element, XmlError, parse


class Jobs(Mapping[str, Item]):
    """All items by their full name, whatever the case."""

    def __init__(self, root: Item) -> None:
        self._root = root

    def __getitem__(self, full_name: str) -> Item:
        found = self.find(full_name)
        if found is None:
            raise KeyError(full_name)
        return found

    def find(self, full_name: str) -> Item | None:
        here: Item | None = self._root
        for name in filter(None, full_name.split("/")):
            here = here.child(name) if here else None
        return here

    def __iter__(self) -> Iterator[str]:
        return (item.full_name for item in self._root.walk())

    def __len__(self) -> int:
        return sum(1 for _ in self._root.walk())


@dataclass
class QueueItem:
    ident: int
    item: Item
    user: str
    why: str
    since: int
    cancelled: bool = False
    quiet: int = 0  # seconds of the quiet period
    again: int = 0  # how often the same build was asked for once more
    executable: Any = None  # the build that it has become
    params: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)  # recorded answer, if it is one


class State:
    """Everything that the fake answers from; tests may look at it and change it at any time."""

    def __init__(self) -> None:
        self.root = Item("", kinds.ROOT, None)
        self.root.primary_view = "all"
        self.root.views = [View(empty_view(ALL_VIEW, "all"), self.root)]
        self.jobs = Jobs(self.root)
        self.plugins: list[dict[str, Any]] = []
        self.nodes: dict[str, Node] = {}
        self.system = Store(None)
        self.users: dict[str, User] = standard_users()
        self.sessions = Sessions()
        self.ciphers = Ciphers()
        self.queue: dict[int, QueueItem] = {}
        self.next_queue_id = 1
        self.casc: str | None = None
        self.documents: dict[str, tuple[str, bytes]] = {}  # static documents: path -> content type, body
        self.on_script: Callable[[str], str | None] = lambda script: None
        self.on_validate: Callable[[str], str | None] = lambda jenkinsfile: None
        self.job_history: dict[str, list[dict[str, Any]]] = {}
        self.job_config_history = False
        self.extra_kinds: dict[str, str] = {}  # root element -> class, of kinds that only tests know
        self.quieting_down = False

    # --- plugins ---

    @property
    def versions(self) -> dict[str, str]:
        return {plugin["shortName"]: plugin["version"] for plugin in self.plugins}

    def set_plugin(self, name: str, version: str | None) -> None:
        """Installs a plugin in a version, or (None) removes it."""
        self.plugins = [plugin for plugin in self.plugins if plugin["shortName"] != name]
        if version is not None:
            plain = {
                "active": True,
                "enabled": True,
                "longName": name,
                "shortName": name,
                "version": version,
                "dependencies": [],
            }
            self.plugins.append(plain)

    # --- the queue ---

    def enqueue(
        self, item: Item, user: str = "admin", quiet: int = 0, why: str = "Waiting for next available executor"
    ) -> QueueItem:
        """Puts a build into the queue."""
        queued = QueueItem(self.next_queue_id, item, user, why, int(time.time() * 1000), quiet=quiet)
        self.queue[queued.ident] = queued
        self.next_queue_id += 1
        return queued

    def leave_queue(self, queued: QueueItem, build: Build) -> None:
        """Starts the build that was waiting."""
        queued.executable = build
        queued.item.builds.insert(0, build)
        queued.item.next_build = build.number + 1

    # --- items ---

    def class_of(self, root: Element) -> str:
        """Names the class that a root element makes; fails for what no installed plugin knows."""
        if root.tag in kinds.KINDS:
            return kinds.KINDS[root.tag].cls
        if root.tag in self.extra_kinds:
            return self.extra_kinds[root.tag]
        if root.attrs.get("plugin", "").partition("@")[0] in self.versions:
            return root.tag
        raise XmlError(f"{root.tag} is no item")

    def add(self, full_name: str, config: str | bytes, is_saved: bool = False) -> Item:
        """Makes an item as createItem does; with `is_saved` the text is kept as it is."""
        above, _, name = full_name.rpartition("/")
        parent = self.jobs[above] if above else self.root
        document = parse(config)
        item = Item(name, self.class_of(document.root), parent)
        parent.add(item)
        if is_saved:
            item.config = config
            self._take_parts(item)
        else:
            self.take_config(item, document)
        return item

    def post(self, full_name: str, config: str | bytes) -> None:
        """Changes a configuration as a POST of it does."""
        self.take_config(self.jobs[full_name], parse(config))

    def remove(self, full_name: str) -> None:
        item = self.jobs[full_name]
        assert item.parent is not None
        item.parent.remove(item)

    def rename(self, item: Item, name: str) -> None:
        parent = item.parent
        assert parent is not None
        parent.remove(item)
        item.rename(name)
        parent.add(item)

    def take_config(self, item: Item, document: Document) -> None:
        """Takes a posted configuration: kept nearly as it was posted until the next save."""
        item.config = identity(document)
        item.held = False
        self._take_parts(item)

    def _take_parts(self, item: Item) -> None:
        if not item.is_group:
            return
        root = load(item.config)
        found = root.find("folderViews/views")
        item.views = [
            View(Element(each.tag, {}, [child for child in each.elements if child.tag != "owner"]), item)
            for each in (found.elements if found else [])
        ]
        if not item.views:
            multi = item.cls != kinds.FOLDER
            cls, name = (
                ("jenkins.branch.MultiBranchProjectViewHolder$ViewImpl", "default") if multi else (ALL_VIEW, "All")
            )
            item.views = [View(empty_view(cls, name), item)]
        item.primary_view = root.get("folderViews/primaryView") or item.views[0].name
        item.store = Store(item.full_name, item.full_display_name)
        item.store.read_property(root.find(f"properties/{PROPERTY}"))

    def save(self, item: Item, change: Callable[[Element], None] = lambda root: None) -> None:
        """Changes an item and lets XStream write it."""
        root = load(item.config)
        change(root)
        if item.cls == kinds.FOLDER:
            self._put_parts(item, root)
        item.config = saved(kinds.remarshal(root, self.versions, self.ciphers.encrypt))

    def _put_parts(self, item: Item, root: Element) -> None:
        views = root.find("folderViews/views")
        if views is not None:
            owner = Element("owner", {"class": item.cls, "reference": "../../../.."})
            views.children = [Element(view.cls, {}, [owner, *view.root.elements]) for view in item.views]
        properties = root.find("properties")
        if properties is None:
            properties = Element("properties")
            root.children.append(properties)
        kept = [each for each in properties.elements if each.tag != PROPERTY]
        stored = item.store.to_property() if item.store else None
        properties.children = [*([stored] if stored else []), *kept]

    def view_of(self, owner: Item, name: str) -> View | None:
        return next((view for view in owner.views if view.name == name), None)

    def views_changed(self, owner: Item) -> None:
        if owner.parent is not None:
            self.save(owner)
