"""A freestyle or matrix job as a pipeline: its builders become stages, its checkout and publishers the stages around them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from cibus.builds.jobfacts import Builder, JobFacts

TITLES = {"sh": "Shell", "bat": "Batch", "powershell": "PowerShell"}


def as_pipeline(job: JobFacts) -> str:
    """The script.

    A matrix' combinations run one after another, each in a stage named as Jenkins names it (``DB=a,OS=linux``), with the
    axes as variables. Builders that are no shell steps become ``echo`` lines that say so.
    """
    body = list(_matrix(job) if job.axes else _combination(job))
    label = f"({groovy(job.label)})" if job.label else ""
    return "\n".join([f"node{label} {{", *_indented(body), "}", ""])


def combinations(job: JobFacts) -> list[tuple[tuple[str, str], ...]]:
    """A matrix' combinations, axes by name as in Jenkins' URLs."""
    axes = sorted(job.axes)
    return [tuple(zip((name for name, _ in axes), values, strict=True)) for values in itertools.product(*(values for _, values in axes))]


def combination_name(combination: tuple[tuple[str, str], ...]) -> str:
    """``DB=a,OS=linux``."""
    return ",".join(f"{name}={value}" for name, value in combination)


def stage_names(builders: tuple[Builder, ...]) -> list[str]:
    """``Shell 1``, ``Shell 2``, …: the n-th builder of its kind."""
    counts: dict[str, int] = {}
    names = []
    for each in builders:
        title = TITLES.get(each.kind, each.kind.rpartition(".")[2])
        counts[title] = counts.get(title, 0) + 1
        names.append(f"{title} {counts[title]}")
    return names


def groovy(text: str) -> str:
    """A text as a Groovy literal in single quotes."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\r", "\\r").replace("\n", "\\n")
    return f"'{escaped}'"


def _matrix(job: JobFacts) -> Iterator[str]:
    """Every combination runs, whatever becomes of the others, as in Jenkins."""
    for combination in combinations(job):
        variables = ", ".join(groovy(f"{name}={value}") for name, value in combination)
        name = combination_name(combination)
        yield "catchError(buildResult: 'FAILURE', stageResult: 'FAILURE') {"
        yield f"  stage({groovy(name)}) {{"
        yield f"    withEnv([{variables}]) {{"
        yield f"      dir({groovy(name.replace('=', '/').replace(',', '/'))}) {{"
        yield from _indented(list(_combination(job)), 4)
        yield from ("      }", "    }", "  }", "}")


def _combination(job: JobFacts) -> Iterator[str]:
    if job.url:
        yield "stage('Checkout') {"
        yield "  checkout scm"
        yield "}"
    publishers = list(_publishers(job))
    if publishers:
        yield "try {"
        yield from _indented(list(_stages(job)))
        yield "} finally {"
        yield "  stage('Publish') {"
        yield from _indented(publishers, 2)
        yield from ("  }", "}")
    else:
        yield from _stages(job)


def _stages(job: JobFacts) -> Iterator[str]:
    for name, builder in zip(stage_names(job.builders), job.builders, strict=True):
        yield f"stage({groovy(name)}) {{"
        if builder.kind in TITLES:
            yield f"  {builder.kind} {groovy(builder.command)}"
        else:
            yield f"  echo {groovy(f'{builder.kind} is not run here: only shell, batch and PowerShell builders are')}"
        yield "}"


def _publishers(job: JobFacts) -> Iterator[str]:
    for pattern in job.tests:
        yield f"junit testResults: {groovy(pattern)}, allowEmptyResults: true"
    for pattern in job.artifacts:
        yield f"archiveArtifacts artifacts: {groovy(pattern)}, allowEmptyArchive: true"


def _indented(lines: list[str], depth: int = 1) -> list[str]:
    return [("  " * depth + line) if line else line for line in lines]
