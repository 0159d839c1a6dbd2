"""The stages of a Jenkinsfile, Declarative or scripted, without running it."""

from __future__ import annotations

from dataclasses import dataclass

from cibus.pipeline.engine.process import Engine
from cibus.pipeline.lint import Finding, lint_text
from cibus.pipeline.model.module import module_tree
from cibus.pipeline.model.read import read_pipeline
from cibus.pipeline.model.stagetree import StageNode, of_pipeline, of_script
from cibus.pipeline.model.tree import method_call, own_name


@dataclass(frozen=True)
class Stages:
    """The stages found, or the errors that keep them from being read."""

    stages: tuple[StageNode, ...]
    declarative: bool
    errors: tuple[Finding, ...] = ()


def read_stages(source: str, name: str, engine: Engine) -> Stages:
    """Reads the stages of a script."""
    checked = lint_text(source, name, engine)
    module = None if checked.errors else module_tree(engine, source)
    if module is None:
        return Stages((), True, checked.errors)
    bodies = [module.statements, *(body for _, body in module.methods)]
    for call in (method_call(statement) for body in bodies for statement in body):
        if call is not None and own_name(call) == "pipeline":
            reading = read_pipeline(call, {"methods": [name for name, _ in module.methods]}, source)
            return Stages(of_pipeline(reading.pipeline) if reading.pipeline else (), True)
    return Stages(of_script(module), False)
