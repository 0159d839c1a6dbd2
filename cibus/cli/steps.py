"""``cibus steps``."""

from __future__ import annotations

import difflib
import json
import typing
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from cibus.pipeline.steps.registry import Parameter, StepSpec

BLOCK = {"yes": "with a body", "optional": "with or without a body", "no": ""}
FIDELITY = {
    "real": "does here what it does on CI",
    "recorded": "its effect outside is recorded, not done, unless cibus.toml's [effects] allows it",
    "accepted": "is accepted and does nothing here",
}


def steps(
    name: Annotated[str | None, typer.Argument(help="A step, for its details.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Shows the steps that cibus knows, with their parameters and how true to CI they are.

    Examples:
        cibus steps
        cibus steps sh
        cibus steps --json
    """
    from cibus.pipeline.steps.registry import all_steps

    found = list(all_steps())
    if name is not None:
        found = [_find(name, found)]
    if as_json:
        data = [as_data(spec) for spec in found]
        print(json.dumps(data[0] if name is not None else data, indent=2, ensure_ascii=False))
    elif name is not None:
        print(details(found[0]))
    else:
        print(table(found))


def _find(name: str, known: list[StepSpec]) -> StepSpec:
    from cibus.errors import UsageError

    for spec in known:
        if spec.name == name:
            return spec
    lower = {spec.name.lower(): spec.name for spec in known}
    near = (
        [lower[name.lower()]]
        if name.lower() in lower
        else difflib.get_close_matches(name, list(lower.values()), 1, 0.5)
    )
    hint = f"; did you mean {near[0]}?" if near else ""
    raise UsageError(f"there is no step {name}{hint} (cibus steps lists all)")


def as_data(spec: StepSpec) -> dict[str, Any]:
    """A step as plain data."""
    return {
        "name": spec.name,
        "summary": spec.summary,
        "plugin": spec.plugin,
        "block": spec.block,
        "node": spec.node,
        "fidelity": spec.fidelity,
        "difference": spec.differs,
        "parameters": [
            {
                "name": p.name,
                "type": type_name(p.type),
                "required": p.required,
                "default": p.default,
                "choices": list(spec.choices.get(p.name, ())),
            }
            for p in spec.parameters
        ],
        "moreParameters": spec.rest,
    }


def type_name(annotation: Any) -> str:
    """A parameter's type in Groovy's words."""
    args = [each for each in typing.get_args(annotation) if each is not type(None)]
    origin = typing.get_origin(annotation)
    if origin in (list, dict):
        return {list: "List", dict: "Map"}[origin]
    if args and origin is not typing.Literal:
        return type_name(args[0]) if len(args) == 1 else "Object"
    names = {str: "String", int: "int", bool: "boolean", float: "double", list: "List", dict: "Map"}
    return names.get(
        annotation, getattr(annotation, "__name__", "Object") if isinstance(annotation, type) else "Object"
    )


def signature(spec: StepSpec) -> str:
    """A step's parameters in one line; optional ones with their defaults."""
    parts = [_parameter(p) for p in spec.parameters] + (["…"] if spec.rest else [])
    return f"({', '.join(parts)})" + (" { }" if spec.block == "yes" else " [{ }]" if spec.block == "optional" else "")


def _parameter(parameter: Parameter) -> str:
    text = f"{parameter.name}: {type_name(parameter.type)}"
    return text if parameter.required else f"{text} = {_value(parameter.default)}"


def _value(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}'" if isinstance(value, str) else str(value)


def table(found: list[StepSpec]) -> str:
    """All steps: name, fidelity, plugin, signature; cut to the terminal's width where there is one."""
    import shutil
    import sys

    name_width = max(len(spec.name) for spec in found)
    plugin_width = max(len(spec.plugin) for spec in found)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    lines = []
    for spec in found:
        mark = spec.fidelity + ("*" if spec.differs else "")
        line = f"{spec.name:{name_width}}  {mark:9}  {spec.plugin:{plugin_width}}  {signature(spec)}"
        lines.append(line[: width - 1] + "…" if width and len(line) > width else line)
    return "\n".join([*lines, "", f"{len(found)} steps; * differs from Jenkins in a way that cibus steps NAME tells"])


def details(spec: StepSpec) -> str:
    """One step in full."""
    lines = [f"{spec.name}{signature(spec)}", "", f"  {spec.summary}", ""]
    for p in spec.parameters:
        state = "required" if p.required else f"default {_value(p.default)}"
        choices = f"; one of {', '.join(spec.choices[p.name])}" if p.name in spec.choices else ""
        lines.append(f"  {p.name:20} {type_name(p.type):8} {state}{choices}")
    facts = [
        ("plugin", spec.plugin),
        ("body", BLOCK[spec.block]),
        ("agent", "needs one" if spec.node else ""),
        ("fidelity", f"{spec.fidelity}: {FIDELITY[spec.fidelity]}"),
        ("differs", spec.differs),
    ]
    return "\n".join(
        [*lines, *([""] if spec.parameters else []), *(f"  {name:10} {text}" for name, text in facts if text)]
    )
