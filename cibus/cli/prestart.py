"""Starts the JVM before the rest of cibus is imported, so that both happen at the same time."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cibus.pipeline.engine.process import Engine

_started: list[Engine] = []


def begin() -> None:
    """Starts it, if that is sure to be wanted; problems are reported by the run itself."""
    if "--help" in sys.argv or "--watch" in sys.argv:
        return
    from cibus.errors import CibusError
    from cibus.pipeline.engine.process import Engine

    try:
        _started.append(Engine())
    except CibusError:
        return


def take() -> Engine | None:
    """The JVM, once."""
    return _started.pop() if _started else None


def discard() -> None:
    """Ends it where no run took it."""
    engine = take()
    if engine is not None:
        engine.close(train=False)
