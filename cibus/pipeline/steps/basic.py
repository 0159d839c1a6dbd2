"""echo, error, unstable, sleep, readFile and their kin (workflow-basic-steps 2.22)."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cibus.pipeline.steps.context import StepContext
from cibus.pipeline.steps.registry import find, step
from cibus.pipeline.values import Thrown

UNIT_SECONDS = {
    "NANOSECONDS": 1e-9,
    "MICROSECONDS": 1e-6,
    "MILLISECONDS": 1e-3,
    "SECONDS": 1.0,
    "MINUTES": 60.0,
    "HOURS": 3600.0,
    "DAYS": 86400.0,
}
UNITS = tuple(UNIT_SECONDS)


@step("echo", plugin="workflow-basic-steps")
def echo(ctx: StepContext, message: str | None) -> None:
    """Prints a message."""
    ctx.log("null" if message is None else message)


@step("error", plugin="workflow-basic-steps")
def error(ctx: StepContext, message: str | None = None) -> None:
    """Fails the build with a message."""
    raise ctx.fail(message or "")


@step("unstable", plugin="workflow-basic-steps")
def unstable(ctx: StepContext, message: str) -> None:
    """Prints a message and makes the build and the stage UNSTABLE."""
    ctx.log(f"WARNING: {message}")
    ctx.build.set_result("UNSTABLE")
    ctx.mark_stage("UNSTABLE")


@step("sleep", plugin="workflow-basic-steps", waits=True, choices={"unit": UNITS})
def sleep(ctx: StepContext, time: int, unit: str = "SECONDS") -> None:
    """Waits for a time."""
    seconds = time * UNIT_SECONDS[check_unit(unit)]
    ctx.log(f"Sleeping for {span(seconds)}")
    ctx.sleep(seconds)


def check_unit(unit: str) -> str:
    """The unit's name; raises IllegalArgumentException for an unknown one."""
    name = str(unit).upper()
    if name not in UNIT_SECONDS:
        raise Thrown("java.lang.IllegalArgumentException", f"No enum constant java.util.concurrent.TimeUnit.{unit}")
    return name


def span(seconds: float) -> str:
    """A duration as ``hudson.Util.getTimeSpanString`` writes it."""
    ms = round(seconds * 1000)
    units = (("yr", 31536000000), ("mo", 2592000000), ("day", 86400000), ("hr", 3600000), ("min", 60000), ("sec", 1000))
    counts = {}
    for name, size in units:
        counts[name], ms = divmod(ms, size)
    for bigger, smaller in (("yr", "mo"), ("mo", "day"), ("day", "hr"), ("hr", "min"), ("min", "sec")):
        if counts[bigger]:
            # the smaller unit only shows beside a single digit of the bigger one
            return f"{counts[bigger]} {bigger}" + (f" {counts[smaller]} {smaller}" if counts[bigger] < 10 else "")
    seconds_whole = counts["sec"]
    if seconds_whole >= 10 or (seconds_whole and not ms):
        return f"{seconds_whole} sec"
    if seconds_whole:
        return _fraction(seconds_whole + ms / 1000, 1) + " sec"
    if ms >= 100:
        return _fraction(ms / 1000, 2) + " sec"
    return f"{ms} ms"


def _fraction(value: float, digits: int) -> str:
    scale = 10**digits
    return f"{int(value * scale) / scale:g}"


@step("isUnix", plugin="workflow-basic-steps", node=True, waits=False)
def is_unix(ctx: StepContext) -> bool:
    """True: the agents that cibus runs are Unix ones."""
    return True


@step("pwd", plugin="workflow-basic-steps", node=True, waits=False)
def pwd(ctx: StepContext, tmp: bool = False) -> str:
    """The current folder, or the temporary one beside it."""
    return ctx.place.shown(f"{ctx.cwd}@tmp" if tmp else str(ctx.cwd))


@step("fileExists", plugin="workflow-basic-steps", node=True)
def file_exists(ctx: StepContext, file: str) -> bool:
    """Whether a file is there."""
    if not file:
        raise Thrown("java.lang.IllegalArgumentException", "a file name is required")
    return ctx.path(file).exists()


@step("readFile", plugin="workflow-basic-steps", node=True)
def read_file(ctx: StepContext, file: str, encoding: str | None = None) -> str:
    """The text of a file; ``encoding`` Base64 for binary ones."""
    path = ctx.path(file)
    if path.is_dir():
        raise Thrown("java.io.IOException", f"{path}: Is a directory")
    data = path.read_bytes()
    if encoding == "Base64":
        return base64.b64encode(data).decode()
    return data.decode(charset(encoding), "replace")


@step("writeFile", plugin="workflow-basic-steps", node=True)
def write_file(ctx: StepContext, file: str, text: str, encoding: str | None = None) -> None:
    """Writes text to a file, making its folders; ``encoding`` Base64 for binary ones."""
    path = ctx.path(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    if encoding == "Base64":
        path.write_bytes(base64.b64decode(text))
    else:
        path.write_bytes(text.encode(charset(encoding), "replace"))


def charset(name: str | None) -> str:
    """A Java charset's name for Python; raises UnsupportedEncodingException."""
    import codecs

    try:
        return codecs.lookup(name or "utf-8").name
    except LookupError:
        raise Thrown("java.nio.charset.UnsupportedCharsetException", name) from None


@step("readTrusted", plugin="workflow-multibranch")
def read_trusted(ctx: StepContext, path: str) -> str:
    """The text of a file of the repository, at the commit that is built."""
    root = ctx.run.source.root
    if root is None:
        raise ctx.fail("‘readTrusted’ is only available when using “Multibranch Pipeline” or “Pipeline script from SCM”")
    return (root / path).read_text(encoding="utf-8")


@step("deleteDir", plugin="workflow-basic-steps", node=True)
def delete_dir(ctx: StepContext) -> None:
    """Deletes the current folder with all that is in it."""
    remove_tree(ctx.cwd)


def remove_tree(path: Path) -> None:
    """Deletes a folder; an absent one is fine."""

    def retry(function: Any, name: str, problem: Any) -> None:
        parent = Path(name).parent
        if isinstance(problem[1], FileNotFoundError):
            return
        parent.chmod(parent.stat().st_mode | 0o700)
        function(name)

    shutil.rmtree(path, onerror=retry) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)


@step("script", plugin="pipeline-model-definition", block="yes")
def script(ctx: StepContext) -> Any:
    """A block of Scripted Pipeline in a Declarative one."""
    return ctx.run_body()


def _step_name(named: Mapping[str, Any]) -> str:
    from cibus.pipeline.steps.artifacts import STEP_CLASSES

    delegate = named.get("delegate")
    target = STEP_CLASSES.get(_class(delegate)) if isinstance(delegate, Mapping) else None
    # a symbol that is a step of its own does not stand for the delegate in the log
    return target if target and target not in ("junit",) else "step"


def _class(delegate: Mapping[str, Any]) -> str:
    return str(getattr(delegate, "symbol", delegate.get("$class", ""))).rsplit(".", 1)[-1]


@step("step", plugin="workflow-basic-steps", node=True)
def general_build_step(ctx: StepContext, delegate: dict[str, Any]) -> Any:
    """``step([$class: 'X', ...])``: runs the step that the class stands for."""
    from cibus.pipeline.runtime.dispatch import _bind
    from cibus.pipeline.steps.artifacts import STEP_CLASSES

    name = _class(delegate)
    target = STEP_CLASSES.get(name)
    spec = find(target) if target else None
    if spec is None:
        raise Thrown("java.lang.UnsupportedOperationException", f"no known implementation of interface jenkins.tasks.SimpleBuildStep is named {name}")
    named = {key: value for key, value in delegate.items() if key != "$class"}
    if "<anonymous>" in named and spec.only:
        named[spec.only.name] = named.pop("<anonymous>")
    ctx.spec = spec
    return spec.function(ctx, **_bind(ctx, named))


general_build_step.shown_as = _step_name  # type: ignore[attr-defined]
