"""Running a Declarative pipeline, in the order and with the log lines of pipeline-model-definition 1.7.2."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cibus.errors import UsageError
from cibus.pipeline.model.records import Agent, Call, EnvEntry, Input, Pipeline, Stage, Value
from cibus.pipeline.runtime import post, results, when
from cibus.pipeline.runtime.branch import Branch
from cibus.pipeline.runtime.credentials import declarative_bindings
from cibus.pipeline.runtime.envblock import EnvBlock, java_order
from cibus.pipeline.runtime.matrix import cell_name, cells
from cibus.pipeline.runtime.parameters import declare, definition
from cibus.pipeline.runtime.skipping import Skip, names_below
from cibus.pipeline.steps import registry
from cibus.pipeline.values import Closure, JavaObject, PythonBody, Thrown

if TYPE_CHECKING:
    from cibus.pipeline.runtime.run import Run

CHECKOUT = "Declarative: Checkout SCM"
POST = "Declarative: Post Actions"
TOOLS = "Declarative: Tool Install"
NO_NODE = (
    "Attempted to execute a step that requires a node context while ‘agent none’ was specified. "
    "Be sure to specify your own ‘node { ... }’ blocks when using ‘agent none’."
)
MISSING_CONTEXT = "org.jenkinsci.plugins.workflow.steps.MissingContextVariableException"
JOB_OPTIONS = frozenset(
    {
        "buildDiscarder", "disableConcurrentBuilds", "disableResume", "durabilityHint", "overrideIndexTriggers", "preserveStashes", "quietPeriod",
        "rateLimitBuilds", "authorizationMatrix", "skipDefaultCheckout", "skipStagesAfterUnstable", "checkoutToSubdirectory", "newContainerPerStage",
        "parallelsAlwaysFailFast", "githubProjectProperty", "copyArtifactPermission", "gitLabConnection", "throttleJobProperty", "rebuild",
    }
)  # fmt: skip
Work = Callable[[], Any]


class Declarative:
    """A pipeline being run, on one branch; parallel stages get a copy for theirs."""

    def __init__(self, run: Run, model: Pipeline, closures: Mapping[str, Closure], branch: Branch) -> None:
        self.run = run
        self.model = model
        self.closures = closures
        self.branch = branch

    # -- values

    def invoke(self, node: int) -> Any:
        """Runs the closure that was made of a tree node."""
        ahead = self.run.ahead
        plain = ahead.plain(node) if ahead is not None else None
        return plain(self.branch) if plain is not None else self.branch.invoke(self.closures[str(node)])

    def value(self, value: Value) -> Any:
        """The value of an expression, as plain as it can be had."""
        if value.constant:
            return value.literal
        found = self.invoke(value.node)
        return found.value if isinstance(found, JavaObject) and found.value is not None else found

    def env(self, name: str) -> str | None:
        """A variable as scripts see it here."""
        return self.run.environment.lookup(self.branch.scope, name)

    def step(self, name: str, args: Any = None, body: Work | None = None) -> Any:
        """Runs a step as if the script had called it."""
        return self.run.step(self.branch, name, args, PythonBody(body) if body else None)

    # -- the whole

    def execute(self) -> None:
        """Runs the pipeline; raises the first error in the end."""
        self.check_names()
        self.run.snapshots.restore_variables()
        self.branch.scope = self.branch.scope.inside(declarative=True)
        posted = False
        error: Thrown | None = None

        def inner() -> None:
            nonlocal posted
            failed = self.sequence(self.model.stages, None, None, self.run.restart_from, None, ())
            posted = True
            try:
                self.post_build(failed)
            except Thrown as late:
                failed = failed or late
            if failed is not None:
                raise failed

        try:
            for library in self.model.libraries:
                self.step("library", {"identifier": self.value(library)})
            self.job_properties()
            self.in_agent(self.model.agent, self.model.options, False, lambda: self.around(self.model.environment, self.model.options, inner))
        except Thrown as thrown:
            error = thrown
        if not posted:
            try:
                self.post_build(error)
            except Thrown as late:
                error = error or late
        if error is not None:
            raise error

    def check_names(self) -> None:
        """The stages that the command line names must be there; raises UsageError."""
        names = [name for stage in self.model.stages for name in (stage.name, *names_below(stage))]
        restart = self.run.restart_from
        top = [stage.name for stage in self.model.stages]
        if restart is not None and restart not in top:
            raise UsageError(f"--restart-from {restart}: there is no such top-level stage; there are {', '.join(top)}")
        missing = self.run.selection.unmatched(names)
        if missing is not None:
            raise UsageError(f"{missing}: there is no such stage; there are {', '.join(dict.fromkeys(names))}")

    def around(self, environment: tuple[EnvEntry, ...], options: tuple[Call, ...], work: Work) -> None:
        """The pipeline's own environment, options and tools around its stages."""
        self.with_credentials(
            environment, lambda: self.with_env(environment, lambda: self.wrapped(options, lambda: self.with_tools(self.model.tools, (), self.model.agent, work)))
        )

    def job_properties(self) -> None:
        """Parameters count; the other job properties are accepted and named in the report."""
        if self.model.parameters:
            declare(self.run, [definition(call.name, self.arguments(call)) for call in self.model.parameters])
        for call in (*self.model.options, *self.model.triggers):
            if call.name in JOB_OPTIONS and call.name not in ("skipDefaultCheckout", "skipStagesAfterUnstable", "checkoutToSubdirectory", "parallelsAlwaysFailFast", "newContainerPerStage"):
                self.run.fidelity.step(f"option {call.name}", "accepted", [])
        for call in self.model.triggers:
            self.run.fidelity.step(f"trigger {call.name}", "accepted", [])

    def arguments(self, call: Call) -> dict[str, Any]:
        """The arguments of an option, parameter or tool, evaluated; an unnamed one is ``<anonymous>``."""
        found = {name: self.value(value) for name, value in call.named}
        if call.args:
            found["<anonymous>"] = self.value(call.args[0])
        return found

    # -- blocks around stages

    def with_env(self, environment: tuple[EnvEntry, ...], work: Work) -> Any:
        """The plain entries of an environment block."""
        if not any(not entry.credentials for entry in environment):
            return work()
        values = EnvBlock(self, environment).resolve()
        return self.step("withEnv", {"overrides": [f"{name}={value}" for name, value in values.items()]}, work)

    def with_credentials(self, environment: tuple[EnvEntry, ...], work: Work) -> Any:
        """The ``credentials(id)`` entries of an environment block."""
        entries = {entry.name: entry for entry in environment if entry.credentials}
        if not entries:
            return work()
        bindings: list[dict[str, Any]] = []
        for name in java_order(list(entries)):
            id = str(self.value(entries[name].value))
            for kind, args in declarative_bindings(self.run.credentials.find(id), name):
                bindings.append({"$class": kind, **args})
        return self.step("withCredentials", {"bindings": bindings}, work)

    def wrapped(self, options: tuple[Call, ...], work: Work) -> Any:
        """Options that are steps with a body (timeout, retry, timestamps, lock, ...), outermost first."""
        left = []
        for call in options:
            spec = registry.find(call.name)
            if spec is not None and spec.block != "no" and call.name not in JOB_OPTIONS:
                left.append(call)
            elif call.name not in JOB_OPTIONS:
                self.run.fidelity.step(f"option {call.name}", "accepted", [])
        return self.wrap_next(left, work)

    def wrap_next(self, left: list[Call], work: Work) -> Any:
        """Takes the next wrapper off the list; the list is used up, so a ``retry`` repeats without the inner ones, as in Jenkins."""
        if not left:
            return work()
        first = left.pop(0)
        spec = registry.find(first.name)
        assert spec is not None
        args = self.arguments(first)
        if "<anonymous>" in args and spec.only is not None:
            args[spec.only.name] = args.pop("<anonymous>")
        return self.step(first.name, args, lambda: self.wrap_next(left, work))

    def with_tools(self, tools: tuple[Call, ...], outer: tuple[Call, ...], agent: Agent, work: Work) -> Any:
        """Tools as variables; the inner list adds to the outer one."""
        merged = {call.name: call for call in (*outer, *tools)}
        if not merged or agent.kind == "none":
            return work()
        env: list[str] = []

        def install() -> None:
            for kind, call in merged.items():
                version = str(self.value(call.args[0]))
                self.step("tool", {"name": version, "type": kind})
                env.extend(self.step("envVarsForTool", {"toolId": kind, "toolVersion": version}))

        if self.branch.scope.stage:
            install()
        else:
            self.step("stage", {"name": TOOLS}, install)
        return self.step("withEnv", {"overrides": env}, work)

    # -- agents

    def in_agent(self, agent: Agent | None, options: tuple[Call, ...], in_stage: bool, work: Work) -> Any:
        """Takes the agent of the pipeline or a stage around ``work``, with Declarative's own checkout."""
        if agent is None:
            fresh = any(call.name == "newContainerPerStage" for call in self.model.options)
            if not (in_stage and fresh and self.model.agent.kind in ("docker", "dockerfile")):
                return work()
            return self.in_container(self.model.agent, work)
        if agent.kind == "none":
            return work()
        if agent.kind in ("docker", "dockerfile"):
            if in_stage and self.flag(agent, "reuseNode") and self.branch.scope.node is not None:
                return self.in_container(agent, work)
            return self.on_node(agent, options, in_stage, lambda: self.in_container(agent, work))
        return self.on_node(agent, options, in_stage, work)

    def flag(self, agent: Agent, name: str) -> bool:
        """A boolean argument of an agent."""
        value = agent.get(name)
        return value is not None and self.value(value) is True

    def text(self, agent: Agent, name: str) -> str | None:
        """A text argument of an agent."""
        value = agent.get(name)
        return None if value is None else str(self.value(value))

    def on_node(self, agent: Agent, options: tuple[Call, ...], in_stage: bool, work: Work) -> Any:
        """``node``, the custom workspace, the checkout."""
        label = self.text(agent, "label")
        custom = self.text(agent, "customWorkspace")

        def inside() -> Any:
            if custom:
                return self.step("ws", {"dir": custom}, lambda: self.checked_out(options, in_stage, work))
            return self.checked_out(options, in_stage, work)

        return self.step("node", {"label": label} if label is not None else {}, inside)

    def checked_out(self, options: tuple[Call, ...], in_stage: bool, work: Work) -> Any:
        """Declarative's checkout, then its variables around the rest."""
        skip = next((call for call in (*options, *self.model.options) if call.name == "skipDefaultCheckout"), None)
        skipped = skip is not None and (not skip.args or self.value(skip.args[0]) is not False)
        if self.run.source.mode == "inline" or skipped:
            return work()
        found: dict[str, str] = {}

        def checkout() -> None:
            found.update(self.step("checkout", {"scm": self.run.objects.scm()}) or {})

        def staged() -> None:
            if in_stage:
                checkout()
            else:
                self.step("stage", {"name": CHECKOUT}, checkout)

        subfolder = next((call for call in self.model.options if call.name == "checkoutToSubdirectory"), None)
        if subfolder is not None and subfolder.args:
            self.step("dir", {"path": str(self.value(subfolder.args[0]))}, staged)
        else:
            staged()
        if not found:
            return work()
        return self.step("withEnv", {"overrides": [f"{name}={value}" for name, value in found.items()]}, work)

    def in_container(self, agent: Agent, work: Work) -> Any:
        """``agent { docker }`` and ``agent { dockerfile }``: the image around ``work``."""
        from cibus.pipeline.steps.docker import declarative_container

        if self.run.options.dry_run:
            return work()
        args = {name: self.value(value) for name, value in agent.args}
        return declarative_container(self.run, self.branch, agent.kind, args, work)

    # -- stages

    def sequence(
        self, stages: tuple[Stage, ...], error: Thrown | None, parent: Stage | None, restart: str | None, skip: Skip | None, around: tuple[str, ...]
    ) -> Thrown | None:
        """Runs stages one after the other; gives the first error instead of raising it."""
        restarting = restart is not None
        for stage in stages:
            if restarting:
                if stage.name == restart:
                    restarting = False
                    skip = None if skip is not None and skip.kind == "restart" else skip
                else:
                    skip = Skip("restart", stage.name, restart or "")
            self.run.check_croaked()
            try:
                self.stage(stage, error, parent, skip, around)
            except Thrown as thrown:
                error = error or thrown
        if skip is None and parent is not None:
            error = self.post_stage(parent, error)
        return error

    def stage(self, stage: Stage, error: Thrown | None, parent: Stage | None, skip: Skip | None, around: tuple[str, ...]) -> None:
        """Runs one stage with all that belongs to it."""

        def body() -> None:
            nonlocal error
            reason = skip or self.reason(stage, error, around)
            try:
                if reason is not None:
                    self.skip_stage(stage, error, reason, around)
                else:
                    self.run.before_stage(self.branch, stage, parent)
                    reason = self.run_stage(stage, parent, around)
            except Thrown as thrown:
                error = error or thrown
            if reason is None and (stage.parallel or stage.matrix):
                error = self.post_stage(stage, error)
            if error is not None and (reason is None or reason.kind in ("failure",)):
                raise error

        self.step("stage", {"name": stage.name}, body)

    def reason(self, stage: Stage, error: Thrown | None, around: tuple[str, ...]) -> Skip | None:
        """Why a stage is skipped before anything of it is looked at."""
        if error is not None:
            return Skip("failure", stage.name)
        build = self.run.build
        if build.result == "UNSTABLE" and self.model.option("skipStagesAfterUnstable"):
            return Skip("unstable", stage.name)
        why = self.run.selection.reason(stage.name, around, names_below(stage)) if self.run.selection.active else None
        return Skip("selection", stage.name, why) if why else None

    def run_stage(self, stage: Stage, parent: Stage | None, around: tuple[str, ...]) -> Skip | None:
        """Options, input, when, agent, environment, tools, and the content; gives a reason where ``when`` says no."""
        early = stage.when is not None and stage.when.before_options
        if early and not when.holds(self, stage.when):
            return self.say_no(stage, around)
        said_no: list[bool] = []

        def inside() -> None:
            if self.after_options(stage, parent, around, known=early) is False:
                said_no.append(True)

        self.wrapped(stage.options, inside)
        return self.say_no(stage, around) if said_no else None

    def say_no(self, stage: Stage, around: tuple[str, ...]) -> Skip:
        """``when`` does not hold."""
        reason = Skip("when", stage.name)
        self.skip_stage(stage, None, reason, around)
        return reason

    def after_options(self, stage: Stage, parent: Stage | None, around: tuple[str, ...], *, known: bool) -> bool:
        """Input and agent, with ``when`` before or after each as the stage says; False where it does not hold."""
        condition = stage.when
        if not known and condition is not None and condition.before_input:
            if not when.holds(self, condition):
                return False
            known = True
        answer: list[bool] = [True]

        def inside() -> None:
            answer[0] = self.after_input(stage, parent, around, known=known)

        self.with_input(stage, inside)
        return answer[0]

    def after_input(self, stage: Stage, parent: Stage | None, around: tuple[str, ...], *, known: bool) -> bool:
        """The agent and the content; False where ``when`` does not hold."""
        condition = stage.when
        if stage.parallel or stage.matrix:
            if not known and not when.holds(self, condition):
                return False
            self.with_credentials(stage.environment, lambda: self.with_env(stage.environment, lambda: self.parallel(stage, around)))
            return True
        if not known and condition is not None and condition.before_agent:
            if not when.holds(self, condition):
                return False
            known = True
        answer = [True]

        def inside() -> None:
            answer[0] = known or when.holds(self, condition)
            if answer[0]:
                self.content(stage, parent, around)

        self.in_agent(stage.agent, stage.options, True, inside)
        return answer[0]

    def content(self, stage: Stage, parent: Stage | None, around: tuple[str, ...]) -> None:
        """Environment and tools around the steps or nested stages."""
        agent = stage.agent or self.model.agent
        outer = parent.tools if parent is not None and parent.tools else self.model.tools

        def inside() -> None:
            if stage.stages:
                error = self.sequence(stage.stages, None, stage, None, None, (*around, stage.name))
                if error is not None:
                    raise error
            else:
                self.single(stage, stage.agent or (parent.agent if parent else None) or self.model.agent)

        tools = (lambda: self.with_tools(stage.tools, outer, agent, inside)) if stage.tools else inside
        self.with_credentials(stage.environment, lambda: self.with_env(stage.environment, tools))

    def single(self, stage: Stage, agent: Agent) -> None:
        """The steps of a stage, then its post section."""
        error: Thrown | None = None
        try:
            if stage.steps is not None:
                self.guarded(agent, stage.steps.node)
        except Thrown as thrown:
            error = thrown
        error = self.post_stage(stage, error)
        if error is not None:
            raise error

    def guarded(self, agent: Agent, node: int) -> None:
        """Runs a block of steps; a missing agent is explained where ``agent none`` is why."""
        try:
            self.invoke(node)
        except Thrown as error:
            if error.class_name == MISSING_CONTEXT and agent.kind == "none":
                self.step("error", {"message": NO_NODE})
            raise

    def skip_stage(self, stage: Stage, error: Thrown | None, reason: Skip, around: tuple[str, ...]) -> None:
        """Says that a stage is skipped, and goes through the stages in it the same way."""
        self.branch.log(reason.message + "\n")
        if reason.tag is not None:
            self.run.stages.tag(self.branch.scope.stage, reason.tag)
        if stage.parallel or stage.matrix:
            self.parallel(stage, around, reason, error)
        elif stage.stages:
            restart = reason.detail if reason.kind == "restart" else None
            self.sequence(stage.stages, error, stage, restart, reason, (*around, stage.name))

    # -- parallel and matrix

    def parallel(self, stage: Stage, around: tuple[str, ...], reason: Skip | None = None, error: Thrown | None = None) -> None:
        """The branches of a parallel stage, or the cells of a matrix."""
        work: dict[str, Callable[[Branch], Any]] = {}
        inside = (*around, stage.name)
        for inner, axes in self.branches(stage):
            skip = reason.at(inner.name) if reason is not None else None

            def job(branch: Branch, inner: Stage = inner, axes: dict[str, str] = axes, skip: Skip | None = skip) -> None:
                Declarative(self.run, self.model, self.closures, branch).branch_stage(inner, axes, error, stage, skip, inside)

            work[inner.name] = job
        fail_fast = stage.fail_fast or self.model.option("parallelsAlwaysFailFast") is not None
        self.run.parallel(self.branch, work, fail_fast)

    def branch_stage(self, stage: Stage, axes: dict[str, str], error: Thrown | None, parent: Stage, skip: Skip | None, around: tuple[str, ...]) -> None:
        """One branch of a parallel stage, or one cell."""
        if not axes:
            self.stage(stage, error, parent, skip, around)
            return

        def body() -> None:
            reason = skip or self.reason(stage, error, around)
            if reason is not None:
                self.skip_stage(stage, error, reason, around)
                return
            overrides = [f"{name}={value}" for name, value in axes.items()]
            self.step("withEnv", {"overrides": overrides}, lambda: self.cell(stage, parent, around))

        self.step("stage", {"name": stage.name}, body)

    def cell(self, stage: Stage, parent: Stage, around: tuple[str, ...]) -> None:
        """The content of a matrix cell, with its axis values set."""
        self.run_stage(stage, parent, around)

    def branches(self, stage: Stage) -> list[tuple[Stage, dict[str, str]]]:
        """The stages that run at the same time, each with its axis values."""
        if stage.matrix is None:
            return [(each, {}) for each in stage.parallel]
        return [(replace(stage.matrix.cell, name=cell_name(axes)), axes) for axes in cells(stage.matrix)]

    # -- input

    def with_input(self, stage: Stage, work: Work) -> Any:
        """Asks, and gives the answers as variables to the rest of the stage."""
        if stage.input is None:
            return work()
        asked = stage.input
        args = self.input_arguments(asked, stage)
        answer = self.step("input", args)
        names = [str(self.arguments(call).get("name", "")) for call in asked.parameters]
        env = input_variables(answer, names, args.get("submitterParameter"))
        if env is None:
            return work()
        return self.step("withEnv", {"overrides": env}, work)

    def input_arguments(self, asked: Input, stage: Stage) -> dict[str, Any]:
        """The arguments of the input step that a stage's ``input`` stands for."""
        fields = {"message": asked.message, "id": asked.id, "ok": asked.ok, "submitter": asked.submitter, "submitterParameter": asked.submitter_parameter}
        args: dict[str, Any] = {name: self.value(value) for name, value in fields.items() if value is not None}
        args.setdefault("id", stage.name)
        if asked.parameters:
            args["parameters"] = [{"$class": call.name, **self.arguments(call)} for call in asked.parameters]
        return args

    # -- post

    def post_stage(self, stage: Stage, error: Thrown | None) -> Thrown | None:
        """The post section of a stage; gives the first error."""
        agent = stage.agent or self.model.agent
        if not self.any_satisfied(stage.post, error):
            return error
        self.branch.log("Post stage\n")
        return self.conditions(stage.post, agent, error)

    def post_build(self, so_far: Thrown | None) -> None:
        """The post section of the pipeline, in a stage of its own; raises the first error."""
        error: list[Thrown] = []
        if self.any_satisfied(self.model.post, so_far):

            def body() -> None:
                found = self.conditions(self.model.post, self.model.agent, None, so_far)
                if found is not None:
                    error.append(found)

            self.step("stage", {"name": POST}, body)
        if error:
            raise error[0]

    def any_satisfied(self, section: tuple[tuple[str, Any], ...], error: Thrown | None) -> bool:
        """Whether any condition of a post section holds."""
        return self.run.croaked is None and any(self.satisfied(name, error) for name, _ in section)

    def satisfied(self, name: str, error: Thrown | None) -> bool:
        """Whether one condition holds, given the error that was caught here."""
        current = results.worse(self.run.build.current_result, post.result_of(error)) or "SUCCESS"
        previous = self.run.earlier[0].result if self.run.earlier else None
        return post.satisfied(name, current, previous)

    def conditions(self, section: tuple[tuple[str, Any], ...], agent: Agent, error: Thrown | None, so_far: Thrown | None = None) -> Thrown | None:
        """Runs the conditions that hold, in Jenkins' order; an error in one does not stop the others."""
        blocks = dict(section)
        before = self.branch.error_result
        for name in post.ORDER:
            if name not in blocks or not self.satisfied(name, error or so_far):
                continue
            self.branch.error_result = results.worse(before, post.result_of(error or so_far))
            try:
                self.guarded(agent, blocks[name].node)
            except Thrown as thrown:
                self.branch.log(f"Error when executing {name} post condition:\n{self.run.trace(thrown)}\n")
                error = error or thrown
            finally:
                self.branch.error_result = before
        return error


def input_variables(answer: Any, names: list[str], submitter: str | None) -> list[str] | None:
    """What an answered input adds to the environment; None where it adds nothing."""
    if isinstance(answer, JavaObject):
        answer = answer.value
    if isinstance(answer, Mapping):
        return [f"{name}={_shown(value)}" for name, value in answer.items()]
    if submitter:
        return [f"{submitter}={answer}"]
    if len(names) == 1:
        return [f"{names[0]}={_shown(answer)}"]
    return None


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
