"""Starts the JVM before the rest of cibus is imported, so that both happen at the same time."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from cibus.pipeline.engine.spawn import Spawned, remembered, spawn

if TYPE_CHECKING:
    from cibus.pipeline.engine.process import Engine

_spawned: list[Spawned] = []
_engines: list[Engine] = []


def begin() -> None:
    """Starts it where the last run noted how; otherwise the run itself starts it, and reports what is wrong."""
    if "--help" in sys.argv or "--watch" in sys.argv:
        return
    cache = os.environ.get("CIBUS_CACHE_DIR") or os.path.join(  # noqa: PTH118 - pathlib costs time here
        os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache"), "cibus"  # noqa: PTH111, PTH118
    )
    import cibus

    sources = os.path.join(os.path.dirname(cibus.__file__), "pipeline", "engine", "harness")  # noqa: PTH118, PTH120
    found = remembered(os.path.join(cache, "start.stamp"), sources)  # noqa: PTH118
    if found is None:
        return
    try:
        _spawned.append(spawn(*found))
    except OSError:
        return


def engine() -> Engine | None:
    """The JVM that was started ahead, if one was; kept until a run takes it."""
    if _spawned and not _engines:
        from cibus.pipeline.engine.process import Engine

        _engines.append(Engine(spawned=_spawned.pop()))
    return _engines[0] if _engines else None


def take() -> Engine | None:
    """The JVM, once."""
    found = engine()
    _engines.clear()
    return found


def discard() -> None:
    """Ends it where no run took it."""
    if _spawned or _engines:
        left = take()
        if left is not None:
            left.close(train=False)
