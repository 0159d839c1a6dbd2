"""What Jenkins lets pass although it cannot work, or has no effect."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from cibus.pipeline.model.outline import (
    Axes,
    Branch,
    MatrixOutline,
    PipelineOutline,
    Post,
    StageOutline,
    StagesOutline,
    Step,
    Val,
)
from cibus.pipeline.model.records import Problem
from cibus.pipeline.model.symbols import nearest
from cibus.pipeline.model.tree import Node, descendants
from cibus.pipeline.steps import registry

_CRON_FIELDS = 5
_NOT_STEPS = ("error", "script", "expression", "parallel")


def advice(read: PipelineOutline, tree: Node, methods: frozenset[str], *, libraries: bool) -> tuple[Problem, ...]:
    """Warnings about a valid pipeline; with ``libraries`` a name that is not known may be theirs."""
    own = methods | _variables(tree)
    stages = list(_stages(read.stages))
    found = chain(
        _cron(read),
        chain.from_iterable(_stage(stage) for stage in stages),
        chain.from_iterable(_step(step, own, libraries=libraries) for step in _steps(read, stages)),
    )
    return tuple(sorted(found, key=lambda problem: (problem.pos.line, problem.pos.column)))


def _stages(read: StagesOutline | None) -> Iterator[StageOutline]:
    for stage in read.stages if read else ():
        yield stage
        yield from _stages(stage.stages)
        yield from _stages(stage.parallel)
        if stage.matrix:
            yield from _stages(stage.matrix.stages)


def _steps(read: PipelineOutline, stages: list[StageOutline]) -> Iterator[Step]:
    posts = [read.post, *(s.settings.post for s in stages), *(s.matrix.settings.post for s in stages if s.matrix)]
    for branch in chain((b for s in stages for b in s.branches), _post_branches(posts)):
        for step in branch.steps:
            yield from _with_children(step)


def _post_branches(posts: list[Post | None]) -> Iterator[Branch]:
    for post in posts:
        for condition in post.conditions if post else ():
            yield condition.branch


def _with_children(step: Step) -> Iterator[Step]:
    yield step
    for child in step.children:
        yield from _with_children(child)


def _variables(tree: Node) -> frozenset[str]:
    """The names that the script assigns to; a closure in one can be called like a step."""
    return frozenset(
        node["left"]["name"]
        for node in descendants(tree)
        if node["t"] in ("decl", "bin") and node["op"] == "=" and node["left"]["t"] == "var"
    )


def _step(step: Step, own: frozenset[str], *, libraries: bool) -> Iterator[Problem]:
    if step.name is None or step.name in _NOT_STEPS or step.name in own:
        return
    spec = registry.find(step.name)
    if spec is None:
        if not libraries:
            yield Problem(_unknown(step.name), step.pos)
    elif spec.block == "yes" and not step.block:
        yield Problem(f'"{step.name}" needs a block: it fails when it runs', step.pos)
    elif spec.block == "no" and step.block:
        yield Problem(f'"{step.name}" takes no block: it fails when it runs', step.pos)


def _unknown(name: str) -> str:
    near = nearest(name, [spec.name for spec in registry.all_steps()], within=len(name) // 2)
    return f'"{name}" is not a step that cibus knows' + (f'; the nearest one is "{near}"' if near else "")


def _cron(read: PipelineOutline) -> Iterator[Problem]:
    for trigger in read.triggers.calls if read.triggers else ():
        value = trigger.args[0] if len(trigger.args) == 1 else None
        if trigger.name not in ("cron", "pollSCM") or not isinstance(value, Val) or not isinstance(value.value, str):
            continue
        if value.literal and not all(_is_cron(line) for line in value.value.splitlines()):
            yield Problem(f'"{value.value}" is not a cron expression: it has {_CRON_FIELDS} fields', value.pos)


def _is_cron(line: str) -> bool:
    line = line.strip()
    return not line or line[0] in "#@" or line.startswith("TZ=") or len(line.split()) == _CRON_FIELDS


def _stage(stage: StageOutline) -> Iterator[Problem]:
    if stage.fail_fast and not (stage.parallel or stage.matrix or len(stage.branches) > 1):
        yield Problem(f'failFast has no effect in stage "{stage.name}": it has no parallel stages', stage.pos)
    if stage.matrix:
        yield from _excludes(stage.matrix)


def _excludes(matrix: MatrixOutline) -> Iterator[Problem]:
    known = _axis_names(matrix.axes)
    for exclude in matrix.excludes.excludes if matrix.excludes else ():
        for axis in exclude.axes:
            if axis.name is not None and axis.name.name not in known:
                yield Problem(f'the matrix has no axis "{axis.name.name}": nothing is excluded', axis.name.pos)


def _axis_names(axes: Axes | None) -> set[str]:
    return {axis.name.name for axis in (axes.axes if axes else ()) if axis.name is not None}
