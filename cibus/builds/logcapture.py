"""Brings a build's log here: of any size, over a line that breaks, while the build still runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from cibus.builds.clean import Cleaner, CleanLog
from cibus.builds.workplace import Workplace
from cibus.errors import ControllerError, Forbidden, NotFound, NotJenkins, Unauthorized
from cibus.jenkins.session import Session

TEXT = "text/plain"
CHECKPOINT = 16 << 20  # bytes between two notes of how far it is
POLL = 2.0  # seconds between two looks at a running build's log
FINAL = (Unauthorized, Forbidden, NotFound, NotJenkins)

Tell = Callable[[int], None]


class LogCapture:
    """One log, written without secrets.

    Arguments:
        session: the controller
        build: the build's path below the controller's URL, with a slash at its end
        path: where the log is written
        place: notes how far it is; None for a short log that is not gone on with
        tell: is told the bytes that came so far
    """

    def __init__(self, session: Session, build: str, path: Path, cleaner: Cleaner, place: Workplace | None = None, tell: Tell = lambda _: None) -> None:
        self._session = session
        self._build = build
        self._path = path
        self._cleaner = cleaner
        self._place = place
        self._tell = tell
        self._before: int | None = None  # what of the noted answer was on the disk, less what this log had taken by then

    def finished(self) -> None:
        """The whole log of a build that ended.

        Raises:
            ControllerError: it cannot be had; what came is kept for the next try.
        """
        with CleanLog(self._path, self._cleaner, self._noted("written")) as log:
            self._answer(f"{self._build}consoleText", log, self._noted("taken"))

    def followed(self, sleep: Callable[[float], None] = time.sleep) -> None:
        """The log of a build that still runs, to its end."""
        start, skip = self._noted("start"), self._noted("taken")
        with CleanLog(self._path, self._cleaner, self._noted("written"), crlf=True) as log:
            while True:
                head = self._answer(f"{self._build}logText/progressiveText?start={start}", log, skip)
                start, skip = int(head.get("x-text-size", start)), 0
                if not log.held:  # a line that is not whole stays with the answer that began it
                    self._before = -log.taken
                    self._checkpoint(log, start=start)
                if head.get("x-more-data") != "true":
                    return
                sleep(POLL)

    def _answer(self, path: str, log: CleanLog, skip: int) -> Mapping[str, str]:
        """One answer, asked for again where it breaks; the first ``skip`` bytes of it are on the disk already."""
        self._before = self._before if self._before is not None else skip
        got = skip
        for tried in range(self._session.settings.retries + 1):
            try:
                head, pieces = self._session.opened(path, TEXT)
                at, noted = 0, log.taken
                for piece in pieces:
                    fresh = piece[max(got - at, 0) :]
                    at += len(piece)
                    if fresh:
                        log.feed(fresh)
                        got = at
                    self._tell(got)
                    if log.taken - noted >= CHECKPOINT:
                        noted = log.taken
                        self._checkpoint(log)
                return head.headers
            except FINAL:
                raise
            except ControllerError:
                if tried == self._session.settings.retries:
                    self._checkpoint(log)
                    raise
                self._session.wait(tried)
        raise AssertionError("the last try returns or raises")

    def _checkpoint(self, log: CleanLog, **values: int) -> None:
        if self._place is not None:
            log.flush()
            self._place.progress.log.update(values, taken=(self._before or 0) + log.taken, written=log.written)
            self._place.save()

    def _noted(self, name: str) -> int:
        return self._place.progress.log.get(name, 0) if self._place else 0
