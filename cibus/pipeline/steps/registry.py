"""The one registry of steps: a step's signature is its function's signature.

::

    @step("readFile", plugin="workflow-basic-steps")
    def read_file(ctx: StepContext, file: str, encoding: str | None = None) -> str: ...

The function's parameters bear the names, defaults and types that the step has in Jenkins; the first one is the one
that may be given without a name. ``lint`` and ``cibus steps`` read the same data.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from cibus.pipeline.steps.context import StepContext

Fidelity = Literal["real", "recorded", "accepted"]
Block = Literal["no", "yes", "optional"]

FAMILIES = (
    "archives",
    "artifacts",
    "basic",
    "builds",
    "credentials",
    "data",
    "docker",
    "files",
    "flow",
    "library",
    "nodes",
    "notify",
    "reports",
    "scm",
    "shell",
    "stash",
    "wrappers",
)


@dataclass(frozen=True)
class Parameter:
    """A parameter of a step: its name in Jenkins, its Python type, and its default where it is optional."""

    name: str
    type: Any
    required: bool
    default: Any = None

    @property
    def java_type(self) -> str:
        """The type's name in Jenkins' validation messages, e.g. ``int`` or ``class java.lang.String``."""
        return _JAVA_TYPES.get(_plain(self.type), "class java.lang.Object")


_JAVA_TYPES: dict[Any, str] = {
    str: "class java.lang.String",
    int: "int",
    bool: "boolean",
    float: "double",
    list: "interface java.util.List",
    dict: "interface java.util.Map",
}


def _plain(annotation: Any) -> Any:
    """``str`` of ``str | None`` and ``list`` of ``list[str]``."""
    args = [a for a in typing.get_args(annotation) if a is not type(None)]
    origin = typing.get_origin(annotation)
    if origin in (list, dict):
        return origin
    if args and origin not in (Literal,):
        return _plain(args[0]) if len(args) == 1 else object
    return annotation


@dataclass(frozen=True)
class StepSpec:
    """What is known of a step.

    ``node``: it needs an agent. ``waits``: in Jenkins it gives the CPS thread away (so other branches run, and the
    script's state is saved). ``shown``: what the log calls it, where that is not its name. ``quiet``: no ``[Pipeline]``
    line of its own. ``rest``: further named arguments are accepted.
    """

    name: str
    function: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    block: Block
    node: bool
    waits: bool
    plugin: str
    fidelity: Fidelity
    differs: str
    rest: bool
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (inspect.getdoc(self.function) or "").split("\n")[0]

    @property
    def only(self) -> Parameter | None:
        """The parameter that may be given without its name."""
        return self.parameters[0] if self.parameters else None


_STEPS: dict[str, StepSpec] = {}
_loaded = False


def step(
    name: str,
    *,
    plugin: str = "",
    block: Block = "no",
    node: bool = False,
    waits: bool | None = None,
    fidelity: Fidelity = "real",
    differs: str = "",
    choices: Mapping[str, tuple[str, ...]] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Registers a function as the step ``name``.

    Arguments:
        plugin: the Jenkins plugin that has the step
        block: whether it takes a body
        node: it needs an agent (a workspace); without one the step fails as in Jenkins
        waits: it is asynchronous in Jenkins; default: as ``node``
        fidelity: ``recorded`` where its effect outside is not had unless allowed, ``accepted`` where it does nothing here
        differs: in a few words, what differs from Jenkins, for the fidelity report
        choices: the values that an enum parameter takes
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        parameters, rest = _parameters(function)
        _STEPS[name] = StepSpec(
            name,
            function,
            parameters,
            block,
            node,
            node if waits is None else waits,
            plugin,
            fidelity,
            differs,
            rest,
            dict(choices or {}),
        )
        return function

    return register


def _parameters(function: Callable[..., Any]) -> tuple[tuple[Parameter, ...], bool]:
    signature = inspect.signature(function)
    hints = typing.get_type_hints(function, localns={"StepContext": object})
    found = []
    rest = False
    for parameter in list(signature.parameters.values())[1:]:
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            rest = True
            continue
        required = parameter.default is inspect.Parameter.empty
        name = parameter.name.rstrip("_")  # from_ is the step's parameter "from"
        found.append(Parameter(name, hints.get(parameter.name, Any), required, None if required else parameter.default))
    return tuple(found), rest


def find(name: str) -> StepSpec | None:
    """The step of that name, or None; imports only the family that has it."""
    found = _STEPS.get(name)
    if found is None and not _loaded:
        family = _families().get(name)
        if family is not None:
            importlib.import_module(f"cibus.pipeline.steps.{family}")
        else:
            _load()
        found = _STEPS.get(name)
    return found


@functools.cache
def _families() -> dict[str, str]:
    """Which family has which step, found in the families' source without importing them."""
    folder = Path(__file__).parent
    pattern = re.compile(r'^@step\(\s*"(\w+)"', re.MULTILINE)
    return {name: family for family in FAMILIES for name in pattern.findall((folder / f"{family}.py").read_text(encoding="utf-8"))}


def all_steps() -> Iterator[StepSpec]:
    """Every step, by name."""
    _load()
    return iter([_STEPS[name] for name in sorted(_STEPS)])


def _load() -> None:
    global _loaded
    if _loaded:
        return
    _loaded = True
    for family in FAMILIES:
        importlib.import_module(f"cibus.pipeline.steps.{family}")
    _load_plugins()


def _load_plugins() -> None:
    """Packages that add steps name a module under the entry point group ``cibus.steps``."""
    from importlib.metadata import entry_points

    for point in entry_points(group="cibus.steps"):
        point.load()


def context_type() -> type[StepContext]:
    """The class whose objects steps are given (imported late, since it imports the runtime)."""
    from cibus.pipeline.steps.context import StepContext

    return StepContext
