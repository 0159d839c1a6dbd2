"""What a controller has, in the form of a snapshot: listed, fetched, canonical, redacted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cibus.canonical import Canonical, canonical
from cibus.errors import ControllerError, ControllerFault, Forbidden, NotFound, Unauthorized
from cibus.globs import matches
from cibus.jenkins.client import Client
from cibus.jenkins.inventory import items_and_views, nodes
from cibus.jobs.layout import Key
from cibus.redaction import Redactor
from cibus.secrets import Secret


@dataclass(frozen=True)
class Filter:
    """Which jobs: globs on full names; ``*`` also matches slashes. No ``only`` is all."""

    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def takes(self, path: str) -> bool:
        """Whether a job is meant: it, or a folder that it is in, matches."""
        return (not self.only or matches(path, self.only)) and not matches(path, self.exclude)

    def means(self, key: Key) -> bool:
        """Whether a config is meant; views and agents only where no jobs are chosen."""
        return not self or (key.kind == "job" and self.takes(key.name))

    def __bool__(self) -> bool:
        return bool(self.only or self.exclude)


@dataclass(frozen=True)
class Listing:
    """What there is to fetch; ``missing``: what could not be listed, and why."""

    keys: tuple[Key, ...]
    folders: frozenset[str]
    missing: Mapping[str, str]


@dataclass(frozen=True)
class Fetched:
    """A config of the controller, canonical and redacted, and what its placeholders stand for."""

    config: Canonical
    secrets: Mapping[str, Secret]


def listing(client: Client, chosen: Filter) -> Listing:
    """Jobs of every kind, the root's views, and agents; views and agents only where no jobs are chosen."""
    found, views = items_and_views(client.session)
    keys = [Key("job", item.path) for item in found if chosen.takes(item.path)]
    missing = {}
    if not chosen:
        keys += [Key("view", view.name) for view in views if not view.folder]
        try:
            keys += [Key("node", name) for name in nodes(client.session)]
        except (Forbidden, NotFound) as error:
            missing["nodes"] = why(error)
    return Listing(tuple(sorted(keys)), frozenset(item.path for item in found if item.folder), missing)


def raw_config(client: Client, key: Key) -> bytes:
    """A config.xml as the controller gives it."""
    if key.kind == "job":
        return client.job_config(key.name)
    return client.view_config("", key.name) if key.kind == "view" else client.node_config(key.name)


def fetch(client: Client, redactor: Redactor, key: Key) -> Fetched:
    """A config, canonical and redacted."""
    return presentable(raw_config(client, key), redactor, key)


def presentable(raw: bytes, redactor: Redactor, key: Key) -> Fetched:
    """A config.xml in the form in which it may be shown."""
    config = canonical(raw)
    redacted = redactor.config(config.xml, config.scripts, str(key))
    return Fetched(Canonical(redacted.xml, config.plugins, redacted.scripts), redacted.secrets)


def why(error: ControllerError) -> str:
    """Why something could not be read."""
    if isinstance(error, Forbidden) and error.permission:
        return f"needs the permission {error.permission}"
    if isinstance(error, NotFound):
        return "not there, or not to be seen with these rights"
    if isinstance(error, Unauthorized):
        return "needs a login"
    if isinstance(error, ControllerFault):
        return "the controller fails at it (500): see its log"
    return str(error)
