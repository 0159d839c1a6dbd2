"""What a job is called here."""

from __future__ import annotations

from pathlib import Path

from cibus.pipeline.runtime.source import Source


def default_job(script: Path, source: Source) -> str:
    """The job's name where none is given: the repository's folder, with the branch in multibranch mode."""
    root = source.root or script.resolve().parent
    name = root.name or "job"
    if source.mode == "multibranch":
        from urllib.parse import quote

        return f"{name}/{quote(source.branch, safe='')}"
    return name
