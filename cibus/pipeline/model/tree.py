"""Matching pieces of the syntax tree as the Groovy side hands it over (``harness/cibus/Tree.groovy``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cibus.pipeline.model.records import Pos

Node = dict[str, Any]


@dataclass(frozen=True)
class Block:
    """A call on the script itself whose last argument is a closure: ``name(args) { body }``."""

    call: Node
    name: str
    body: Node

    @property
    def statements(self) -> list[Node]:
        """The statements of the body."""
        return list(self.body["stmts"])

    @property
    def args(self) -> list[Node]:
        """The arguments before the closure."""
        return list(self.call["args"][:-1])


def pos(node: Node) -> Pos:
    """Where a node begins."""
    return Pos(node["l"], node["c"])


def name_pos(call: Node) -> Pos:
    """Where the name of a call stands."""
    return Pos(call["ml"], call["mc"])


def method_call(statement: Node) -> Node | None:
    """The call that a statement consists of, or None."""
    if statement["t"] == "stmt" and statement["e"]["t"] == "call":
        return dict(statement["e"])
    return None


def own_name(call: Node) -> str | None:
    """The name of a call without an object (or with ``this``), or None."""
    on = call["obj"]
    if on is None or (on["t"] == "var" and on["name"] == "this"):
        name = call["name"]
        return name if isinstance(name, str) else None
    return None


def block(statement: Node) -> Block | None:
    """The statement as a call with a body, or None."""
    call = method_call(statement)
    if call is None or not call["args"] or call["args"][-1]["t"] != "closure":
        return None
    name = own_name(call)
    return None if name is None else Block(call, name, call["args"][-1])


def string_literal(node: Node) -> str | None:
    """The text of a string constant or of a bare word, or None."""
    if node["t"] == "const" and node["cls"] == "java.lang.String":
        return str(node["v"])
    if node["t"] == "var":
        return str(node["name"])
    return None


def source_text(node: Node, lines: list[str]) -> str:
    """The text of a node in the script; a binary expression without the spaces around its operator, as in Jenkins."""
    if node["t"] == "stmt":
        node = node["e"]
    if node["t"] in ("bin", "decl"):
        return source_text(node["left"], lines) + str(node["op"]) + source_text(node["right"], lines)
    first, last = node["l"], node["el"]
    if first < 1 or last > len(lines):
        return ""
    taken = lines[first - 1 : last]
    taken[-1] = taken[-1][: node["ec"] - 1]
    taken[0] = taken[0][node["c"] - 1 :]
    return "\n".join(line for line in taken if line).strip()


def descendants(node: Any) -> Iterator[Node]:
    """A node and all nodes within it, in the order of the script."""
    if isinstance(node, dict):
        if "t" in node:
            yield node
        for child in node.values():
            yield from descendants(child)
    elif isinstance(node, list):
        for child in node:
            yield from descendants(child)
