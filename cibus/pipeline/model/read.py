"""Reading a ``pipeline { }`` block from the syntax tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cibus.pipeline.model import stages
from cibus.pipeline.model.build import Builder
from cibus.pipeline.model.outline import PipelineOutline
from cibus.pipeline.model.reader import Reader
from cibus.pipeline.model.records import Pipeline, Problem
from cibus.pipeline.model.tree import Node
from cibus.pipeline.model.validate import validate

MOST_PROBLEMS = 10  # where Groovy gives up


@dataclass(frozen=True)
class Reading:
    """What came of reading: the pipeline, or the problems in Jenkins' order where there are any."""

    pipeline: Pipeline | None
    problems: tuple[Problem, ...]


def read_outline(tree: Node, source: str = "") -> tuple[PipelineOutline, Reader]:
    """The outline of the pipeline, right or wrong, and the reader with the problems met."""
    reader = Reader(source)
    return stages.pipeline(reader, tree), reader


def read_pipeline(tree: Node, names: Mapping[str, list[str]], source: str = "") -> Reading:
    """Reads and validates the tree of a ``pipeline`` call.

    Arguments:
        tree: the call, as the Groovy side hands it over
        names: the ``imports`` and ``methods`` of the script; a method of the script is not taken for a step
        source: the script, from which some messages quote
    """
    outline, reader = read_outline(tree, source)
    problems = (*reader.problems, *validate(outline, frozenset(names.get("methods", ()))))
    if problems:
        return Reading(None, problems[:MOST_PROBLEMS])
    return Reading(Builder(reader).pipeline(outline), ())
