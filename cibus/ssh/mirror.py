"""Folders that are kept the same here and on a host; only what changed since the last time travels."""

from __future__ import annotations

import json
import os
import threading
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from cibus.errors import HostError
from cibus.folders import write_whole
from cibus.ssh import listing
from cibus.ssh.host import Host
from cibus.ssh.link import CommandFailed
from cibus.ssh.listing import Entry, Listing
from cibus.ssh.transfer import Place, packed, unpack

VERSION = 1
Report = Callable[[str], None]


class Mirror:
    """Folders below ``here`` on this machine and below ``there`` on a host.

    The host's side is the truth where nothing is known of either; what changed here since then wins over what changed
    there. Links that lead out of the folders, sockets and devices stay on the host.

    Arguments:
        tops: the names of the folders
        index: a file that remembers, from one run to the next, what was the same on both sides
        report: is told, once each, what stays on the host
    """

    def __init__(self, host: Host, here: Path, there: str, tops: Sequence[str], *, index: Path | None = None, report: Report | None = None) -> None:
        self.host = host
        self.here = here
        self.there = there
        self.tops = tuple(tops)
        self._id = f"mirror{host.next_id()}"
        self._lock = threading.RLock()
        self._index = index
        self._report = report or (lambda text: None)
        self._reported: set[str] = set()
        self._last: Listing = {}
        self._here: Listing = {}  # both sides when they were the same
        self._there: Listing = {}
        self._load()

    # -- the two directions

    def push(self) -> int:
        """Brings what changed here to the host; gives how many entries that were.

        Raises:
            HostError: the host is gone, full, or does not let one write.
        """
        with self._lock:
            now = listing.local(str(self.here), self.tops)
            fresh, gone = listing.changed(self._here, now)
            turned = [name for name in fresh if name in self._here and self._here[name].kind != now[name].kind]
            sendable = [name for name in fresh if now[name].kind in "dfl"]
            if not sendable and not gone:
                return 0
            dropped = listing.topmost(sorted({*gone, *turned}))
            if dropped:
                self._there_call("drop", stdin=b"".join(os.fsencode(f"./{name}") + b"\0" for name in dropped))
            if sendable:
                self._there_call("put", stdin=packed(self.here, sendable, now))
            self._here = {name: entry for name, entry in now.items() if entry.kind in "dfl"}
            self._absorb({*sendable, *gone, *dropped})
            return len(sendable) + len(gone)

    def pull(self) -> int:
        """Brings what changed on the host here; gives how many entries that were.

        Raises:
            HostError: the host is gone, or sends what it must not; or this disk is full.
        """
        with self._lock:
            now = self._list()
            fresh, gone = listing.changed(self._there, now)
            if not fresh and not gone:
                return 0
            place = Place(self.here)
            self.here.mkdir(parents=True, exist_ok=True)
            self._remove(place, listing.topmost([name for name in gone if name in self._here]), gone)
            files: Listing = {}
            for name in fresh:
                entry = now[name]
                if entry.kind == "d":
                    place.folder(name, entry.mode)
                    self._note(name)
                elif entry.kind == "l":
                    self._link(place, name, entry.target)
                elif entry.kind == "f":
                    files[name] = entry
                else:
                    self._stays(f"{name}: a socket, pipe or device")
                self._there[name] = entry
            self._fetch(place, files)
            return len(fresh) + len(gone)

    def start(self) -> None:
        """Brings both sides together, at the beginning."""
        with self._lock:
            if self._here:
                self.push()
            self.pull()
            self.push()

    # -- parts

    def _remove(self, place: Place, names: Sequence[str], gone: Sequence[str]) -> None:
        for name in names:
            if self._unchanged(name):
                place.remove(name)
        for name in gone:
            self._there.pop(name, None)
            self._here.pop(name, None)

    def _unchanged(self, name: str) -> bool:
        """Whether an entry here is what both sides had."""
        try:
            path = self.here / name
            return listing.of(path.lstat(), str(path.readlink()) if path.is_symlink() else "").signature == self._here[name].signature
        except OSError:
            return False

    def _link(self, place: Place, name: str, target: str) -> None:
        safe = listing.safe_target(name, target, self.there)
        if safe is None:
            place.remove(name)
            self._here.pop(name, None)
            self._stays(f"{name}: a link that leads out of the workspace, to {target}")
        else:
            place.link(name, safe)
            self._note(name)

    def _fetch(self, place: Place, files: Listing) -> None:
        if not files:
            return
        names = b"".join(os.fsencode(f"./{name}") + b"\0" for name in files)
        flavour = self.host.facts.get("tar", "")
        left = set(files)

        def arrived(name: str) -> None:
            left.discard(name)
            self._note(name)

        def take(stream: IO[bytes]) -> None:
            unpack(stream, place, files, arrived, several=not flavour)

        try:
            self.host.call("get", self.there, flavour, stdin=names, take=take)
        except CommandFailed as error:
            # what vanished or may not be read is missing below
            if len(left) == len(files) and not any(words in error.said for words in ("Permission denied", "No such file", "Cannot open", "Cannot stat")):
                raise HostError(f"{self.host.address.shown}: files of {self.there} cannot be fetched: {_reason(error)}") from error
        for name in left:
            place.remove(name)
            self._here.pop(name, None)
            self._stays(f"{name}: it cannot be read")

    def _note(self, name: str) -> None:
        path = self.here / name
        self._here[name] = listing.of(path.lstat(), str(path.readlink()) if path.is_symlink() else "")

    def _stays(self, text: str) -> None:
        if text not in self._reported:
            self._reported.add(text)
            self._report(text)

    def _absorb(self, names: set[str]) -> None:
        """The host now has these as they are here; what else changed there meanwhile is still to be brought."""
        now = self._list()
        for name in names:
            if name in now:
                self._there[name] = now[name]
            else:
                self._there.pop(name, None)
        for name in [name for name in self._there if name not in now and not name.startswith(self.tops)]:
            del self._there[name]

    def _list(self) -> Listing:
        token = os.urandom(8).hex() + " "
        flavour = self.host.facts["find"]
        data = self._there_call("list", self._id, flavour, token, *(f"./{top}" for top in self.tops))
        if data[:1] != b"=":
            self._last = listing.remote(zlib.decompress(data[1:], wbits=31) if data[:1] == b"z" else data[1:], flavour, token)
        return self._last

    def _there_call(self, name: str, *args: str, stdin: Any = b"") -> bytes:
        try:
            return self.host.call(name, self.there, *args, stdin=stdin)
        except CommandFailed as error:
            raise HostError(f"{self.host.address.shown}: {self.there} cannot be written: {_reason(error)}") from error

    # -- from one run to the next

    def _load(self) -> None:
        if self._index is None or not any((self.here / top).is_dir() for top in self.tops):
            return
        try:
            data = json.loads(self._index.read_text("utf-8"))
            if [data["version"], data["there"]] == [VERSION, self._name]:
                self._here, self._there = ({name: Entry(*entry) for name, entry in data[side].items()} for side in ("here", "host"))
        except (OSError, ValueError, KeyError, TypeError):
            return

    @property
    def _name(self) -> str:
        return f"{self.host.address.shown} {self.there}"

    def save(self) -> None:
        """Remembers what is the same on both sides."""
        if self._index is not None:
            write_whole(self._index, json.dumps({"version": VERSION, "there": self._name, "here": self._here, "host": self._there}).encode())


def _reason(error: CommandFailed) -> str:
    """The line of what tar and its kin said that says why."""
    lines = error.said.splitlines() or [str(error)]
    if any("Wrote only" in line for line in lines):  # GNU tar, where the last block did not fit whole
        return "No space left on device"
    return next((line for line in lines if any(words in line for words in ("No space left", "Permission denied", "Read-only", "quota"))), lines[0])
