"""A Declarative pipeline as data, with the place of every part.

The names are those of the Declarative syntax (https://www.jenkins.io/doc/book/pipeline/syntax/).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Pos:
    """A place in the script; both count from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Value:
    """An expression of the script.

    ``literal`` holds its value where ``constant`` is true (text, numbers, booleans, null, and lists and maps of them);
    otherwise the Groovy side evaluates tree node ``node``.
    """

    node: int
    pos: Pos
    text: str
    constant: bool = False
    literal: Any = None


@dataclass(frozen=True)
class Code:
    """A block of the script that runs as Groovy: ``node`` is the tree node of its closure."""

    node: int
    pos: Pos


@dataclass(frozen=True)
class Call:
    """A call as in options, parameters, triggers, tools or libraries: ``name(args, key: value) { body }``."""

    name: str
    pos: Pos
    args: tuple[Value, ...] = ()
    named: tuple[tuple[str, Value], ...] = ()
    node: int = 0  # the tree node of the whole call

    def get(self, key: str) -> Value | None:
        """The value given under a name, or None."""
        return next((value for name, value in self.named if name == key), None)


@dataclass(frozen=True)
class EnvEntry:
    """``NAME = value`` of an environment block; ``credentials`` where the value is ``credentials(id)``."""

    name: str
    pos: Pos
    value: Value
    credentials: bool = False  # then ``value`` is the id


@dataclass(frozen=True)
class Agent:
    """``kind``: any, none, label, node, docker, dockerfile, or the name of a plugin's agent type."""

    kind: str
    pos: Pos
    args: tuple[tuple[str, Value], ...] = ()

    def get(self, key: str) -> Value | None:
        """The value of an argument, or None. ``agent { label 'x' }`` and ``docker 'x'`` are given by name too."""
        return next((value for name, value in self.args if name == key), None)


@dataclass(frozen=True)
class Condition:
    """One condition of ``when``; ``children`` for allOf, anyOf and not; ``body`` for expression."""

    name: str
    pos: Pos
    args: tuple[Value, ...] = ()
    named: tuple[tuple[str, Value], ...] = ()
    children: tuple[Condition, ...] = ()
    body: Code | None = None

    def get(self, key: str) -> Value | None:
        """The value given under a name, or None."""
        return next((value for name, value in self.named if name == key), None)


@dataclass(frozen=True)
class When:
    """The ``when`` of a stage: all conditions must hold."""

    conditions: tuple[Condition, ...]
    before_agent: bool = False
    before_input: bool = False
    before_options: bool = False


@dataclass(frozen=True)
class Input:
    """The ``input`` of a stage."""

    pos: Pos
    message: Value | None = None
    id: Value | None = None
    ok: Value | None = None
    submitter: Value | None = None
    submitter_parameter: Value | None = None
    parameters: tuple[Call, ...] = ()


@dataclass(frozen=True)
class Axis:
    """An axis of a matrix, or of an exclude, where ``inverse`` means notValues."""

    name: str
    values: tuple[str, ...]
    inverse: bool = False


@dataclass(frozen=True)
class Matrix:
    """A matrix; ``cell`` is the stage that is repeated in every cell (its name is the matrix stage's)."""

    axes: tuple[Axis, ...]
    excludes: tuple[tuple[Axis, ...], ...]
    cell: Stage


@dataclass(frozen=True)
class Stage:
    """A stage; exactly one of steps, stages, parallel and matrix is given in a valid one."""

    name: str
    pos: Pos
    agent: Agent | None = None
    environment: tuple[EnvEntry, ...] = ()
    options: tuple[Call, ...] = ()
    tools: tuple[Call, ...] = ()
    when: When | None = None
    input: Input | None = None
    post: tuple[tuple[str, Code], ...] = ()
    fail_fast: bool = False
    steps: Code | None = None
    stages: tuple[Stage, ...] = ()
    parallel: tuple[Stage, ...] = ()
    matrix: Matrix | None = None

    def option(self, name: str) -> Call | None:
        """The option of that name, or None."""
        return next((call for call in self.options if call.name == name), None)


@dataclass(frozen=True)
class Pipeline:
    """The ``pipeline`` block."""

    pos: Pos
    agent: Agent
    stages: tuple[Stage, ...]
    environment: tuple[EnvEntry, ...] = ()
    options: tuple[Call, ...] = ()
    parameters: tuple[Call, ...] = ()
    triggers: tuple[Call, ...] = ()
    tools: tuple[Call, ...] = ()
    libraries: tuple[Value, ...] = ()
    post: tuple[tuple[str, Code], ...] = ()
    closures: frozenset[int] = field(default_factory=frozenset)  # tree nodes that the Groovy side must make callable

    def option(self, name: str) -> Call | None:
        """The option of that name, or None."""
        return next((call for call in self.options if call.name == name), None)

    def walk(self) -> Iterator[Stage]:
        """All stages, outer before inner, in the order of the script; a matrix's cell stands for its cells."""

        def inside(stages: tuple[Stage, ...]) -> Iterator[Stage]:
            for stage in stages:
                yield stage
                yield from inside(stage.stages)
                yield from inside(stage.parallel)
                if stage.matrix:
                    yield from inside(stage.matrix.cell.stages)

        return inside(self.stages)


@dataclass(frozen=True)
class Problem:
    """A validation error, at the line and column where Jenkins reports it."""

    message: str
    pos: Pos
