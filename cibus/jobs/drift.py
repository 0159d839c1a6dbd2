"""The difference of two snapshots, by meaning."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from cibus.canonical import Canonical, ConfigXmlError, tree
from cibus.errors import CibusError, SnapshotError
from cibus.jobs.compare import Change, ConfigText, compare_configs, compare_tables, compare_yaml, similarity
from cibus.jobs.layout import CONFIG, Key, folder_of
from cibus.jobs.moves import Config, moved
from cibus.jobs.trees import Snapshot

FINGERPRINT = re.compile(r"(\{cibus:[a-z0-9-]+:)[0-9a-f]{16}\}")


@dataclass(frozen=True)
class ConfigDrift:
    """What became of one config.

    Arguments:
        key: the config; of a moved one, where it is now
        root: the name of its element, which tells the kind of job
        was: of a moved one, where it was
        with_it: of a moved or removed folder, how many configs in it went the same way
    """

    kind: Literal["added", "removed", "changed", "moved"]
    key: Key
    root: str
    changes: tuple[Change, ...] = ()
    was: Key | None = None
    with_it: int = 0


@dataclass(frozen=True)
class DocumentDrift:
    """What became of another file: plugins, credentials, users, the controller's own settings."""

    path: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Drift:
    """The difference of two snapshots.

    Arguments:
        old: what the one side is called
        new: what the other side is called
        versions: lines on plugin versions that configs name
        notes: what could not be compared, and why
    """

    old: str
    new: str
    configs: tuple[ConfigDrift, ...] = ()
    documents: tuple[DocumentDrift, ...] = ()
    versions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is something to look at; plugin versions alone are shown, and are none."""
        return bool(self.configs or self.documents)


def drift(old: Snapshot, new: Snapshot, takes: Callable[[Key], bool] = lambda _: True, *, documents: bool = True) -> Drift:
    """Compares two snapshots.

    Arguments:
        takes: which configs
        documents: whether plugins, credentials, users and system settings are compared too
    """
    blind = bool(old.manifest.key and new.manifest.key) and old.manifest.key != new.manifest.key
    notes = ["the secrets' fingerprints were made with different keys: whether a secret changed cannot be seen"] if blind else []
    unread = {**old.manifest.missing, **new.manifest.missing}
    notes += [f"{name}: not compared, {why}" for name, why in sorted(unread.items())]
    here = {key for key in old.entries if takes(key) and str(key) not in unread}
    there = {key for key in new.entries if takes(key) and str(key) not in unread}
    went = _moves(old, new, here - there, there - here, blind)
    configs = [
        *_changed(old, new, sorted(here & there), blind),
        *_moved(old, new, went, blind),
        *_one_sided("removed", old, here - there - went.keys()),
        *_one_sided("added", new, there - here - set(went.values())),
    ]
    return Drift(
        old.label,
        new.label,
        tuple(sorted(configs, key=lambda each: each.key)),
        tuple(_documents(old, new, unread, blind)) if documents else (),
        tuple(_versions(old, new, here & there)),
        tuple(notes),
    )


def config_text(config: Canonical, *, blind: bool = False) -> ConfigText:
    """A config as it is compared; ``blind``: without the fingerprints."""
    if not blind:
        return ConfigText(config.xml, config.scripts)
    return ConfigText(_blinded(config.xml), {name: _blinded(text) for name, text in config.scripts.items()})


def root_of(xml: str) -> str:
    """The name of the outermost element."""
    found = re.search(r"<([^\s/>!?]+)", xml)
    return found.group(1) if found else ""


def digest_of(config: Canonical) -> str:
    """Equal for equal configs, plugin versions aside."""
    parts = [config.xml, *(f"{name}\0{text}" for name, text in sorted(config.scripts.items()))]
    return hashlib.sha256("\0\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _blinded(text: str) -> str:
    return FINGERPRINT.sub(r"\1?}", text)


def _changed(old: Snapshot, new: Snapshot, keys: Iterable[Key], blind: bool) -> Iterable[ConfigDrift]:
    for key in keys:
        folder, names = folder_of(key), old.entries[key]
        if names == new.entries[key] and all(old.tree.read(f"{folder}/{name}") == new.tree.read(f"{folder}/{name}") for name in names):
            continue
        changes = tuple(_compare(old, new, key, key, blind))
        if changes:
            yield ConfigDrift("changed", key, root_of(new.config(key).xml), changes)


def _compare(old: Snapshot, new: Snapshot, was: Key, key: Key, blind: bool) -> list[Change]:
    try:
        return compare_configs(config_text(old.config(was), blind=blind), config_text(new.config(key), blind=blind))
    except ConfigXmlError as error:
        raise _not_xml(error, (old, was), (new, key)) from error


def _not_xml(error: ConfigXmlError, *sides: tuple[Snapshot, Key]) -> CibusError:
    """The error with the file that it is about."""
    for side, key in sides:
        try:
            tree(side.config(key).xml)
        except ConfigXmlError as its:
            return SnapshotError(f"{side.label}/{folder_of(key)}/{CONFIG}: {its}")
    return error


def _moves(old: Snapshot, new: Snapshot, removed: set[Key], added: set[Key], blind: bool) -> dict[Key, Key]:
    if not removed or not added:
        return {}

    def facts(side: Snapshot, keys: set[Key]) -> dict[Key, Config]:
        found = {}
        for key in sorted(keys):
            config = side.config(key)
            found[key] = Config(digest_of(config), root_of(config.xml))
        return found

    def alike(was: Key, key: Key) -> float:
        return similarity(config_text(old.config(was), blind=blind), config_text(new.config(key), blind=blind))

    return moved(facts(old, removed), facts(new, added), alike)


def _moved(old: Snapshot, new: Snapshot, went: dict[Key, Key], blind: bool) -> Iterable[ConfigDrift]:
    """Moved configs; what only went with its folder is counted there."""
    along = {was: key for was, key in went.items() if _along(was, key, went)}
    for was, key in went.items():
        changes = tuple(_compare(old, new, was, key, blind))
        root = root_of(new.config(key).xml)
        if was not in along:
            with_it = sum(each.name.startswith(f"{was.name}/") for each in along)
            yield ConfigDrift("moved", key, root, changes, was, with_it)
        elif changes:
            yield ConfigDrift("changed", key, root, changes)


def _along(was: Key, key: Key, went: dict[Key, Key]) -> bool:
    """Whether a folder's move explains this one."""
    if was.kind != "job" or "/" not in was.name:
        return False
    return was.name.rpartition("/")[2] == key.name.rpartition("/")[2] and went.get(Key("job", was.parent)) == Key("job", key.parent)


def _one_sided(kind: Literal["added", "removed"], side: Snapshot, keys: set[Key]) -> Iterable[ConfigDrift]:
    """Added or removed configs; what is in a folder of the same fate is counted there."""
    for key in keys:
        if Key("job", key.parent) in keys:
            continue
        with_it = sum(each.kind == "job" and each.name.startswith(f"{key.name}/") for each in keys) if key.kind == "job" else 0
        yield ConfigDrift(kind, key, root_of(side.config(key).xml), with_it=with_it)


def _versions(old: Snapshot, new: Snapshot, keys: set[Key]) -> Iterable[str]:
    counted: Counter[tuple[str, str, str]] = Counter()
    for folder in map(folder_of, keys):
        was, now = old.manifest.versions.get(folder, {}), new.manifest.versions.get(folder, {})
        counted.update((name, was[name], now[name]) for name in was.keys() & now.keys() if was[name] != now[name])
    for (name, was_version, version), count in sorted(counted.items()):
        yield f"plugin {name} {was_version} -> {version} in {count} config{'s' if count > 1 else ''}"


def _documents(old: Snapshot, new: Snapshot, unread: dict[str, str], blind: bool) -> Iterable[DocumentDrift]:
    for path in sorted({*old.documents, *new.documents}):
        name = path.partition("/")[0].removesuffix(".toml")
        if name in unread or (name == "system" and "script approvals" in unread and path.endswith("scriptApproval.xml")):
            continue
        texts = [side.text(path) if path in side.documents else "" for side in (old, new)]
        if blind:
            texts = [_blinded(text) for text in texts]
        if texts[0] != texts[1]:
            changes = tuple(_compare_documents(path, *texts))
            if changes:
                yield DocumentDrift(path, changes)


def _compare_documents(path: str, old: str, new: str) -> list[Change]:
    import tomllib

    if path.endswith(".yaml"):
        return compare_yaml(old, new)
    if path.endswith(".toml"):
        return compare_tables(*(_flat(tomllib.loads(text)) for text in (old, new)))
    empty = "<absent/>"
    return compare_configs(ConfigText(old or empty, {}), ConfigText(new or empty, {}))


def _flat(data: dict[str, object], above: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in data.items():
        if isinstance(value, dict):
            found.update(_flat(value, f"{above}{name}: "))
        elif isinstance(value, list):
            found.update({f"{above}{each}": "" for each in value})
        else:
            found[f"{above}{name}"] = str(value)
    return found
