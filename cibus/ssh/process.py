"""A process on a host: streamed output, its exit code, and the end of its whole tree."""

from __future__ import annotations

import contextlib
import os
import select
import shlex
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal

from cibus.errors import HostError, HostLost
from cibus.ssh.host import Host

if TYPE_CHECKING:
    import paramiko

CHUNK = 1 << 16
GRACE = 0.6  # seconds between asking a tree to end and ending it
LINGER = 0.02  # seconds for the end of the output to come behind the end of the process
How = Literal["TERM", "KILL", "ALL"]


def job(argv: Sequence[str], env: Mapping[str, str], unset: Sequence[str], cwd: str, files: Mapping[str, bytes]) -> bytes:
    """The text that makes a shell become the process; nothing of it shows in the host's list of processes.

    Arguments:
        files: by path, what is written first, with mode 0700; their folders are removed in the end
    """
    lines = []
    for path, data in files.items():
        end, folder = b"end-" + os.urandom(8).hex().encode(), str(PurePosixPath(path).parent)
        lines += [_raw(f"(umask 077; mkdir -p {shlex.quote(folder)}; cat >{shlex.quote(path)}) <<'{end.decode()}' || exit"), data, end]
        lines += [_raw(f'chmod 700 {shlex.quote(path)}; echo {shlex.quote(folder)} >>"$S/drop.$id"')]
    lines += [b"unset " + _raw(name) for name in unset if name.isidentifier()]
    lines += [b"export " + _raw(f"{name}={shlex.quote(value)}") for name, value in env.items() if name.isascii() and name.isidentifier()]
    lines += [_raw(f"mkdir -p {shlex.quote(cwd)} && cd {shlex.quote(cwd)} || exit")]
    lines += [_raw("exec " + shlex.join(argv))]
    return b"\n".join(lines) + b"\n"


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


class Marker:
    """Finds the end of a process' output: behind it comes what nobody else can write."""

    def __init__(self, token: str) -> None:
        self._start = b"\x1e" + token.encode() + b" "
        self._rest = b""
        self.found: tuple[int, bool] | None = None

    def feed(self, data: bytes) -> bytes:
        """Takes what came; gives what belongs to the output."""
        data = self._rest + data
        at = data.find(self._start)
        if at >= 0:
            end = data.find(b"\x1e", at + 1)
            if end >= 0:
                code, left = data[at + len(self._start) : end].split()
                self.found = int(code), left == b"1"
                self._rest = b""
                return data[:at]
            self._rest = data[at:]
            return data[:at]
        # what may be the beginning of the marker waits for what comes behind
        at = data.rfind(b"\x1e", max(0, len(data) - len(self._start)))
        if at >= 0 and self._start.startswith(data[at:]):
            self._rest = data[at:]
            return data[:at]
        self._rest = b""
        return data


class RemoteProcess:
    """A process on a host; ``interrupt`` ends its whole tree.

    Arguments:
        argv: the command
        env: the variables it has beyond the host's own; ``unset``: those of the host's that it has not
        cwd: the folder it runs in; it is made
        cookie: a value of JENKINS_SERVER_COOKIE in ``env``, by which stray children are found
        node: a value of JENKINS_NODE_COOKIE in ``env``, by which what is left behind is found
        capture: keep standard output instead of streaming it
        files: by path, what is written there before it starts, in folders that are removed when it has ended

    Raises:
        HostLost: the host is gone.
    """

    def __init__(
        self,
        host: Host,
        argv: Sequence[str],
        env: Mapping[str, str],
        cwd: str,
        *,
        unset: Sequence[str] = (),
        cookie: str = "",
        node: str = "",
        capture: bool = False,
        files: Mapping[str, bytes] | None = None,
    ) -> None:
        self.host = host
        self.capture = capture
        self.captured: list[bytes] = []
        self.error: BaseException | None = None
        self.left = False  # whether something of it still runs
        self._id = host.next_id()
        token = os.urandom(12).hex()
        self._markers = {"out": Marker(token), **({"err": Marker(token)} if capture else {})}
        self._link, self._channel = host.open("run", self._id, token, "1" if capture else "0", cookie, node)
        self._wake_read, self._wake_write = os.pipe()
        self._closed = False
        threading.Thread(target=self._send, args=(job(argv, env, unset, cwd, files or {}),), daemon=True).start()

    def _send(self, text: bytes) -> None:
        with contextlib.suppress(OSError, EOFError):
            self._channel.sendall(text)
            self._channel.shutdown_write()

    def interrupt(self, error: BaseException) -> None:
        """Has the tree ended by the thread that waits for it; the step then raises ``error``."""
        if self.error is None:
            self.error = error
            with contextlib.suppress(OSError):
                os.write(self._wake_write, b"x")

    def stream(self, on_output: Callable[[bytes], None], on_interrupt: Callable[[], None]) -> int:
        """Gives output as it comes until the process has ended; returns its exit code, 128 + signal for a signal.

        Raises:
            HostLost: the host was lost meanwhile.
        """
        poller = select.poll()
        for number in (self._channel.fileno(), self._wake_read):
            poller.register(number, select.POLLIN)
        deadline: float | None = None
        how: How = "KILL"
        try:
            while not all(marker.found for marker in self._markers.values()):
                wait = None if deadline is None else max(0, int((deadline - time.monotonic()) * 1000))
                ready = [number for number, _ in poller.poll(wait)]
                if self._wake_read in ready:
                    os.read(self._wake_read, 64)
                    on_interrupt()
                    self._end("TERM")
                    deadline = time.monotonic() + GRACE
                ended = self._take(on_output)
                if ended:
                    break
                if deadline is not None and time.monotonic() >= deadline:
                    self._end(how)
                    how = "ALL"  # where even that did not help
                    deadline = time.monotonic() + GRACE
            return self._result()
        finally:
            self._close()

    def _take(self, on_output: Callable[[bytes], None]) -> bool:
        """Takes what has come; True where nothing can come any more."""
        channel = self._channel
        log = "err" if self.capture else "out"
        for name, ready, recv in (("err", channel.recv_stderr_ready, channel.recv_stderr), ("out", channel.recv_ready, channel.recv)):
            marker = self._markers.get(name)
            while ready():
                data = recv(CHUNK)
                if marker is None:
                    on_output(data)  # what the login shell says itself
                elif marker.found is None and (data := marker.feed(data)):
                    (on_output if name == log else self.captured.append)(data)
        return (channel.eof_received or channel.closed) and not channel.recv_ready() and not channel.recv_stderr_ready()

    def _result(self) -> int:
        found = self._markers["out"].found
        if found is not None:
            code, self.left = found
            return code
        if self.error is not None and self._link.alive:
            return 137  # the shell around it was ended with it
        if not self._link.alive or not self._channel.exit_status_ready():
            raise self.lost()
        raise HostError(f"{self.host.address.shown}: the process was ended from outside, with the shell around it")

    def lost(self) -> HostLost:
        """The error for a host that is gone."""
        return self._link.lost()

    def _end(self, how: How) -> None:
        """Ends the tree; where the host does not answer, waiting for the process says so."""
        with contextlib.suppress(HostError):
            self._link.call("end", self._id, how)

    def end_now(self) -> None:
        """Ends the tree at once."""
        self._end("ALL")

    def discard(self) -> None:
        """Ends it where nobody came to wait for it."""
        if not self._closed:
            self._end("ALL")
            self._close()

    def _close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self.error is not None and self._link.alive:
            self._end("ALL")
        os.close(self._wake_read)
        os.close(self._wake_write)
        end = time.monotonic() + LINGER
        while not (self._channel.eof_received or self._channel.closed) and time.monotonic() < end:
            time.sleep(0.001)
        if self._channel.eof_received or self._channel.closed:
            self._channel.close()
        else:
            self.left = True
            threading.Thread(target=_swallow, args=(self._channel,), name="swallow", daemon=True).start()


def _swallow(channel: paramiko.Channel) -> None:
    """Takes what a background process still writes, which would otherwise end it with a broken pipe."""
    with channel, contextlib.suppress(OSError, EOFError):
        channel.set_combine_stderr(True)
        while channel.recv(CHUNK):
            pass
