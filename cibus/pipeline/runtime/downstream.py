"""Jobs that a build starts: run for real, each with its own JVM, their logs in the state folder."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cibus.config import JobConfig
from cibus.pipeline.events import Bus
from cibus.pipeline.runtime.build import Cause
from cibus.pipeline.values import Thrown

if TYPE_CHECKING:
    from cibus.pipeline.runtime.run import Run


class Started:
    """A downstream build that runs; waiting for it can be interrupted, which aborts it."""

    def __init__(self, number: int, work: Callable[[], dict[str, Any]], stop: Callable[[], None]) -> None:
        self.number = number
        self._stop = stop
        self._record: dict[str, Any] = {}
        self._failure: BaseException | None = None
        self._error: Thrown | None = None

        def serve() -> None:
            try:
                self._record = work()
            except BaseException as failure:
                self._failure = failure

        self.thread = threading.Thread(target=serve, name=f"downstream-{number}", daemon=True)
        self.thread.start()

    def interrupt(self, error: Thrown) -> None:
        """Aborts the downstream build."""
        self._error = error
        self._stop()

    def wait(self) -> dict[str, Any]:
        """Its record, once it has ended."""
        self.thread.join()
        if self._error is not None:
            raise self._error
        if self._failure is not None:
            raise self._failure
        return self._record


class Downstream:
    """Starts other jobs for a run."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._running: list[Started] = []

    def begin(self, config: JobConfig, given: Mapping[str, str]) -> Started:
        """Starts a build of a configured job."""
        from cibus.pipeline.runtime.options import RunOptions
        from cibus.pipeline.runtime.run import Run
        from cibus.pipeline.sinks.logfile import LogFile
        from cibus.pipeline.sinks.stepfile import StepFile

        parent = self._run
        if not config.jenkinsfile.is_file():
            raise Thrown("hudson.AbortException", f"job {config.name}: there is no file {config.jenkinsfile} (cibus.toml [jobs.{config.name}])")
        options = RunOptions(
            script=config.jenkinsfile,
            mode=config.mode,
            job=config.name,
            parameters=given,
            workspace_root=parent.workspaces.root,
            state_dir=parent.history.state,
            answers=parent.options.answers,
            on=parent.options.on,
            host_deadline=parent.options.host_deadline,
        )
        cause = Cause("build", f'Started by upstream project "{parent.build.job}" build number {parent.build.number}', "org.jenkinsci.plugins.workflow.support.steps.build.BuildUpstreamCause")
        bus = Bus()
        child = Run(options, parent.config, bus, causes=(cause,), later=True)
        bus.listen(LogFile(child.build.folder / "log"))
        bus.listen(StepFile(child.build.folder / "log.steps"))
        bus.listen(parent.relay)

        def work() -> dict[str, Any]:
            try:
                child.execute()
            finally:
                child.engine.close(train=False)
            return child.record()

        started = Started(child.build.number, work, child.abort)
        self._running.append(started)
        return started

    def start(self, config: JobConfig, given: Mapping[str, str]) -> None:
        """Starts a build that nobody waits for."""
        self.begin(config, given)

    def recorded(self, job: str) -> Any:
        """What stands for a build that was recorded, not done: it counts as a success."""
        record = {"job": job, "number": 0, "result": "SUCCESS", "displayName": "#0 (recorded)", "started": 0, "seconds": 0}
        return self._run.objects.past(record, self._run.config.pipeline.jenkins_url)

    def join(self) -> None:
        """Waits for what still runs."""
        for started in self._running:
            started.thread.join()
