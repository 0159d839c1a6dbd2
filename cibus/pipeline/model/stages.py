"""Reading stages, matrices and the pipeline itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cibus.pipeline.model import blocks, sections
from cibus.pipeline.model import messages as m
from cibus.pipeline.model.outline import (
    Axes,
    AxisOutline,
    Excludes,
    Key,
    MatrixOutline,
    PipelineOutline,
    Settings,
    StageOutline,
    StagesOutline,
    Val,
)
from cibus.pipeline.model.reader import Reader
from cibus.pipeline.model.tree import Node, block, method_call, pos

_SETTINGS = {
    "agent": sections.agent,
    "when": blocks.when,
    "post": blocks.post,
    "options": sections.options,
    "input": sections.stage_input,
    "tools": sections.tools,
    "environment": sections.environment,
}
_PIPELINE = {
    "environment": sections.environment,
    "post": blocks.post,
    "agent": sections.agent,
    "tools": sections.tools,
    "options": sections.options,
    "parameters": sections.parameters,
    "triggers": sections.triggers,
    "libraries": sections.libraries,
}


def pipeline(reader: Reader, call: Node) -> PipelineOutline:
    """The whole ``pipeline { }``."""
    read: dict[str, Any] = {}
    seen: set[str] = set()
    for statement in call["args"][-1]["stmts"]:
        where, section = pos(statement), method_call(statement)
        if section is None:
            reader.error(where, m.INVALID_SECTION, reader.text(statement))
            continue
        name = reader.method_name(section)
        if name in seen:
            reader.error(where, m.MULTIPLE_SECTION, name)
        seen.add(name)
        if name == "stages":
            read[name] = stages(reader, statement, name)
        elif name in _PIPELINE:
            read[name] = _PIPELINE[name](reader, statement)
        elif name in m.RENAMED_SECTIONS:
            reader.error(where, m.RENAMED_SECTIONS[name])
        else:
            reader.error(where, m.UNDEFINED_SECTION, name)
    return PipelineOutline(pos(call), **read)


def stages(reader: Reader, section: Node, name: str) -> StagesOutline:
    """``stages { stage(...) { } }``, or ``parallel``."""
    found = block(section)
    if found is None:
        reader.error(pos(section), m.EXPECTED_BLOCK_FOR, name)
        return StagesOutline(pos(section), ())
    read = [stage(reader, statement) for statement in found.statements]
    return StagesOutline(pos(section), tuple(s for s in read if s is not None))


def stage(reader: Reader, statement: Node) -> StageOutline | None:
    """One stage."""
    found, where = block(statement), pos(statement)
    if found is None or found.name != "stage":
        reader.error(where, m.EXPECTED_STAGE)
        return None
    args = found.call["args"]
    name = reader.literal(args[0])
    if len(args) < 2 or args[1]["t"] != "closure":
        reader.error(where, m.STAGE_WITHOUT_BLOCK)
        return StageOutline(name, where)
    return _stage_body(reader, name, statement, args[1])


def _stage_body(reader: Reader, name: str, statement: Node, body: Node) -> StageOutline:
    where = pos(statement)
    settings: dict[str, Any] = {}
    read: dict[str, Any] = {}
    for section, call, inner in _sections(reader, body, statement):
        if inner in _SETTINGS:
            settings[inner] = _SETTINGS[inner](reader, section)
        elif inner == "steps":
            read.update(_steps(reader, section))
        elif inner == "failFast":
            read["fail_fast"] = blocks.boolean(reader, call)
        elif inner in ("stages", "parallel"):
            read[inner] = stages(reader, section, inner)
        elif inner == "matrix":
            read[inner] = matrix(reader, section)
        else:
            reader.error(where, m.UNKNOWN_STAGE_SECTION, inner)
    return StageOutline(name, where, Settings(**settings), **read)


def _sections(reader: Reader, body: Node, owner: Node) -> Iterator[tuple[Node, Node, str]]:
    """The sections of a stage or matrix: statement, call and name."""
    seen: set[str] = set()
    for statement in body["stmts"]:
        call = method_call(statement)
        if call is None:
            reader.error(pos(owner), m.INVALID_STAGE_SECTION, reader.text(statement))
            continue
        name = reader.method_name(call)
        if name in seen:
            reader.error(pos(owner), m.MULTIPLE_SECTION, name)
        seen.add(name)
        yield statement, call, name


def _steps(reader: Reader, section: Node) -> dict[str, Any]:
    found = block(section)
    if found is None:
        reader.error(pos(section), m.EXPECTED_BLOCK_FOR, "steps")
        return {}
    branches, fail_fast = blocks.branches(reader, found)
    read: dict[str, Any] = {"branches": branches, "steps": found.body}
    if fail_fast:
        read["fail_fast"] = True
    return read


def matrix(reader: Reader, section: Node) -> MatrixOutline:
    """``matrix { axes { } excludes { } stages { } }``"""
    found, where = block(section), pos(section)
    if found is None:
        reader.error(where, m.EXPECTED_BLOCK_FOR, "matrix")
        return MatrixOutline(where, Settings())
    settings: dict[str, Any] = {}
    read: dict[str, Any] = {}
    for statement, _, name in _sections(reader, found.body, section):
        if name in _SETTINGS:
            settings[name] = _SETTINGS[name](reader, statement)
        elif name == "axes":
            read[name] = _axes(reader, statement, name, "axis")
        elif name == "excludes":
            read[name] = _excludes(reader, statement)
        elif name == "stages":
            read[name] = stages(reader, statement, name)
        else:
            reader.error(where, m.UNKNOWN_STAGE_SECTION, name)
    return MatrixOutline(where, Settings(**settings), **read)


def _axes(reader: Reader, section: Node, name: str, each: str) -> Axes:
    found = block(section)
    if found is None:
        reader.error(pos(section), m.EXPECTED_BLOCK_FOR, name)
        return Axes(pos(section), ())
    read = []
    for statement in found.statements:
        axis = block(statement)
        if axis is None or axis.name != each:
            reader.error(pos(statement), m.EXPECTED_BLOCK_FOR, each)
        else:
            read.append(_axis(reader, statement, axis.body, inverse_allowed=name == "exclude"))
    return Axes(pos(section), tuple(read))


def _excludes(reader: Reader, section: Node) -> Excludes:
    found = block(section)
    if found is None:
        reader.error(pos(section), m.EXPECTED_BLOCK_FOR, "excludes")
        return Excludes(pos(section), ())
    read = []
    for statement in found.statements:
        exclude = block(statement)
        if exclude is None or exclude.name != "exclude":
            reader.error(pos(statement), m.EXPECTED_BLOCK_FOR, "exclude")
        else:
            read.append(_axes(reader, statement, "exclude", "axis"))
    return Excludes(pos(section), tuple(read))


def _axis(reader: Reader, statement: Node, body: Node, *, inverse_allowed: bool) -> AxisOutline:
    where, name = pos(statement), None
    values: list[Val] = []
    inverse = False
    for _, call, inner in _sections(reader, body, statement):
        if inner == "name" and call["args"]:
            name = _axis_name(reader, call["args"][0])
        elif inner == "values" or (inner == "notValues" and inverse_allowed):
            inverse = inner == "notValues"
            values = [reader.value(arg) for arg in call["args"]]
        else:
            reader.error(where, m.UNDEFINED_SECTION, inner)
    return AxisOutline(where, name, tuple(values), inverse)


def _axis_name(reader: Reader, node: Node) -> Key:
    return reader.key(node)
