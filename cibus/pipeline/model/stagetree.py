"""The stages of a pipeline as a tree, and as text, JSON or a graph."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cibus.pipeline.model.module import Module
from cibus.pipeline.model.records import Axis, Matrix, Pipeline, Stage
from cibus.pipeline.model.tree import Node, string_literal


@dataclass(frozen=True)
class StageNode:
    """A stage; ``kind`` says how its children run: steps, stages, parallel or matrix (or branch, of scripted code)."""

    name: str
    kind: str
    line: int
    children: tuple[StageNode, ...] = ()
    axes: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def label(self) -> str:
        """The name, with the axes of a matrix."""
        axes = ", ".join(f"{name}: {' '.join(values)}" for name, values in self.axes)
        return f"{self.name} [{axes}]" if axes else self.name


def of_pipeline(pipeline: Pipeline) -> tuple[StageNode, ...]:
    """The stages of a Declarative pipeline."""
    return tuple(_stage(stage) for stage in pipeline.stages)


def _stage(stage: Stage) -> StageNode:
    line = stage.pos.line
    if stage.matrix:
        return StageNode(stage.name, "matrix", line, _all(stage.matrix.cell.stages), _axes(stage.matrix))
    if stage.parallel:
        return StageNode(stage.name, "parallel", line, _all(stage.parallel))
    if stage.stages:
        return StageNode(stage.name, "stages", line, _all(stage.stages))
    return StageNode(stage.name, "steps", line)


def _all(stages: Iterable[Stage]) -> tuple[StageNode, ...]:
    return tuple(_stage(stage) for stage in stages)


def _axes(matrix: Matrix) -> tuple[tuple[str, tuple[str, ...]], ...]:
    def named(axis: Axis) -> tuple[str, tuple[str, ...]]:
        return axis.name, axis.values

    return tuple(named(axis) for axis in matrix.axes)


def of_script(module: Module) -> tuple[StageNode, ...]:
    """The stages with literal names in a scripted pipeline, its methods included, and the branches around them."""
    return (*_within(list(module.statements)), *(s for _, body in module.methods for s in _within(list(body))))


def _within(node: Any) -> Iterator[StageNode]:
    if isinstance(node, list):
        for each in node:
            yield from _within(each)
    elif isinstance(node, dict):
        if node.get("t") == "call" and node.get("name") in ("stage", "parallel"):
            yield from _staged(node)
        else:
            yield from _within([value for value in node.values() if isinstance(value, list | dict)])


def _staged(call: Node) -> Iterator[StageNode]:
    args = call["args"]
    if call["name"] == "parallel":
        yield from _branches(args)
        return
    name = string_literal(args[0]) if args and args[0]["t"] == "const" else None
    inside = tuple(_within(args))
    if name is None:
        yield from inside
    else:
        kind = "parallel" if inside and all(n.kind == "branch" for n in inside) else "stages" if inside else "steps"
        yield StageNode(name, kind, call["l"], inside)


def _branches(args: list[Node]) -> Iterator[StageNode]:
    for arg in args:
        for entry in arg.get("entries", ()):
            name = string_literal(entry["k"])
            if entry["v"]["t"] == "closure" and name is not None:
                yield StageNode(name, "branch", entry["l"], tuple(_within(entry["v"])))


def as_text(stages: Iterable[StageNode], indent: str = "") -> str:
    """One line for each stage, indented under the one it is in."""
    lines = []
    for stage in stages:
        how = f"  ({stage.kind})" if stage.kind in ("parallel", "matrix") else ""
        lines.append(f"{indent}{stage.label}{how}")
        if stage.children:
            lines.append(as_text(stage.children, indent + "  "))
    return "\n".join(lines)


def as_data(stages: Iterable[StageNode]) -> list[dict[str, Any]]:
    """Plain data for JSON."""
    return [_data(stage) for stage in stages]


def _data(stage: StageNode) -> dict[str, Any]:
    data: dict[str, Any] = {"name": stage.name, "kind": stage.kind, "line": stage.line}
    if stage.axes:
        data["axes"] = {name: list(values) for name, values in stage.axes}
    if stage.children:
        data["stages"] = as_data(stage.children)
    return data


@dataclass(frozen=True)
class Graph:
    """A graph: nodes with their texts, and edges in the order in which stages run."""

    nodes: tuple[tuple[str, str], ...]
    edges: tuple[tuple[str, str], ...]


def as_graph(stages: Iterable[StageNode]) -> Graph:
    """The stages with an edge from each to those that run after it."""
    drawing = _Drawing()
    drawing.sequence(tuple(stages), [])
    return Graph(tuple(drawing.nodes), tuple(drawing.edges))


class _Drawing:
    def __init__(self) -> None:
        self.nodes: list[tuple[str, str]] = []
        self.edges: list[tuple[str, str]] = []

    def sequence(self, stages: tuple[StageNode, ...], before: list[str]) -> list[str]:
        """Draws stages one after the other; gives the nodes at their end."""
        for stage in stages:
            before = self.stage(stage, before)
        return before

    def stage(self, stage: StageNode, before: list[str]) -> list[str]:
        """Draws a stage and what is in it; gives the nodes at its end."""
        node = f"s{len(self.nodes)}"
        self.nodes.append((node, stage.label))
        self.edges += [(each, node) for each in before]
        if stage.kind != "parallel":
            return self.sequence(stage.children, [node])
        return [end for child in stage.children for end in self.stage(child, [node])] or [node]


def as_mermaid(stages: Iterable[StageNode]) -> str:
    """A Mermaid flowchart."""
    graph = as_graph(stages)
    nodes = [f'  {node}["{text.replace(chr(34), "#quot;")}"]' for node, text in graph.nodes]
    return "\n".join(["flowchart LR", *nodes, *(f"  {a} --> {b}" for a, b in graph.edges)])


def as_dot(stages: Iterable[StageNode]) -> str:
    """A Graphviz digraph."""
    graph = as_graph(stages)
    nodes = [f"  {node} [label={json.dumps(text, ensure_ascii=False)}];" for node, text in graph.nodes]
    edges = [f"  {a} -> {b};" for a, b in graph.edges]
    return "\n".join(["digraph stages {", "  rankdir=LR;", "  node [shape=box];", *nodes, *edges, "}"])
