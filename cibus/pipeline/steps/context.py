"""What a step is given to work with."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cibus.pipeline.runtime.places import place_of
from cibus.pipeline.values import Closure, PythonBody, Thrown, abort

if TYPE_CHECKING:
    from cibus.pipeline.runtime.branch import Branch
    from cibus.pipeline.runtime.build import Build
    from cibus.pipeline.runtime.places import Place
    from cibus.pipeline.runtime.run import Run
    from cibus.pipeline.runtime.scope import Scope
    from cibus.pipeline.steps.registry import StepSpec


class StepContext:
    """One call of one step: the build, where it runs, its body, and the log.

    A step fails by raising ``ctx.fail(message)`` (an AbortException: only its message is printed) or a
    :class:`Thrown` of another Java class. What it returns becomes the script's value (see
    :mod:`cibus.pipeline.values`).
    """

    def __init__(self, run: Run, branch: Branch, spec: StepSpec, id: int, line: int, body: Closure | PythonBody | None) -> None:
        self.run = run
        self.branch = branch
        self.spec = spec
        self.id = id
        self.line = line
        self.body = body
        self.opened = False  # a block line was printed, so the step's end must be
        self.differs: list[str] = []
        self.fidelity: str = spec.fidelity

    # -- where it runs

    @property
    def build(self) -> Build:
        """The build: result, artifacts, tests, folders."""
        return self.run.build

    @property
    def scope(self) -> Scope:
        """The scope in which the step was called."""
        return self.branch.scope

    @property
    def workspace(self) -> Path:
        """The workspace of the agent; raises MissingContextVariableException without one."""
        if self.scope.workspace is None:
            raise missing_node()
        return self.scope.workspace

    @property
    def cwd(self) -> Path:
        """The current folder (``dir`` changes it); raises MissingContextVariableException without an agent."""
        if self.scope.cwd is None:
            raise missing_node()
        return self.scope.cwd

    def path(self, name: str) -> Path:
        """Where on this machine a path is that the script gave: relative ones are below the current folder."""
        return self.place.path(self.cwd, name)

    @property
    def place(self) -> Place:
        """The machine where it runs."""
        return place_of(self.scope)

    def environ(self) -> dict[str, str]:
        """The environment that a process of this step gets."""
        found = self.run.environment.environ(self.scope)
        if not self.run.seen_environment:
            self.run.seen_environment = found
        return found

    # -- the log

    def log(self, text: str) -> None:
        """Prints lines to the build log, masked and filtered as the scope says."""
        self.branch.log(self.place.shown(text if text.endswith("\n") else text + "\n"), self.id)

    def remark(self, text: str, level: str = "warning") -> None:
        """Says something to the user that is not part of the build log."""
        self.run.remark(text, level)

    # -- bodies

    def open(self, title: str = "", scope: Scope | None = None) -> contextlib.AbstractContextManager[None]:
        """Prints ``[Pipeline] {`` and, at the end, ``[Pipeline] }``; steps within run in ``scope``."""
        return self.branch.block(self, title, scope or self.scope)

    def run_body(self, scope: Scope | None = None, *, title: str = "", args: Sequence[Any] = ()) -> Any:
        """Runs the body in a block of the log and gives its value; raises what it throws."""
        if self.body is None:
            raise Thrown("java.lang.IllegalStateException", f"{self.spec.name} step must be called with a body")
        with self.open(title, scope):
            return self.branch.invoke(self.body, *args)

    def call(self, closure: Closure, *args: Any) -> Any:
        """Calls a closure that was given as an argument, without a block in the log."""
        return self.branch.invoke(closure, *args)

    # -- waiting

    @contextlib.contextmanager
    def suspended(self) -> Iterator[None]:
        """While Python waits or works for long: other branches may run. Not for calling closures."""
        with self.branch.suspended():
            yield

    def check_saved(self) -> None:
        """Strict mode: here Jenkins saves the script; a local variable that cannot be saved ends the build."""
        if self.run.strict:
            unsaved = self.branch.channel.request("unsaved")
            if unsaved is not None:
                raise self.run.croak(unsaved.value)

    def sleep(self, seconds: float) -> None:
        """Waits; ends early by raising FlowInterruptedException when the branch is interrupted."""
        self.check_saved()
        self.branch.wait(seconds)

    # -- results

    @staticmethod
    def fail(message: str) -> Thrown:
        """The exception for an expected failure; to be raised."""
        return abort(message)

    def mark_stage(self, status: str) -> None:
        """Gives the innermost stage a status in the stage view (UNSTABLE, FAILED), if it is worse than what it has."""
        self.run.stages.warn(self.scope.stage, status)

    # -- fidelity

    def allowed(self, effect: str) -> bool:
        """Whether cibus.toml's ``[effects]`` lets this effect really happen (``NAME = "real"``)."""
        return self.run.config.effects.get(effect, "record") == "real"

    def recorded(self, effect: str, **details: Any) -> None:
        """Notes that the step would have had an effect outside and did not: in the report and as a remark."""
        self.fidelity = "recorded"
        self.run.fidelity.record(effect, self.line, details)
        shown = ", ".join(f"{key}={value}" for key, value in details.items() if value not in (None, "", [], {}))
        self.run.remark(f"{self.spec.name} (line {self.line}) was recorded, not done: {shown}" if shown else f"{self.spec.name} (line {self.line}) was recorded, not done", "note")

    def note_difference(self, text: str) -> None:
        """Adds to the fidelity report how this call differed from CI."""
        self.differs.append(text)

    # -- processes

    def execute(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> int:
        """Runs a program on the agent, its output in the build log, and gives its exit code."""
        from cibus.pipeline.runtime.launch import execute

        return execute(self, argv, env=env, cwd=cwd)


def missing_node() -> Thrown:
    """What Jenkins throws for a step that needs an agent and has none."""
    return Thrown(
        "org.jenkinsci.plugins.workflow.steps.MissingContextVariableException",
        "Required context class hudson.FilePath is missing\nPerhaps you forgot to surround the code with a step that provides this, such as: node,dockerNode",
    )
