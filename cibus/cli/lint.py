"""``cibus lint``."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from cibus.pipeline.lint import LintResult


class LintFormat(StrEnum):
    """How findings are printed."""

    human = "human"
    jenkins = "jenkins"
    json = "json"
    sarif = "sarif"


def lint(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Jenkinsfiles to check.", show_default="Jenkinsfile")
    ] = None,
    format: Annotated[
        LintFormat,
        typer.Option("--format", help="human, json, sarif, or jenkins: what Jenkins' own validation prints."),
    ] = LintFormat.human,
) -> None:
    """Checks Jenkinsfiles as Jenkins does, with its messages, and warns of what it lets pass.

    Exit code 1: errors; 3: only warnings.

    Examples:
        cibus lint
        cibus lint ci/*.Jenkinsfile --format sarif > lint.sarif
    """
    from cibus.errors import Exit

    results = _lint_all(files or [Path("Jenkinsfile")])
    print(_RENDER[format](results))
    if any(result.errors for result in results):
        raise typer.Exit(Exit.FAILED)
    if format is not LintFormat.jenkins and any(result.warnings for result in results):
        raise typer.Exit(Exit.LOOK)


def read_script(path: Path) -> str:
    """The text of a Jenkinsfile; raises UsageError where it cannot be read."""
    from cibus.errors import UsageError

    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 text") from error


def _lint_all(paths: Sequence[Path]) -> list[LintResult]:
    scripts = [(str(path), read_script(path)) for path in paths]
    from cibus.pipeline.engine.process import Engine
    from cibus.pipeline.lint import lint_text

    engine = Engine()
    try:
        return [lint_text(source, name, engine) for name, source in scripts]
    finally:
        engine.close()


def _human(results: Sequence[LintResult]) -> str:
    lines = []
    for result in results:
        found = [f"{result.name}:{f.line}:{f.column}: {f.severity}: {f.message}" for f in result.findings]
        lines += found or [f"{result.name}: fine" + (f" ({result.note})" if result.note else "")]
    return "\n".join(lines)


def _jenkins(results: Sequence[LintResult]) -> str:
    return "\n".join(result.jenkins.removesuffix("\n") for result in results)


def _json(results: Sequence[LintResult]) -> str:
    files = [
        {
            "file": result.name,
            "valid": not result.errors,
            "note": result.note or None,
            "findings": [
                {"severity": f.severity, "line": f.line, "column": f.column, "message": f.message}
                for f in result.findings
            ],
        }
        for result in results
    ]
    return json.dumps({"files": files}, indent=2, ensure_ascii=False)


def _sarif(results: Sequence[LintResult]) -> str:
    from cibus import __version__

    rules = [
        {"id": "jenkins", "shortDescription": {"text": "What Jenkins refuses"}},
        {"id": "advice", "shortDescription": {"text": "What Jenkins lets pass although it cannot work"}},
    ]
    driver = {"name": "cibus", "version": __version__, "rules": rules}
    found = [_sarif_result(result.name, f) for result in results for f in result.findings]
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "utf16CodeUnits", "results": found}],
    }
    return json.dumps(log, indent=2, ensure_ascii=False)


def _sarif_result(name: str, finding: Any) -> dict[str, Any]:
    place = {
        "artifactLocation": {"uri": Path(name).as_posix()},
        "region": {"startLine": finding.line, "startColumn": finding.column},
    }
    return {
        "ruleId": "jenkins" if finding.severity == "error" else "advice",
        "level": finding.severity,
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": place}],
    }


_RENDER: dict[LintFormat, Callable[[Sequence[LintResult]], str]] = {
    LintFormat.human: _human,
    LintFormat.jenkins: _jenkins,
    LintFormat.json: _json,
    LintFormat.sarif: _sarif,
}
