"""What all readers of sections share: the problems found so far, names, values and arguments."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from cibus.pipeline.model import messages as m
from cibus.pipeline.model.outline import Args, Key, MethodCall, Pair, Val
from cibus.pipeline.model.records import Pos, Problem
from cibus.pipeline.model.symbols import BARE_AGENTS
from cibus.pipeline.model.tree import Node, name_pos, own_name, pos, source_text, string_literal

NO_PLACE = Pos(-1, -1)
UNREADABLE = "error"  # the name that Jenkins goes on with where there is none
_LONG = range(-(2**63), 2**63)
_INTEGERS = ("java.lang.Integer", "java.lang.Long", "java.math.BigInteger")
_DECIMALS = ("java.math.BigDecimal", "java.lang.Double", "java.lang.Float")


def constant(node: Node) -> Any:
    """The Python value of a constant."""
    value, cls = node["v"], node["cls"]
    if cls in _INTEGERS:
        return int(value)
    if cls in _DECIMALS:
        return Decimal(str(value))
    return value


class Reader:
    """Collects the problems met while reading, in Jenkins' order."""

    def __init__(self, source: str) -> None:
        self.problems: list[Problem] = []
        self._lines = source.split("\n")

    def error(self, where: Pos, message: str, *args: object) -> None:
        """Notes a problem."""
        self.problems.append(Problem(message.format(*args) if args else message, where))

    def text(self, node: Node) -> str:
        """The text of a node in the script."""
        return source_text(node, self._lines)

    def literal(self, node: Node) -> str:
        """The text of a string constant or bare word."""
        found = string_literal(node)
        if found is None:
            self.error(pos(node), m.EXPECTED_STRING)
        return found or UNREADABLE

    def key(self, node: Node) -> Key:
        """A name given as a string or bare word."""
        return Key(self.literal(node), pos(node))

    def method_key(self, call: Node) -> Key:
        """The name of a call, where it stands."""
        name = call["name"]
        if not isinstance(name, str):
            self.error(name_pos(call), m.EXPECTED_STRING)
        return Key(name or UNREADABLE, name_pos(call))

    def method_name(self, call: Node) -> str:
        """The name of a call that must not be one on an object."""
        name = own_name(call)
        if name is not None:
            return name
        on = call["obj"]
        on_variable = on is not None and on["t"] == "var" and on["name"] != "this"
        self.error(pos(call), m.OBJECT_CALL if on_variable else m.EXPECTED_SYMBOL)
        return UNREADABLE

    def value(self, node: Node) -> Val:
        """An argument."""
        if node["t"] == "const":
            return Val(pos(node), True, self._constant(node), node)
        if node["t"] == "var" and node["name"] in BARE_AGENTS:
            return Val(pos(node), True, node["name"], node)
        text = self.text(node)
        if text.startswith("${") and node["t"] not in ("gstring", "map"):
            self.error(pos(node), m.BARE_DOLLAR, text)
        return Val(pos(node), False, text, node)

    def _constant(self, node: Node) -> Any:
        value = constant(node)
        if node["cls"] == "java.math.BigInteger" and value not in _LONG:
            self.error(pos(node), m.BIG_INTEGER)
            return -1
        return value

    def arguments(self, args: list[Node]) -> Args:
        """The arguments of a step or condition."""
        if not args:
            return Args("named", NO_PLACE)
        first = args[0]
        if len(args) > 1:
            return Args("positional", pos(first), values=tuple(self.value(a) for a in args))
        if first["t"] != "map" or any(string_literal(e["k"]) == "$class" for e in first["entries"]):
            return Args("single", pos(first), values=(self.value(first),))
        return Args("named", pos(first), named=tuple((self.key(e["k"]), self.value(e["v"])) for e in first["entries"]))

    def call(self, call: Node, where: Pos) -> MethodCall:
        """A call as in options, with its arguments; ``where`` is its place for messages."""
        name = self.method_name(call)
        args: list[MethodCall | Pair | Val] = []
        for arg in call["args"]:
            if arg["t"] == "map":
                args += [self._pair(entry) for entry in arg["entries"]]
            elif arg["t"] == "closure":
                self.error(pos(call), m.CALL_WITH_CLOSURE)
            elif arg["t"] == "call":
                args.append(self.call(arg, pos(arg)))
            else:
                args.append(self.value(arg))
        return MethodCall(name, where, tuple(args), call)

    def _pair(self, entry: Node) -> Pair:
        key, value = self.key(entry["k"]), entry["v"]
        if value["t"] == "closure":
            self.error(pos(entry), m.CALL_WITH_CLOSURE)
            return Pair(key, None)
        if value["t"] == "call":
            return Pair(key, self.call(value, pos(value)))
        return Pair(key, self.value(value))
