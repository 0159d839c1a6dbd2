"""What a snapshot's git history says changed last in each config: when, by whom, and what by meaning."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path

from cibus.canonical import Canonical, ConfigXmlError
from cibus.errors import CibusError
from cibus.git import git, try_git
from cibus.handbook.blobs import Blobs
from cibus.handbook.records import LastChange
from cibus.jobs.compare import compare_configs
from cibus.jobs.drift import config_text
from cibus.jobs.layout import CONFIG, MANIFEST
from cibus.jobs.manifest import read_manifest

FORMAT = "%x01%H%x02%P%x02%aI%x02%aN%x02%s"


@dataclass(frozen=True)
class Commit:
    """A commit, and the folders within the snapshot that it touched."""

    id: str
    parents: tuple[str, ...]
    when: datetime
    who: str
    subject: str
    folders: frozenset[str]


@dataclass(frozen=True)
class History:
    """By a config's folder, its last change; ``notes`` say what is not known, and why."""

    changes: Mapping[str, LastChange]
    notes: tuple[str, ...] = ()


def history(snapshot: Path, folders: Collection[str]) -> History:
    """The last change of each of these folders of a snapshot.

    Arguments:
        folders: relative to the snapshot, as ``jobs/acme/jobs/app``
    """
    if try_git(snapshot, "rev-parse", "--verify", "--quiet", "HEAD") is None:
        return History({}, ("The snapshot is in no git repository, or was never committed: nobody can say who changed what. Run cibus jobs export with --commit in a repository.",))
    shallow = git(snapshot, "rev-parse", "--is-shallow-repository") == "true"
    notes = []
    if shallow:
        notes.append("This clone is shallow: what was changed before its first commit is not known. git fetch --unshallow gets the rest.")
    if try_git(snapshot, "status", "--porcelain", "--", "."):
        notes.append("The snapshot has changes that are not committed; they are not told of here.")
    touched = last_touched(commits(git(snapshot, "log", "-z", f"--format={FORMAT}", "--name-only", "--no-renames", "--relative", "--", ".")), folders)
    with contextlib.closing(Blobs(snapshot)) as blobs:
        reader = _Reader(blobs)
        return History({folder: reader.change(folder, commit) for folder, commit in touched.items() if commit.parents or not shallow}, tuple(notes))


def commits(log: str) -> Iterator[Commit]:
    """What ``git log`` printed in :data:`FORMAT`, the newest first."""
    for chunk in log.split("\x01")[1:]:
        head, _, names = chunk.partition("\0")
        fields = head.split("\x02", 4)
        if len(fields) != 5:
            continue  # a byte of the format in a name or a subject
        folders = frozenset(name.strip("\n").rpartition("/")[0] for name in names.split("\0"))
        yield Commit(fields[0], tuple(fields[1].split()), datetime.fromisoformat(fields[2]), fields[3], fields[4].strip("\n"), folders)


def last_touched(found: Iterator[Commit], folders: Collection[str]) -> dict[str, Commit]:
    """By folder, the newest commit that touched it."""
    wanted = set(folders)
    touched: dict[str, Commit] = {}
    for commit in found:
        if not wanted:
            break
        here = wanted & commit.folders
        touched.update(dict.fromkeys(here, commit))
        wanted -= here
    return touched


class _Reader:
    """Compares configs between a commit and its parent."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._key = cache(self._key_of)

    def change(self, folder: str, commit: Commit) -> LastChange:
        """What the commit did to a config."""
        told = LastChange(commit.id, commit.when, commit.who, commit.subject)
        parent = commit.parents[0] if commit.parents else ""
        before = self._config(parent, folder) if parent else None
        after = self._config(commit.id, folder)
        if before is None or after is None:
            return replace(told, kind="added" if after is not None else "removed")
        keys = {self._key(parent), self._key(commit.id)} - {""}
        try:
            return replace(told, changes=tuple(compare_configs(*(config_text(each, blind=len(keys) > 1) for each in (before, after)))))
        except ConfigXmlError as error:
            return replace(told, problem=str(error))

    def _config(self, commit: str, folder: str) -> Canonical | None:
        files = self._blobs.files(commit, folder)
        if CONFIG not in files:
            return None
        texts = {name: self._blobs.content(each).decode("utf-8", "replace") for name, each in files.items()}
        return Canonical(texts.pop(CONFIG), {}, texts)

    def _key_of(self, commit: str) -> str:
        """What identifies the key of the secrets' fingerprints; '' where that is not known."""
        try:
            return read_manifest(self._blobs.at(commit, MANIFEST).decode("utf-8", "replace")).key
        except CibusError:
            return ""
