"""Who started the build, and the first lines of its log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cibus.errors import UsageError
from cibus.pipeline.runtime.build import Cause
from cibus.pipeline.runtime.options import RunOptions
from cibus.pipeline.runtime.source import Source

if TYPE_CHECKING:
    from cibus.pipeline.runtime.run import Run


def causes_of(options: RunOptions, user: str, source: Source) -> tuple[Cause, ...]:
    """The causes that ``--cause`` and ``--restart-from`` name.

    Raises:
        UsageError: an unknown cause.
    """
    found = [each if isinstance(each, Cause) else _cause(each, user) for each in options.causes]
    if options.restart_from:
        found.append(Cause("restart", f"Restarted from build, stage {options.restart_from}", "org.jenkinsci.plugins.pipeline.modeldefinition.causes.RestartDeclarativePipelineCause"))
    return tuple(found)


def _cause(text: str, user: str) -> Cause:
    kind, _, detail = text.partition(":")
    if kind == "user":
        name = detail or user
        return Cause("user", f"Started by user {name}", "hudson.model.Cause$UserIdCause", name)
    if kind == "timer":
        return Cause("timer", "Started by timer", "hudson.triggers.TimerTrigger$TimerTriggerCause")
    if kind == "scm":
        return Cause("scm", "Started by an SCM change", "hudson.triggers.SCMTrigger$SCMTriggerCause")
    if kind == "upstream" and detail:
        job, _, number = detail.partition("#")
        return Cause("upstream", f'Started by upstream project "{job}" build number {number or 1}', "hudson.model.Cause$UpstreamCause", job, job, int(number or 1))
    raise UsageError(f"--cause {text}: give user, user:NAME, timer, scm or upstream:JOB")


def preamble(run: Run) -> tuple[str, ...]:
    """What Jenkins prints before the pipeline starts."""
    lines = [cause.text for cause in run.build.causes if cause.kind != "restart"]
    if run.restart_from:
        before = run.earlier[0].number if run.earlier else run.build.number - 1
        lines.append(f"Restarted from build #{before}, stage {run.restart_from}")
    if run.source.mode != "inline":
        name = run.options.script.name
        lines.append(f"Obtained {name} from git {run.source.url}" if run.source.is_git else f"Obtained {name} from {run.source.root}")
    return (*lines, "Running in Durability level: MAX_SURVIVABILITY")
