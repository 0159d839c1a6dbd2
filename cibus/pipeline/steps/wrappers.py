"""timestamps, ansiColor, tee and wrap."""

from __future__ import annotations

import datetime
from typing import Any

from cibus.pipeline.steps.context import StepContext
from cibus.pipeline.steps.registry import find, step
from cibus.pipeline.values import Thrown


@step("timestamps", plugin="timestamper", block="yes")
def timestamps(ctx: StepContext) -> Any:
    """Puts the time in front of every line that the body prints."""
    return ctx.run_body(ctx.scope.inside(filters=(*ctx.scope.filters, _stamp)))


def _stamp(text: str) -> str:
    now = datetime.datetime.now(datetime.UTC)
    stamp = f"[{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z] "
    return "".join(line if line == "Post stage\n" else stamp + line for line in text.splitlines(keepends=True))


@step("ansiColor", plugin="ansicolor", block="yes")
def ansi_color(ctx: StepContext, colorMapName: str = "xterm") -> Any:
    """Lets colours through; the log has them as they are."""
    try:
        with ctx.open():
            ctx.log("\n")
            return ctx.branch.invoke(ctx.body) if ctx.body else None
    finally:
        ctx.log("\n")


@step("tee", plugin="pipeline-utility-steps", block="yes", node=True)
def tee(ctx: StepContext, file: str) -> Any:
    """Copies what the body prints to a file."""
    path = ctx.path(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as copy:

        def keep(text: str) -> str:
            copy.write(text)
            copy.flush()
            return text

        return ctx.run_body(ctx.scope.inside(filters=(keep, *ctx.scope.filters)))


WRAPPERS = {"TimestamperBuildWrapper": "timestamps", "AnsiColorBuildWrapper": "ansiColor"}


@step("wrap", plugin="workflow-basic-steps", block="yes")
def wrap(ctx: StepContext, delegate: dict[str, Any]) -> Any:
    """``wrap([$class: 'X']) { }``: the wrappers that have a step of their own; others are named in the report."""
    name = str(delegate.get("$class", getattr(delegate, "symbol", ""))).rsplit(".", 1)[-1]
    spec = find(WRAPPERS.get(name, ""))
    if spec is not None:
        named = {key: value for key, value in delegate.items() if key in {p.name for p in spec.parameters}}
        return spec.function(ctx, **named)
    if not name:
        raise Thrown("java.lang.IllegalArgumentException", "wrap needs a wrapper, e.g. wrap([$class: 'TimestamperBuildWrapper'])")
    ctx.note_difference(f"the wrapper {name} did nothing")
    ctx.remark(f"wrap: the wrapper {name} has no meaning here; its body ran without it")
    return ctx.run_body()
