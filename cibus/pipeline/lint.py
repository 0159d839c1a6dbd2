"""Linting Jenkinsfiles: Jenkins' own validation, and advice beyond it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from cibus.pipeline.engine.process import SCRIPT, Channel, Engine
from cibus.pipeline.model.advice import advice
from cibus.pipeline.model.messages import NESTED_PIPELINE
from cibus.pipeline.model.module import module_tree
from cibus.pipeline.model.read import read_outline, read_pipeline
from cibus.pipeline.model.records import Pos, Problem
from cibus.pipeline.model.tree import Node, block, descendants, method_call, own_name, pos
from cibus.pipeline.values import Thrown

Severity = Literal["error", "warning"]
_COMPILATION = "MultipleCompilationErrorsException"
_NO_CLASS = "unable to resolve class"
# how Groovy prints an error of its own or one of ours: the message may run over several lines
_ERROR = re.compile(rf"^{SCRIPT}: -?\d+: (.*?) @ line (-?\d+), column (-?\d+)\.$", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(rf"^(?={SCRIPT}: -?\d+: )", re.MULTILINE)
_COUNT = re.compile(r"^\d+ errors?\n\Z", re.MULTILINE)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or worth a look."""

    severity: Severity
    line: int
    column: int
    message: str


@dataclass(frozen=True)
class LintResult:
    """What linting a script found; ``jenkins`` is what Jenkins' validation prints."""

    name: str
    findings: tuple[Finding, ...]
    jenkins: str
    note: str = ""

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that keep the script from running."""
        return tuple(f for f in self.findings if f.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The other findings."""
        return tuple(f for f in self.findings if f.severity == "warning")


@dataclass
class _Answers:
    """Answers what a script asks while it is compiled."""

    source: str
    libraries: bool = False
    declarative: bool = False
    advice: tuple[Problem, ...] = field(default_factory=tuple)
    refused: tuple[Problem, ...] = ()

    def __call__(self, channel: Channel, name: str, args: Sequence[Any], line: int) -> Any:
        if name == "$libraries":
            self.libraries = True
            return []
        if name == "$advice":
            self.refused = tuple(Problem(text, Pos(line, column)) for line, column, text in args[1])
            return None
        return self._read(args[0], args[1]) if name == "$pipeline.read" else None

    def _read(self, tree: Node, names: Mapping[str, list[str]]) -> dict[str, Any]:
        self.declarative = True
        reading = read_pipeline(tree, names, self.source)
        if reading.pipeline is not None:
            outline, _ = read_outline(tree, self.source)
            named = self.libraries or bool(reading.pipeline.libraries) or _loads_library(tree)
            self.advice = advice(outline, tree, frozenset(names.get("methods", ())), libraries=named)
        errors = [{"m": p.message, "l": p.pos.line, "c": p.pos.column} for p in reading.problems]
        closures = sorted(reading.pipeline.closures) if reading.pipeline else []
        return {"errors": errors, "closures": closures, "model": ""}


def lint_text(source: str, name: str, engine: Engine) -> LintResult:
    """Lints a script; ``name`` is what it is called in the result."""
    answers = _Answers(source)
    before, engine.answer = engine.answer, answers
    try:
        engine.channel(0).compile(source, SCRIPT, strict=False)
        errors: list[str] = []
    except Thrown as error:
        errors = _blocks(error)
    finally:
        engine.answer = before
    module = None if errors and answers.declarative else module_tree(engine, source)
    statements = list(module.statements) if module else []
    if answers.libraries or _loads_library(statements):
        errors = [each for each in errors if _NO_CLASS not in each]
    if not errors and not answers.declarative:
        errors = [_printed(problem, source) for problem in _nested_pipelines(statements)]
    if errors:
        found = tuple(f for each in errors for f in _findings(each))
        return LintResult(name, found, "Errors encountered validating Jenkinsfile:\n" + "".join(errors))
    if not answers.declarative:
        said = f"Jenkinsfile content '{source}' did not contain the 'pipeline' step"
        return LintResult(name, _warnings(answers.refused), said, "a scripted pipeline: it compiles, no more is checked")
    warned = (*answers.advice, *_second_pipeline(statements), *answers.refused)
    return LintResult(name, _warnings(warned), "Jenkinsfile successfully validated.\n")


def _warnings(problems: tuple[Problem, ...]) -> tuple[Finding, ...]:
    return tuple(Finding("warning", p.pos.line, p.pos.column, p.message) for p in problems)


def _blocks(error: Thrown) -> list[str]:
    """The errors of a compilation as Groovy prints them, each with its place in the script."""
    if _COMPILATION not in error.class_name:
        return []  # the script compiles; making an object of it ran some of its code
    text = _COUNT.sub("", (error.message or "").removeprefix("startup failed:\n"))
    return [each for each in _BLOCK.split(text) if each]


def _findings(printed: str) -> list[Finding]:
    found = _ERROR.search(printed)
    if found is None:
        return [Finding("error", 1, 1, printed.strip())] if printed.strip() else []
    line, column = int(found[2]), int(found[3])
    return [Finding("error", max(line, 1), max(column, 1), found[1].strip())]


def _printed(problem: Problem, source: str) -> str:
    """A problem as Groovy prints it."""
    line, column = problem.pos.line, problem.pos.column
    shown = f"   {source.splitlines()[line - 1]}\n   {' ' * (column - 1)}^"
    return f"{SCRIPT}: {line}: {problem.message} @ line {line}, column {column}.\n{shown}\n\n"


def _nested_pipelines(statements: list[Node]) -> list[Problem]:
    """Pipelines in a block of something else, which Jenkins refuses."""
    found: list[Problem] = []
    for statement in statements:
        inner = block(statement)
        if inner is not None:
            if inner.name == "pipeline":
                found.append(Problem(NESTED_PIPELINE, pos(statement)))
            found += _nested_pipelines(inner.statements)
    return found


def _loads_library(tree: Any) -> bool:
    """Whether the script names a library through the ``library`` step."""
    return any(node["t"] == "call" and own_name(node) == "library" for node in descendants(tree))


def _second_pipeline(statements: list[Node]) -> list[Problem]:
    calls = [call for call in map(method_call, statements) if call is not None and own_name(call) == "pipeline"]
    return [Problem("a second pipeline block: it fails when it runs", pos(call)) for call in calls[1:]]
