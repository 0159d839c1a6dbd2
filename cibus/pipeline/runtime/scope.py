"""What varies from block to block and branch to branch; blocks pass a changed copy to their bodies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cibus.pipeline.runtime.nodes import Container, Lease

LogFilter = Callable[[str], str]
"""Takes text of whole lines (each with its end, but maybe the last) and gives what goes on to the log."""


@dataclass(frozen=True)
class Scope:
    """Where a step runs.

    ``env``: overlays of withEnv and its kin, outermost first. ``cwd`` and ``workspace``: None without an agent.
    ``secrets``: the values to mask, with the names of the variables that hold them in ``sensitive``. ``filters``: what
    the log text goes through, innermost first. ``stage``: the id of the innermost stage, 0 outside. ``block``: the id of
    the innermost block step. ``declarative``: below a ``pipeline`` block.
    """

    env: tuple[Mapping[str, str], ...] = ()
    node: Lease | None = None
    workspace: Path | None = None
    cwd: Path | None = None
    container: Container | None = None
    secrets: tuple[str, ...] = ()
    sensitive: tuple[str, ...] = ()
    filters: tuple[LogFilter, ...] = ()
    stage: int = 0
    stage_name: str = ""
    block: int = 0
    declarative: bool = False
    scm_env: Mapping[str, str] = field(default_factory=dict)
    resolve: Callable[[str], Any] | None = None  # while an environment block is being worked out

    def with_env(self, overlay: Mapping[str, str]) -> Scope:
        """This scope with one more overlay."""
        return replace(self, env=(*self.env, overlay))

    def inside(self, **changes: Any) -> Scope:
        """This scope with some fields changed."""
        return replace(self, **changes)
