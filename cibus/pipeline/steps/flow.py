"""stage, parallel, retry, timeout, catchError and their kin: steps that decide what runs."""

from __future__ import annotations

import threading
import time as clock
from typing import Any

from cibus.pipeline.engine.codec import JavaHashMap
from cibus.pipeline.events import StageEnded, StageStarted
from cibus.pipeline.runtime import results
from cibus.pipeline.runtime.branch import Branch
from cibus.pipeline.runtime.envblock import java_order
from cibus.pipeline.steps.basic import UNIT_SECONDS, UNITS, check_unit, span
from cibus.pipeline.steps.context import StepContext
from cibus.pipeline.steps.registry import step
from cibus.pipeline.values import Closure, JavaObject, Thrown, interrupted

EXCEEDED = ("ExceededTimeout", "Timeout has been exceeded")


@step("stage", plugin="pipeline-stage-step", block="optional")
def stage(ctx: StepContext, name: str, concurrency: int | None = None) -> Any:
    """A stage of the build."""
    if ctx.body is None:
        ctx.log(f"Entering stage {name}\nUsing the ‘stage’ step without a block argument is deprecated")
        return None
    return in_stage(ctx, name, lambda: ctx.branch.invoke(ctx.body))


def in_stage(ctx: StepContext, name: str, work: Any) -> Any:
    """Runs ``work`` as the stage's body, and gives the stage its status."""
    run, scope = ctx.run, ctx.scope
    run.stages.start(ctx.id, name, scope.stage, ctx.branch.name)
    run.bus.emit(StageStarted(ctx.id, name, scope.stage, ctx.branch.name))
    error_status: str | None = None
    inner = scope.with_env({"STAGE_NAME": name}).inside(stage=ctx.id, stage_name=name)
    try:
        with ctx.open(name, inner):
            return work()
    except Thrown as error:
        error_status = status_of(error)
        raise
    finally:
        record = run.stages.end(ctx.id, error_status)
        run.bus.emit(StageEnded(ctx.id, name, record.status or "SUCCESS", record.seconds))


def status_of(error: Thrown) -> str:
    """The stage view's word for an exception that left a stage."""
    if not error.is_interruption:
        return "FAILED"
    return {"ABORTED": "ABORTED", "NOT_BUILT": "NOT_EXECUTED", "SUCCESS": "SUCCESS", "UNSTABLE": "UNSTABLE"}.get(error.result or "ABORTED", "FAILED")


class Fan:
    """The branches of one ``parallel``, as something that can be interrupted together."""

    def __init__(self) -> None:
        self.branches: list[Branch] = []
        self.error: Thrown | None = None

    def interrupt(self, error: Thrown) -> None:
        """Interrupts every branch that still runs; the parallel step then raises what they raise."""
        self.error = self.error or error
        for branch in self.branches:
            branch.interrupt(error)


@step("parallel", plugin="workflow-cps", waits=True)
def parallel(ctx: StepContext, **closures: Any) -> dict[str, Any]:
    """Runs branches at the same time; the first failure is the step's."""
    branches = {name: closure for name, closure in closures.items() if name != "failFast"}
    fail_fast = closures.get("failFast") is True
    for name, closure in branches.items():
        if not isinstance(closure, (Closure, JavaObject)):
            raise Thrown("java.lang.IllegalArgumentException", f"Expected a closure but found {name}={closure}")
    work = {name: (lambda b, c=closure: b.invoke(c)) for name, closure in branches.items()}
    return fan_out(ctx, work, fail_fast)


def fan_out(ctx: StepContext, work: dict[str, Any], fail_fast: bool) -> dict[str, Any]:
    """Runs each piece of work in a branch of its own and waits for all."""
    run, parent = ctx.run, ctx.branch
    fan = Fan()
    values: dict[str, Any] = {}
    errors: list[tuple[float, Thrown]] = []
    crashes: list[BaseException] = []
    lock = threading.Lock()
    scope = parent.scope.inside(block=ctx.id)
    ctx.opened = True
    run.stages.forks(scope.stage)
    fan.branches = [Branch(run, run.next_branch(), name, scope) for name in work]

    def serve(branch: Branch, job: Any, turn: threading.Lock) -> None:
        turn.acquire()
        try:
            value = job(branch)
            _close_branch(run, ctx, branch, None)
            with lock:
                values[branch.name] = value
        except Thrown as error:
            with lock:
                errors.append((clock.monotonic(), error))
            _close_branch(run, ctx, branch, branch.name)
            if fail_fast and len(errors) == 1:
                _stop_others(fan, branch)
        except BaseException as crash:
            crashes.append(crash)
        finally:
            run.baton.release()
            run.forget(branch)

    for branch in fan.branches:
        run.register(branch)
        _open_branch(run, ctx, branch)
    turns = [run.baton.reserve() for _ in fan.branches]  # so that the branches take turns in their order from the start
    started = False
    try:
        with parent.waiting(fan):
            started = True
            threads = [run.thread(serve, branch, job, turn) for branch, job, turn in zip(fan.branches, work.values(), turns, strict=True)]
            for thread in threads:
                thread.join()
    finally:
        if not started:
            run.baton.withdraw(turns)
    if crashes:
        raise crashes[0]
    if errors:
        raise _worst(errors)
    return JavaHashMap({name: values[name] for name in java_order(list(work)) if name in values})


def _open_branch(run: Any, ctx: StepContext, branch: Branch) -> None:
    from cibus.pipeline.events import BlockStarted

    run.bus.emit(BlockStarted(ctx.id, f"Branch: {branch.name}", branch.name))


def _close_branch(run: Any, ctx: StepContext, branch: Branch, failed: str | None) -> None:
    from cibus.pipeline.events import BlockEnded

    run.bus.emit(BlockEnded(ctx.id, branch.name))
    if failed is not None:
        branch.log(f"Failed in branch {failed}\n", ctx.id)


def _stop_others(fan: Fan, failed: Branch) -> None:
    cause = interrupted("ABORTED", ("FailFastCause", f"Failed in branch {failed.name}"))
    for branch in fan.branches:
        if branch is not failed:
            branch.interrupt(cause)


def _worst(errors: list[tuple[float, Thrown]]) -> Thrown:
    """The first failure; a plain failure wins over interruptions that it caused."""
    ordered = [error for _, error in sorted(errors, key=lambda pair: pair[0])]
    return next((error for error in ordered if not error.is_interruption), ordered[0])


@step("retry", plugin="workflow-basic-steps", block="yes")
def retry(ctx: StepContext, count: int, conditions: list[Any] | None = None) -> Any:
    """Runs the body again when it fails, up to a number of times."""
    left = count
    while True:
        try:
            return ctx.run_body()
        except Thrown as error:
            left -= 1
            if left <= 0 or error.is_interruption:
                raise
            print_error(ctx, error)
            ctx.log("Retrying")


def print_error(ctx: StepContext, error: Thrown) -> None:
    """Prints an exception that a step swallowed: its message, or its trace."""
    if error.is_abort_exception:
        ctx.log(f"ERROR: {error.message or ''}")
    elif error.is_interruption:
        for _, text in error.causes:
            ctx.log(text)
    else:
        ctx.log(f"ERROR: Execution failed\n{ctx.run.trace(error)}")


@step("timeout", plugin="workflow-basic-steps", block="yes", choices={"unit": UNITS})
def timeout(ctx: StepContext, time: int, unit: str = "MINUTES", activity: bool = False) -> Any:
    """Stops the body when it takes too long, or, with ``activity``, when it prints nothing for too long."""
    seconds = time * UNIT_SECONDS[check_unit(unit)]
    ctx.log(f"Timeout set to expire after {span(seconds)} without activity" if activity else f"Timeout set to expire in {span(seconds)}")
    error = interrupted("ABORTED", EXCEEDED)
    timer = Timer(ctx, seconds, error, activity=activity)
    scope = ctx.scope.inside(filters=(*ctx.scope.filters, timer.saw)) if activity else ctx.scope
    timer.start()
    try:
        return ctx.run_body(scope)
    finally:
        timer.stop()
        ctx.branch.withdraw(error)


class Timer:
    """Interrupts a branch after a time, or after a time without output."""

    def __init__(self, ctx: StepContext, seconds: float, error: Thrown, *, activity: bool) -> None:
        self._ctx = ctx
        self._seconds = seconds
        self._error = error
        self._activity = activity
        self._branch = ctx.branch
        self._scope = ctx.scope
        self._last = clock.monotonic()
        self._done = threading.Event()

    def saw(self, text: str) -> str:
        """A log filter that notes that something was printed."""
        self._last = clock.monotonic()
        return text

    def start(self) -> None:
        """Begins to count."""
        threading.Thread(target=self._watch, name="timeout", daemon=True).start()

    def stop(self) -> None:
        """The body ended in time."""
        self._done.set()

    def _watch(self) -> None:
        end = self._last + self._seconds
        while not self._done.wait(max(0.0, end - clock.monotonic())):
            end = (self._last if self._activity else end - self._seconds) + self._seconds
            if clock.monotonic() >= end:
                self._ctx.log("Cancelling nested steps due to timeout")
                self._branch.interrupt(self._error)
                return


@step("waitUntil", plugin="workflow-basic-steps", block="yes", waits=True)
def wait_until(ctx: StepContext, initialRecurrencePeriod: int = 250, quiet: bool = False) -> None:
    """Runs the body until it returns true."""
    period = initialRecurrencePeriod / 1000
    while ctx.run_body() is not True:
        if not quiet:
            ctx.log(f"Will try again after {span(period)}")
        ctx.sleep(period)
        period = min(period * 1.2, 15.0)


@step("catchError", plugin="workflow-basic-steps", block="yes", choices={"buildResult": results.ORDER, "stageResult": results.ORDER})
def catch_error(
    ctx: StepContext,
    message: str | None = None,
    buildResult: str = "FAILURE",
    stageResult: str = "SUCCESS",
    catchInterruptions: bool = True,
) -> None:
    """Goes on after a failure of the body, with a result for the build and the stage."""
    _catch(ctx, message, buildResult, stageResult, catchInterruptions)


@step("warnError", plugin="workflow-basic-steps", block="yes")
def warn_error(ctx: StepContext, message: str, catchInterruptions: bool = True) -> None:
    """Goes on after a failure of the body; the build and the stage are UNSTABLE."""
    _catch(ctx, message, "UNSTABLE", "UNSTABLE", catchInterruptions)


def _catch(ctx: StepContext, message: str | None, build_result: str, stage_result: str, interruptions: bool) -> None:
    try:
        ctx.run_body()
    except Thrown as error:
        if error.is_interruption and not interruptions:
            raise
        if message:
            ctx.log(f"ERROR: {message}")
        result = results.parse(build_result)
        stage = results.parse(stage_result)
        if error.is_interruption:
            _print_causes(ctx, error)
            # an interruption brings its own result along (aborted is aborted)
            result = results.worse(result, error.result) or result
            stage = results.worse(stage, error.result) or stage
        else:
            print_error(ctx, error)
        if result != "SUCCESS":
            ctx.build.set_result(result)
        if stage != "SUCCESS":
            ctx.mark_stage({"FAILURE": "FAILED", "NOT_BUILT": "NOT_EXECUTED"}.get(stage, stage))


def _print_causes(ctx: StepContext, error: Thrown) -> None:
    for _, text in error.causes:
        ctx.log(text)


@step("milestone", plugin="pipeline-milestone-step", differs="no other build of the job competes here")
def milestone(ctx: StepContext, ordinal: int | None = None, label: str | None = None, unsafe: bool = False) -> None:
    """Passes a milestone: later builds would make earlier ones give up."""
    passed = ctx.run.milestones
    number = ordinal if ordinal is not None else (passed[-1] + 1 if passed else 1)
    if passed and number <= passed[-1]:
        raise ctx.fail(f"Invalid ordinal {number}, as the previous one was {passed[-1]}")
    passed.append(number)
    ctx.log(f"Trying to pass milestone {number}")


@step("lock", plugin="lockable-resources", block="optional", waits=True)
def lock(
    ctx: StepContext,
    resource: str | None = None,
    label: str | None = None,
    quantity: int = 0,
    variable: str | None = None,
    inversePrecedence: bool = False,
    skipIfLocked: bool = False,
    extra: list[Any] | None = None,
    resourceSelectStrategy: str = "sequential",
) -> Any:
    """Holds a resource of the controller while the body runs; other branches and runs of this state folder wait."""
    if not resource and not label:
        raise Thrown("java.lang.IllegalArgumentException", "Either resource label or resource name must be specified.")
    names = [name for name in (resource, *(str(each.get("resource")) for each in extra or [] if isinstance(each, dict))) if name]
    shown = f"[{', '.join(names)}]" if names else f"Label: {label}"
    held = names or [f"label:{label}"]
    return ctx.run.locks.hold(ctx, held, shown, variable, skip=skipIfLocked)
