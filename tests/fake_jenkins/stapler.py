"""The remote API as Stapler makes it: exported properties, pruned by `tree` or by `depth`.

A property is written by `depth` if its visibility is high enough for how deep it is; by `tree` if it is named.
Classes are tables of properties, so that a tree query over 10,000 jobs looks nothing up twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

ALWAYS = 999  # name and url: shown however deep


@dataclass(frozen=True)
class Prop:
    """An exported property; `absent` values (None returned as `SKIP`) are left out."""

    name: str
    get: Callable[[Any, Any], Any]
    visibility: int = 1
    inline: bool = False


SKIP = object()


@dataclass(frozen=True)
class Exported:
    """An exported class."""

    props: tuple[Prop, ...]
    name: Callable[[Any], str | None]  # what `_class` says; None: not said


@dataclass(frozen=True)
class Bean:
    """A value with its exported class."""

    exported: Exported
    value: Any


@dataclass(frozen=True)
class Data:
    """A bean without behaviour of its own: recorded or made-up values; names in `hidden` need more depth."""

    cls: str | None
    values: Mapping[str, Any] = field(default_factory=dict)
    hidden: Mapping[str, int] = field(default_factory=dict)
    default: int = 1  # visibility of what `hidden` does not name
    inline: frozenset[str] = frozenset()


class TreeError(ValueError):
    """A `tree` that does not parse."""


@dataclass
class Tree:
    """A parsed `tree` expression."""

    children: dict[str, Tree] = field(default_factory=dict)
    low: int = 0
    high: int | None = None
    plans: dict[int, list[tuple[Prop, Tree]]] = field(default_factory=dict)

    def child(self, name: str) -> Tree | None:
        return self.children.get(name) or self.children.get("*")


_TOKEN = re.compile(r"[^\[\]{},\s]+|[\[\],]|\{[^}]*\}")


@lru_cache(maxsize=256)
def parse_tree(text: str) -> Tree:
    """Parses `jobs[name,url]{0,10},views[*]`."""
    tokens = _TOKEN.findall(text)
    if not tokens or "".join(tokens) != re.sub(r"\s", "", text):
        raise TreeError(text)
    root = Tree()
    rest = _parse_nodes(tokens, 0, root)
    if rest != len(tokens):
        raise TreeError(text)
    return root


def _parse_nodes(tokens: Sequence[str], at: int, into: Tree) -> int:
    while True:
        if at >= len(tokens) or tokens[at] in "[],":
            raise TreeError("a name is missing")
        node = into.children.setdefault(tokens[at], Tree())
        at += 1
        if at < len(tokens) and tokens[at] == "[":
            at = _parse_nodes(tokens, at + 1, node)
            if at >= len(tokens) or tokens[at] != "]":
                raise TreeError("] is missing")
            at += 1
        if at < len(tokens) and tokens[at].startswith("{"):
            node.low, node.high = _range(tokens[at])
            at += 1
        if at < len(tokens) and tokens[at] == ",":
            at += 1
            continue
        return at


def _range(text: str) -> tuple[int, int | None]:
    low, comma, high = text.strip("{}").partition(",")
    try:
        first = int(low or 0)
        return (first, int(high) if high else None) if comma else (first, first + 1)
    except ValueError:
        raise TreeError(text) from None


class Writer:
    """Turns beans into what json.dumps takes; `context` goes to every getter."""

    def __init__(self, context: Any) -> None:
        self._context = context

    def by_tree(self, value: Any, tree: Tree) -> Any:
        if isinstance(value, Bean):
            return self._bean_by_tree(value, tree)
        if isinstance(value, Data):
            out: dict[str, Any] = {"_class": value.cls} if value.cls else {}
            for name, inner in value.values.items():
                child = tree.child(name)
                if child is not None:
                    out[name] = self.by_tree(inner, child)
            return out
        if isinstance(value, list | tuple):
            return [self.by_tree(each, tree) for each in value[tree.low : tree.high]]
        if isinstance(value, dict):  # a map is no level of its own
            return {name: self.by_tree(each, tree) for name, each in value.items()}
        return value

    def _bean_by_tree(self, bean: Bean, tree: Tree) -> dict[str, Any]:
        exported, value, context = bean.exported, bean.value, self._context
        plan = tree.plans.get(id(exported))
        if plan is None:
            plan = [(prop, child) for prop in exported.props if (child := tree.child(prop.name)) is not None]
            tree.plans[id(exported)] = plan
        cls = exported.name(value)
        out: dict[str, Any] = {"_class": cls} if cls else {}
        for prop, child in plan:
            inner = prop.get(context, value)
            if inner is not SKIP:
                out[prop.name] = inner if type(inner) is str else self.by_tree(inner, child)
        return out

    def by_depth(self, value: Any, level: int) -> Any:
        """Writes everything that is visible at a level; the root's level is 1 - depth."""
        if isinstance(value, Bean):
            cls = value.exported.name(value.value)
            out: dict[str, Any] = {"_class": cls} if cls else {}
            for prop in value.exported.props:
                if prop.visibility >= level:
                    inner = prop.get(self._context, value.value)
                    if inner is not SKIP:
                        out[prop.name] = self.by_depth(inner, level if prop.inline else level + 1)
            return out
        if isinstance(value, Data):
            out = {"_class": value.cls} if value.cls else {}
            for name, inner in value.values.items():
                if value.hidden.get(name, value.default) >= level:
                    out[name] = self.by_depth(inner, level if name in value.inline else level + 1)
            return out
        if isinstance(value, list | tuple):
            return [self.by_depth(each, level) for each in value]
        if isinstance(value, dict):
            return {name: self.by_depth(each, level) for name, each in value.items()}
        return value


def to_json(value: Any, pretty: bool = False) -> bytes:
    """Writes JSON; astral characters as surrogate escapes, as Jenkins does."""
    text = json.dumps(value, ensure_ascii=False, **({"indent": 2} if pretty else {"separators": (",", ":")}))
    return re.sub("[\U00010000-\U0010ffff]", lambda hit: json.dumps(hit[0])[1:-1], text).encode(
        "utf-8", "surrogatepass"
    )
