"""The same work for many things at once, in several processes: Python runs one thread's code at a time in each."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, Pipe, wait
from typing import TypeVar

from cibus.errors import CibusError
from cibus.jenkins.bulk import each

T = TypeVar("T")
R = TypeVar("R")

WORTH = 300  # from this many things on a process of its own pays for a share of them
MOST = 2  # each has 70 MB of its own; more hardly help, for the controller is then what is waited for
_PATIENCE = 0.05  # seconds for which a process keeps what is done to itself, so that it writes seldom


def processes(things: int, threads: int) -> int:
    """How many processes to use; 1: none besides this one. Forking is safe on Linux only."""
    if sys.platform != "linux":
        return 1
    return max(1, min(len(os.sched_getaffinity(0)), threads, MOST, things // WORTH * 2))


def each_forked(things: Sequence[T], work: Callable[[T], R], threads: int, count: int, begin: Callable[[int], None]) -> Iterator[tuple[T, R]]:
    """As :func:`cibus.jenkins.bulk.each`, in processes that are copies of this one.

    Arguments:
        work: what it gives must be fit for pickle
        threads: of all processes together
        count: of processes
        begin: is called first in each, with the number of its threads: to open what must not be shared, such as connections

    The first exception of a process is raised, and ends the others. They also end when this process does, in any way.
    """
    alive, held = os.pipe()  # nobody ever writes: its end of file says that this process is gone
    readers: list[Connection] = []
    children: list[int] = []
    try:
        for number in range(count):
            reader, writer = Pipe(duplex=False)
            child = _fork()
            if child == 0:
                _as_child(alive, held, lambda writer=writer, number=number: _share(things, number, count, work, threads, begin, writer))  # type: ignore[misc]
            writer.close()
            readers.append(reader)
            children.append(child)
        yield from _collected(things, readers)
    finally:
        os.close(held)
        os.close(alive)
        for reader in readers:
            reader.close()
        for child in children:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, 0)


def _fork() -> int:
    """As os.fork; the copy heeds no Ctrl-C: that is for the first process, which then lets go of the pipe."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # Python drops one that comes while it forks
    try:
        with warnings.catch_warnings():  # of other threads: a bar's, which the copy has no use for
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        return child
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _collected(things: Sequence[T], readers: list[Connection]) -> Iterator[tuple[T, R]]:
    working = list(readers)
    while working:
        for reader in wait(working):
            assert isinstance(reader, Connection)
            try:
                done = pickle.loads(reader.recv_bytes())
            except EOFError:
                raise CibusError("a process that did a part of the work was killed: is there memory enough?") from None
            if isinstance(done, BaseException):
                raise done
            if done is None:
                working.remove(reader)
            for index, result in done or ():
                yield things[index], result


def _as_child(alive: int, held: int, work: Callable[[], None]) -> None:
    """Does the work and ends the process, without anything that its copy of the program would do at its end."""
    try:
        os.close(held)
        threading.Thread(target=_end_with, args=(alive,), daemon=True).start()
        work()
    finally:
        os._exit(0)


def _end_with(alive: int) -> None:
    os.read(alive, 1)
    os._exit(1)


def _share(things: Sequence[T], number: int, count: int, work: Callable[[T], R], threads: int, begin: Callable[[int], None], writer: Connection) -> None:
    done: list[tuple[int, R]] = []
    sent = time.monotonic()
    try:
        mine = threads // count + (number < threads % count)
        begin(mine)
        share = range(number, len(things), count)
        for index, result in each(share, lambda index: work(things[index]), mine):
            done.append((index, result))
            if time.monotonic() - sent > _PATIENCE:
                writer.send_bytes(pickle.dumps(done))
                done, sent = [], time.monotonic()
        writer.send_bytes(pickle.dumps(done))
        writer.send_bytes(pickle.dumps(None))
    except BaseException as error:  # given on to the first process
        writer.send_bytes(_pickled(error))


def _pickled(error: BaseException) -> bytes:
    """The error, or one of the same words where it cannot be sent."""
    try:
        data = pickle.dumps(error)
        pickle.loads(data)
    except Exception:  # whatever its own code raises
        return pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"))
    return data
