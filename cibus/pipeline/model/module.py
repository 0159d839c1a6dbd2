"""The syntax tree of a whole script, Declarative or not, without running it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from cibus.pipeline.engine.process import Channel, Engine
from cibus.pipeline.model.tree import Node
from cibus.pipeline.values import Thrown


@dataclass(frozen=True)
class Module:
    """A script: its statements and its methods by name."""

    statements: tuple[Node, ...]
    methods: tuple[tuple[str, tuple[Node, ...]], ...]


def module_tree(engine: Engine, source: str) -> Module | None:
    """The tree of a script; None for one that Groovy cannot parse."""
    found: list[Module] = []

    def answer(channel: Channel, name: str, args: Sequence[Any], line: int) -> Any:
        if name == "moduleSource":
            return source
        if name == "moduleTree":
            methods = tuple((m["name"], tuple(m["statements"])) for m in args[1])
            found.append(Module(tuple(args[0]), methods))
        return None

    before, engine.answer = engine.answer, answer
    try:
        channel = engine.channel(0)
        script = files("cibus.pipeline.model").joinpath("module.groovy").read_text("utf-8")
        channel.run(channel.compile(script, "module"))
    except Thrown:
        return None
    finally:
        engine.answer = before
    return found[0] if found else None
