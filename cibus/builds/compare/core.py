"""Two builds in, a comparison out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from cibus.builds.compare.environment import compare_environments
from cibus.builds.compare.facts import (
    compare_agents,
    compare_artifacts,
    compare_parameters,
    compare_stages,
    compare_tests,
    compare_times,
)
from cibus.builds.compare.freestyle import cells_of, is_mixed, matrix_cells, matrix_tree, script_tree, shared_shape
from cibus.builds.compare.marked import marked_tree
from cibus.builds.compare.model import Comparison, Difference
from cibus.builds.compare.noise import Noise, own_words
from cibus.builds.compare.plain import plain_tree
from cibus.builds.compare.quoting import Quoting
from cibus.builds.compare.tools import compare_tools, tool_versions
from cibus.builds.compare.tree import Tree
from cibus.builds.compare.walk import Finding, Walk
from cibus.builds.side import Side, StageOutcome

SHOWN = 200


def compare_sides(a: Side, b: Side, *, most: int | None = SHOWN) -> Comparison:
    """Compares two builds of the same pipeline.

    Arguments:
        most: so many divergences are quoted, None for all; the total counts all of them

    Raises:
        CibusError: a console or a file of steps cannot be read.
    """
    noise = noise_of(a), noise_of(b)
    with walked(a, b) as (walk, findings, one, other):
        quoting = Quoting(a, b, one, other)
        divergences = tuple(quoting.divergence(each) for each in quoting.in_order(findings)[:most])
        unordered = tuple(dict.fromkeys(" / ".join(node.stages) or "parallel" for node in walk.unordered))
    return Comparison(
        a=a.title,
        b=b.title,
        result=Difference("result", a.result, b.result) if a.result != b.result else None,
        divergences=divergences,
        total=len(findings) + walk.more,
        stages=compare_stages(*_stages(a, b)),
        environment=compare_environments(a.environment, b.environment, noise, (a.environment_complete, b.environment_complete)),
        parameters=compare_parameters(a.parameters, b.parameters),
        tools=compare_tools(tool_versions(a.console), tool_versions(b.console)),
        tests=compare_tests(a.tests, b.tests),
        artifacts=compare_artifacts(a.artifacts, b.artifacts),
        agents=compare_agents(a, b),
        labels=tuple(dict.fromkeys([*a.missing_labels, *b.missing_labels])),
        slower=compare_times(a, b),
        unordered=unordered,
        exact=_exact(a, b),
    )


@contextmanager
def walked(a: Side, b: Side) -> Iterator[tuple[Walk, list[Finding], Tree, Tree]]:
    """The walk over both builds and what it found, while the consoles are open.

    Raises:
        CibusError: a console or a file of steps cannot be read.
    """
    exact = _exact(a, b)
    with closing(tree_of(a, exact=exact)) as one, closing(tree_of(b, exact=exact)) as other:
        if is_mixed(a, b):
            shared_shape(one, other)
        walk = Walk(one, other, (noise_of(a), noise_of(b)))
        yield walk, walk.run(), one, other


def _stages(a: Side, b: Side) -> tuple[tuple[StageOutcome, ...], tuple[StageOutcome, ...]]:
    """The stages of both; of matrix builds, their cells."""
    one, other = (matrix_cells(side.console) if side.kind == "matrix" and not side.stages else side.stages for side in (a, b))
    if a.kind == "matrix" or b.kind == "matrix":
        names = frozenset(stage.name for stage in (one if a.kind == "matrix" else other))
        return cells_of(one, names), cells_of(other, names)
    return one, other


def _exact(a: Side, b: Side) -> bool:
    return a.steps is not None and b.steps is not None and a.kind == b.kind == "pipeline"


def noise_of(side: Side) -> Noise:
    """How the lines of a build read without what differs anyway."""
    return Noise(side.roots, own_words(dict(side.environment)))


def tree_of(side: Side, *, exact: bool) -> Tree:
    """The steps of a build: from its file of steps if both sides have one, else from the console alone.

    A tree that one side knows better than the other would differ from it where the builds do not.
    """
    if side.kind == "matrix":
        return matrix_tree(side.console)
    if side.kind != "pipeline":
        return script_tree(side.console)
    if exact and side.steps is not None:
        return marked_tree(side.console, side.steps)
    return plain_tree(side.console)
