"""The report of a run: what ``--report FILE`` writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cibus.pipeline.runtime.run import Run


def report(run: Run) -> dict[str, Any]:
    """Result, stages with the statuses of Jenkins' stage view, artifacts, tests, durations, fidelity."""
    record = run.record()
    return {
        "job": record["job"],
        "number": record["number"],
        "result": record["result"],
        "displayName": record["displayName"],
        "description": record["description"],
        "stages": record["stages"],
        "artifacts": record["artifacts"],
        "tests": record["tests"],
        "seconds": record["seconds"],
        "parameters": record["parameters"],
        "folder": str(run.build.folder),
        "workspace": record["workspace"],
        "fidelity": run.fidelity.as_json(),
    }
