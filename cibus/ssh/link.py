"""One connection to a host: its folder there, commands on it, and the watch over its life."""

from __future__ import annotations

import contextlib
import os
import shlex
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cibus.errors import HostError, HostLost
from cibus.ssh.address import Address
from cibus.ssh.connect import connect

if TYPE_CHECKING:
    import paramiko

CHUNK = 1 << 16
SCRIPT = Path(__file__).with_name("host.sh")
START = 'umask 077; d="${TMPDIR:-/tmp}/cibus-$$-%s"; mkdir "$d" && cat >"$d/host.sh" && exec sh "$d/host.sh" facts "$d"'
FIRST_WORDS = 30.0  # seconds for a command to be taken up


class Full(HostError):
    """The host takes no more sessions on this connection."""


class Link:
    """A connection with a folder of its own on the host.

    Arguments:
        interval: seconds between two signs of life
        deadline: seconds without any answer after which the host counts as lost
    """

    def __init__(self, address: Address, *, interval: float = 5.0, deadline: float = 20.0) -> None:
        self.address = address
        self.interval = interval
        self.deadline = deadline
        self.problem = ""  # why it is gone
        self.folder = ""
        self.facts: dict[str, str] = {}
        self._fabric = connect(address, deadline)
        self.transport: paramiko.Transport = self._fabric.transport
        self._heard = time.monotonic()
        self._ended = threading.Event()
        self._opening = threading.Lock()
        self._listen()
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    @property
    def alive(self) -> bool:
        """Whether commands can be run."""
        return not self.problem and bool(self.transport.is_active())

    # -- commands

    def open(self, command: str) -> paramiko.Channel:
        """Starts a command line of the login shell.

        Raises:
            Full: the host takes no more sessions on this connection.
            HostLost: the host is gone.
        """
        import paramiko

        try:
            with self._opening:  # paramiko has one place for the errors of all threads
                channel = self.transport.open_session(timeout=max(self.deadline, FIRST_WORDS))
            channel.exec_command(command)
        except (paramiko.SSHException, OSError, EOFError) as error:
            if self.alive:
                raise Full(f"{self.address.shown}: it takes no more sessions: {error}") from error
            raise self.lost() from error
        return channel

    def command(self, name: str, *args: str) -> str:
        """A command line for one of the script's commands."""
        return shlex.join(["exec", "sh", f"{self.folder}/host.sh", name, self.folder, *args])

    def call(self, name: str, *args: str, stdin: bytes | Iterable[bytes] = b"", take: Callable[[Any], None] | None = None) -> bytes:
        """Runs one of the script's commands to its end; gives what it printed, or has ``take`` read it as a file.

        Raises:
            CommandFailed: it ended with another exit code than 0.
            HostLost: the host is gone.
        """
        return self.finish(self.open(self.command(name, *args)), stdin, take)

    def finish(self, channel: paramiko.Channel, stdin: bytes | Iterable[bytes], take: Callable[[Any], None] | None) -> bytes:
        """Feeds a command that was started and waits for its end; as :meth:`call`."""
        with channel:
            feeder = threading.Thread(target=_feed, args=(channel, stdin), name="feed", daemon=True)
            feeder.start()
            out = b""
            try:
                if take is not None:
                    take(channel.makefile("rb", CHUNK))
                out = _read(channel.recv)
                said = _read(channel.recv_stderr).decode("utf-8", "replace").strip()
                code = channel.recv_exit_status()
            except (OSError, EOFError) as error:
                if not self.alive:
                    raise self.lost() from error
                raise
            except HostError as error:
                if not self.alive:
                    raise self.lost() from error
                raise
            feeder.join()
            if not self.alive:
                raise self.lost()
            if code:
                raise CommandFailed(f"{self.address.shown}: {said.splitlines()[-1] if said else f'exit code {code}'}", code, said)
            return out

    # -- its life

    def lost(self) -> HostLost:
        """The error for a host that is gone."""
        return HostLost(f"{self.address.shown}: {self.problem or 'the connection was closed by the host'}")

    def _listen(self) -> None:
        """Notes every packet that comes: any is a sign of life, also in a long transfer."""
        packetizer = self.transport.packetizer
        read = packetizer.read_message

        def noting() -> Any:
            message = read()
            self._heard = time.monotonic()
            return message

        packetizer.read_message = noting

    def _begin(self) -> None:
        script = SCRIPT.read_bytes()
        channel = self.open(f"exec sh -c {shlex.quote(START % os.urandom(4).hex())}")
        try:
            said = self.finish(channel, script, None)
        except CommandFailed as error:
            raise HostError(f"{self.address.shown}: commands cannot be run there: {error.said or f'the login shell ended with exit code {error.code}'}") from error
        for line in said.decode("utf-8", "surrogateescape").splitlines():
            name, equals, value = line.partition("=")
            if equals:
                self.facts.setdefault(name, value)
        self.folder = self.facts.get("session", "")
        if not self.folder.startswith("/") or "find" not in self.facts:
            raise HostError(f"{self.address.shown}: its shell does not do what a POSIX shell does; look at what ssh {self.address.host} true prints")
        self._guard = self.open(self.command("guard", str(round(3 * self.deadline) or 1)))
        self._guard.recv(CHUNK)
        for work in (self._beat, self._watch):
            threading.Thread(target=work, name=f"ssh-{work.__name__}", daemon=True).start()

    def _beat(self) -> None:
        """Sends signs of life: to the guard, and one that sshd itself must answer."""
        import paramiko

        number = 0
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            while not self._ended.wait(self.interval) and self.transport.is_active():
                number += 1
                self._guard.sendall(b"%d\n" % number)
                self.transport.global_request("keepalive@openssh.com", wait=True)

    def _watch(self) -> None:
        """Ends the connection where nothing is heard any more."""
        while not self._ended.wait(min(1.0, self.interval / 2)):
            if not self.transport.is_active():
                return
            if time.monotonic() - self._heard > self.deadline:
                self.problem = f"no answer for {self.deadline:g} seconds"
                self.transport.close()
                return

    def close(self) -> None:
        """Says goodbye, so that the host takes its folder away."""
        if self.alive and self.folder and not self._ended.is_set():
            with contextlib.suppress(OSError, EOFError):
                self._guard.sendall(b"bye\n")
                self._guard.settimeout(self.deadline)
                self._guard.recv_exit_status()
        self._ended.set()
        self.problem = self.problem or "the connection was given back"
        self._fabric.close()


class CommandFailed(HostError):
    """A command on the host failed; ``said``: its standard error."""

    def __init__(self, message: str, code: int, said: str) -> None:
        super().__init__(message)
        self.code = code
        self.said = said


def _feed(channel: paramiko.Channel, data: bytes | Iterable[bytes]) -> None:
    """Sends standard input; a command that has ended takes no more, and says itself why."""
    with contextlib.suppress(OSError, EOFError):
        for each in [data] if isinstance(data, bytes) else data:
            channel.sendall(each)
        channel.shutdown_write()


def _read(recv: Callable[[int], bytes]) -> bytes:
    parts = []
    while data := recv(CHUNK):
        parts.append(data)
    return b"".join(parts)
