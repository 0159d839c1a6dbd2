"""Build parameters: declared by the script, given on the command line, seen as ``params`` and in the environment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cibus.pipeline.engine.codec import Secret

if TYPE_CHECKING:
    from cibus.pipeline.runtime.run import Run

CLASSES = {
    "StringParameterDefinition": "string",
    "TextParameterDefinition": "text",
    "BooleanParameterDefinition": "booleanParam",
    "ChoiceParameterDefinition": "choice",
    "PasswordParameterDefinition": "password",
    "CredentialsParameterDefinition": "credentials",
    "RunParameterDefinition": "run",
    "FileParameterDefinition": "file",
}


def definition(symbol: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter definition as plain data: kind, name, default, choices."""
    kind = CLASSES.get(symbol.rsplit(".", 1)[-1], symbol)
    choices = args.get("choices")
    if isinstance(choices, str):
        choices = choices.split("\n")
    default = args.get("defaultValue")
    if kind == "choice":
        default = choices[0] if choices else ""
    elif kind == "booleanParam":
        default = as_bool(default)
    elif default is None:
        default = ""
    made: dict[str, Any] = {"kind": kind, "name": str(args.get("name", "")), "default": default if isinstance(default, bool) else str(default)}
    if choices is not None:
        made["choices"] = [str(choice) for choice in choices]
    if args.get("trim") is True:
        made["trim"] = True
    return made


def as_bool(value: Any) -> bool:
    """A boolean parameter's value: true, or the text true."""
    return value is True or str(value).lower() == "true"


def typed(declared: Mapping[str, Any], text: Any) -> Any:
    """A value as ``params.X`` gives it."""
    if declared["kind"] == "booleanParam":
        return as_bool(text)
    if declared["kind"] == "password":
        return Secret(str(text))
    return str(text).strip() if declared.get("trim") else str(text)


def as_env(value: Any) -> str:
    """A value as a variable's text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def declare(run: Run, definitions: Iterable[Mapping[str, Any]]) -> None:
    """The script says what its parameters are; values are those given, else the defaults.

    On a job's first build the environment does not know them yet, only ``params`` does: the job has them from then on.
    """
    build = run.build
    build.declared = [dict(each) for each in definitions]
    known = run.known_parameters
    names = {each["name"] for each in build.declared}
    for name in [name for name in build.params if name not in names]:
        del build.params[name]
        build.env_params.pop(name, None)
        run.remark(f"parameter {name} is not declared by the script: dropped, as Jenkins does")
    secret = set()
    for each in build.declared:
        name = each["name"]
        value = typed(each, run.given[name] if name in run.given else each["default"])
        build.params[name] = value
        if known is None or name in known:
            build.env_params[name] = as_env(value)
        if each["kind"] == "password":
            secret.add(name)
        choices = each.get("choices")
        if name in run.given and choices and run.given[name] not in choices:
            run.remark(f"parameter {name}={run.given[name]} is not one of its choices ({', '.join(choices)})")
    build.secret_params = frozenset(secret)


def before_run(run: Run, declared: list[Mapping[str, Any]] | None, *, first_build: bool) -> None:
    """What is known before the script runs: from the job's last build, or from the command line alone."""
    build = run.build
    if declared is not None:
        run.known_parameters = {each["name"] for each in declared}
        for name in run.given:
            if name not in run.known_parameters:
                run.remark(f"parameter {name} is not declared by the job: dropped, as Jenkins does")
        for each in declared:
            value = typed(each, run.given[each["name"]] if each["name"] in run.given else each["default"])
            build.params[each["name"]] = value
            build.env_params[each["name"]] = as_env(value)
        build.secret_params = frozenset(each["name"] for each in declared if each["kind"] == "password")
        return
    if first_build:
        run.known_parameters = set(run.given)
    for name, text in run.given.items():
        build.params[name] = text
        build.env_params[name] = text


def apply_properties(run: Run, properties: Iterable[Any]) -> None:
    """The ``properties`` step: parameters count here, the rest is accepted."""
    for each in properties:
        if not isinstance(each, dict):
            continue
        symbol = getattr(each, "symbol", None) or str(each.get("$class", "")).rsplit(".", 1)[-1]
        if symbol in ("parameters", "ParametersDefinitionProperty"):
            listed = each.get("<anonymous>") or each.get("parameterDefinitions") or []
            declare(run, [definition(getattr(p, "symbol", None) or str(p.get("$class", "")), p) for p in listed if isinstance(p, dict)])
