"""The jobs and builds in the state folder."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cibus.errors import CibusError, UsageError
from cibus.folders import state_home, write_whole
from cibus.git import try_git

RECORD = "build.json"


def write_atomically(path: Path, text: str) -> None:
    """Writes beside, syncs, renames.

    Raises:
        CibusError: the folder cannot be written, or the disk is full.
    """
    try:
        write_whole(path, text.encode("utf-8"), private=True)
    except OSError as error:
        raise CibusError(f"{path}: cannot be written: {error.strerror}; free some space or choose another folder") from error


def job_folder_name(job: str) -> str:
    """A job's name as a folder name, reversibly."""
    return quote(job, safe=" @+=,.-_")


@dataclass(frozen=True)
class PastBuild:
    """A build that ended: its folder and its record."""

    folder: Path
    record: dict[str, Any]

    @property
    def number(self) -> int:
        """The build's number."""
        return int(self.record["number"])

    @property
    def result(self) -> str:
        """The build's result."""
        return str(self.record["result"])


class History:
    """The builds of all jobs in a state folder: ``jobs/JOB/builds/N/``."""

    def __init__(self, state: Path) -> None:
        self.state = state

    def job(self, job: str) -> Path:
        """The folder of a job."""
        return self.state / "jobs" / job_folder_name(job)

    def claim(self, job: str, number: int | None) -> tuple[int, Path]:
        """Makes the folder of a new build; two runs at once get different numbers.

        A number that is given may be there already: that attempt is kept beside it, as ``N~1``, ``N~2``, ….

        Raises:
            CibusError: the state folder cannot be written.
        """
        builds = self.job(job) / "builds"
        try:
            builds.mkdir(parents=True, exist_ok=True)
            if number is not None:
                folder = builds / str(number)
                if _read(folder / RECORD) is not None:
                    folder.rename(_aside(folder))
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True, exist_ok=True)
                return number, folder
            number = max([int(each.name) for each in builds.iterdir() if each.name.isdigit()], default=0)
            while True:
                number += 1
                folder = builds / str(number)
                try:
                    folder.mkdir()
                except FileExistsError:
                    continue
                return number, folder
        except OSError as error:
            raise CibusError(f"the state folder {self.state} cannot be written ({error.strerror}); give another with --state-dir") from error

    def past(self, job: str) -> list[PastBuild]:
        """The job's ended builds, newest first."""
        builds = self.job(job) / "builds"
        found = _builds(builds.iterdir()) if builds.is_dir() else []
        return sorted(found, key=lambda build: (build.number, float(build.record.get("started", 0))), reverse=True)

    def before(self, job: str, number: int) -> list[PastBuild]:
        """The ended builds before a number, newest first."""
        return [build for build in self.past(job) if build.number < number]

    def attempts(self, job: str, number: int) -> list[PastBuild]:
        """What ran under a number before, newest first."""
        return [build for build in self.past(job) if build.number == number]

    def every(self) -> list[PastBuild]:
        """All ended builds of all jobs, newest first by the time they started."""
        found = _builds((self.state / "jobs").glob("*/builds/*"))
        return sorted(found, key=lambda build: float(build.record.get("started", 0)), reverse=True)

    def find(self, wanted: str) -> PastBuild:
        """The build that ``JOB#N``, ``#N`` or ``last`` names.

        Raises:
            UsageError: there is none, or more than one job has it.
        """
        builds = self.every()
        job, mark, number = wanted.rpartition("#")
        if wanted == "last":
            found = builds[:1]
        elif mark and number.isdigit():
            found = [each for each in builds if each.number == int(number) and job in ("", each.record["job"])]
        else:
            raise UsageError(f"{wanted}: give a run as JOB#N, #N or last")
        if not found:
            raise UsageError(f"there is no run {wanted} in {self.state}; cibus runs list shows those there are")
        jobs = sorted({str(each.record["job"]) for each in found})
        if len(jobs) > 1:
            raise UsageError(f"{wanted} is one of several: {', '.join(f'{name}{wanted}' for name in jobs)}; name the job too")
        return found[0]

    def prune(self, job: str, keep: int) -> None:
        """Removes the oldest builds of a job beyond ``keep``."""
        for build in self.past(job)[keep:]:
            shutil.rmtree(build.folder, ignore_errors=True)


def _aside(folder: Path) -> Path:
    """Where an attempt of the same number goes."""
    count = 1
    while (aside := folder.with_name(f"{folder.name}~{count}")).exists():
        count += 1
    return aside


def build_in(folder: Path) -> PastBuild | None:
    """The ended build whose folder this is, or None."""
    record = _read(folder / RECORD)
    return PastBuild(folder, record) if record is not None else None


def _builds(folders: Iterable[Path]) -> list[PastBuild]:
    """The ended builds among the folders."""
    records = [(folder, _read(folder / RECORD)) for folder in folders if folder.name.partition("~")[0].isdigit()]
    return [PastBuild(folder, record) for folder, record in records if record is not None]


def _read(path: Path) -> dict[str, Any] | None:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and "number" in record and "result" in record else None


def state_folder(script: Path) -> Path:
    """The state folder of the repository (or folder) that a script is in; never in the repository itself."""
    folder = script.resolve().parent
    top = Path(try_git(folder, "rev-parse", "--show-toplevel") or folder)
    return state_home() / f"{top.name}-{hashlib.sha256(str(top).encode()).hexdigest()[:8]}"
