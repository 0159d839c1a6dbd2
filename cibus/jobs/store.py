"""Writing a snapshot: beside the old one, and then in its place, so that one of the two is always whole.

Everything goes to ``.cibus/next``. When it is complete it is renamed to ``.cibus/ready``: that is the moment from which
the new snapshot counts. Its parts are then moved into place; whoever opens a snapshot first finishes a move that was cut
short (:func:`settle`).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cibus.canonical import Canonical
from cibus.errors import SnapshotError, UsageError
from cibus.jobs.layout import CONFIG, MANIFEST, OWNED, Key, folder_of
from cibus.jobs.manifest import Manifest
from cibus.jobs.trees import FolderTree

WORK = ".cibus"
PROGRESS = "progress"
PARTS = "parts"
RESUMABLE = 900  # seconds: what an interrupted export had fetched is used again for that long


@dataclass(frozen=True)
class Written:
    """A config that was written: its folder, the plugin versions that were taken out of it, its files' digests."""

    folder: str
    versions: Mapping[str, str]
    digests: Mapping[str, str]


class Staging:
    """A snapshot in the making; its methods may be called from several threads.

    Arguments:
        folder: where it is made
        origin: what an interrupted export must have been of, to be gone on with: the controller and the key
    """

    def __init__(self, folder: Path, origin: str) -> None:
        self.folder = folder
        self._origin = json.dumps({"origin": origin})
        self.versions: dict[str, Mapping[str, str]] = {}
        self.digests: dict[str, str] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self.resumed = self._resume()
        self._progress = (folder / PROGRESS).open("a", encoding="utf-8")
        if not (folder / PROGRESS).stat().st_size:
            self._progress.write(f"{self._origin}\n")
        self._lock = threading.Lock()

    def close(self) -> None:
        """Ends the writing."""
        self._progress.close()

    def put(self, key: Key, config: Canonical) -> None:
        """Writes a config with its scripts, and notes it."""
        self.note(self.write(key, config))

    def write(self, key: Key, config: Canonical) -> Written:
        """Writes a config with its scripts, which count when they are noted; may be called in a copy of the process."""
        folder = folder_of(key)
        digests = {}
        os.makedirs(f"{self.folder}/{folder}", exist_ok=True)  # noqa: PTH103 # Path is slow for 10,000 of them
        for name, text in (*config.scripts.items(), (CONFIG, config.xml)):
            digests[f"{folder}/{name}"] = self._write(f"{folder}/{name}", text.encode("utf-8", "surrogatepass"))
        return Written(folder, config.plugins, digests)

    def read(self, path: str) -> bytes:
        """Reads a file back."""
        with open(f"{self.folder}/{path}", "rb") as file:  # noqa: PTH123
            return file.read()

    def put_document(self, path: str, text: str) -> None:
        """Writes another file."""
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        self.note(Written("", {}, {path: self._write(path, text.encode("utf-8", "surrogatepass"))}))

    def note(self, written: Written) -> None:
        """Notes what was written: from now on an interrupted export can be gone on with from here."""
        line = json.dumps({"folder": written.folder, "versions": dict(written.versions), "digests": dict(written.digests)})
        with self._lock:
            self.digests.update(written.digests)
            if written.folder:
                self.versions[written.folder] = written.versions
            self._progress.write(f"{line}\n")

    def finish(self, manifest: Manifest) -> None:
        """Writes the manifest; what an interrupted export had written and never noted is dropped."""
        for path in FolderTree(self.folder).files - self.digests.keys():
            (self.folder / path).unlink()
        self._write(MANIFEST, manifest.text().encode())

    def drop(self, folder: str) -> None:
        """Takes a config back."""
        for path in [path for path in self.digests if path.rpartition("/")[0] == folder]:
            del self.digests[path]
            (self.folder / path).unlink(missing_ok=True)
        self.versions.pop(folder, None)
        self.resumed.discard(folder)

    def _write(self, path: str, data: bytes) -> str:
        with open(f"{self.folder}/{path}", "wb", buffering=0) as file:  # noqa: PTH123
            file.write(data)
        return hashlib.sha256(data).hexdigest()

    def _resume(self) -> set[str]:
        """Reads what an interrupted export had written, if that was lately and is whole."""
        path = self.folder / PROGRESS
        found: set[str] = set()
        lines = path.read_text("utf-8").splitlines() if path.is_file() else []
        if lines[:1] != [self._origin] or time.time() - path.stat().st_mtime > RESUMABLE:
            shutil.rmtree(self.folder)
            self.folder.mkdir(parents=True)
            return found
        for line in lines[1:]:
            with contextlib.suppress(ValueError):  # the last line may be torn
                noted = json.loads(line)
                if noted["folder"] and all(self._is(name, digest) for name, digest in noted["digests"].items()):
                    self.versions[noted["folder"]] = noted["versions"]
                    self.digests.update(noted["digests"])
                    found.add(noted["folder"])
        return found

    def _is(self, path: str, digest: str) -> bool:
        file = self.folder / path
        return file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == digest


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps a second export out of the same folder.

    Raises:
        SnapshotError: another one is under way.
    """
    work = folder / WORK
    work.mkdir(parents=True, exist_ok=True)
    (work / ".gitignore").write_text("*\n", encoding="utf-8")
    with (work / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SnapshotError(f"another export into {folder} is under way: wait for it to end") from None
        yield


def staging(folder: Path, origin: str, *, fresh: bool) -> Staging:
    """The place for the next snapshot of a folder; ``fresh`` forgets what an interrupted export had fetched.

    Raises:
        UsageError: the folder holds something else.
    """
    if not (folder / MANIFEST).exists():
        foreign = [name for name in OWNED if (folder / name).exists()]
        if foreign:
            raise UsageError(
                f"{folder} has {foreign[0]} but no {MANIFEST}: an export would replace it; choose another folder"
            )
    place = folder / WORK / "next"
    if fresh:
        shutil.rmtree(place, ignore_errors=True)
    return Staging(place, origin)


def take_place(folder: Path, *, lasting: bool = True) -> None:
    """Puts the finished snapshot in the place of the old one; ``lasting``: it is on the disk before that."""
    work = folder / WORK
    made = work / "next"
    (made / PROGRESS).unlink()
    parts = sorted(each.name for each in made.iterdir())
    (made / PARTS).write_text("\n".join(parts), encoding="utf-8")
    if lasting:
        _flush(made)
    made.rename(work / "ready")
    settle(folder)


def settle_what_was_left(folder: Path) -> None:
    """As :func:`settle`, for who does not hold the lock: an export that is about to move its parts is waited for."""
    work = folder / WORK
    if (work / "ready").is_dir():
        with (work / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            settle(folder)


def settle(folder: Path) -> None:
    """Finishes what an interrupted export had begun to move; does nothing otherwise."""
    work = folder / WORK
    ready = work / "ready"
    if not ready.is_dir():
        return
    old = work / "old"
    shutil.rmtree(old, ignore_errors=True)
    old.mkdir()
    parts_file = ready / PARTS
    if parts_file.is_file():
        parts = parts_file.read_text("utf-8").split("\n")
        for name in (*OWNED, MANIFEST):
            waiting = (ready / name).exists()
            if (folder / name).exists() and (waiting or name not in parts):
                (folder / name).rename(old / name)
            if waiting:
                (ready / name).rename(folder / name)
        parts_file.unlink()
    shutil.rmtree(ready)
    shutil.rmtree(old)


def _flush(folder: Path) -> None:
    """Everything on the disk; one call for the whole file system is far cheaper than one for each of 20,000 files."""
    os.sync()
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
