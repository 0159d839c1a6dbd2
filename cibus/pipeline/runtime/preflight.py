"""Before anything runs: the credentials that the pipeline names and cibus.toml lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cibus.pipeline.runtime.run import Run


def check(run: Run) -> None:
    """Nothing yet."""
