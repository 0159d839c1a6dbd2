"""Where runs keep their state, and what a job is called here."""

from __future__ import annotations

import hashlib
from pathlib import Path

from cibus.folders import state_home
from cibus.git import try_git
from cibus.pipeline.runtime.source import Source


def state_folder(script: Path) -> Path:
    """The state folder of the repository (or folder) that a script is in; never in the repository itself."""
    folder = script.resolve().parent
    top = Path(try_git(folder, "rev-parse", "--show-toplevel") or folder)
    return state_home() / f"{top.name}-{hashlib.sha256(str(top).encode()).hexdigest()[:8]}"


def default_job(script: Path, source: Source) -> str:
    """The job's name where none is given: the repository's folder, with the branch in multibranch mode."""
    root = source.root or script.resolve().parent
    name = root.name or "job"
    if source.mode == "multibranch":
        from urllib.parse import quote

        return f"{name}/{quote(source.branch, safe='')}"
    return name
