"""A captured build as one side of a comparison."""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from cibus.builds.bundle import ARTIFACTS, CONSOLE, PACKED, STAGES, STEPS, TESTS, Bundle
from cibus.builds.packing import opened
from cibus.builds.record import CapturedBuild
from cibus.builds.side import Side, StageOutcome, TestOutcome

WORKSPACE, WORKSPACES, REPOSITORY = "<WORKSPACE>", "<WORKSPACES>", "<REPOSITORY>"


def is_bundle(path: Path) -> bool:
    """Whether a path looks like a bundle's, be it whole or not."""
    return path.name.endswith((PACKED, ".bundle")) or (path / "manifest.json").is_file()


@contextlib.contextmanager
def open_bundle(path: Path) -> Iterator[Side]:
    """A bundle's folder or file as a side.

    Raises:
        BundleError: it is damaged or not to be trusted.
        UsageError: there is none.
    """
    with opened(path) as bundle, side_of(bundle) as side:
        yield side


@contextlib.contextmanager
def side_of(bundle: Bundle) -> Iterator[Side]:
    """A bundle that is open as a side; what it needs of temporary files is gone afterwards."""
    with contextlib.ExitStack() as stack:
        console, kind = bundle.console, bundle.build.kind
        runs = sorted((bundle.folder / "runs").glob(f"*/{CONSOLE}"), key=_order(bundle))
        if kind == "matrix" and runs:  # its combinations' logs are those of freestyle builds
            place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cibus-matrix-")))
            console, kind = _joined(runs, place / CONSOLE), "freestyle"
        yield _side(bundle, console, kind)


def _side(bundle: Bundle, console: Path, kind: str) -> Side:
    build = bundle.build
    steps = bundle.folder / STEPS
    return Side(
        title=f"{build.job} #{build.number} on {build.controller}",
        kind=kind,
        result=build.result,
        console=console,
        steps=steps if steps.is_file() else None,
        stages=tuple(StageOutcome(each["name"], each["status"], each.get("seconds")) for each in bundle.json(STAGES) or ()),
        tests=None if (cases := bundle.json(TESTS)) is None else tests_by_name(cases),
        environment={**own_variables(build), **build.environment},
        environment_complete="injected" in build.environment_from.values(),
        parameters={each.name: each.value for each in build.parameters if not each.secret},
        artifacts={each["path"]: each.get("sha256") or "" for each in bundle.json(ARTIFACTS) or ()},
        labels=tuple(dict.fromkeys(label for agent in build.agents for label in agent.labels)),
        system=_system(build),
        roots=roots_of(build),
        seconds=build.seconds or None,
    )


def own_variables(build: CapturedBuild) -> dict[str, str]:
    """What a build's variables are for certain: its own names, which a script may print."""
    job = build.job.replace("/", "-")
    return {"BUILD_NUMBER": str(build.number), "BUILD_URL": build.url, "BUILD_TAG": f"jenkins-{job}-{build.number}", "JOB_NAME": build.job, "JENKINS_URL": build.controller}


def tests_by_name(cases: Iterable[Mapping[str, Any]]) -> dict[str, TestOutcome]:
    """Test cases as a bundle and a run's folder have them."""
    return {f"{each['suite']}/{each['class']}.{each['name']}": TestOutcome(each["status"].upper(), each.get("seconds"), each.get("message") or "") for each in cases}


def _system(build: CapturedBuild) -> str:
    """``Linux (amd64)`` → ``Linux amd64``."""
    found = next((agent.system for agent in build.agents if agent.system), "")
    return re.sub(r"[()]", "", found)


def roots_of(build: CapturedBuild) -> tuple[tuple[str, str], ...]:
    """The build's own folders and addresses, each with the word that stands for it on both sides."""
    found = {}
    for agent in build.agents:
        if agent.workspace:
            found[agent.workspace] = WORKSPACE
            parent = agent.workspace.rpartition("/")[0]
            if len(parent) > 1:
                found.setdefault(parent, WORKSPACES)
    found.update({each.url: REPOSITORY for each in build.checkouts if each.url})
    return tuple(sorted(found.items(), key=lambda pair: -len(pair[0])))


def _joined(runs: list[Path], target: Path) -> Path:
    """The logs of a matrix' combinations one behind the other, in the order in which they run here."""
    with target.open("wb") as out:
        for path in runs:
            with path.open("rb") as log:
                shutil.copyfileobj(log, out, 1 << 20)
    return target


def _order(bundle: Bundle) -> Any:
    script = bundle.script or ""

    def key(path: Path) -> tuple[int, str]:
        return script.find(f"stage('{path.parent.name}')"), path.parent.name

    return key
