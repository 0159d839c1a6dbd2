"""build and input (pipeline-build-step 2.13, pipeline-input-step 2.12)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from cibus.pipeline.runtime.parameters import as_bool, as_env, definition, typed
from cibus.pipeline.steps.context import StepContext
from cibus.pipeline.steps.registry import step
from cibus.pipeline.values import Thrown, interrupted


@step("build", plugin="pipeline-build-step", waits=True)
def build(
    ctx: StepContext,
    job: str,
    parameters: list[Any] | None = None,
    wait: bool = True,
    propagate: bool = True,
    quietPeriod: int | None = None,
    waitForStart: bool = False,
) -> Any:
    """Runs another job: really where cibus.toml's ``[jobs.NAME]`` has its script, otherwise it is recorded."""
    name = job.strip("/")
    config = ctx.run.config.jobs.get(name)
    given = {key: as_env(value) for key, value in (_parameter(each) for each in parameters or []) if key}
    if config is None:
        if ctx.run.config.pipeline.cps == "strict":
            raise ctx.fail(f"No item named {job} found")
        ctx.log(f"Scheduling project: {name}")
        ctx.recorded("build", job=name, parameters=given)
        return ctx.run.downstream.recorded(name) if wait else None
    ctx.log(f"Scheduling project: {name}")
    if not wait:
        ctx.run.downstream.start(config, given)
        return None
    with ctx.suspended():
        started = ctx.run.downstream.begin(config, given)
    ctx.log(f"Starting building: {name} #{started.number}")
    with ctx.branch.waiting(started):
        record = started.wait()
    result = str(record["result"])
    if propagate and result != "SUCCESS":
        text = f"{name} #{record['number']} completed with status {result} (propagate: false to ignore)"
        raise interrupted(result, ("DownstreamFailureCause", text))
    return ctx.run.objects.past(record, ctx.run.config.pipeline.jenkins_url)


def _parameter(value: Any) -> tuple[str, Any]:
    return (str(value.get("name", "")), value.get("value")) if isinstance(value, Mapping) else ("", None)


@step("input", plugin="pipeline-input-step", waits=True)
def input_(
    ctx: StepContext,
    message: str,
    id: str | None = None,
    ok: str | None = None,
    parameters: list[Any] | None = None,
    submitter: str | None = None,
    submitterParameter: str | None = None,
) -> Any:
    """Asks somebody to go on: answered by ``--input ID=...``, at the terminal, or not at all."""
    definitions = [definition(getattr(each, "symbol", None) or str(each.get("$class", "")), each) for each in parameters or []]
    name = id or hashlib.md5(message.encode()).hexdigest().capitalize()
    ctx.log("Input requested" if definitions else f"{message}\n{ok or 'Proceed'} or Abort")
    answer = ctx.run.answers.get(ctx, name, message, ok or "Proceed", definitions)
    user = ctx.run.user
    if answer is None:
        raise interrupted("ABORTED", ("Rejection", f"Rejected by {user}"))
    ctx.log(f"Approved by {user}")
    values = {each["name"]: _answer(each, answer) for each in definitions}
    if submitterParameter:
        values[submitterParameter] = user
    if not values:
        return None
    return next(iter(values.values())) if len(values) == 1 else values


def _answer(declared: Mapping[str, Any], answer: Mapping[str, Any]) -> Any:
    value = answer.get(declared["name"], declared["default"])
    if declared["kind"] == "booleanParam":
        return as_bool(value)
    choices = declared.get("choices")
    if choices and value not in choices:
        raise Thrown("java.lang.IllegalArgumentException", f"Illegal choice for parameter {declared['name']}: {value}")
    return typed(declared, value)
