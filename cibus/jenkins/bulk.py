"""The same work for many things at once, with a limit and a way to stop."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def each(things: Iterable[T], work: Callable[[T], R], workers: int) -> Iterator[tuple[T, R]]:
    """Does the work in threads and gives each thing with its result, in the order in which they are done.

    The first exception of a worker, Ctrl-C included, stops the others after what they are doing, and is raised.
    """
    waiting = list(things)
    todo = iter(waiting)
    done: queue.SimpleQueue[tuple[T, R] | BaseException] = queue.SimpleQueue()
    taking = threading.Lock()
    stop = threading.Event()

    def loop() -> None:
        while not stop.is_set():
            with taking:
                thing = next(todo, done)  # the queue itself stands for "no more"
            if thing is done:
                return
            try:
                done.put((thing, work(thing)))  # type: ignore[arg-type]
            except BaseException as error:  # given on to the caller
                done.put(error)
                return

    threads = [threading.Thread(target=loop, daemon=True) for _ in range(min(workers, len(waiting)))]
    for thread in threads:
        thread.start()
    try:
        for _ in waiting:
            result = done.get()
            if isinstance(result, BaseException):
                raise result
            yield result
    finally:
        stop.set()
        for thread in threads:
            with contextlib.suppress(RuntimeError):
                thread.join()
