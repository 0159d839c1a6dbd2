"""The syntax tree of a whole script, Declarative or not, without running it."""

from __future__ import annotations

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


def module_tree(engine: Engine, source: str, number: int = 0) -> Module | None:
    """The tree of a script; None for one that Groovy cannot parse. On a channel of its own it works beside a run."""
    found: list[Module] = []

    def answer(channel: Channel, name: str, args: list[Any], line: int) -> Any:
        if channel.branch != number:
            return before(channel, name, args, line)
        if name == "moduleSource":
            return source
        if name == "moduleTree":
            methods = tuple((m["name"], tuple(m["statements"])) for m in args[1])
            found.append(Module(tuple(args[0]), methods))
        return None

    before, engine.answer = engine.answer, answer
    try:
        channel = engine.channel(number)
        script = files("cibus.pipeline.model").joinpath("module.groovy").read_text("utf-8")
        channel.run(channel.compile(script, "module"))
    except Thrown:
        return None
    finally:
        engine.answer = before
        if number:
            engine.channel(number).end()
    return found[0] if found else None
