"""The build: its number, result, parameters, and what it leaves behind."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cibus.pipeline.runtime import results


@dataclass(frozen=True)
class Cause:
    """Why the build was started: ``kind`` is user, timer, scm, upstream, branch or restart."""

    kind: str
    text: str
    class_name: str
    detail: str = ""
    upstream_job: str = ""
    upstream_number: int = 0


@dataclass
class Tests:
    """Test counts, over all junit steps of the build."""

    total: int = 0
    failed: int = 0
    skipped: int = 0

    def as_json(self) -> dict[str, int] | None:
        """None where no test was recorded."""
        return {"total": self.total, "failed": self.failed, "skipped": self.skipped} if self.total else None


@dataclass
class Build:
    """A build of a job, while it runs.

    ``params``: what ``params.X`` gives; ``env_params``: those that the environment knows (on a job's first build it
    knows none). ``number``, ``job`` as in Jenkins; ``folder`` is this build's place in the state folder.
    """

    job: str
    number: int
    folder: Path
    causes: tuple[Cause, ...] = ()
    params: dict[str, Any] = field(default_factory=dict)
    env_params: dict[str, str] = field(default_factory=dict)
    secret_params: frozenset[str] = frozenset()
    declared: list[Mapping[str, Any]] | None = None
    result: str | None = None
    description: str | None = None
    display_name: str = ""
    started: float = field(default_factory=time.time)
    artifacts: list[str] = field(default_factory=list)
    fingerprints: dict[str, str] = field(default_factory=dict)
    tests: Tests = field(default_factory=Tests)
    scm: dict[str, Any] = field(default_factory=dict)
    changes: list[dict[str, Any]] = field(default_factory=list)
    keep_log: bool = False

    def __post_init__(self) -> None:
        self.display_name = self.display_name or f"#{self.number}"
        for folder in (self.artifacts_dir, self.stashes_dir, self.reports_dir):
            folder.mkdir(parents=True, exist_ok=True)

    @property
    def artifacts_dir(self) -> Path:
        """Archived artifacts."""
        return self.folder / "artifacts"

    @property
    def stashes_dir(self) -> Path:
        """Stashes."""
        return self.folder / "stashes"

    @property
    def reports_dir(self) -> Path:
        """Published HTML and merged test reports."""
        return self.folder / "reports"

    @property
    def current_result(self) -> str:
        """``currentBuild.currentResult``: SUCCESS while nothing went wrong."""
        return self.result or "SUCCESS"

    def set_result(self, name: object) -> None:
        """Makes the result at least that bad; it cannot get better."""
        self.result = results.worse(self.result, results.parse(name))

    def add_artifact(self, path: str) -> None:
        """Notes an archived file, by its path below the artifacts folder."""
        if path not in self.artifacts:
            self.artifacts.append(path)

    def add_tests(self, total: int, failed: int, skipped: int) -> None:
        """Adds the counts of one junit step."""
        self.tests.total += total
        self.tests.failed += failed
        self.tests.skipped += skipped
