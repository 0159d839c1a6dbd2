"""The jobs of a snapshot: their kinds, their owners, and what changed last in each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cibus.handbook.lastchange import history
from cibus.handbook.records import JobEntry, Jobs
from cibus.jenkins import deeds
from cibus.jobs.drift import root_of
from cibus.jobs.layout import CONFIG, folder_of
from cibus.jobs.trees import FolderTree, Snapshot

HEAD = 4096  # bytes of a config in which its outermost element is


def jobs(folder: Path, shown: str, areas_of: Callable[[str], tuple[str, ...]]) -> Jobs:
    """All jobs of a snapshot's folder.

    Arguments:
        shown: the folder as a person writes it
        areas_of: the areas that a job belongs to

    Raises:
        UsageError: it is no snapshot.
        SnapshotError: it cannot be read.
    """
    snapshot = Snapshot(FolderTree(folder, shown))
    manifest = snapshot.manifest
    keys = sorted(key for key in snapshot.entries if key.kind == "job")
    past = history(folder, [folder_of(key) for key in keys])
    entries = (
        JobEntry(key.name, root_of(snapshot.tree.read(f"{folder_of(key)}/{CONFIG}")[:HEAD].decode("utf-8", "replace")), areas_of(key.name), past.changes.get(folder_of(key)))
        for key in keys
    )
    return Jobs(shown, manifest.url, manifest.jenkins, tuple(entries), _drift(manifest.url), dict(manifest.missing), past.notes)


def _drift(url: str) -> tuple[datetime, int] | None:
    noted = deeds.last(url, "diff") or {}
    count = noted.get("differences")
    return (datetime.fromtimestamp(noted["when"], UTC), count) if isinstance(count, int) else None
