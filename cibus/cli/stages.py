"""``cibus stages``."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class GraphFormat(StrEnum):
    """The languages in which stages are drawn."""

    mermaid = "mermaid"
    dot = "dot"


def stages(
    file: Annotated[Path, typer.Argument(help="The Jenkinsfile.")] = Path("Jenkinsfile"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    graph: Annotated[GraphFormat | None, typer.Option("--graph", help="Print a graph: mermaid or dot.")] = None,
) -> None:
    """Shows the stages of a pipeline: nested, parallel and matrix ones.

    Of a scripted pipeline the stages with literal names are shown.

    Examples:
        cibus stages
        cibus stages Jenkinsfile --graph mermaid
    """
    from cibus.cli.lint import read_script
    from cibus.errors import Exit, UsageError
    from cibus.pipeline.engine.process import Engine
    from cibus.pipeline.model import stagetree
    from cibus.pipeline.stages import read_stages

    if as_json and graph:
        raise UsageError("--json and --graph exclude each other")
    source = read_script(file)
    engine = Engine()
    try:
        found = read_stages(source, str(file), engine)
    finally:
        engine.close()
    if found.errors:
        print("\n".join(f"{file}:{e.line}:{e.column}: error: {e.message}" for e in found.errors), file=sys.stderr)
        raise typer.Exit(Exit.FAILED)
    if as_json:
        data = {"file": str(file), "declarative": found.declarative, "stages": stagetree.as_data(found.stages)}
        print(json.dumps(data, indent=2, ensure_ascii=False))
    elif graph:
        draw = stagetree.as_mermaid if graph is GraphFormat.mermaid else stagetree.as_dot
        print(draw(found.stages))
    else:
        print(stagetree.as_text(found.stages) or "no stages")
        if not found.declarative:
            print("scripted pipeline: best effort, stages with literal names only", file=sys.stderr)
