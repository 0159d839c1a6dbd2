"""Making the records that the runtime uses of the outline of a valid pipeline."""

from __future__ import annotations

from typing import Any

from cibus.pipeline.model.outline import (
    AgentOutline,
    Axes,
    Calls,
    ClosureMap,
    Environment,
    InputOutline,
    MatrixOutline,
    PipelineOutline,
    Post,
    Settings,
    StageOutline,
    StagesOutline,
    Tools,
    Val,
    WhenCondition,
    WhenOutline,
)
from cibus.pipeline.model.reader import Reader
from cibus.pipeline.model.records import (
    Agent,
    Axis,
    Call,
    Code,
    Condition,
    EnvEntry,
    Input,
    Matrix,
    Pipeline,
    Pos,
    Stage,
    Value,
    When,
)
from cibus.pipeline.model.symbols import AGENT_MODELS
from cibus.pipeline.model.tree import own_name
from cibus.pipeline.model.values import Maker

PostConditions = tuple[tuple[str, Code], ...]
_ONLY_ARGUMENT = {"dockerfile": "filename"}


class Builder:
    """Builds the records of one pipeline."""

    def __init__(self, reader: Reader) -> None:
        self.make = Maker(reader)

    def pipeline(self, read: PipelineOutline) -> Pipeline:
        """The pipeline."""
        agent = self._agent(read.agent)
        return Pipeline(
            pos=read.pos,
            agent=agent or Agent("none", read.pos),
            stages=self._stages(read.stages),
            environment=self._environment(read.environment),
            options=self._calls(read.options),
            parameters=self._calls(read.parameters),
            triggers=self._calls(read.triggers),
            tools=self._tools(read.tools),
            libraries=tuple(self.make.value(lib.node) for lib in read.libraries.libs) if read.libraries else (),
            post=self._post(read.post),
            closures=frozenset(self.make.closures),
        )

    def _agent(self, read: AgentOutline | None) -> Agent | None:
        if read is None or read.kind is None:
            return None
        kind, given = read.kind.name, read.value
        args: tuple[tuple[str, Value], ...] = ()
        if isinstance(given, ClosureMap):
            args = tuple(self._flat(given))
        elif given is not None and not (kind == "dockerfile" and given.value is True):
            model = AGENT_MODELS.get(kind)
            sole = model.sole if model else None
            args = ((sole.name if sole else _ONLY_ARGUMENT.get(kind, kind), self.make.value(given.node)),)
        return Agent(kind, read.pos, args)

    def _flat(self, given: ClosureMap) -> list[tuple[str, Value]]:
        out = []
        for key, value in given.entries:
            if isinstance(value, Val):
                out.append((key.name, self.make.value(value.node)))
            else:
                out += [(f"{key.name}.{inner}", v) for inner, v in self._flat(value)]
        return out

    def _environment(self, read: Environment | None) -> tuple[EnvEntry, ...]:
        entries = []
        for key, node in read.entries if read else ():
            credentials = node["t"] == "call" and own_name(node) == "credentials" and bool(node["args"])
            value = self.make.value(node["args"][0] if credentials else node)
            entries.append(EnvEntry(key.name, key.pos, value, credentials))
        return tuple(entries)

    def _calls(self, read: Calls | None) -> tuple[Call, ...]:
        return tuple(self.make.call(c.node) for c in (read.calls if read else ()) if c.node is not None)

    def _tools(self, read: Tools | None) -> tuple[Call, ...]:
        return tuple(Call(key.name, key.pos, (self.make.value(v.node),)) for key, v in (read.tools if read else ()))

    def _post(self, read: Post | None) -> PostConditions:
        return tuple((c.name, self.make.code(c.branch.body)) for c in (read.conditions if read else ()))

    def _when(self, read: WhenOutline | None) -> When | None:
        if read is None:
            return None
        conditions = tuple(self._condition(c) for c in read.conditions)
        flags = read.flags
        return When(conditions, "beforeAgent" in flags, "beforeInput" in flags, "beforeOptions" in flags)

    def _condition(self, read: WhenCondition) -> Condition:
        args = read.args
        return Condition(
            name=read.name or "",
            pos=read.pos,
            args=tuple(self.make.value(v.node) for v in (args.values if args else ())),
            named=tuple((k.name, self.make.value(v.node)) for k, v in (args.named if args else ())),
            children=tuple(self._condition(c) for c in read.children),
            body=self.make.code(read.body) if read.body is not None else None,
        )

    def _input(self, read: InputOutline | None) -> Input | None:
        if read is None:
            return None
        fields = {name: self.make.value(value.node) for name, value in read.fields}
        return Input(
            pos=read.pos,
            message=fields.get("message"),
            id=fields.get("id"),
            ok=fields.get("ok"),
            submitter=fields.get("submitter"),
            submitter_parameter=fields.get("submitterParameter"),
            parameters=tuple(self.make.call(p.node) for p in read.parameters if p.node is not None),
        )

    def _stages(self, read: StagesOutline | None) -> tuple[Stage, ...]:
        return tuple(self._stage(stage) for stage in (read.stages if read else ()))

    def _stage(self, read: StageOutline) -> Stage:
        made = self._with_settings(read.name, read.pos, read.settings)
        return Stage(
            **made,
            fail_fast=read.fail_fast,
            steps=self.make.code(read.steps) if read.steps is not None else None,
            stages=self._stages(read.stages),
            parallel=self._stages(read.parallel),
            matrix=self._matrix(read.name, read.matrix) if read.matrix else None,
        )

    def _with_settings(self, name: str, where: Pos, read: Settings) -> dict[str, Any]:
        return {
            "name": name,
            "pos": where,
            "agent": self._agent(read.agent),
            "environment": self._environment(read.environment),
            "options": self._calls(read.options),
            "tools": self._tools(read.tools),
            "when": self._when(read.when),
            "input": self._input(read.input),
            "post": self._post(read.post),
        }

    def _matrix(self, name: str, read: MatrixOutline) -> Matrix:
        made = self._with_settings(name, read.pos, read.settings)
        cell = Stage(**made, stages=self._stages(read.stages))
        excludes = tuple(_axes(exclude) for exclude in (read.excludes.excludes if read.excludes else ()))
        return Matrix(_axes(read.axes) if read.axes else (), excludes, cell)


def _axes(read: Axes) -> tuple[Axis, ...]:
    return tuple(
        Axis(axis.name.name if axis.name else "", tuple(_text(v) for v in axis.values), axis.inverse)
        for axis in read.axes
    )


def _text(value: Val) -> str:
    if isinstance(value.value, bool):
        return str(value.value).lower()
    return str(value.value)
