"""sh, bat, powershell, pwsh (workflow-durable-task-step 2.37, durable-task 1.35)."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cibus.pipeline.runtime.environment import beyond
from cibus.pipeline.runtime.launch import Lines
from cibus.pipeline.runtime.nodes import Container
from cibus.pipeline.runtime.places import Command, Running, machine_of
from cibus.pipeline.steps.basic import charset
from cibus.pipeline.steps.context import StepContext
from cibus.pipeline.steps.registry import step
from cibus.pipeline.values import Thrown


@step("sh", plugin="workflow-durable-task-step", node=True)
def sh(
    ctx: StepContext,
    script: str,
    returnStdout: bool = False,
    returnStatus: bool = False,
    encoding: str | None = None,
    label: str | None = None,
) -> Any:
    """Runs a shell script: ``sh -xe``, or what its first line names after ``#!``."""
    with _script_file(ctx, script, "script.sh") as file:
        if script.startswith("#!"):
            file.chmod(0o755)
            argv = [str(file)]
        else:
            argv = ["sh", "-xe", str(file)]
        return _run(ctx, argv, file, returnStdout, returnStatus, encoding)


@step("bat", plugin="workflow-durable-task-step", node=True)
def bat(
    ctx: StepContext,
    script: str,
    returnStdout: bool = False,
    returnStatus: bool = False,
    encoding: str | None = None,
    label: str | None = None,
) -> Any:
    """Windows only: fails as on a Unix agent."""
    raise Thrown("java.io.IOException", "Batch scripts can only be run on Windows nodes")


@step("powershell", plugin="workflow-durable-task-step", node=True)
def powershell(
    ctx: StepContext,
    script: str,
    returnStdout: bool = False,
    returnStatus: bool = False,
    encoding: str | None = None,
    label: str | None = None,
) -> Any:
    """Runs a PowerShell script with ``powershell``, which a Unix agent hardly ever has."""
    return _powershell(ctx, "powershell", script, returnStdout, returnStatus, encoding)


@step("pwsh", plugin="workflow-durable-task-step", node=True)
def pwsh(
    ctx: StepContext,
    script: str,
    returnStdout: bool = False,
    returnStatus: bool = False,
    encoding: str | None = None,
    label: str | None = None,
) -> Any:
    """Runs a PowerShell script with ``pwsh`` (PowerShell 6 and newer)."""
    return _powershell(ctx, "pwsh", script, returnStdout, returnStatus, encoding)


def _powershell(ctx: StepContext, program: str, script: str, stdout: bool, status: bool, encoding: str | None) -> Any:
    if ctx.scope.container is None and not ctx.place.has(program, ctx.environ().get("PATH")):
        raise Thrown("java.io.IOException", f'Cannot run program "{program}" (in directory "{ctx.cwd}"): error=2, No such file or directory', cause=("java.io.IOException", "error=2, No such file or directory"))
    with _script_file(ctx, script, "powershellScript.ps1") as file:
        return _run(ctx, [program, "-NoProfile", "-NonInteractive", "-File", str(file)], file, stdout, status, encoding)


@contextlib.contextmanager
def _script_file(ctx: StepContext, text: str, name: str) -> Any:
    """The script in a folder of its own beside the current one, as durable-task keeps it."""
    cwd = ctx.cwd
    cwd.mkdir(parents=True, exist_ok=True)
    folder = Path(f"{cwd}@tmp") / f"durable-{os.urandom(4).hex()}"
    folder.mkdir(parents=True)
    file = folder / name
    file.write_text(text, encoding="utf-8")
    try:
        yield file
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(ctx: StepContext, argv: list[str], script: Path, stdout: bool, status: bool, encoding: str | None) -> Any:
    if stdout and status:
        raise Thrown("java.lang.IllegalArgumentException", "You may not set both returnStdout and returnStatus.")
    cookie = f"durable-{os.urandom(8).hex()}"
    env = {**ctx.environ(), "JENKINS_SERVER_COOKIE": cookie}
    codec = charset(encoding)
    lines = Lines(codec, ctx.log)
    process = _start(ctx, argv, env, cookie, script, capture=stdout)
    try:
        with ctx.branch.waiting(process):
            code = process.stream(lines.feed, lambda: ctx.log("Sending interrupt signal to process"))
    finally:
        process.discard()
        ctx.place.ended(ctx, process)
    lines.finish()
    if process.last_words:
        ctx.log(process.last_words)
    if process.error is not None:
        ctx.log(f"script returned exit code {code}")
        raise process.error
    text = b"".join(process.captured).decode(codec, "replace") if stdout else ""
    if status:
        return code
    if code != 0:
        if text:
            ctx.log(text)
        raise ctx.fail(f"script returned exit code {code}")
    return text if stdout else None


# `exec` carries the two streams apart, so that their order would be lost on the way out of the container.
MERGED = ["sh", "-c", 'exec "$@" 2>&1', "sh"]


def _start(ctx: StepContext, argv: list[str], env: dict[str, str], cookie: str, script: Path, *, capture: bool) -> Running:
    container = ctx.scope.container
    kill: Callable[[signal.Signals], None] | None = None
    if container is not None:
        argv, env, kill = _inside(ctx, container, argv if capture else [*MERGED, *argv], env, cookie)
    try:
        return ctx.place.start(ctx, Command(argv, env, ctx.cwd, cookie, capture, kill, script))
    except OSError as error:
        raise Thrown("java.io.IOException", f'Cannot run program "{argv[0]}" (in directory "{ctx.cwd}"): error={error.errno}, {error.strerror}') from error


def _inside(
    ctx: StepContext, container: Container, argv: list[str], env: dict[str, str], cookie: str
) -> tuple[list[str], dict[str, str], Callable[[signal.Signals], None]]:
    """The command that runs it in the container, as docker-workflow's decorator does."""
    passed = beyond(machine_of(ctx), env)  # PATH and HOME are the image's own, unless the script set them
    place = ctx.place
    hidden = {name: value for name, value in passed.items() if name in ctx.scope.sensitive}  # by name, so that values do not show in argv
    flags = [flag for name, value in passed.items() for flag in ("--env", name if name in hidden else f"{name}={value}")]
    command = [container.program, "exec", "--workdir", str(ctx.cwd), *flags, container.id, *argv]

    def kill(number: signal.Signals) -> None:
        find = f'for p in /proc/[0-9]*; do if tr "\\0" "\\n" < $p/environ 2>/dev/null | grep -qx "JENKINS_SERVER_COOKIE={cookie}"; then kill -{int(number)} "${{p#/proc/}}"; fi; done'
        place.ask([container.program, "exec", container.id, "sh", "-c", find], seconds=30)

    return command, {**(place.machine or os.environ), **hidden}, kill
