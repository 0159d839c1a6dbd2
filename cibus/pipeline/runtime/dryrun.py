"""``--dry-run``: stages and blocks are walked; what would do something is printed instead of done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cibus.pipeline.engine.codec import Secret
from cibus.pipeline.runtime.nodes import Lease
from cibus.pipeline.steps import library
from cibus.pipeline.values import Closure, JavaObject

if TYPE_CHECKING:
    from cibus.pipeline.steps.context import StepContext

REAL = frozenset({
    "catchError", "dir", "echo", "envVarsForTool", "error", "getContext", "isUnix", "library", "libraryResource", "milestone",
    "nodesByLabel", "parallel", "properties", "pwd", "readTrusted", "retry", "script", "stage", "timeout", "timestamps", "unstable",
    "warnError", "withContext", "withEnv", "ansiColor", "wrap",
})  # fmt: skip
"""Steps that only say what runs, or have no effect outside the script."""

VALUES: Mapping[str, Any] = {
    "readFile": "", "fileExists": False, "findFiles": [], "readJSON": {}, "readYaml": {}, "readProperties": {}, "readManifest": {},
    "readCSV": [], "sha1": "", "sha256": "", "md5": "", "checkout": {}, "git": {}, "tool": "", "emailextrecipients": "",
}  # fmt: skip
"""What a step returns that did not run; None for the others."""

OWN_TEXT = frozenset({"readJSON", "readYaml", "readProperties", "readCSV", "writeJSON", "writeYaml"})
"""Steps that need no agent when the text is given, or asked for, instead of a file."""


@dataclass(frozen=True)
class Planned:
    """What stands for a step that did not run."""

    value: Any = None


def stand_in(ctx: StepContext, bound: Mapping[str, Any]) -> Planned | None:
    """What a dry run does instead of a step; None where the step itself runs."""
    name = ctx.spec.name
    if name == "load":
        return _load(ctx, str(bound.get("path", "")))
    if name == "node":
        return _node(ctx, bound)
    if name in REAL or (name in OWN_TEXT and (bound.get("text") is not None or bound.get("returnText"))):
        return None
    ctx.fidelity = "skipped"
    ctx.log(f"[dry-run] {name}{_shown(bound)}")
    if ctx.body is not None:
        return Planned(ctx.run_body())
    if name == "build":
        return Planned(ctx.run.downstream.recorded(str(bound.get("job", ""))))
    return Planned(_value(name, bound))


def _value(name: str, bound: Mapping[str, Any]) -> Any:
    if bound.get("returnStdout"):
        return ""
    if bound.get("returnStatus"):
        return 0
    value = VALUES.get(name)
    return type(value)(value) if isinstance(value, (dict, list)) else value


def _shown(bound: Mapping[str, Any]) -> str:
    """The arguments in one line; the caller's log masks what is secret."""
    parts = [
        str(bound[name]) if index == 0 else f"{name}={bound[name]}"
        for index, name in enumerate(bound)
        if _plain(bound[name])
    ]
    text = " ".join(", ".join(parts).split())
    return f": {text}" if text else ""


def _plain(value: Any) -> bool:
    return (
        value is not None
        and value is not False
        and not isinstance(value, (Closure, JavaObject, Secret))
        and not hasattr(value, "is_own_scm")
    )


def _node(ctx: StepContext, bound: Mapping[str, Any]) -> Planned:
    """The body, as if on the built-in node, in a workspace that is not made."""
    run = ctx.run
    workspace = run.workspaces.root / run.workspaces.name
    lease = Lease(run.nodes.builtin, 0, workspace, "dry-run")
    label = bound.get("label")
    ctx.fidelity = "skipped"
    ctx.log(f"[dry-run] node{': ' + label if label else ''}")
    return Planned(ctx.run_body(ctx.scope.inside(node=lease, workspace=workspace, cwd=workspace, container=None)))


def _load(ctx: StepContext, path: str) -> Planned | None:
    """The file of the working copy, since nothing was checked out."""
    root = ctx.run.source.root
    if root is None or ctx.scope.workspace is None:
        ctx.fidelity = "skipped"
        ctx.log(f"[dry-run] load: {path}")
        return Planned()
    inside = Path(ctx.cwd).relative_to(ctx.scope.workspace) if ctx.cwd.is_relative_to(ctx.scope.workspace) else Path()
    return Planned(library.run_file(ctx, path, root / inside / path))
