"""Consoles of freestyle and matrix builds, and how they stand beside local pipelines that were made of such jobs."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from cibus.builds.compare.console import Console
from cibus.builds.compare.tree import Node, Segment, Tree
from cibus.builds.side import Side, StageOutcome

_BUILDER = re.compile(r"\[[^\]]*\] \$ (.*)")
_KINDS = (
    (re.compile(r"(?:\S*/)?(?:ba|da|z|k)?sh(?:\.exe)? .*\.sh\b|(?:\S*/)?(?:ba|da|z)?sh -"), "Shell"),
    (re.compile(r".*\bcmd(?:\.exe)? .*\.(?:bat|cmd)\b"), "Batch"),
    (re.compile(r".*powershell|.*pwsh"), "PowerShell"),
    (re.compile(r"(?:\S*/)?mvnw?\b"), "Maven"),
    (re.compile(r"(?:\S*/)?gradlew?\b"), "Gradle"),
    (re.compile(r"(?:\S*/)?ant\b"), "Ant"),
    (re.compile(r"(?:\S*/)?python[\d.]*\b"), "Python"),
)
_AFTER = re.compile(r"Recording (?:test results|fingerprints)|Archiving artifacts|\[Checks API\]|Build step '|Finished: |Triggering |Sending e-mails|Performing Post build|Started calculate disk usage|Publishing ")
"""What the steps after a build's builders begin with."""


def is_mixed(a: Side, b: Side) -> bool:
    """One is a pipeline and the other is not."""
    return (a.kind == "pipeline") != (b.kind == "pipeline")


def script_tree(path: Path) -> Tree:
    """The tree of a freestyle build's console: a part for each builder, called by its kind and number, e.g. ``Shell 1``.

    Raises:
        CibusError: the file cannot be read.
    """
    console = Console(path, markers=False)
    root = Node("root", "")
    counts: dict[str, int] = {}
    segment, since, offsets = root.head, 0, console.scan.offsets
    number = 0
    offsets[0] = 0
    at = 0
    for lines in console.blocks(0, offsets[console.scan.lines]):
        for line in lines:
            if line.startswith(b"Started by upstream project "):  # a matrix: the next combination
                counts.clear()
            begins = _begins(line)
            if begins:
                segment.add(since, number - since)
                since = number
                offsets[number] = at
                node = Node("part", _name(begins, counts), number, root)
                root.children.append(node)
                if node.name:
                    segment, since = node.head, number + 1
                    offsets[since] = at + len(line) + 1
                else:
                    root.children.pop()
                    segment = root.tail
            number, at = number + 1, at + len(line) + 1
    segment.add(since, console.scan.lines - since)
    return Tree(root, console)


def _begins(line: bytes) -> str:
    if not line.startswith((b"[", b"Record", b"Arch", b"Build", b"Finish", b"Trigger", b"Sending", b"Perform", b"Start", b"Publish")):
        return ""
    text = line.decode("utf-8", "replace").rstrip()
    return text if _BUILDER.match(text) or _AFTER.match(text) else ""


def _name(text: str, counts: dict[str, int]) -> str:
    """What a builder is called; "" for what comes after the builders."""
    match = _BUILDER.match(text)
    if match is None:
        return ""
    kind = next((name for pattern, name in _KINDS if pattern.match(match[1])), "Command")
    counts[kind] = counts.get(kind, 0) + 1
    return f"{kind} {counts[kind]}"


_CELL = re.compile(rb"(?:.* \xc2\xbb )?(.+) completed with result (\w+)\s*")
_STATUS = {"FAILURE": "FAILED", "NOT_BUILT": "NOT_EXECUTED"}


def matrix_tree(path: Path) -> Tree:
    """The tree of a matrix build's console: its cells end in any order, so it is one bag.

    Raises:
        CibusError: the file cannot be read.
    """
    console = Console(path, markers=False)
    root = Node("root", "")
    root.bag = True
    root.head.add(0, console.scan.lines)
    return Tree(root, console)


def matrix_cells(path: Path) -> tuple[StageOutcome, ...]:
    """The cells of a matrix build with their results, as its console lists them, by name.

    Raises:
        CibusError: the file cannot be read.
    """
    with closing(Console(path, markers=False)) as console:
        lines = (line for block in console.blocks(0, console.scan.offsets[console.scan.lines]) for line in block)
        matches = [match for line in lines if (match := _CELL.fullmatch(line))]
    found = [(match[1].decode("utf-8", "replace"), match[2].decode()) for match in matches]
    return tuple(StageOutcome(name, _STATUS.get(result, result)) for name, result in sorted(found))


def cells_of(stages: tuple[StageOutcome, ...], names: frozenset[str]) -> tuple[StageOutcome, ...]:
    """Stages of a pipeline that are cells: ``DB=a,OS=linux`` and ``Matrix - DB = 'a', OS = 'linux'`` are ``a,linux``."""
    found = [replace(stage, name=",".join(_VALUE.findall(stage.name)) or stage.name) for stage in stages]
    return tuple(sorted((stage for stage in found if stage.name in names), key=lambda stage: stage.name))


_VALUE = re.compile(r"\w+ ?= ?'?([^',]*)'?")


def shared_shape(one: Tree, other: Tree) -> None:
    """Makes a freestyle build and a local pipeline comparable: of both, only what the builders printed stays."""
    for tree in (one, other):
        parts = [node for node in tree.root.walk() if _is_part(node)]
        tree.root.head, tree.root.tail, tree.root.bag = Segment(), Segment(), False
        tree.root.children = [node if node.kind == "part" else _flat(node, tree.root) for node in parts]


def _is_part(node: Node) -> bool:
    return node.kind == "part" or bool(node.kind == "step" and re.fullmatch(r"(?:Shell|Batch|PowerShell|Maven|Gradle|Ant|Python|Command) \d+", node.stage_name))


def _flat(stage: Node, root: Node) -> Node:
    """A stage with all that its steps printed as its own lines."""
    part = Node("part", stage.stage_name, stage.at, root)
    for node in stage.walk():
        for segment in (node.head, node.tail):
            part.head.runs += segment.runs
    part.head.runs.sort()
    return part
