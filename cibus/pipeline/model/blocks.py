"""Reading what runs: steps, post conditions and when conditions."""

from __future__ import annotations

from cibus.pipeline.model import messages as m
from cibus.pipeline.model.outline import Args, Branch, Post, PostCondition, Step, WhenCondition, WhenOutline
from cibus.pipeline.model.reader import Reader
from cibus.pipeline.model.symbols import CONDITIONS, WHEN_FLAGS, listed
from cibus.pipeline.model.tree import Block, Node, block, method_call, name_pos, own_name, pos, string_literal


def branch(reader: Reader, name: str, body: Node) -> Branch:
    """The steps of a closure."""
    statements = body["stmts"]
    where = pos(statements[0]) if statements else pos(body)
    return Branch(name, where, tuple(step(reader, s) for s in statements), body)


def branches(reader: Reader, found: Block) -> tuple[tuple[Branch, ...], bool]:
    """The branches of a steps section (several where all it holds is ``parallel``), and whether failFast is set."""
    only = method_call(found.statements[0]) if len(found.statements) == 1 else None
    if only is not None and own_name(only) == "parallel":
        return _parallel(reader, only)
    return (branch(reader, "default", found.body),), False


def _parallel(reader: Reader, call: Node) -> tuple[tuple[Branch, ...], bool]:
    """``parallel(a: { }, b: { }, failFast: true)``"""
    given: dict[str, Node] = {}
    fail_fast = False
    args = call["args"]
    entries = args[0]["entries"] if len(args) == 1 and args[0]["t"] == "map" and args[0]["named"] else []
    for entry in entries:
        key, value = entry["k"], entry["v"]
        if string_literal(key) == "failFast":
            if value["t"] == "const" and isinstance(value["v"], bool):
                fail_fast = value["v"]
            else:
                reader.error(pos(key), m.EXPECTED_BOOLEAN, "failFast")
        elif value["t"] != "closure":
            reader.error(pos(key), m.EXPECTED_CLOSURE_OR_FAIL_FAST)
        else:
            given[reader.literal(key)] = value
    return tuple(branch(reader, name, body) for name, body in given.items()), fail_fast


def step(reader: Reader, statement: Node) -> Step:
    """One step, with the steps of its block."""
    where, call = pos(statement), method_call(statement)
    if call is None:
        reader.error(where, m.EXPECTED_STEP)
        return Step(None, where)
    name = reader.method_name(call)
    found = block(statement)
    if name in ("script", "expression"):
        if found is None:
            reader.error(where, m.STEP_WITHOUT_BLOCK, "Script" if name == "script" else "When")
        return Step(name, where, code=True)
    if found is None:
        return Step(name, where, reader.arguments(call["args"]))
    args = reader.arguments(found.args)
    return Step(name, where, args, tuple(step(reader, s) for s in found.statements), block=True)


def post(reader: Reader, section: Node) -> Post:
    """``post { always { ... } }``"""
    found = block(section)
    if found is None:
        reader.error(pos(section), m.EXPECTED_BLOCK)
        return Post(pos(section), ())
    conditions = []
    for statement in found.statements:
        condition = block(statement)
        if condition is None:
            reader.error(pos(statement), m.POST_CONDITIONS_ONLY, listed(CONDITIONS))
        else:
            steps = branch(reader, "default", condition.body)
            conditions.append(PostCondition(condition.name, pos(statement), steps))
    return Post(pos(section), tuple(conditions))


def boolean(reader: Reader, call: Node) -> bool:
    """The argument of ``failFast true`` and its like."""
    args = call["args"]
    if args and args[0]["t"] == "const" and isinstance(args[0]["v"], bool):
        return args[0]["v"]
    reader.error(name_pos(call), m.EXPECTED_BOOLEAN, reader.method_name(call))
    return False


def when(reader: Reader, section: Node) -> WhenOutline:
    """``when { ... }``"""
    found = block(section)
    if found is None:
        reader.error(pos(section), m.EXPECTED_BLOCK_FOR, "when")
        return WhenOutline(pos(section), ())
    conditions: list[WhenCondition] = []
    flags: set[str] = set()
    for statement in found.statements:
        call = method_call(statement)
        if call is None:
            reader.error(pos(section), m.EXPECTED_WHEN)
            continue
        name = reader.method_name(call)
        if name not in WHEN_FLAGS:
            conditions.append(_condition(reader, statement))
        elif boolean(reader, call):
            flags.add(name)
    return WhenOutline(pos(section), tuple(conditions), frozenset(flags))


def _condition(reader: Reader, statement: Node) -> WhenCondition:
    where, call = pos(statement), method_call(statement)
    if call is None:
        reader.error(where, m.EXPECTED_WHEN)
        return WhenCondition(None, where)
    name, found = reader.method_name(call), block(statement)
    if name == "expression":
        if found is None:
            reader.error(where, m.STEP_WITHOUT_BLOCK, "When")
        return WhenCondition(name, where, body=found.body if found else None, code=True)
    if found is None:
        return WhenCondition(name, where, reader.arguments(call["args"]))
    args: Args | None = reader.arguments(found.args) if found.args else None
    return WhenCondition(name, where, args, tuple(_condition(reader, s) for s in found.statements))
