"""A branch of the script: its thread's side in Python, its scope, and how it is interrupted."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

from cibus.pipeline.events import BlockEnded, BlockStarted, Output
from cibus.pipeline.runtime.masks import mask
from cibus.pipeline.runtime.scope import Scope
from cibus.pipeline.values import Closure, JavaObject, PythonBody, Thrown

if TYPE_CHECKING:
    from cibus.pipeline.runtime.run import Run
    from cibus.pipeline.steps.context import StepContext


class Interruptible(Protocol):
    """Something that a branch waits for and that can be told to stop."""

    def interrupt(self, error: Thrown) -> None:
        """Stops it; the branch then raises ``error``."""


class Wait:
    """A plain wait that ends by time, by :meth:`wake` or by an interruption."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.error: Thrown | None = None

    def interrupt(self, error: Thrown) -> None:
        """Ends the wait with an error."""
        self.error = self.error or error
        self._event.set()

    def wake(self) -> None:
        """Ends the wait."""
        self._event.set()

    def wait(self, seconds: float | None) -> bool:
        """True where it was woken, False where the time is over; raises the interruption."""
        woken = self._event.wait(seconds)
        if self.error is not None:
            raise self.error
        return woken


class Branch:
    """One thread of the script, the main one or a branch of ``parallel``."""

    def __init__(self, run: Run, id: int, name: str, scope: Scope) -> None:
        self.run = run
        self.id = id
        self.name = name
        self.scope = scope
        self.channel = run.engine.channel(id)
        self._lock = threading.Lock()
        self._waiting_for: Interruptible | None = None
        self._pending: Thrown | None = None
        self.error_result: str | None = None  # while post runs: the result that the caught error will bring

    # -- the log

    def log(self, text: str, step: int = 0) -> None:
        """Prints text to the build log: masked, then through the scope's filters."""
        scope = self.scope
        text = mask(text, scope.secrets)
        for each in scope.filters:
            text = each(text)
        self.run.bus.emit(Output(text, step, self.name, partial=not text.endswith("\n")))

    @contextlib.contextmanager
    def block(self, ctx: StepContext, title: str, scope: Scope) -> Iterator[None]:
        """A body in the log; steps within run in ``scope``."""
        before = self.scope
        ctx.opened = True
        self.scope = scope.inside(block=ctx.id)
        self.run.bus.emit(BlockStarted(ctx.id, title, self.name))
        try:
            self.run.baton.give_way()
            yield
        finally:
            self.scope = before
            self.run.bus.emit(BlockEnded(ctx.id, self.name))
            self.run.baton.give_way()

    # -- Groovy

    def invoke(self, closure: Closure | JavaObject | PythonBody, *args: Any) -> Any:
        """Calls a closure on this branch's Groovy thread, or a body that is Python code."""
        if isinstance(closure, PythonBody):
            return closure.work()
        return self.channel.invoke(closure, *args)

    # -- waiting and interruption

    @contextlib.contextmanager
    def suspended(self) -> Iterator[None]:
        """Gives the baton away while the branch waits."""
        self.run.baton.release()
        try:
            yield
        finally:
            self.run.baton.acquire()

    @contextlib.contextmanager
    def waiting(self, what: Interruptible) -> Iterator[None]:
        """While this branch waits for something, an interruption goes to it."""
        with self._lock:
            if self._pending is not None:
                error, self._pending = self._pending, None
                raise error
            self._waiting_for = what
        try:
            with self.suspended():
                yield
        finally:
            with self._lock:
                self._waiting_for = None

    def wait(self, seconds: float | None) -> None:
        """Waits for a time; raises the interruption if there is one."""
        wait = Wait()
        with self.waiting(wait):
            wait.wait(seconds)

    def interrupt(self, error: Thrown) -> None:
        """Stops what the branch is waiting for; if it is in Groovy code, its next step raises the error."""
        with self._lock:
            target = self._waiting_for
            if target is None:
                self._pending = self._pending or error
        if target is None:
            self.run.watch(self, error)
        else:
            target.interrupt(error)

    def is_pending(self, error: Thrown) -> bool:
        """Whether an interruption still waits for the script to come to a step."""
        return self._pending is error

    def withdraw(self, error: Thrown) -> None:
        """The block that an interruption was for ended before it came to a step."""
        with self._lock:
            if self._pending is error:
                self._pending = None

    def check(self) -> None:
        """Raises an interruption that came while Groovy code ran."""
        with self._lock:
            error, self._pending = self._pending, None
        if error is not None:
            raise error
