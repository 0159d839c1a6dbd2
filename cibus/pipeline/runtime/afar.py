"""A step's process on a machine over SSH, for the branch that waits for it."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

from cibus.errors import HostError, HostLost
from cibus.pipeline.values import Thrown
from cibus.ssh.process import RemoteProcess

if TYPE_CHECKING:
    from cibus.pipeline.steps.context import StepContext


class Started:
    """The process; ``agent``: the name of the machine, ``kill_inside``: ends what signals do not reach."""

    last_words = ""  # the host says it itself

    def __init__(self, ctx: StepContext, agent: str, process: RemoteProcess, kill_inside: Callable[[signal.Signals], None] | None) -> None:
        self.process = process
        self._ctx = ctx
        self._agent = agent
        self._kill_inside = kill_inside

    @property
    def captured(self) -> list[bytes]:
        """Standard output, where it is kept."""
        return self.process.captured

    @property
    def error(self) -> BaseException | None:
        """Why it was interrupted, or None."""
        return self.process.error

    def interrupt(self, error: Thrown) -> None:
        """Has its whole tree ended; the step then raises ``error``."""
        self.process.interrupt(error)

    def stream(self, on_output: Callable[[bytes], None], on_interrupt: Callable[[], None]) -> int:
        """Gives output as it comes until it has ended; raises HostLost where the machine is gone."""

        def interrupted() -> None:
            on_interrupt()
            self._kill("SIGTERM")

        try:
            code = self.process.stream(on_output, interrupted)
        except HostLost:
            if self.process.error is None:
                raise
            self._ctx.log(f"Could not connect to {self._agent} to send interrupt signal to process")
            raise self.process.error from None
        if self.process.error is not None:
            self._kill("SIGKILL")
        return code

    def _kill(self, name: str) -> None:
        if self._kill_inside is not None:
            with contextlib.suppress(HostError):
                self._kill_inside(signal.Signals[name])

    def discard(self) -> None:
        """Ends it where nobody came to wait for it."""
        self.process.discard()
