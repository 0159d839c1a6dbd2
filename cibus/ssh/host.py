"""A host: connections to it, made as they are needed, and what is known of it."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cibus.errors import HostLost
from cibus.ssh.address import Address
from cibus.ssh.link import Full, Link

if TYPE_CHECKING:
    import paramiko

VARIABLES = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR")
"""What of a host's own environment counts, besides LC_*."""


class Host:
    """A machine over SSH. One TCP connection carries everything; more are made only where sshd takes no further session (MaxSessions).

    Arguments:
        interval: seconds between two signs of life
        deadline: seconds without any answer after which the host counts as lost

    Raises:
        HostError: it cannot be reached, or does not let one in.
    """

    def __init__(self, address: Address, *, interval: float = 5.0, deadline: float = 20.0) -> None:
        self.address = address
        self._times = {"interval": interval, "deadline": deadline}
        self._links = [Link(address, **self._times)]
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    @property
    def first(self) -> Link:
        """The connection that was there first."""
        return self._links[0]

    @property
    def facts(self) -> Mapping[str, str]:
        """What the host said of itself: session, system, host, find, tar, env.NAME."""
        return self.first.facts

    @property
    def environ(self) -> dict[str, str]:
        """The variables of a command there: PATH, HOME and their kin."""
        said = {name.removeprefix("env."): value for name, value in self.facts.items() if name.startswith("env.")}
        return {name: value for name, value in said.items() if name in VARIABLES or name.startswith("LC_")}

    @property
    def alive(self) -> bool:
        """Whether commands can be run."""
        return self.first.alive

    def next_id(self) -> str:
        """A number for a process or a folder."""
        return str(next(self._numbers))

    def open(self, name: str, *args: str) -> tuple[Link, paramiko.Channel]:
        """Starts one of the script's commands.

        Raises:
            HostLost: the host is gone.
        """
        if not self.first.alive:
            raise self.first.lost()
        found = self._open(name, *args)
        if found is None:
            with self._lock:
                found = self._open(name, *args)  # another thread may have made a connection meanwhile
                if found is None:
                    link = Link(self.address, **self._times)
                    self._links.append(link)
                    found = link, link.open(link.command(name, *args))
        return found

    def _open(self, name: str, *args: str) -> tuple[Link, paramiko.Channel] | None:
        """Starts a command on a connection that takes it; None where none does."""
        for link in list(self._links):
            if link.alive:
                with contextlib.suppress(Full):
                    return link, link.open(link.command(name, *args))
        return None

    def call(self, name: str, *args: str, stdin: bytes | Iterable[bytes] = b"", take: Callable[[Any], None] | None = None) -> bytes:
        """Runs one of the script's commands to its end; gives what it printed, or has ``take`` read it as a file.

        Raises:
            CommandFailed: it ended with another exit code than 0.
            HostLost: the host is gone.
        """
        link, channel = self.open(name, *args)
        return link.finish(channel, stdin, take)

    def lost(self) -> HostLost:
        """The error for a host that is gone."""
        return self.first.lost()

    def close(self) -> None:
        """Gives all connections back."""
        for link in reversed(self._links):
            link.close()

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
