"""Reading the sections that hold settings: agent, environment, tools, options, parameters and the like."""

from __future__ import annotations

from cibus.pipeline.model import messages as m
from cibus.pipeline.model.outline import (
    AgentOutline,
    Calls,
    ClosureMap,
    Environment,
    InputOutline,
    Key,
    Libraries,
    MethodCall,
    Tools,
    Val,
)
from cibus.pipeline.model.reader import Reader
from cibus.pipeline.model.symbols import BARE_AGENTS, INPUT_FIELDS
from cibus.pipeline.model.tree import Node, block, method_call, own_name, pos


def environment(reader: Reader, section: Node) -> Environment:
    """``environment { NAME = value }``"""
    found = block(section)
    if found is None:
        reader.error(pos(section), m.EXPECTED_BLOCK_FOR, "environment")
        return Environment(pos(section), ())
    entries: dict[str, tuple[Key, Node]] = {}
    wrong = False
    for statement in found.statements:
        expression = statement.get("e") if statement["t"] == "stmt" else None
        if expression is None:
            wrong = True
        elif expression["t"] == "bin" and expression["op"] == "=":
            _entry(reader, expression, entries)
        else:
            _not_an_entry(reader, expression)
            wrong = True
    if wrong:
        reader.error(pos(section), m.EXPECTED_PAIRS)
    return Environment(pos(section), tuple(entries.values()))


def _entry(reader: Reader, assignment: Node, entries: dict[str, tuple[Key, Node]]) -> None:
    key, value = reader.key(assignment["left"]), assignment["right"]
    if key.name in entries:
        reader.error(key.pos, m.DUPLICATE_ENV, key.name)
    elif _environment_value(reader, value):
        entries[key.name] = (key, value)


def _environment_value(reader: Reader, value: Node) -> bool:
    kind = value["t"]
    if kind in ("const", "gstring"):
        reader.value(value)
        return True
    if kind == "call":
        _function(reader, value)
        return True
    if kind == "bin" and value["op"] == "+":
        return _concatenation(reader, value)
    reader.error(pos(value), m.INVALID_ENV_OPERATION if kind == "bin" else m.INVALID_ENV_VALUE)
    return False


def _function(reader: Reader, call: Node) -> None:
    if own_name(call) != "credentials":
        reader.value(call)
        return
    for arg in call["args"]:
        if arg["t"] in ("const", "gstring"):
            reader.value(arg)
        else:
            reader.error(pos(call), m.INVALID_FUNCTION_ARG)


def _concatenation(reader: Reader, value: Node) -> bool:
    left = value["left"]
    if left["t"] == "bin":
        if left["op"] != "+":
            reader.error(pos(left), m.INVALID_ENV_OPERATION)
            return False
        if not _concatenation(reader, left):
            return False
    else:
        _concatenated(reader, left)
    _concatenated(reader, value["right"])
    return True


def _concatenated(reader: Reader, value: Node) -> None:
    if value["t"] in ("const", "gstring"):
        reader.value(value)
    else:
        reader.error(pos(value), m.INVALID_ENV_CONCAT)


def _not_an_entry(reader: Reader, expression: Node) -> None:
    text = reader.text(expression)
    if "=" in text:
        reader.error(pos(expression), m.INVALID_ENV_NAME, text.split("=")[0].strip())
    else:
        reader.error(pos(expression), m.INVALID_ENV_EXPRESSION, text)


def tools(reader: Reader, section: Node) -> Tools:
    """``tools { type 'name' }``"""
    found = block(section)
    if found is None:
        reader.error(pos(section), m.EXPECTED_BLOCK_FOR, "tools")
        return Tools(pos(section), ())
    read: list[tuple[Key, Val]] = []
    for statement in found.statements:
        call = method_call(statement)
        if call is None:
            reader.error(pos(section), m.EXPECTED_TOOL)
            continue
        key, args = reader.method_key(call), call["args"]
        if not args:
            reader.error(key.pos, m.NO_ARG_FOR_TOOL, key.name)
        elif len(args) > 1:
            reader.error(key.pos, m.TOO_MANY_FOR_TOOL, key.name)
        else:
            read.append((key, reader.value(args[0])))
    return Tools(pos(section), tuple(read))


def options(reader: Reader, section: Node) -> Calls:
    """``options { name(...) }``"""
    return _calls(reader, section, "options", "Options", m.EXPECTED_OPTION)


def triggers(reader: Reader, section: Node) -> Calls:
    """``triggers { name(...) }``"""
    return _calls(reader, section, "triggers", "Triggers", m.EXPECTED_TRIGGER)


def parameters(reader: Reader, section: Node) -> Calls:
    """``parameters { type(...) }``"""
    return _calls(reader, section, "parameters", "Build parameters", m.EXPECTED_PARAMETER)


def _calls(reader: Reader, section: Node, name: str, what: str, expected: str) -> Calls:
    found = block(section)
    if found is None:
        reader.error(pos(section), m.EXPECTED_BLOCK_FOR, name)
        return Calls(pos(section), ())
    return Calls(pos(section), tuple(_setting(reader, s, what, expected) for s in found.statements))


def _setting(reader: Reader, statement: Node, what: str, expected: str) -> MethodCall:
    where, call = pos(statement), method_call(statement)
    if call is not None and block(statement) is None:
        return reader.call(call, where)
    if call is not None:
        reader.error(where, m.NO_BLOCKS, what)
    elif statement["t"] == "stmt" and statement["e"]["t"] == "map":
        reader.error(where, m.NO_MAPS, what)
    else:
        reader.error(where, expected)
    return MethodCall(None, where)


def libraries(reader: Reader, section: Node) -> Libraries:
    """``libraries { lib('name@version') }``"""
    found = block(section)
    if found is None:
        reader.error(pos(section), m.EXPECTED_BLOCK_FOR, "libraries")
        return Libraries(pos(section), ())
    libs: list[Val] = []
    for statement in found.statements:
        call = method_call(statement)
        if call is None or call["name"] != "lib":
            reader.error(pos(section), m.EXPECTED_LIBRARY, reader.text(statement))
        elif block(statement) is not None:
            reader.error(pos(statement), m.NO_BLOCKS, "Libraries")
        else:
            args = reader.call(call, pos(call)).args
            if len(args) == 1 and isinstance(args[0], Val):
                libs.append(args[0])
            else:
                reader.error(pos(call), m.EXPECTED_LIBRARY, reader.text(call))
    return Libraries(pos(section), tuple(libs))


def agent(reader: Reader, section: Node) -> AgentOutline:
    """``agent any`` or ``agent { type ... }``"""
    found = block(section)
    if found is None:
        return _bare_agent(reader, section)
    nothing = AgentOutline(pos(section))
    if len(found.statements) > 1:
        reader.error(pos(section), m.ONE_AGENT)
        return nothing
    call = method_call(found.statements[0]) if found.statements else None
    if call is None:
        reader.error(pos(section), m.EXPECTED_AGENT)
        return nothing
    kind = reader.method_key(call)
    value = _closure_map(reader, found.body).last(kind.name)
    if kind.name == "label" and isinstance(value, ClosureMap):
        kind = Key("node", kind.pos)
    return AgentOutline(pos(section), kind, value)


def _bare_agent(reader: Reader, section: Node) -> AgentOutline:
    nothing, call = AgentOutline(pos(section)), method_call(section)
    if call is None:
        reader.error(pos(section), m.EXPECTED_AGENT)
    elif not call["args"]:
        reader.error(pos(section), m.NO_ARG_FOR_AGENT)
    elif len(call["args"]) > 1:
        reader.error(pos(section), m.INVALID_AGENT)
    else:
        kind = reader.key(call["args"][0])
        if kind.name in BARE_AGENTS:
            return AgentOutline(pos(section), kind)
        reader.error(pos(section), m.INVALID_AGENT)
    return nothing


def _closure_map(reader: Reader, closure: Node) -> ClosureMap:
    entries: list[tuple[Key, ClosureMap | Val]] = []
    for statement in closure["stmts"]:
        call = method_call(statement)
        if call is None:
            reader.error(pos(closure), m.EXPECTED_MAP_METHOD)
            continue
        key, args = reader.method_key(call), call["args"]
        if not args:
            reader.error(key.pos, m.NO_ARG_FOR_KEY, key.name)
        elif len(args) > 1:
            reader.error(key.pos, m.TOO_MANY_FOR_KEY, key.name)
        elif args[0]["t"] == "closure":
            entries.append((key, _closure_map(reader, args[0])))
        else:
            entries.append((key, reader.value(args[0])))
    return ClosureMap(tuple(entries))


def stage_input(reader: Reader, section: Node) -> InputOutline:
    """``input { message '...' }``"""
    found = block(section)
    if found is None:
        reader.error(pos(section), m.EXPECTED_BLOCK_FOR, "input")
        return InputOutline(pos(section), (), ())
    fields: dict[str, Val] = {}
    params: list[MethodCall] = []
    seen: set[str] = set()
    for statement in found.statements:
        call = method_call(statement)
        if call is None:
            reader.error(pos(section), m.INVALID_SECTION, reader.text(statement))
            continue
        name, key, args = reader.method_name(call), reader.method_key(call), call["args"]
        if name in seen:
            reader.error(pos(section), m.MULTIPLE_SECTION, name)
        seen.add(name)
        if not args:
            reader.error(key.pos, m.NO_ARG_FOR_FIELD, name)
        elif len(args) > 1:
            reader.error(key.pos, m.TOO_MANY_FOR_FIELD, name)
        elif name == "parameters":
            params += parameters(reader, statement).calls
        elif name in INPUT_FIELDS:
            fields[name] = reader.value(args[0])
        else:
            reader.error(key.pos, m.INVALID_INPUT_FIELD, name)
    return InputOutline(pos(section), tuple(fields.items()), tuple(params))
