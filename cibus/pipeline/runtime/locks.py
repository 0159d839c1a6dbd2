"""Lockable resources: held within a run, and against other runs of the same state folder."""

from __future__ import annotations

import fcntl
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from cibus.pipeline.steps.context import StepContext


class Locks:
    """The resources of a state folder, as the ``lock`` step takes them."""

    def __init__(self, folder: Path, owner: str) -> None:
        self._folder = folder
        self._owner = owner
        self._mutex = threading.Lock()
        self._held: dict[str, IO[str]] = {}

    def hold(self, ctx: StepContext, names: list[str], shown: str, variable: str | None, *, skip: bool) -> Any:
        """Runs the body while holding all the resources."""
        ctx.log(f"Trying to acquire lock on {shown}")
        for name in names:
            if name not in self._held and not name.startswith("label:"):
                ctx.log(f"Resource [{name}] did not exist. Created.")
        if not self._take(names):
            if skip:
                ctx.log("Resource(s) locked, skipping execution...")
                return None
            ctx.log(f"Found 0 available resource(s). Waiting for correct amount: {len(names)}.\n{shown} is locked by {self._owner}, waiting...")
            self._wait(ctx, names)
        ctx.log(f"Lock acquired on {shown}")
        try:
            scope = ctx.scope.with_env({variable: names[0]}) if variable else ctx.scope
            return ctx.run_body(scope) if ctx.body is not None else None
        finally:
            self._give_back(names)
            ctx.log(f"Lock released on resource {shown}")

    def _wait(self, ctx: StepContext, names: list[str]) -> None:
        while not self._take(names):
            ctx.sleep(0.05)

    def _take(self, names: list[str]) -> bool:
        """All of them, or none."""
        with self._mutex:
            if any(name in self._held for name in names):
                return False
            taken: dict[str, IO[str]] = {}
            for name in names:
                file = self._open(name)
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    file.close()
                    for other in taken.values():
                        other.close()
                    return False
                taken[name] = file
            self._held.update(taken)
            return True

    def _open(self, name: str) -> IO[str]:
        self._folder.mkdir(parents=True, exist_ok=True)
        return (self._folder / quote(name, safe="")).open("w", encoding="utf-8")

    def _give_back(self, names: list[str]) -> None:
        with self._mutex:
            for name in names:
                self._held.pop(name).close()


