"""The recorded builds of a real Jenkins and their local runs, as the sides of a comparison."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from cibus.builds.side import Side, StageOutcome

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden"
_COMMIT = re.compile(r"Checking out Revision ([0-9a-f]{40})")


def golden_tool() -> ModuleType:
    """tests/tools/golden.py as a module."""
    spec = importlib.util.spec_from_file_location("golden_tool", HERE.parent / "tools" / "golden.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Case:
    """A recorded build, what golden.py says of the local run of it, and the folder which that run left."""

    name: str
    folder: Path
    want: dict[str, Any]
    kept: Path
    verdict: dict[str, Any]

    @property
    def same(self) -> bool:
        """Whether golden.py finds the log, the result and the stages the same."""
        return all(self.verdict.get(kind, True) for kind in ("result", "skeleton", "output", "report"))


def cases(modes: Iterable[str] = ("inline", "scm")) -> list[Path]:
    """The folders of the recorded builds that were made in one of the modes."""
    found = sorted(each.parent for each in GOLDEN.rglob("result.json"))
    return [each for each in found if json.loads((each / "result.json").read_text("utf-8"))["mode"] in modes]


def run_cases(folders: list[Path], kept: Path, jobs: int = 2) -> list[Case]:
    """Runs recorded builds here with golden.py, in a process of its own, and keeps the folders of the runs."""
    kept.mkdir(parents=True, exist_ok=True)
    verdicts = kept / "golden.json"
    cibus = shlex.join([sys.executable, str(HERE / "golden_run.py"), str(kept)])
    tool = [sys.executable, str(HERE.parent / "tools" / "golden.py"), "--cibus", cibus, "--jobs", str(jobs), "--timeout", "120", "--json", str(verdicts)]
    subprocess.run([*tool, *map(str, folders)], check=True, capture_output=True, timeout=1800)
    rows = {row["case"]: row for row in json.loads(verdicts.read_text("utf-8"))}
    return [_case(folder, kept, rows[f"{folder.parent.name}/{folder.name}"]) for folder in folders]


def _case(folder: Path, kept: Path, row: dict[str, Any]) -> Case:
    want = json.loads((folder / "result.json").read_text("utf-8"))
    return Case(f"{folder.parent.name}/{folder.name}", folder, want, kept / _job(want), row)


def _job(want: dict[str, Any]) -> str:
    return str(want["job"]).replace("/", "_").replace("%2F", "_")


def local_side(case: Case) -> Side:
    """The run that was made here."""
    places = json.loads((case.kept / "places.json").read_text("utf-8"))
    record = json.loads((case.kept / "build.json").read_text("utf-8"))
    spaces, repository = places["workspaces"], places["repository"]
    roots = ((f"{spaces}/{_job(case.want)}", "<WS>"), (spaces, "<ROOT>"), (f"file://{repository}", "<REPO>"), (repository, "<REPO>"))
    return Side(
        title=f"{case.name} here",
        kind="pipeline",
        result=record["result"],
        console=case.kept / "log",
        steps=case.kept / "log.steps",
        stages=tuple(StageOutcome(each["name"], each["status"], each["seconds"]) for each in record["stages"]),
        artifacts=dict.fromkeys(record["artifacts"], ""),
        roots=roots,
    )


def recorded_side(case: Case, console: Path, *, local: Side | None = None) -> Side:
    """The build that Jenkins made; its console is written to ``console``.

    The repository is made anew for each local run, so its commits are other ones than those recorded: the recorded
    ones are renamed to those of ``local``, from the last to the first (a library's checkout is not shown here). A build that is captured has the commit that is reproduced.
    """
    text = (case.folder / "console.txt").read_text("utf-8")
    if local is not None:
        ours = _COMMIT.findall(text)
        theirs = _COMMIT.findall(local.console.read_text("utf-8", errors="replace"))
        for one, other in zip(ours[::-1], theirs[::-1], strict=False):
            text = text.replace(one, other)
    console.parent.mkdir(parents=True, exist_ok=True)
    console.write_text(text, "utf-8")
    job = _job(case.want)
    spaces = [f"{base}/workspace" for base in ("/home/jenkins/agent", "/var/lib/jenkins")]
    roots = [*((f"{each}/{job}", "<WS>") for each in spaces), *((each, "<ROOT>") for each in spaces), (case.want.get("repository") or "", "<REPO>")]
    stages = tuple(StageOutcome(each["name"], each["status"]) for each in case.want.get("stages") or [])
    return Side(
        title=f"{case.name} on Jenkins",
        kind="pipeline",
        result=case.want["result"],
        console=console,
        stages=stages,
        artifacts=dict.fromkeys(case.want.get("artifacts") or [], ""),
        roots=tuple(roots),
    )
