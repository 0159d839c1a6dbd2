"""Single files of a host, anywhere on it: brought when they are asked for, sent back when they were changed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import IO

from cibus.errors import HostError
from cibus.ssh import listing
from cibus.ssh.host import Host
from cibus.ssh.link import CommandFailed
from cibus.ssh.listing import Listing
from cibus.ssh.transfer import CHUNK, packed


class Outside:
    """A folder of this machine that stands for the root folder of a host."""

    def __init__(self, host: Host, here: Path) -> None:
        self.host = host
        self.here = here
        self.used = False
        self._known: Listing = {}

    def fetch(self, there: str) -> Path:
        """Where a path of the host is here: a file with its content, a folder as an empty one, or nothing.

        Raises:
            HostError: it cannot be read.
        """
        path = self.here / there.lstrip("/")
        if not self.used:
            shutil.rmtree(self.here, ignore_errors=True)
            self.used = True
        path.parent.mkdir(parents=True, exist_ok=True)

        def take(stream: IO[bytes]) -> None:
            kind = stream.read(1)
            if kind == b"d":
                path.mkdir(exist_ok=True)
            elif kind:
                with path.open("wb") as file:
                    while data := stream.read(CHUNK):
                        file.write(data)
                path.chmod(0o755 if kind == b"x" else 0o644)
            elif path.is_file():
                path.unlink()

        try:
            self.host.call("fetch", there, take=take)
        except CommandFailed as error:
            raise HostError(f"{self.host.address.shown}: {there}: {error.said}") from error
        self._known = self._now()
        return path

    def push(self) -> None:
        """Sends the files that were changed or made here.

        Raises:
            HostError: they cannot be written there.
        """
        if not self.used:
            return
        now = self._now()
        fresh = [name for name in listing.changed(self._known, now)[0] if now[name].kind == "f"]
        gone = [name for name in listing.changed(self._known, now)[1] if self._known[name].kind == "f"]
        try:
            if gone:
                self.host.call("drop", "/", stdin=b"".join(f"./{name}".encode("utf-8", "surrogateescape") + b"\0" for name in gone))
            if fresh:
                self.host.call("put", "/", stdin=packed(self.here, fresh, now))
        except CommandFailed as error:
            raise HostError(f"{self.host.address.shown}: {', '.join('/' + name for name in fresh or gone)} cannot be written: {error.said.splitlines()[0] if error.said else error}") from error
        self._known = now

    def close(self) -> None:
        """Takes the copies away."""
        if self.used:
            shutil.rmtree(self.here, ignore_errors=True)
            self.used = False

    def _now(self) -> Listing:
        return listing.local(str(self.here), sorted(entry.name for entry in self.here.iterdir()) if self.here.is_dir() else [])
