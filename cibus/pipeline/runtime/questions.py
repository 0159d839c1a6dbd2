"""What the Groovy side asks for that is not a step: names, the environment, objects, libraries, the pipeline block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cibus.pipeline.engine.codec import JavaHashMap, RemoteRef
from cibus.pipeline.engine.process import SCRIPT
from cibus.pipeline.runtime import dispatch, headstart
from cibus.pipeline.runtime.declarative import Declarative
from cibus.pipeline.runtime.objects import Call
from cibus.pipeline.values import NewObject, Thrown

if TYPE_CHECKING:
    from cibus.pipeline.runtime.branch import Branch
    from cibus.pipeline.runtime.run import Run

MISSING = NewObject("Missing")


def answer(run: Run, branch: Branch, name: str, args: list[Any], line: int) -> Any:
    """Answers a question (its name begins with ``$``) or runs a step."""
    if not name.startswith("$"):
        return dispatch.call(branch, name, [_object(run, each) for each in args], line)
    return _QUESTIONS[name](run, branch, *args)


def _object(run: Run, value: Any) -> Any:
    """A Python object in place of the reference that came from the script."""
    if isinstance(value, RemoteRef):
        return run.objects.find(value)
    if type(value) is dict:
        return {key: _object(run, each) for key, each in value.items()}
    return value


def _env(run: Run, branch: Branch, name: str) -> Any:
    resolve = branch.scope.resolve
    if resolve is not None:
        found = resolve(name)
        if found is not None:
            return found
    return run.environment.lookup(branch.scope, name)


def _set_env(run: Run, branch: Branch, name: str, value: str) -> None:
    run.environment.assigned[name] = value


def _variable(run: Run, branch: Branch, name: str) -> Any:
    if name == "currentBuild":
        return run.objects.current
    if name == "docker":
        return run.objects.docker()
    if name == "scm":
        return run.objects.scm()
    found = _env(run, branch, name)
    if found is not None:
        return found
    # inside an environment block an unknown name is the text null
    return None if branch.scope.resolve is not None else MISSING


def _get(run: Run, branch: Branch, id: int, name: str) -> Any:
    return run.objects.find(id).get(name)


def _set(run: Run, branch: Branch, id: int, name: str, value: Any) -> None:
    run.objects.find(id).set(name, value)


def _invoke(run: Run, branch: Branch, id: int, name: str, args: list[Any]) -> Any:
    branch.check()
    return run.objects.find(id).invoke(Call(branch, run, 0), name, args)


def _libraries(run: Run, branch: Branch, names: list[str]) -> Any:
    try:
        return [info for info in (run.libraries.load(name) for name in names) if info is not None]
    except Thrown as error:
        branch.log(f"ERROR: {error.message}\n")
        return None


def _read(run: Run, branch: Branch, tree: dict[str, Any], names: dict[str, list[str]], alone: bool) -> Any:
    if run.ahead is not None and alone:
        return run.ahead.reading()
    from cibus.pipeline.model.read import read_pipeline

    reading = read_pipeline(tree, names, run.text)
    problems = [{"m": p.message, "l": p.pos.line, "c": p.pos.column} for p in reading.problems]
    if reading.pipeline is None:
        return {"errors": problems, "closures": [], "model": ""}
    run.trees.append(tree)
    run.models.append(reading.pipeline)
    if alone and not problems:
        headstart.remember(run, tree, reading.pipeline)
    return {"errors": problems, "closures": sorted(reading.pipeline.closures), "model": str(len(run.models) - 1)}


def _advice(run: Run, branch: Branch, name: str, found: list[list[Any]]) -> None:
    """What Jenkins refuses and plain Groovy runs: said once, with its place."""
    file = run.script_name if name == SCRIPT else name
    for line, column, text in found:
        run.remark(f"{file}:{line}:{column}: {text}")
        run.fidelity.differs(f"line {line}: {text}")


def _pipeline(run: Run, branch: Branch, model: str, closures: dict[str, Any]) -> None:
    Declarative(run, run.models[int(model)], closures, branch).execute()


_QUESTIONS: dict[str, Any] = {
    "$env": _env,
    "$setenv": _set_env,
    "$environment": lambda run, branch: dict(sorted(run.environment.groovy(branch.scope).items(), key=lambda pair: pair[0].lower())),
    "$variable": _variable,
    "$params": lambda run, branch: JavaHashMap(run.build.params),
    "$get": _get,
    "$set": _set,
    "$invoke": _invoke,
    "$libraries": _libraries,
    "$pipeline.read": _read,
    "$pipeline.run": _pipeline,
    "$advice": _advice,
    "$log": lambda run, branch, text: branch.log(text + "\n"),
}
