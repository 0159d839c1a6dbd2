"""Folders kept as they were: a list of their files, and a store that holds each version of a file once.

A file is known again by what changes with its content: size, modification and status-change times, inode. So taking the
state of 20,000 files costs a look at each, and bringing it back replaces only what changed since.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

_PIECE = 1 << 20
_FICLONE = 0x40049409  # linux/fs.h: share the data of another file, where the file system can (btrfs, XFS)


@dataclass(frozen=True)
class Entry:
    """A file as it was.

    Arguments:
        kind: ``f`` file, ``d`` folder, ``l`` link
        mode: permission bits
        size: bytes
        mtime, ctime: nanoseconds since the epoch
        blob: where the store has its content; of a link, what it points to
    """

    kind: str
    mode: int
    size: int = 0
    mtime: int = 0
    ctime: int = 0
    inode: int = 0
    blob: str = ""

    def same_file(self, other: Entry) -> bool:
        """Whether the content cannot have changed between the two."""
        return (self.kind, self.size, self.mtime, self.ctime, self.inode) == (other.kind, other.size, other.mtime, other.ctime, other.inode)

    def as_list(self) -> list[Any]:
        """For JSON, which has many of them."""
        return [self.kind, self.mode, self.size, self.mtime, self.ctime, self.inode, self.blob]


Listing = Mapping[str, Entry]
"""Path below the folder → entry; folders before what is in them."""


def listing(data: Mapping[str, list[Any]]) -> dict[str, Entry]:
    """A listing out of JSON."""
    return {name: Entry(*values) for name, values in data.items()}


def scan(folder: Path) -> dict[str, Entry]:
    """What is in a folder now; the content of files is not looked at. Sockets and devices are left out."""
    found: dict[str, Entry] = {}
    _scan(str(folder), "", found)
    return found


def _scan(root: str, below: str, found: dict[str, Entry]) -> None:
    folders = []
    try:
        listed = os.scandir(f"{root}/{below}" if below else root)
    except OSError:
        return
    with listed:
        for each in listed:
            name = f"{below}/{each.name}" if below else each.name
            with contextlib.suppress(OSError):  # gone in the meantime
                about = each.stat(follow_symlinks=False)
                if stat.S_ISREG(about.st_mode):
                    found[name] = Entry("f", stat.S_IMODE(about.st_mode), about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino)
                elif stat.S_ISDIR(about.st_mode):
                    found[name] = Entry("d", stat.S_IMODE(about.st_mode))
                    folders.append(name)
                elif stat.S_ISLNK(about.st_mode):
                    found[name] = Entry("l", 0o777, blob=os.readlink(each.path))  # noqa: PTH115 # a Path for each of 20,000 is slow
    for name in folders:
        _scan(root, name, found)


class NoRoom(Exception):
    """More bytes would have to be copied than there is room for; ``size``: how many."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


class Store:
    """Contents of files, each under a name of its own that is never used again.

    Arguments:
        folder: of this user alone: workspaces hold secrets
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: Any = None
        self._made: set[str] = set()

    def hold(self) -> None:
        """While this process lives nothing is removed by another that may be needed here."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = (self.folder / "lock").open("a")
        with contextlib.suppress(OSError):
            fcntl.flock(self._lock, fcntl.LOCK_SH)

    def release(self) -> None:
        """This process needs it no more."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def keep(self, folder: Path, before: Listing, room: int) -> tuple[dict[str, Entry], int]:
        """Keeps a folder as it is now; gives its listing and how many bytes had to be copied.

        Arguments:
            before: an earlier listing of the same folder: what is the same file is not copied again
            room: bytes that may be copied

        Raises:
            NoRoom: more would have to be copied.
            OSError: the disk is full, or a file cannot be read.
        """
        now = scan(folder)
        fresh = []
        for name, entry in now.items():
            if entry.kind == "f":
                known = before.get(name)
                if known is not None and known.blob and known.same_file(entry):
                    now[name] = known if known.mode == entry.mode else replace(entry, blob=known.blob)
                else:
                    fresh.append(name)
        copied = sum(now[name].size for name in fresh)
        if copied > room:
            raise NoRoom(copied)
        for name in fresh:
            blob = uuid.uuid4().hex
            if blob[:2] not in self._made:
                self._made.add(blob[:2])
                (self.folder / blob[:2]).mkdir(parents=True, exist_ok=True)
            copy_file(f"{folder}/{name}", f"{self.folder}/{blob[:2]}/{blob}")
            now[name] = replace(now[name], blob=blob)
        return now, copied

    def bring_back(self, kept: Listing, folder: Path) -> int:
        """Makes a folder what it was; what is still the same file stays. Gives how many files were replaced or removed.

        Raises:
            OSError: a file of the store is gone, or the disk is full.
        """
        folder.mkdir(parents=True, exist_ok=True)
        now, changed = scan(folder), 0
        for name in sorted(set(now) - set(kept), reverse=True):  # what is in a folder before the folder
            _remove(folder / name)
            changed += 1
        for name, entry in kept.items():
            there = now.get(name)
            if there is not None and (there.same_file(entry) if entry.kind == "f" else there == entry):
                continue
            changed += 1
            self._restore(entry, folder / name, there)
        return changed

    def _restore(self, entry: Entry, path: Path, there: Entry | None) -> None:
        if entry.kind == "d" and there is not None and there.kind == "d":
            path.chmod(entry.mode)
            return
        if there is not None:
            _remove(path)
        if entry.kind == "d":
            path.mkdir(mode=0o700)
            path.chmod(entry.mode | stat.S_IRWXU)
        elif entry.kind == "l":
            path.symlink_to(entry.blob)
        else:
            copy_file(str(self._path(entry.blob)), str(path))
            path.chmod(entry.mode)
            os.utime(path, ns=(entry.mtime, entry.mtime))

    def sizes(self) -> dict[str, int]:
        """Every content in the store: name → bytes."""
        found = {}
        for below in self.folder.iterdir() if self.folder.is_dir() else ():
            if below.is_dir():
                with os.scandir(below) as listed:
                    found.update({each.name: each.stat().st_size for each in listed})
        return found

    def drop(self, names: Iterable[str]) -> None:
        """Removes contents that nothing needs; not while another run is at work here."""
        if not self.folder.is_dir():
            return
        with (self.folder / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return
            for name in names:
                self._path(name).unlink(missing_ok=True)

    def _path(self, blob: str) -> Path:
        return self.folder / blob[:2] / blob


def copy_file(source: str, target: str) -> None:
    """Copies a file's content into a new file, sharing the data where the file system can."""
    old = os.open(source, os.O_RDONLY)
    try:
        new = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            try:
                fcntl.ioctl(new, _FICLONE, old)
            except OSError:
                _copy_data(old, new)
        finally:
            os.close(new)
    finally:
        os.close(old)


def _copy_data(old: int, new: int) -> None:
    while data := os.read(old, _PIECE):
        view = memoryview(data)
        while view:
            view = view[os.write(new, view) :]


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
