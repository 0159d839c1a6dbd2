"""Making the runtime's values of tree nodes."""

from __future__ import annotations

from typing import Any

from cibus.pipeline.model.reader import Reader, constant
from cibus.pipeline.model.records import Call, Code, Value
from cibus.pipeline.model.tree import Node, name_pos, pos, string_literal


class NotConstantError(Exception):
    """The value has to be evaluated."""


def literal(node: Node) -> Any:
    """The Python value of a constant, or of a list or map of constants; raises NotConstantError for others."""
    kind = node["t"]
    if kind == "const":
        return constant(node)
    if kind == "list":
        return [literal(item) for item in node["items"]]
    if kind == "map":
        return {_map_key(e["k"]): literal(e["v"]) for e in node["entries"]}
    if kind == "expr" and "of" in node:
        negated = literal(node["of"])
        if isinstance(negated, str | bool) or negated is None:
            raise NotConstantError
        return -negated
    raise NotConstantError


def _map_key(node: Node) -> Any:
    key = literal(node)
    if isinstance(key, list | dict):
        raise NotConstantError
    return key


class Maker:
    """Makes values and code and remembers which nodes the Groovy side must make callable."""

    def __init__(self, reader: Reader) -> None:
        self.closures: set[int] = set()
        self._reader = reader

    def value(self, node: Node) -> Value:
        """A value."""
        text = self._reader.text(node)
        try:
            return Value(node["id"], pos(node), text, True, literal(node))
        except NotConstantError:
            self.closures.add(node["id"])
            return Value(node["id"], pos(node), text)

    def word(self, node: Node) -> Value:
        """A value where a bare word may stand for a string."""
        word = string_literal(node)
        return self.value(node) if word is None else Value(node["id"], pos(node), word, True, word)

    def code(self, closure: Node) -> Code:
        """A block."""
        self.closures.add(closure["id"])
        return Code(closure["id"], pos(closure))

    def call(self, node: Node) -> Call:
        """A call with its arguments."""
        args = [arg for arg in node["args"] if arg["t"] != "map" or (not arg["named"] and not _is_named(node, arg))]
        entries = [e for arg in node["args"] if arg not in args for e in arg["entries"]]
        return Call(
            str(node["name"]),
            name_pos(node),
            tuple(self.value(arg) for arg in args),
            tuple((str(string_literal(e["k"]) or self._reader.text(e["k"])), self.value(e["v"])) for e in entries),
            node["id"],
        )


def _is_named(call: Node, arg: Node) -> bool:
    """Whether a map is the named arguments beside unnamed ones, which Groovy puts first."""
    return len(call["args"]) > 1 and arg is call["args"][0]
