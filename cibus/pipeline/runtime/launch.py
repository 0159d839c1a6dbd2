"""Running processes for steps: streamed output, exit codes, interruption of whole process trees."""

from __future__ import annotations

import codecs
import contextlib
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from cibus.pipeline.values import Thrown

if TYPE_CHECKING:
    from cibus.pipeline.steps.context import StepContext

CHUNK = 1 << 16
LONGEST_LINE = 1 << 20  # a longer one is printed in pieces, so that memory stays bounded
LATE = 0.1  # seconds for what a background process says just behind the end of its shell
GRACE = 0.6  # seconds between asking a tree to end and ending it
SIGNAL_TEXTS = {signal.SIGKILL: "Killed", signal.SIGTERM: "Terminated", signal.SIGSEGV: "Segmentation fault", signal.SIGABRT: "Aborted", signal.SIGHUP: "Hangup"}


class Lines:
    """Cuts a stream of bytes into text of whole lines."""

    def __init__(self, encoding: str, emit: Callable[[str], None]) -> None:
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._rest = ""
        self._emit = emit

    def feed(self, data: bytes) -> None:
        """Takes more; complete lines go on."""
        text = self._rest + self._decoder.decode(data)
        cut = text.rfind("\n") + 1
        if cut:
            self._emit(text[:cut])
        self._rest = text[cut:]
        if len(self._rest) > LONGEST_LINE:
            self._emit(self._rest)
            self._rest = ""

    def finish(self) -> None:
        """The stream ended: a line without its end gets one, as Jenkins gives it."""
        rest = self._rest + self._decoder.decode(b"", final=True)
        self._rest = ""
        if rest:
            self._emit(rest + "\n")


class Process:
    """A process of a step; ``interrupt`` ends its whole tree.

    Arguments:
        argv: the command
        cookie: a value of JENKINS_SERVER_COOKIE in the process' environment by which stray children are found
        capture: keep standard output instead of streaming it
    """

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        cwd: Path | None,
        *,
        cookie: str = "",
        capture: bool = False,
        kill_inside: Callable[[signal.Signals], None] | None = None,
    ) -> None:
        self.cookie = cookie
        self.capture = capture
        self.captured: list[bytes] = []
        self.error: Thrown | None = None
        self._kill_inside = kill_inside
        self._closed = False
        self._open: set[int] = set()  # pipes that somebody may still write to
        self._wake_read, self._wake_write = os.pipe()
        try:
            self.popen = subprocess.Popen(
                list(argv),
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE if capture else subprocess.STDOUT,
                start_new_session=True,
            )
        except BaseException:
            os.close(self._wake_read)
            os.close(self._wake_write)
            raise

    @property
    def group(self) -> int:
        """Its process group."""
        return self.popen.pid

    @property
    def last_words(self) -> str:
        """What a shell says of the signal that ended it, or ""."""
        code = self.popen.returncode
        return SIGNAL_TEXTS.get(signal.Signals(-code), "") if code is not None and code < 0 else ""

    def interrupt(self, error: Thrown) -> None:
        """Has the tree ended by the thread that waits for it; the step then raises ``error``."""
        if self.error is None:
            self.error = error
            with contextlib.suppress(OSError):
                os.write(self._wake_write, b"x")

    def stream(self, on_output: Callable[[bytes], None], on_interrupt: Callable[[], None]) -> int:
        """Gives output as it comes until the process has ended; returns its exit code, 128 + signal for a signal."""
        log = self.popen.stderr if self.capture else self.popen.stdout
        assert log is not None
        files: dict[int, Callable[[bytes], object]] = {log.fileno(): on_output}
        if self.capture:
            assert self.popen.stdout is not None
            files[self.popen.stdout.fileno()] = self.captured.append
        poller = select.poll()
        for number in (*files, self._wake_read):
            poller.register(number, select.POLLIN)
        self._open.update(files)
        _RUNNING.add(self)
        with self._exit_watch() as exit_fd:
            if exit_fd is not None:
                poller.register(exit_fd, select.POLLIN)
            try:
                self._loop(poller, files, exit_fd, on_interrupt)
            finally:
                _RUNNING.discard(self)
                self._close()
        code = self.popen.wait()
        return code if code >= 0 else 128 - code

    @contextlib.contextmanager
    def _exit_watch(self) -> Iterator[int | None]:
        """A descriptor that becomes readable when the process ends, where the system has one."""
        if not hasattr(os, "pidfd_open"):
            yield None
            return
        fd = os.pidfd_open(self.popen.pid)
        try:
            yield fd
        finally:
            os.close(fd)

    def _loop(self, poller: select.poll, files: dict[int, Callable[[bytes], object]], exit_fd: int | None, on_interrupt: Callable[[], None]) -> None:
        deadline: float | None = None
        while True:
            wait = 50 if exit_fd is None else None
            if deadline is not None:
                wait = max(0, int((deadline - time.monotonic()) * 1000))
            ended = exit_fd is None and self.popen.poll() is not None
            for number, _ in poller.poll(wait):
                if number == exit_fd:
                    ended = True
                elif number == self._wake_read:
                    os.read(self._wake_read, 64)
                    on_interrupt()
                    self._end_children(signal.SIGTERM)
                    deadline = time.monotonic() + GRACE
                else:
                    data = os.read(number, CHUNK)
                    if data:
                        files[number](data)
                    else:
                        self._open.discard(number)
                        poller.unregister(number)
            if deadline is not None and time.monotonic() >= deadline and not ended:
                self._end_all()
                deadline = time.monotonic() + GRACE
            if ended:
                self._drain(files)
                if self.error is not None:
                    self._end_all()
                return

    def _drain(self, files: dict[int, Callable[[bytes], object]]) -> None:
        """What was written before the end, and by background processes just behind it.

        A controller looks at a step's log and end some hundred milliseconds later (durable-task), so that the first words
        of a process in the background mostly count there. One that keeps the pipe open is not waited for longer.
        """
        end = time.monotonic() + LATE
        left = [number for number in files if number in self._open]
        for number in left:
            os.set_blocking(number, False)
        while left:
            left = [number for number in left if self._taken(number, files[number])]
            if not left or (wait := end - time.monotonic()) <= 0:
                return
            select.select(left, [], [], wait)

    def _taken(self, number: int, take: Callable[[bytes], object]) -> bool:
        """Takes what is there; gives whether more may come."""
        try:
            while data := os.read(number, CHUNK):
                take(data)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self._open.discard(number)
        return False

    def _end_children(self, number: signal.Signals) -> None:
        """Signals the children first: the shell then says how its command ended, as on a Jenkins agent."""
        if self._kill_inside is not None:
            self._kill_inside(number)
        children = [pid for pid in tree(self.popen.pid, self.cookie) if pid != self.popen.pid]
        for pid in children:
            _kill(pid, number)
        if not children:
            _kill(self.popen.pid, number)
            return
        end = time.monotonic() + 0.15
        while time.monotonic() < end and self.popen.poll() is None:
            time.sleep(0.005)
        if self.popen.poll() is None:
            _kill(self.popen.pid, number)

    def _end_all(self) -> None:
        if self._kill_inside is not None:
            self._kill_inside(signal.SIGKILL)
        for pid in tree(self.popen.pid, self.cookie):
            _kill(pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.killpg(self.popen.pid, signal.SIGKILL)

    def discard(self) -> None:
        """Ends it where nobody came to wait for it."""
        if self._closed:
            return
        self._end_all()
        self.popen.wait()
        self._close()

    def _close(self) -> None:
        self._closed = True
        os.close(self._wake_read)
        os.close(self._wake_write)
        for pipe in (self.popen.stdout, self.popen.stderr):
            if pipe is None:
                continue
            if pipe.fileno() in self._open:
                threading.Thread(target=_swallow, args=(pipe,), name="swallow", daemon=True).start()
            else:
                pipe.close()


def _swallow(pipe: IO[bytes]) -> None:
    """Takes what a background process still writes, which would otherwise end it with a broken pipe."""
    with pipe:
        os.set_blocking(pipe.fileno(), True)
        while os.read(pipe.fileno(), CHUNK):
            pass


_RUNNING: set[Process] = set()


def end_now() -> None:
    """Ends every process tree that a step is waiting for."""
    for process in list(_RUNNING):
        process._end_all()


def detach(command: str) -> None:
    """Starts a shell command that goes on by itself."""
    subprocess.Popen(
        ["sh", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def _kill(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(OSError):
        os.kill(pid, number)


def tree(root: int, cookie: str = "") -> list[int]:
    """The processes below ``root`` and itself, deepest first; with a cookie also those that left the tree."""
    parents: dict[int, list[int]] = {}
    strays: list[int] = []
    needle = f"JENKINS_SERVER_COOKIE={cookie}".encode()
    proc = Path("/proc")
    if not proc.is_dir():
        return _tree_by_ps(root)
    for entry in proc.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_bytes()
            parent = int(stat.rpartition(b")")[2].split()[1])
            parents.setdefault(parent, []).append(int(entry.name))
            if cookie and needle in (entry / "environ").read_bytes():
                strays.append(int(entry.name))
        except (OSError, ValueError, IndexError):
            continue
    found = _below(root, parents)
    return [*(pid for pid in strays if pid not in found), *found]


def _below(root: int, parents: Mapping[int, list[int]]) -> list[int]:
    found: list[int] = [root]
    for pid in found:
        found.extend(child for child in parents.get(pid, []) if child not in found)
    return found[::-1]


def _tree_by_ps(root: int) -> list[int]:
    listed = subprocess.run(["ps", "-axo", "pid=,ppid="], capture_output=True, text=True, check=False).stdout
    parents: dict[int, list[int]] = {}
    for line in listed.splitlines():
        pid, parent = line.split()
        parents.setdefault(int(parent), []).append(int(pid))
    return _below(root, parents)


def group_alive(group: int) -> bool:
    """Whether a process group still has members."""
    try:
        os.killpg(group, 0)
    except OSError:
        return False
    return True


def end_leftovers(groups: Sequence[int], cookie: str) -> None:
    """Ends what the steps of a node left running, wherever it went, but not what changed its JENKINS_NODE_COOKIE (``dontKillMe``)."""
    if not Path("/proc/self/environ").exists():
        for group in groups:
            with contextlib.suppress(OSError):
                os.killpg(group, signal.SIGKILL)
        return
    needle = f"JENKINS_NODE_COOKIE={cookie}".encode()
    for name in os.listdir("/proc"):  # noqa: PTH208 - at the end of every node block, so it should be quick
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as environ:  # noqa: PTH123
                if needle in environ.read().split(b"\0"):
                    _kill(int(name), signal.SIGKILL)


def execute(ctx: StepContext, argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> int:
    """Runs a program for a step, its output in the build log; gives the exit code."""
    from cibus.pipeline.runtime.places import Command

    lines = Lines("utf-8", ctx.log)
    process = ctx.place.start(ctx, Command(argv, ctx.environ() if env is None else env, cwd or ctx.cwd))
    try:
        with ctx.branch.waiting(process):
            code = process.stream(lines.feed, lambda: None)
    finally:
        process.discard()
        ctx.place.ended(ctx, process)
    lines.finish()
    if process.error is not None:
        raise process.error
    return code
