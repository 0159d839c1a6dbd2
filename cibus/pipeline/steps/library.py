"""library, libraryResource, load, properties (workflow-cps-global-lib 2.17, workflow-cps 2.87)."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from cibus.pipeline.runtime.parameters import apply_properties
from cibus.pipeline.steps.context import StepContext
from cibus.pipeline.steps.registry import step


@step("library", plugin="workflow-cps-global-lib", waits=True)
def library(ctx: StepContext, identifier: str, changelog: bool = True, retriever: Any = None) -> Any:
    """Loads a shared library while the script runs; gives its packages."""
    info = ctx.run.libraries.load(identifier)
    if info is not None:
        ctx.branch.channel.request("library", **info)
    return ctx.branch.channel.request("classes")


@step("libraryResource", plugin="workflow-cps-global-lib", waits=False)
def library_resource(ctx: StepContext, resource: str, encoding: str | None = None) -> str:
    """The text of a file in a library's ``resources`` folder."""
    data = ctx.run.libraries.resource(resource).read_bytes()
    if encoding == "Base64":
        return base64.b64encode(data).decode()
    return data.decode(encoding or "utf-8")


@step("load", plugin="workflow-cps", node=True)
def load(ctx: StepContext, path: str) -> Any:
    """Runs a Groovy file of the workspace; gives what it returns (``return this``: its methods)."""
    return run_file(ctx, path, ctx.path(path))


def run_file(ctx: StepContext, path: str, file: Path) -> Any:
    """Runs a file in a block of the log that bears ``path``; gives what its script returns."""
    ctx.opened = True
    script = ctx.branch.channel.compile(file.read_text(encoding="utf-8"), None)
    with ctx.open(path):
        return ctx.branch.channel.run(script)


@step("properties", plugin="workflow-multibranch")
def properties(ctx: StepContext, properties: list[Any]) -> None:
    """Sets the job's properties: here its parameters count; the others are accepted."""
    apply_properties(ctx.run, properties)
