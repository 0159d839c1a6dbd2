"""Running Jenkinsfiles in-process, each build with a JVM of its own."""

from __future__ import annotations

import os
import subprocess
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from repos import IDENTITY

from cibus.config import Config, load_config
from cibus.pipeline.engine.process import Engine
from cibus.pipeline.events import Bus, Event, Remark
from cibus.pipeline.runtime.options import RunOptions
from cibus.pipeline.runtime.run import Run
from cibus.pipeline.runtime.skipping import Selection
from cibus.pipeline.sinks.jenkinslog import JenkinsText
from cibus.pipeline.sinks.logfile import LogFile
from cibus.pipeline.sinks.report import report


@dataclass
class Outcome:
    """What a build left."""

    result: str
    log: str
    report: dict[str, Any]
    events: list[Event]
    folder: Path
    workspace: Path
    error: BaseException | None = None

    @property
    def lines(self) -> list[str]:
        """The log without Jenkins' ``[Pipeline]`` lines."""
        return [line for line in self.log.split("\n") if line and not line.startswith("[Pipeline]")]

    @property
    def said(self) -> list[str]:
        """What the script echoed behind ``> ``."""
        return [line.removeprefix("> ") for line in self.lines if line.startswith("> ")]

    @property
    def remarks(self) -> list[str]:
        """cibus' own words."""
        return [event.text for event in self.events if isinstance(event, Remark)]

    @property
    def stages(self) -> dict[str, str]:
        """The stages' statuses."""
        return {stage["name"]: stage["status"] for stage in self.report["stages"]}

    def has(self, *texts: str) -> None:
        """All texts are in the log, in this order."""
        at = 0
        for text in texts:
            found = self.log.find(text, at)
            assert found >= 0, f"{text!r} is not in the log (behind what came before):\n{self.log}"
            at = found + len(text)


class Spare:
    """The next JVM, starting while the current build runs."""

    def __init__(self) -> None:
        self._engine: Engine | None = None

    def take(self) -> Engine:
        engine, self._engine = self._engine or Engine(), None
        self._engine = Engine()
        return engine

    def close(self) -> None:
        if self._engine is not None:
            self._engine.close(train=False)
            self._engine = None


@dataclass
class Pipelines:
    """Builds of jobs in one state folder: a second call of the same job is its next build."""

    root: Path
    spare: Spare
    commits: int = field(default=0)

    @property
    def repo(self) -> Path:
        return self.root / "repo"

    @property
    def workspaces(self) -> Path:
        return self.root / "workspaces"

    def write(self, files: Mapping[str, str]) -> None:
        """Writes files below the repository."""
        for name, text in files.items():
            path = self.repo / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")

    def git(self, *args: str, at: Path | None = None) -> str:
        """Runs git in the repository."""
        done = subprocess.run(
            ["git", "-c", "init.defaultBranch=main", *args], cwd=at or self.repo, check=True, capture_output=True, text=True, env={**os.environ, **IDENTITY}
        )
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str], message: str = "Update") -> str:
        """Commits files; the first time the repository is made."""
        self.write(files)
        if not (self.repo / ".git").is_dir():
            self.git("init", "-q")
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def config(self, text: str) -> Config:
        """A cibus.toml with that text."""
        path = self.root / "cibus.toml"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return load_config(path, {})

    def prepare(self, text: str | None, *, mode: str = "inline", config: str = "", selection: Mapping[str, Any] | None = None, later: bool = False, **options: Any) -> tuple[Run, list[str], list[Event]]:
        """A run, the log it is going to write and its events."""
        if text is not None:
            self.write({"Jenkinsfile": text})
        bus = Bus()
        events: list[Event] = []
        log: list[str] = []
        shown = JenkinsText()
        bus.listen(events.append)
        bus.listen(lambda event: log.append(shown.text(event)))
        options = {"job": "app", "state_dir": self.root / "state", "workspace_root": self.workspaces, **options}
        if selection:
            options["selection"] = Selection(**selection)
        settings = self.config(config)
        engine = self.spare.take()
        try:
            run = Run(RunOptions(script=self.repo / "Jenkinsfile", mode=mode, **options), settings, bus, engine=engine, later=later)
        except BaseException:
            engine.close(train=False)
            raise
        bus.listen(LogFile(run.build.folder / "log"))
        return run, log, events

    def __call__(self, text: str | None, **options: Any) -> Outcome:
        """Runs a Jenkinsfile to its end (``mode``: inline, scm or multibranch; None: the one that is committed)."""
        run, log, events = self.prepare(text, **options)
        error: list[BaseException] = []

        def work() -> None:
            try:
                run.execute()
            except BaseException as problem:
                error.append(problem)

        try:
            run.thread(work).join()
        finally:
            run.engine.close(train=False)
        workspace = run.workspaces.root / run.workspaces.name
        return Outcome(run.build.result or "", "".join(log), report(run), events, run.build.folder, workspace, error[0] if error else None)


@pytest.fixture(scope="session")
def spare() -> Iterator[Spare]:
    spare = Spare()
    yield spare
    spare.close()


@pytest.fixture
def pipeline(tmp_path: Path, spare: Spare) -> Pipelines:
    """Runs Jenkinsfiles: ``pipeline('node { sh "true" }').result``."""
    made = Pipelines(tmp_path, spare)
    made.repo.mkdir()
    return made
