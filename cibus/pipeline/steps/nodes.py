"""node, ws, dir, withEnv, tool and the other steps that say where and with what steps run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cibus.pipeline.runtime.envblock import java_order
from cibus.pipeline.steps.context import StepContext
from cibus.pipeline.steps.registry import step
from cibus.pipeline.values import Thrown


@step("node", plugin="workflow-durable-task-step", block="yes", waits=True)
def node(ctx: StepContext, label: str | None = None) -> Any:
    """Takes an executor of an agent, with a workspace, for the body."""
    run = ctx.run
    try:
        lease = run.nodes.lease(ctx, label or "")
    except Thrown:
        ctx.opened = True  # the log closes the block although it never opened
        raise
    try:
        ctx.log(f"Running on {lease.agent.display} in {lease.place.shown(str(lease.workspace))}")
        scope = ctx.scope.inside(node=lease, workspace=lease.workspace, cwd=lease.workspace, container=None)
        with run.nodes.container(ctx, lease, scope) as inner:
            return ctx.run_body(inner)
    finally:
        run.nodes.release(ctx, lease)


@step("ws", plugin="workflow-durable-task-step", block="yes", node=True)
def ws(ctx: StepContext, dir: str) -> Any:
    """Another workspace for the body."""
    place = ctx.place
    path = place.workspace(ctx, dir)
    try:
        ctx.log(f"Running in {path}")
        return ctx.run_body(ctx.scope.inside(workspace=path, cwd=path))
    finally:
        place.leave(ctx, path)


@step("dir", plugin="workflow-basic-steps", block="yes", node=True, waits=False)
def dir_(ctx: StepContext, path: str) -> Any:
    """Another current folder for the body; it is made when something writes to it."""
    place = Path(_normal(ctx.path(path)))
    ctx.log(f"Running in {place}")
    return ctx.run_body(ctx.scope.inside(cwd=place))


def _normal(path: Path) -> str:
    import os.path

    return os.path.normpath(path)


@step("withEnv", plugin="workflow-basic-steps", block="yes")
def with_env(ctx: StepContext, overrides: list[Any]) -> Any:
    """Variables for the body: ``NAME=value``, ``PATH+X=folder`` to prepend."""
    overlay: dict[str, str] = {}
    for each in overrides:
        name, equals, value = str(each).partition("=")
        if not equals:
            raise Thrown("java.lang.IllegalArgumentException", f"Environment variable assignment must have an equals sign: {each}")
        overlay[name] = value
    # the overrides are a HashMap in Jenkins, whose order decides where two prepend to the same variable
    return ctx.run_body(ctx.scope.with_env({name: overlay[name] for name in java_order(list(overlay))}))


@step("nodesByLabel", plugin="pipeline-utility-steps")
def nodes_by_label(ctx: StepContext, label: str, offline: bool = False) -> list[str]:
    """The names of the agents that have a label."""
    found = [agent.name for agent in ctx.run.nodes.agents.matching(label)]
    if found:
        ctx.log(f"Found a total of {len(found)} nodes with the '{label}' label")
    else:
        ctx.log(f"Could not find any nodes with '{label}' label")
    return found


TOOL_TYPES = {
    "hudson.model.JDK": "jdk",
    "hudson.tasks.Maven$MavenInstallation": "maven",
    "hudson.plugins.gradle.GradleInstallation": "gradle",
    "hudson.tasks.Ant$AntInstallation": "ant",
    "jenkins.plugins.nodejs.tools.NodeJSInstallation": "nodejs",
    "hudson.plugins.git.GitTool": "git",
    "org.jenkinsci.plugins.docker.commons.tools.DockerTool": "dockerTool",
}
TOOL_ENV = {
    "jdk": {"JAVA_HOME": "", "PATH+JDK": "bin"},
    "maven": {"M2_HOME": "", "MAVEN_HOME": "", "PATH+MAVEN": "bin"},
    "gradle": {"GRADLE_HOME": "", "PATH+GRADLE": "bin"},
    "ant": {"ANT_HOME": "", "PATH+ANT": "bin"},
    "nodejs": {"NODEJS_HOME": "", "PATH+NODEJS": "bin"},
    "go": {"GOROOT": "", "PATH+GO": "bin"},
}


def find_tool(ctx: StepContext, kind: str | None, name: str) -> tuple[str, str]:
    """(type, home) of a configured tool; fails as Jenkins does where there is none."""
    tools = ctx.run.config.tools
    short = TOOL_TYPES.get(kind or "", kind)
    if short is not None:
        home = tools.get(short, {}).get(name)
        if home is None:
            raise ctx.fail(f"No {short} named {name} found")
        return short, home
    for each, names in tools.items():
        if name in names:
            return each, names[name]
    raise ctx.fail(f"No tool named {name} found")


@step("tool", plugin="workflow-basic-steps", node=True)
def tool(ctx: StepContext, name: str, type: str | None = None) -> str:
    """The home of a tool, as cibus.toml's ``[tools.TYPE.NAME]`` says."""
    return find_tool(ctx, type, name)[1]


@step("envVarsForTool", plugin="pipeline-model-definition", node=True)
def env_vars_for_tool(ctx: StepContext, toolId: str, toolVersion: str) -> list[str]:
    """What a tool adds to the environment, as ``NAME=value``."""
    kind, home = find_tool(ctx, toolId, toolVersion)
    parts = TOOL_ENV.get(kind, {f"PATH+{kind.upper()}": "bin"})
    return [f"{name}={home}/{below}" if below else f"{name}={home}" for name, below in parts.items()]


@step("getContext", plugin="workflow-basic-steps", fidelity="accepted", differs="there is no controller whose objects it could give")
def get_context(ctx: StepContext, type: Any) -> None:
    """Not available outside a controller: gives null."""


@step("withContext", plugin="workflow-basic-steps", block="yes", fidelity="accepted")
def with_context(ctx: StepContext, context: Any) -> Any:
    """Runs the body; the context object has no meaning here."""
    return ctx.run_body()
