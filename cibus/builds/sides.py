"""The builds that a command line names, opened to be compared.

A word that stands for the same thing in both builds takes the place of folders and addresses (``Side.roots``):
:data:`WORKSPACE` for the job's workspace, :data:`WORKSPACES` for the folder of all of them, :data:`REPOSITORY` for
where the sources come from, :data:`HOME` for the home of the user that steps run as.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from cibus.builds.bundle import digest_of
from cibus.builds.bundleside import REPOSITORY, WORKSPACE, WORKSPACES, is_bundle, open_bundle, tests_by_name
from cibus.builds.reproduce import reproduced
from cibus.builds.side import Side, StageOutcome, TestOutcome
from cibus.errors import CibusError, UsageError
from cibus.history import History, PastBuild, build_in, state_folder

HOME = "<HOME>"

Opener = Callable[[str, Path | None], AbstractContextManager[Side] | None]


@contextmanager
def open_side(text: str, state_dir: Path | None) -> Iterator[Side]:
    """Opens what a word on the command line names; what it needs of temporary files is gone afterwards.

    Arguments:
        text: a captured build (its folder or ``.tar.zst``), or a run here (``last``, ``JOB#N``, ``#N``, or its folder)
        state_dir: where runs are kept; None for the state folder of this repository

    Raises:
        UsageError: there is no such build.
    """
    for opener in _OPENERS:
        opened = opener(text, state_dir)
        if opened is not None:
            with opened as side:
                yield side
            return
    raise UsageError(f"{text}: there is no such build; give a captured build, or a run here: JOB#N, #N, last, or its folder")


def _folder(text: str, state_dir: Path | None) -> AbstractContextManager[Side] | None:
    """A run's folder."""
    build = build_in(Path(text)) if Path(text).is_dir() else None
    return _run(build) if build is not None else None


def _kept(text: str, state_dir: Path | None) -> AbstractContextManager[Side] | None:
    """A run in the state folder."""
    if text != "last" and not text.rpartition("#")[2].isdigit():
        return None
    history = History(state_dir or state_folder(Path("Jenkinsfile")))
    if text == "last" and state_dir is None:
        return _run(_newest(history))
    return _run(history.find(text))


def _newest(history: History) -> PastBuild:
    """The last run, be it one of this repository or a reproduced one."""
    found = [build for each in (history, *reproduced()) for build in each.every()[:1]]
    return max(found, key=lambda build: float(build.record.get("started", 0))) if found else history.find("last")


@contextmanager
def _run(build: PastBuild) -> Iterator[Side]:
    yield side_of_run(build)


def _captured(text: str, state_dir: Path | None) -> AbstractContextManager[Side] | None:
    """A captured build."""
    return open_bundle(Path(text)) if is_bundle(Path(text)) else None


_OPENERS: tuple[Opener, ...] = (_captured, _folder, _kept)


def side_of_run(build: PastBuild) -> Side:
    """A run that was made here.

    Raises:
        CibusError: its log is not there, or a file of it cannot be read.
    """
    record, folder = build.record, build.folder
    log, steps = folder / "log", folder / "log.steps"
    if not log.is_file():
        raise CibusError(f"{log}: the run's log is not there")
    environment = {str(key): str(value) for key, value in (record.get("environment") or {}).items()}
    return Side(
        title=f"{record['job']} #{build.number} here",
        kind="pipeline",
        result=build.result,
        console=log,
        steps=steps if steps.is_file() else None,
        stages=tuple(StageOutcome(each["name"], each["status"], each.get("seconds")) for each in record.get("stages") or []),
        tests=_tests(folder, record),
        environment=environment,
        parameters={str(key): str(value) for key, value in (record.get("parameters") or {}).items()},
        artifacts=_artifacts(folder / "artifacts"),
        missing_labels=tuple(record.get("missing_labels") or ()),
        system=this_system(),
        roots=_roots(record, environment),
        seconds=record.get("seconds"),
    )


def this_system() -> str:
    """This machine's operating system and processor, e.g. ``Linux amd64``."""
    machine = platform.machine().lower()
    return f"{platform.system()} {({'x86_64': 'amd64', 'aarch64': 'arm64'}).get(machine, machine)}"


def _roots(record: Mapping[str, Any], environment: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    found = []
    for workspace in {str(record.get("workspace") or ""), environment.get("WORKSPACE", "")} - {""}:  # on another machine it has another path
        found += [(workspace, WORKSPACE), (str(Path(workspace).parent), WORKSPACES)]
    found += [*((str(url), REPOSITORY) for url in record.get("scm") or {}), (environment.get("HOME", ""), HOME)]
    return tuple(sorted(((root, word) for root, word in found if len(root) > 1), key=lambda pair: -len(pair[0])))


def _tests(folder: Path, record: Mapping[str, Any]) -> Mapping[str, TestOutcome] | None:
    """The cases that junit steps kept."""
    try:
        cases = json.loads((folder / "reports" / "tests.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {} if record.get("tests") else None
    except (OSError, ValueError) as error:
        raise CibusError(f"{folder / 'reports' / 'tests.json'}: cannot be read: {error}") from error
    return tests_by_name(cases)


def _artifacts(folder: Path) -> dict[str, str]:
    """The archived files with their SHA-256."""
    return {path.relative_to(folder).as_posix(): digest_of(path)[1] for path in sorted(folder.rglob("*")) if path.is_file()}
