"""Exporting a controller into a folder."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cibus.errors import SnapshotError, UsageError
from cibus.jenkins.bulk import each
from cibus.jenkins.client import Client
from cibus.jobs.collect import Filter, listing
from cibus.jobs.forks import each_forked, processes
from cibus.jobs.layout import ALLOW, MANIFEST, SYSTEM, Key, folder_of, key_of
from cibus.jobs.manifest import Manifest
from cibus.jobs.store import WORK, Staging, locked, settle, staging, take_place
from cibus.jobs.system import documents
from cibus.jobs.trees import FolderTree, Snapshot, git
from cibus.jobs.worker import THREADS, Outcome, Worker, scan
from cibus.redaction import AllowList, Finding, Redactor
from cibus.redaction.fingerprints import key_id
from cibus.redaction.shapes import shapes
from cibus.secrets import Secret

Progress = Callable[[str, int, int], None]  # what is done, how many of it, of how many


@dataclass(frozen=True)
class Exported:
    """What an export did.

    Arguments:
        missing: what could not be read, and why
        read: how many configs were meant, on the controller
        resumed: how many of them were there from an export that was interrupted
        secrets: what the placeholders stand for, of the configs that were read
    """

    folder: Path
    counts: dict[str, int]
    missing: dict[str, str] = field(default_factory=dict)
    read: int = 0
    resumed: int = 0
    secrets: Mapping[str, Secret] = field(default_factory=dict, repr=False)


def export(
    client: Client,
    folder: Path,
    key: bytes,
    chosen: Filter = Filter(),  # noqa: B008 # frozen
    *,
    fresh: bool = False,
    force: bool = False,
    allow: str | None = None,
    names_too: bool = False,
    lasting: bool = True,
    progress: Progress = lambda *_: None,
) -> Exported:
    """Exports a controller; the snapshot that was in the folder stays whole until the new one is.

    Arguments:
        key: the key of the secrets' fingerprints
        chosen: which jobs; what is not chosen stays in the folder as it is
        fresh: do not go on with an export that was interrupted a short time ago
        allow: an allow.toml's text; default: the folder's own
        force: write over files that were edited since the last export and are not committed, and over the snapshot of
            another controller
        lasting: False: the folder is gone soon, and nothing needs to be on the disk
        names_too: read the names of plugins and credentials even where only some jobs are chosen

    Raises:
        ControllerError: the controller cannot be reached or listed.
        SnapshotError: a secret would have been written (nothing is then), or another export is under way.
    """
    version = client.session.require_jenkins()
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        settle(folder)
        previous = Snapshot(FolderTree(folder)) if (folder / MANIFEST).exists() else None
        if previous is not None and not force and previous.manifest.url != client.settings.url:
            raise SnapshotError(f"{folder} is the snapshot of {previous.manifest.url}, not of {client.settings.url}: choose another folder, or give --force")
        redactor = Redactor(key, AllowList.parse(allow_text(folder) if allow is None else allow, str(folder / ALLOW)))
        place = staging(folder, f"{client.settings.url} {version} {key_id(key)} {chosen}", fresh=fresh)
        try:
            under_way = _Export(client, redactor, place, previous, progress)
            made = under_way.fill(chosen, names_too)
        finally:
            place.close()
        manifest = Manifest(version, client.settings.url, key_id(key), made.counts, made.missing, place.versions, place.digests)
        place.finish(manifest)
        _refuse_secrets(place, redactor, under_way.scanned, progress)
        if previous is not None and not force:
            _refuse_overwriting(folder, previous, place.digests)
        take_place(folder, lasting=lasting)
    return made


def allow_text(folder: Path) -> str:
    """The folder's allow.toml: the false alarms of the secret scanner; '' where there is none."""
    path = folder / ALLOW
    return path.read_text("utf-8") if path.is_file() else ""


class _Export:
    """One export under way."""

    def __init__(self, client: Client, redactor: Redactor, place: Staging, previous: Snapshot | None, progress: Progress) -> None:
        self.client = client
        self.redactor = redactor
        self.place = place
        self.previous = previous
        self.progress = progress
        self.missing: dict[str, str] = {}
        self.secrets: dict[str, Secret] = {}
        self.credential_folders: set[str] = set()
        self.scanned: dict[str, tuple[Finding, ...]] = {}  # the second look at what was written, by the config's folder
        self._worker = Worker(client, redactor, place)

    def fill(self, chosen: Filter, names_too: bool) -> Exported:
        """Writes everything but the manifest."""
        self.progress("list", 0, 0)
        found = listing(self.client, chosen)
        self.missing.update(found.missing)
        wanted = {folder_of(key): key for key in found.keys}
        for stale in self.place.resumed - wanted.keys():
            self.place.drop(stale)
        todo = [key for folder, key in wanted.items() if folder not in self.place.resumed]
        resumed = len(wanted) - len(todo)
        self.progress("config", resumed, len(wanted))
        gone = self._fetch(todo, resumed, len(wanted))
        if gone:
            self._settle_gone(gone, chosen)
        if chosen:
            self._keep_the_rest(chosen)
        if names_too or not chosen:
            self._documents(found.folders)
        counts = Counter(f"{key.kind}s" for folder in self.place.versions if (key := key_of(folder)))
        return Exported(self.place.folder.parent.parent, dict(counts), self.missing, len(wanted), resumed, self.secrets)

    def _fetch(self, todo: list[Key], done: int, total: int) -> list[Key]:
        gone = []
        for key, outcome in self._outcomes(todo):
            done += 1
            self.progress("config", done, total)
            if outcome.gone:
                gone.append(key)
            else:
                self._take(key, outcome)
        return gone

    def _outcomes(self, todo: list[Key]) -> Iterator[tuple[Key, Outcome]]:
        threads = self.client.settings.concurrency
        count = processes(len(todo), threads) if self.client.session.renewable else 1
        if count == 1:
            return each(todo, self._worker, threads)
        shapes()  # takes long to import, and so is done once
        return each_forked(todo, self._worker, threads * THREADS, count, self._worker.begin)

    def _take(self, key: Key, outcome: Outcome) -> None:
        if outcome.written is None:
            self._not_read(key, outcome.why)
            return
        self.place.note(outcome.written)
        self.scanned[outcome.written.folder] = outcome.findings
        self.secrets.update(outcome.secrets)
        if outcome.credentials:
            self.credential_folders.add(key.name)

    def _settle_gone(self, gone: list[Key], chosen: Filter) -> None:
        """What was listed and not found was deleted since, or may not be read: a second look tells."""
        still = set(listing(self.client, chosen).keys)
        for key in gone:
            if key in still:
                self._take(key, self._worker(key))

    def _not_read(self, key: Key, reason: str) -> None:
        """What cannot be read now is kept as it was read before."""
        kept = self.previous is not None and key in self.previous.entries
        self.missing[str(key)] = reason
        if kept and self.previous:
            self.place.put(key, self.previous.config(key))

    def _keep_the_rest(self, chosen: Filter) -> None:
        if self.previous is None:
            return
        for key in self.previous.entries:
            if not chosen.means(key):
                self.place.put(key, self.previous.config(key))
        for path in self.previous.documents:
            self.place.put_document(path, self.previous.text(path))

    def _documents(self, folders: Collection[str]) -> None:
        self.progress("system", 0, 0)
        with_credentials = self.credential_folders | (set(folders) if self.place.resumed else set())
        found = documents(self.client, self.redactor, with_credentials)
        self.missing.update(found.missing)
        for path, text in found.files.items():
            self.place.put_document(path, text)
        for path in self.previous.documents if self.previous else ():
            kept = any(path.startswith(name) for name in found.missing) or (path.startswith(SYSTEM) and "script approvals" in found.missing)
            if path not in found.files and kept and self.previous:
                self.place.put_document(path, self.previous.text(path))


def _refuse_secrets(place: Staging, redactor: Redactor, scanned: Mapping[str, tuple[Finding, ...]], progress: Progress) -> None:
    """Reads what was written and looks for secrets once more; finding one, nothing of the export is kept.

    Arguments:
        scanned: what was found in the configs that were looked at when they were written, by their folders
    """
    found = [finding for findings in scanned.values() for finding in findings]
    rest = sorted(path for path in place.digests if path.rpartition("/")[0] not in scanned)
    for done, path in enumerate(rest, 1):
        progress("scan", done, len(rest))
        found += scan(place, redactor, [path])
    found.sort(key=lambda each: each.where)
    if found:
        shutil.rmtree(place.folder)
        shown = "; ".join(f"{each.kind} in {each.where}" for each in found[:5])
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        raise SnapshotError(
            f"the export would hold {len(found)} secret{'s' if len(found) > 1 else ''} and was removed: {shown}{more}"
            f" (a false alarm goes into {ALLOW}, with a reason)"
        )


def _refuse_overwriting(folder: Path, previous: Snapshot, digests: dict[str, str]) -> None:
    """Files that were edited by hand and are in no commit are not written over."""
    known = previous.manifest.digests
    edited = [
        path
        for path in sorted(previous.tree.files)
        if path in known and known[path] != (now := hashlib.sha256(previous.tree.read(path)).hexdigest()) and now != digests.get(path)
    ]
    if not edited:
        return
    try:
        changed = git(folder, "status", "--porcelain", "-z", "--untracked-files=all", "--", *edited[:1000])
        uncommitted = re.findall(r"(?:^|\0)...([^\0]+)", changed)
    except UsageError:  # no repository: nothing is committed
        uncommitted = edited
    if uncommitted:
        shutil.rmtree(folder / WORK / "next", ignore_errors=True)
        raise SnapshotError(
            f"{len(edited)} file(s) in {folder} were edited since the last export and are in no commit ({edited[0]}):"
            " commit them, apply them, or give --force to lose the edits"
        )
