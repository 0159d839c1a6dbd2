"""Probing services: many connections at once, held as long as asked, everything counted.

Connections are begun at 250 a second, slower where this machine does not keep up, and, where there are several, kept until all of them have their outcome, so that
they really are there at the same time; then for ``hold`` seconds more, with an exchange each second where the kind allows.
"""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Awaitable, Callable, Sequence

from cibus.config import ProbeConfig
from cibus.errors import UsageError
from cibus.monitor.results import Clock, ProbeResult
from cibus.monitor.target import Attempt, Target, Wrong, ready

RATE = 250  # new connections a second
LATE = 0.005  # seconds by which the process may be late before it begins fewer connections
TICK = 0.02
EVERY = 1.0  # seconds between exchanges on a held connection
SPARE_FILES = 64  # that the process needs besides its connections
DAY = 86400


async def run_probes(configs: Sequence[ProbeConfig], done: Callable[[ProbeResult], None]) -> None:
    """Runs probes: those of one short connection at once, those with many connections one after the other.

    Arguments:
        done: is called with each result, also with what there is of those that are cancelled

    Raises:
        ConfigError: a probe is not usable; nothing was probed.
        UsageError: the system does not allow so many open files, or a package is missing.
    """
    from cibus.monitor import probekinds  # noqa: F401 - a missing package is said before the first connection

    targets = [ready(config) for config in configs]
    light = [each for each in targets if each.config.connections == 1 and not each.config.hold]
    allow_files(max([len(light), *(each.config.connections for each in targets)]))
    async with asyncio.TaskGroup() as group:
        for target in light:
            group.create_task(_probe(target, done))
    for target in targets:
        if target not in light:
            await _probe(target, done)


def allow_files(connections: int) -> None:
    """Raises the soft limit of open files where so many connections need it.

    Raises:
        UsageError: the hard limit is lower; says how many connections are possible.
    """
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    need = connections + SPARE_FILES
    if soft == resource.RLIM_INFINITY or need <= soft:
        return
    if hard != resource.RLIM_INFINITY and need > hard:
        raise UsageError(f"{connections} connections at once are too many here: at most {max(hard - SPARE_FILES, 0)} are possible with a limit of {hard} open files (ulimit -Hn)")
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (need, hard))
    except (OSError, ValueError) as error:
        raise UsageError(f"{connections} connections at once are too many here: at most {max(soft - SPARE_FILES, 0)} are possible (ulimit -n)") from error


class _Run:
    """What one run of a probe counts."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.started = time.time()
        self.begin = time.perf_counter()
        self.counts = dict.fromkeys(("ok", "timeouts", "refused", "wrong", "errors", "dropped"), 0)
        self.message = ""
        self.connect, self.total, self.held, self.lag = Clock(), Clock(), Clock(), Clock()
        self.all_out = asyncio.Event()
        self.until = 0.0

    def note(self, what: str, message: str) -> None:
        """Counts what went wrong."""
        self.counts[what] += 1
        self.message = self.message or message

    def result(self, interrupted: bool) -> ProbeResult:
        tried = sum(self.counts.values()) - self.counts["dropped"]
        until = self.target.certificate.until
        days = None if until is None else round((until - time.time()) / DAY, 1)
        return ProbeResult(
            self.target.config.name, self.started, round(time.perf_counter() - self.begin, 3), tried, **self.counts, message=self.message,
            connect=self.connect.times(), total=self.total.times(), held=self.held.times(), certificate_days=days, interrupted=interrupted, lag=self.lag.times(),
        )  # fmt: skip

    def settled(self) -> None:
        """Called at each outcome; at the last one the time of holding begins."""
        if sum(self.counts.values()) - self.counts["dropped"] >= self.target.config.connections:
            self.until = time.perf_counter() + self.target.config.hold
            self.all_out.set()


async def _probe(target: Target, done: Callable[[ProbeResult], None]) -> None:
    run = _Run(target)
    interrupted = True
    try:
        async with asyncio.TaskGroup() as group:
            ticker = group.create_task(_tick(run))
            connections = []
            for _ in range(target.config.connections):
                connections.append(group.create_task(_connection(run)))
                begin = time.perf_counter()
                await asyncio.sleep(1 / RATE)
                if (late := time.perf_counter() - begin - 1 / RATE) > LATE:
                    await asyncio.sleep(late)  # what is measured would be this machine, not the service
            await asyncio.wait(connections)
            ticker.cancel()
        interrupted = False
    finally:
        done(run.result(interrupted))


async def _tick(run: _Run) -> None:
    """Measures how late this process itself is at what it does: by so much the figures may be too high."""
    while True:
        begin = time.perf_counter()
        await asyncio.sleep(TICK)
        run.lag.add(max(time.perf_counter() - begin - TICK, 0))


async def _connection(run: _Run) -> None:
    """One connection, from its beginning to its end."""
    from cibus.monitor.probekinds import link

    target, attempt = run.target, Attempt()
    made = link(target)
    try:
        if await _opened(run, made.open, attempt):
            run.settled()
            await _hold(run, made.again)
        else:
            run.settled()
    finally:
        await made.close()


async def _opened(run: _Run, open_link: Callable[[Attempt], Awaitable[None]], attempt: Attempt) -> bool:
    """Counts what comes of connecting."""
    timeout = run.target.config.timeout / 1000
    try:
        async with asyncio.timeout(timeout):
            await open_link(attempt)
    except TimeoutError:
        if attempt.heard:
            run.note("wrong", _line(f"no answer matches expect within {timeout:g} s: {attempt.heard[:80]!r}"))
        else:
            run.note("timeouts", f"no {'answer' if attempt.connected is not None else 'connection'} within {timeout:g} s")
    except Wrong as error:
        run.note("wrong", _line(str(error)))
    except Exception as error:  # a library's, of which there are many; each is an outcome
        run.note(*_outcome(error, timeout))
    else:
        run.counts["ok"] += 1
        run.total.add(time.perf_counter() - attempt.begin)
        return True
    finally:
        if attempt.connected is not None:
            run.connect.add(attempt.connected)
    return False


async def _hold(run: _Run, again: Callable[[], Awaitable[bool]]) -> None:
    """Keeps a connection until all have their outcome and the time of holding is over."""
    if not run.target.config.hold:
        await run.all_out.wait()
        return
    while not run.all_out.is_set() or time.perf_counter() < run.until:
        rest = EVERY if not run.all_out.is_set() else min(EVERY, run.until - time.perf_counter())
        await asyncio.sleep(rest)
        begin = time.perf_counter()
        try:
            async with asyncio.timeout(run.target.config.timeout / 1000):
                exchanged = await again()
        except Exception as error:  # whatever it is, the connection is no longer of use
            words = "no answer within the timeout" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
            run.note("dropped", _line(f"while held: {words}"))
            return
        if exchanged:
            run.held.add(time.perf_counter() - begin)


def _outcome(error: Exception, timeout: float) -> tuple[str, str]:
    """What an error of a library means: refused, a timeout of the system's, or something else."""
    for each in _causes(error):
        text = str(each)
        if isinstance(each, ConnectionRefusedError) or getattr(each, "errno", None) == errno.ECONNREFUSED:
            return "refused", "connection refused"
        if text.startswith("Multiple exceptions") and f"[Errno {errno.ECONNREFUSED}]" in text:  # asyncio, of several addresses
            return "refused", "connection refused"
        if isinstance(each, TimeoutError):
            return "timeouts", f"no connection within {timeout:g} s"
    return "errors", _line(str(error) or type(error).__name__)


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    here: BaseException | None = error
    while here is not None and len(found) < 10:
        found.append(here)
        here = here.__cause__ or getattr(here, "os_error", None) or here.__context__
    return found


def _line(text: str) -> str:
    """One line, of what may have come from anywhere."""
    return " ".join("".join(each if each.isprintable() else " " for each in text[:1000]).split())[:300]
