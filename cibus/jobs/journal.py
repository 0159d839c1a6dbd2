"""What an apply did, kept so that it can be gone on with and undone: one folder for each run, private to the user."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from cibus.errors import UsageError
from cibus.folders import state_home, write_whole
from cibus.jobs.layout import Key
from cibus.jobs.plan import Plan, read_plan

Status = Literal["begun", "done", "already", "refused", "skipped", "failed", "undone"]


@dataclass(frozen=True)
class Note:
    """What became of a step.

    Arguments:
        index: the step's place in the plan
        why: for one that was not done
        before: the file with the config as it was, within the run's folder; '' where there was none
        after: digest of the config as the controller gave it back
    """

    index: int
    status: Status
    why: str = ""
    before: str = ""
    after: str = ""


class Run:
    """An apply run's folder: the plan, the configs as they were, and what was done."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.id = folder.name
        self._lock = threading.Lock()

    @property
    def plan(self) -> Plan:
        """The plan that was applied."""
        return read_plan((self.folder / "plan.json").read_text("utf-8"), str(self.folder / "plan.json"))

    def note(self, note: Note) -> None:
        """Writes what became of a step; on the disk before it returns."""
        import os

        with self._lock, (self.folder / "journal").open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(note)) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def notes(self) -> dict[int, list[Note]]:
        """The notes by step; a torn last line is left out."""
        found: dict[int, list[Note]] = {}
        for note in self._read():
            found.setdefault(note.index, []).append(note)
        return found

    def save(self, index: int, configs: dict[Key, bytes]) -> str:
        """Keeps configs as they are, secrets included, and gives the file's name."""
        name = f"before-{index:05}.json"
        data = [{"kind": key.kind, "name": key.name, "xml": raw.decode("utf-8", "surrogateescape")} for key, raw in configs.items()]
        write_whole(self.folder / name, json.dumps(data).encode(), private=True)
        return name

    def saved(self, name: str) -> dict[Key, bytes]:
        """The way back."""
        data: list[dict[str, Any]] = json.loads((self.folder / name).read_bytes())
        return {Key(each["kind"], each["name"]): each["xml"].encode("utf-8", "surrogateescape") for each in data}

    def _read(self) -> Iterator[Note]:
        path = self.folder / "journal"
        for line in path.read_text("utf-8").splitlines() if path.exists() else ():
            with contextlib.suppress(ValueError, TypeError):
                yield Note(**json.loads(line))


def runs_home() -> Path:
    """The folder of all apply runs."""
    return state_home() / "applies"


def all_runs() -> list[Run]:
    """Every run that is kept, oldest first."""
    return [Run(path.parent) for path in sorted(runs_home().glob("*/plan.json"))]


def new_run(plan: Plan) -> Run:
    """A new run with its plan; its id is the time, so that ids sort."""
    home = runs_home()
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    for number in range(1, 1000):
        folder = home / (stamp if number == 1 else f"{stamp}-{number}")
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            continue
        write_whole(folder / "plan.json", plan.text().encode("utf-8", "surrogatepass"), private=True)
        return Run(folder)
    raise UsageError(f"no new folder can be made in {home}")


def find_run(identifier: str) -> Run:
    """A run by its id, or the beginning of one, or ``last``.

    Raises:
        UsageError: there is none, or several.
    """
    known = [run.id for run in all_runs()]
    found = known[-1:] if identifier == "last" else [name for name in known if name.startswith(identifier)]
    if identifier in found:
        found = [identifier]
    if len(found) != 1:
        raise UsageError(f"{'several runs begin with' if found else 'there is no apply run'} {identifier!r}; known: {', '.join(known[-5:]) or 'none'}")
    return Run(runs_home() / found[0])
