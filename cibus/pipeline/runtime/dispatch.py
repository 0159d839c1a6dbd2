"""A step call: which step it is, its arguments, its lines in the log, its errors."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cibus.errors import HostError
from cibus.pipeline.engine.codec import Secret, Symbol
from cibus.pipeline.events import StepEnded, StepStarted
from cibus.pipeline.runtime.masks import mask
from cibus.pipeline.steps import registry
from cibus.pipeline.steps.context import StepContext, missing_node
from cibus.pipeline.steps.registry import Parameter, StepSpec
from cibus.pipeline.steps.symbols import SYMBOLS
from cibus.pipeline.values import Closure, GString, JavaObject, PythonBody, Thrown

if TYPE_CHECKING:
    from cibus.pipeline.runtime.branch import Branch

SPEAKS_FIRST = ("sleep", "input", "lock", "waitUntil", "build")  # they print before they suspend
GLOBALS = ("currentBuild", "docker", "env", "params", "pipeline", "scm", "steps")


def call(branch: Branch, name: str, args: list[Any], line: int) -> Any:
    """Runs the step, stub or symbol of that name; raises :class:`Thrown` for what the script can catch."""
    branch.check()
    branch.run.check_croaked()
    spec = registry.find(name)
    if spec is not None:
        named, body = _split(spec, args)
        return run_step(branch, spec, named, body, line)
    stub = branch.run.config.stubs.get(name)
    if stub is not None:
        return branch.run.stubs.call(branch, stub, args, line)
    if name == "pipeline" and args and isinstance(args[-1], Closure):
        # a second pipeline block is plain Groovy, whose words then mean nothing
        return branch.invoke(args[-1])
    if name in SYMBOLS:
        return _symbol(name, args)
    return _unknown(branch, name, line)


def _split(spec: StepSpec, args: list[Any]) -> tuple[dict[str, Any], Closure | PythonBody | None]:
    """Named arguments and body out of what the script passed; raises IllegalArgumentException for what no step takes."""
    given = list(args)
    body: Closure | PythonBody | None = None
    takes_closure = any(p.type is Closure for p in spec.parameters)
    if given and isinstance(given[-1], (Closure, PythonBody)) and not takes_closure:
        body = given.pop()
    if not given:
        return {}, body
    if len(given) == 1 and isinstance(given[0], dict) and not isinstance(given[0], Symbol):
        only = spec.only
        if not (only and _wants_map(only) and only.name not in given[0]) and not _is_describable(spec, given[0]):
            return dict(given[0]), body
    if len(given) > 1:
        raise Thrown("java.lang.IllegalArgumentException", f"Expected named arguments but got {_shown(given)}")
    if spec.only is None:
        if given[0] is None:
            return {}, body
        raise Thrown("java.lang.IllegalArgumentException", f"{spec.name} takes no argument, but got {_shown(given)}")
    return {spec.only.name: given[0]}, body


def _wants_map(parameter: Parameter) -> bool:
    return parameter.java_type == "interface java.util.Map"


def _is_describable(spec: StepSpec, value: Mapping[str, Any]) -> bool:
    """``step([$class: 'X', ...])``: the map is the one argument."""
    return "$class" in value and spec.only is not None and "$class" not in {p.name for p in spec.parameters}


def run_step(branch: Branch, spec: StepSpec, named: Mapping[str, Any], body: Closure | PythonBody | None, line: int) -> Any:
    """Runs a registered step with its lines in the log."""
    run = branch.run
    if spec.block == "yes" and body is None:
        raise Thrown("java.lang.IllegalStateException", f"{spec.name} step must be called with a body")
    ctx = StepContext(run, branch, spec, run.next_id(), line, body)
    shown = _display_name(spec, named)
    scope = branch.scope
    run.bus.emit(StepStarted(ctx.id, scope.block, shown, branch.name, line, str(named.get("label") or ""), _summary(named, scope.secrets), block=body is not None or spec.name == "parallel"))
    error: Thrown | None = None
    try:
        _check_saved(ctx)
        _warn_of_interpolation(ctx, shown, named)
        _check_context(ctx)
        value = _perform(ctx, _bind(ctx, named))
        if spec.waits:
            run.baton.give_way()
        return value
    except Thrown as thrown:
        error = thrown
        raise
    finally:
        run.fidelity.step(ctx.spec.name, ctx.fidelity, [*([ctx.spec.differs] if ctx.spec.differs else []), *ctx.differs])
        run.bus.emit(StepEnded(ctx.id, shown, branch.name, ctx.opened, error.text if error else None, ctx.fidelity))


def _perform(ctx: StepContext, bound: dict[str, Any]) -> Any:
    """Calls the step's function; a dry run has a stand-in, and who debugs may have it called again."""
    options = ctx.run.options
    if options.dry_run:
        from cibus.pipeline.runtime import dryrun

        if (planned := dryrun.stand_in(ctx, bound)) is not None:
            return planned.value
    while True:
        try:
            return _at_its_place(ctx, bound)
        except OSError as problem:
            error = _java_io(problem)
            error.__cause__ = problem
        except HostError as problem:
            error = ctx.place.failed(ctx, problem)
            error.__cause__ = problem
        except Thrown as thrown:
            error = thrown
        _show_paths(ctx, error)
        choice = "abort"
        if options.on_failure == "shell":
            from cibus.pipeline.runtime import debugshell

            choice = debugshell.offer(ctx, error)
        if choice == "abort":
            raise error
        if choice == "skip":
            ctx.note_difference("it failed and was skipped by hand")
            return None


def _at_its_place(ctx: StepContext, bound: dict[str, Any]) -> Any:
    """Calls the step's function; files of another machine are fresh before it, and what it wrote gets there."""
    if not (ctx.spec.node and ctx.spec.waits):
        return ctx.spec.function(ctx, **bound)
    ctx.place.before(ctx)
    value = ctx.spec.function(ctx, **bound)
    ctx.place.after(ctx)
    return value


def _show_paths(ctx: StepContext, error: Thrown) -> None:
    """An error of a step names files where the script has them."""
    if error.handle is None and error.message:
        error.message, error.text = ctx.place.shown(error.message), ctx.place.shown(error.text)


def _display_name(spec: StepSpec, named: Mapping[str, Any]) -> str:
    """``step([$class: 'ArtifactArchiver'])`` shows as archiveArtifacts: the delegate's symbol."""
    shown = getattr(spec.function, "shown_as", None)
    return shown(named) if shown else spec.name


def _check_saved(ctx: StepContext) -> None:
    """Strict mode: where a step suspends, Jenkins saves the script; what cannot be saved ends the build."""
    if ctx.spec.waits and ctx.spec.name not in SPEAKS_FIRST:
        ctx.check_saved()


def _check_context(ctx: StepContext) -> None:
    if ctx.spec.node and ctx.scope.cwd is None:
        raise missing_node()


def _bind(ctx: StepContext, named: Mapping[str, Any]) -> dict[str, Any]:
    """The function's keyword arguments, coerced; unknown ones are reported as Jenkins does."""
    spec = ctx.spec
    known = {parameter.name: parameter for parameter in spec.parameters}
    bound: dict[str, Any] = {}
    unknown = []
    for name, value in named.items():
        parameter = known.get(name)
        if parameter is not None:
            bound[_python_name(name)] = coerce(spec, parameter, value)
        elif spec.rest:
            bound[name] = value
        elif name not in ("$class", "delegate"):
            unknown.append(name)
    if unknown:
        ctx.log(f"WARNING: Unknown parameter(s) found for class type '{spec.plugin or spec.name}': {','.join(unknown)}")
    missing = [p.name for p in spec.parameters if p.required and p.name not in named]
    if missing:
        raise Thrown("java.lang.IllegalArgumentException", f"Missing required parameter: \"{missing[0]}\"")
    return bound


def _python_name(name: str) -> str:
    import keyword

    return f"{name}_" if keyword.iskeyword(name) else name


def coerce(spec: StepSpec, parameter: Parameter, value: Any) -> Any:
    """A value as the parameter's type, by the rules of structs' DescribableModel; raises ClassCastException."""
    kind = parameter.java_type
    if value is None:
        return parameter.default if kind in ("int", "boolean", "double") else None
    if kind == "class java.lang.String":
        return _text(spec, parameter, value)
    if kind == "int":
        return _number(spec, parameter, value)
    if kind == "boolean":
        if isinstance(value, str):
            return value.lower() == "true"
        if not isinstance(value, bool):
            raise _mismatch(spec, parameter, value)
        return value
    if kind == "double" and isinstance(value, (int, float, str)):
        return float(value)
    if kind == "interface java.util.List" and not isinstance(value, list):
        return [value]
    return value


def _text(spec: StepSpec, parameter: Parameter, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, JavaObject) and isinstance(value.value, str):
        return value.value
    if isinstance(value, JavaObject) and value.class_name == "hudson.model.Result":
        return value.text
    raise _mismatch(spec, parameter, value)


def _number(spec: StepSpec, parameter: Parameter, value: Any) -> int:
    if isinstance(value, bool):
        raise _mismatch(spec, parameter, value)
    if isinstance(value, str):
        try:
            return int(value.strip())
        except ValueError:
            raise _mismatch(spec, parameter, value) from None
    try:
        return int(value)
    except (TypeError, ValueError):
        raise _mismatch(spec, parameter, value) from None


def _mismatch(spec: StepSpec, parameter: Parameter, value: Any) -> Thrown:
    wanted = parameter.java_type
    return Thrown("java.lang.ClassCastException", f"{spec.name}.{parameter.name} expects {wanted} but received {java_class(value)}")


def java_class(value: Any) -> str:
    """The Java class of a value, as error messages name it."""
    if isinstance(value, JavaObject):
        return f"class {value.class_name}"
    if isinstance(value, bool):
        return "class java.lang.Boolean"
    if isinstance(value, GString):
        return "class org.codehaus.groovy.runtime.GStringImpl"
    names = {str: "java.lang.String", int: "java.lang.Integer", float: "java.lang.Double", list: "java.util.ArrayList", dict: "java.util.LinkedHashMap"}
    return f"class {names.get(type(value), type(value).__name__)}"


def _summary(named: Mapping[str, Any], secrets: tuple[str, ...]) -> str:
    """The arguments in a few words, masked, for people."""
    text = ", ".join(_shown([value]) for value in named.values() if isinstance(value, (str, int)) and not isinstance(value, (bool, Secret)))
    return mask(text, secrets)[:200]


def _shown(values: list[Any]) -> str:
    return ", ".join(" ".join(str(value).split()) for value in values)


def _warn_of_interpolation(ctx: StepContext, shown: str, named: Mapping[str, Any]) -> None:
    """Jenkins' warning where a secret came into an argument by interpolation in Groovy."""
    sensitive = {*ctx.scope.sensitive, *ctx.build.secret_params}
    if not sensitive:
        return
    texts = [str(value) for value in _strings(dict(named)) if isinstance(value, GString)]
    if not texts:
        return
    env = ctx.run.environment.groovy(ctx.scope)
    used = [name for name in sorted(sensitive) if env.get(name) and any(env[name] in text for text in texts)]
    if used:
        ctx.log(
            f'Warning: A secret was passed to "{shown}" using Groovy String interpolation, which is insecure.\n'
            f"\t\t Affected argument(s) used the following variable(s): [{', '.join(used)}]\n"
            "\t\t See https://jenkins.io/redirect/groovy-string-interpolation for details."
        )


def _strings(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for each in value.values() for text in _strings(each)]
    if isinstance(value, list):
        return [text for each in value for text in _strings(each)]
    return []


def _symbol(name: str, args: list[Any]) -> Symbol:
    if not args:
        return Symbol(name, {})
    if len(args) == 1 and isinstance(args[0], dict) and not isinstance(args[0], Symbol):
        return Symbol(name, args[0])
    return Symbol(name, {"<anonymous>": args[0]})


def _unknown(branch: Branch, name: str, line: int) -> Any:
    """A name that nothing bears: Jenkins' error, and on the side three ways on."""
    run = branch.run
    names = [spec.name for spec in registry.all_steps()]
    if run.config.pipeline.unknown_steps == "warn":
        run.remark(f"{run.script_name}:{line}: no step named '{name}'; it did nothing and returned null (unknown steps: warn)", "warning")
        run.fidelity.step(name, "skipped", [])
        return None
    near = difflib.get_close_matches(name, names, 1, 0.7)
    run.remark(
        f"{run.script_name}:{line}: no step named '{name}'" + (f" (did you mean '{near[0]}'?)" if near else "") + ". Three ways on: "
        f"a stub in cibus.toml ([stubs.{name}] returns = ... or groovy = ...), --unknown-steps warn, or a package with the entry point group cibus.steps",
        "error",
    )
    raise Thrown(
        "java.lang.NoSuchMethodError",
        f"No such DSL method '{name}' found among steps [{', '.join(names)}] or symbols [{', '.join(sorted(SYMBOLS))}] or globals [{', '.join(GLOBALS)}]",
    )


def _java_io(problem: OSError) -> Thrown:
    """A failed file operation, as Java names it."""
    path = str(problem.filename or "")
    if isinstance(problem, FileNotFoundError):
        return Thrown("java.nio.file.NoSuchFileException", path)
    if isinstance(problem, FileExistsError):
        return Thrown("java.nio.file.FileAlreadyExistsException", path)
    if isinstance(problem, PermissionError):
        return Thrown("java.nio.file.AccessDeniedException", path)
    if problem.errno == errno.ENOSPC:
        return Thrown("java.io.IOException", "No space left on device")
    if isinstance(problem, IsADirectoryError):
        return Thrown("java.io.IOException", f"{path}: Is a directory")
    return Thrown("java.io.IOException", f"{path}: {problem.strerror}" if path else str(problem))
