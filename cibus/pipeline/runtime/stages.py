"""The stages of a run and their statuses, as Jenkins' stage view (pipeline-rest-api, ``wfapi``) gives them."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

ORDER = ("SUCCESS", "UNSTABLE", "FAILED", "ABORTED", "NOT_EXECUTED")


@dataclass
class StageRecord:
    """A stage that started; ``status`` None while it runs."""

    id: int
    name: str
    parent: int
    branch: str
    started: float
    status: str | None = None
    warning: str | None = None
    tag: str | None = None
    seconds: float = 0.0
    children: list[int] = field(default_factory=list)
    forked: bool = False


class StageBook:
    """Keeps the stages in the order in which they started."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stages: dict[int, StageRecord] = {}

    def start(self, id: int, name: str, parent: int, branch: str) -> StageRecord:
        """A stage begins."""
        record = StageRecord(id, name, parent, branch, time.time())
        with self._lock:
            self._stages[id] = record
            if parent in self._stages:
                self._stages[parent].children.append(id)
        return record

    def begin_again(self, id: int) -> None:
        """The stage's time counts from now: what came before was cibus' own work."""
        with self._lock:
            if id in self._stages:
                self._stages[id].started = time.time()

    def forks(self, id: int) -> None:
        """A parallel step runs in the stage."""
        with self._lock:
            if id in self._stages:
                self._stages[id].forked = True

    def warn(self, id: int, status: str) -> None:
        """A step in the stage marks it (unstable, catchError, junit): it becomes at least that bad."""
        with self._lock:
            record = self._stages.get(id)
            if record and (record.warning is None or ORDER.index(status) > ORDER.index(record.warning)):
                record.warning = status

    def tag(self, id: int, status: str) -> None:
        """Declarative says what became of the stage (skipped: NOT_EXECUTED)."""
        with self._lock:
            record = self._stages.get(id)
            if record is not None:
                # Jenkins finds the stage by its name: of cells with the same one it tags the latest
                last = max(each.id for each in self._stages.values() if each.name == record.name)
                self._stages[last].tag = status

    def end(self, id: int, error_status: str | None) -> StageRecord:
        """A stage ends; ``error_status`` is FAILED, ABORTED or NOT_EXECUTED where an exception left it."""
        with self._lock:
            record = self._stages[id]
            record.seconds = time.time() - record.started
            record.status = self._status(record, error_status)
            return record

    @staticmethod
    def _status(record: StageRecord, error_status: str | None) -> str:
        if record.tag is not None:
            return record.tag
        if record.children:
            # the stage view cuts a stage where a nested one begins: what fails later counts there
            return record.warning or "SUCCESS"
        if record.forked:
            # beside a fork the stage view does not see the warnings of single steps
            return error_status or "SUCCESS"
        return error_status or record.warning or "SUCCESS"

    def all(self) -> list[StageRecord]:
        """The stages, in the order in which they started."""
        with self._lock:
            return list(self._stages.values())
