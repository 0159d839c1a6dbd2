"""The outline of a ``pipeline { }``: what was read of it, right or wrong, with the place of every part.

It is what validation looks at. Where it is found to be right, :mod:`cibus.pipeline.model.build` makes the records of it
that the runtime uses. A part that could not be read at all is left out or bears the name None.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from cibus.pipeline.model.records import Pos
from cibus.pipeline.model.tree import Node


@dataclass(frozen=True)
class Key:
    """A name in the script."""

    name: str
    pos: Pos


@dataclass(frozen=True)
class Val:
    """A value: ``value`` is what it is where ``literal``, else its text in the script."""

    pos: Pos
    literal: bool
    value: Any
    node: Node


@dataclass(frozen=True)
class Args:
    """The arguments of a step or condition."""

    kind: Literal["named", "single", "positional"]
    pos: Pos
    named: tuple[tuple[Key, Val], ...] = ()
    values: tuple[Val, ...] = ()


@dataclass(frozen=True)
class Pair:
    """A named argument of an option, parameter or trigger."""

    key: Key
    value: MethodCall | Val | None


@dataclass(frozen=True)
class MethodCall:
    """An option, parameter or trigger, or a call among their arguments."""

    name: str | None
    pos: Pos
    args: tuple[MethodCall | Pair | Val, ...] = ()
    node: Node | None = None


@dataclass(frozen=True)
class Calls:
    """A section that lists calls."""

    pos: Pos
    calls: tuple[MethodCall, ...]


@dataclass(frozen=True)
class Environment:
    """An environment section."""

    pos: Pos
    entries: tuple[tuple[Key, Node], ...]


@dataclass(frozen=True)
class Tools:
    """A tools section."""

    pos: Pos
    tools: tuple[tuple[Key, Val], ...]


@dataclass(frozen=True)
class Libraries:
    """A libraries section."""

    pos: Pos
    libs: tuple[Val, ...]


@dataclass(frozen=True)
class ClosureMap:
    """``{ key value; key { ... } }``"""

    entries: tuple[tuple[Key, ClosureMap | Val], ...]

    def last(self, name: str) -> ClosureMap | Val | None:
        """The last value given for a key, or None."""
        return next((value for key, value in reversed(self.entries) if key.name == name), None)


@dataclass(frozen=True)
class AgentOutline:
    """An agent section."""

    pos: Pos
    kind: Key | None = None
    value: ClosureMap | Val | None = None


@dataclass(frozen=True)
class Step:
    """A step; ``children`` are the steps of its ``block``, ``code`` marks a block of Groovy (``script``)."""

    name: str | None
    pos: Pos
    args: Args | None = None
    children: tuple[Step, ...] = ()
    block: bool = False
    code: bool = False


@dataclass(frozen=True)
class Branch:
    """A sequence of steps; ``body`` is the closure that holds it."""

    name: str
    pos: Pos
    steps: tuple[Step, ...]
    body: Node


@dataclass(frozen=True)
class PostCondition:
    """One condition of a post section."""

    name: str
    pos: Pos
    branch: Branch


@dataclass(frozen=True)
class Post:
    """A post section."""

    pos: Pos
    conditions: tuple[PostCondition, ...]


@dataclass(frozen=True)
class WhenCondition:
    """A condition of when; ``body`` is the closure of ``expression``."""

    name: str | None
    pos: Pos
    args: Args | None = None
    children: tuple[WhenCondition, ...] = ()
    body: Node | None = None
    code: bool = False


@dataclass(frozen=True)
class WhenOutline:
    """A when section."""

    pos: Pos
    conditions: tuple[WhenCondition, ...]
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True)
class InputOutline:
    """An input section: its fields and its parameters."""

    pos: Pos
    fields: tuple[tuple[str, Val], ...]
    parameters: tuple[MethodCall, ...]

    def get(self, name: str) -> Val | None:
        """The value of a field, or None."""
        return dict(self.fields).get(name)


@dataclass(frozen=True)
class AxisOutline:
    """An axis of a matrix or of an exclude."""

    pos: Pos
    name: Key | None
    values: tuple[Val, ...]
    inverse: bool = False


@dataclass(frozen=True)
class Axes:
    """Axes, or one exclude."""

    pos: Pos
    axes: tuple[AxisOutline, ...]


@dataclass(frozen=True)
class Excludes:
    """The excludes of a matrix."""

    pos: Pos
    excludes: tuple[Axes, ...]


@dataclass(frozen=True)
class Settings:
    """The sections that a stage and a matrix have in common."""

    agent: AgentOutline | None = None
    when: WhenOutline | None = None
    post: Post | None = None
    tools: Tools | None = None
    environment: Environment | None = None
    options: Calls | None = None
    input: InputOutline | None = None


@dataclass(frozen=True)
class MatrixOutline:
    """A matrix section."""

    pos: Pos
    settings: Settings
    axes: Axes | None = None
    excludes: Excludes | None = None
    stages: StagesOutline | None = None


@dataclass(frozen=True)
class StageOutline:
    """A stage."""

    name: str
    pos: Pos
    settings: Settings = Settings()
    fail_fast: bool = False
    branches: tuple[Branch, ...] = ()
    steps: Node | None = None
    stages: StagesOutline | None = None
    parallel: StagesOutline | None = None
    matrix: MatrixOutline | None = None


@dataclass(frozen=True)
class StagesOutline:
    """A stages or parallel section."""

    pos: Pos
    stages: tuple[StageOutline, ...]


@dataclass(frozen=True)
class PipelineOutline:
    """The pipeline block."""

    pos: Pos
    stages: StagesOutline | None = None
    post: Post | None = None
    environment: Environment | None = None
    agent: AgentOutline | None = None
    tools: Tools | None = None
    options: Calls | None = None
    parameters: Calls | None = None
    triggers: Calls | None = None
    libraries: Libraries | None = None
