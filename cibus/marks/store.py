"""Writing and reading files of marks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from cibus.errors import CibusError
from cibus.marks.model import Ended, Entered, Lines, Mark, Opened

VERSION = 1


class MarkWriter:
    """Writes marks as they come; lines of one owner that follow each other become one record."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._run: Lines | None = None
        self._put({"steps": VERSION})

    def write(self, mark: Mark) -> None:
        """Takes the next mark."""
        if isinstance(mark, Lines):
            run = self._run
            if run is not None and run.id == mark.id and run.first + run.count == mark.first:
                self._run = Lines(run.id, run.first, run.count + mark.count)
                return
            self.flush()
            self._run = mark
            return
        self.flush()
        self._put(_as_json(mark))

    def flush(self) -> None:
        """Writes the lines that were held back."""
        if self._run is not None:
            self._put({"of": self._run.id, "from": self._run.first, "count": self._run.count})
            self._run = None

    def _put(self, record: dict[str, Any]) -> None:
        self._file.write(json.dumps(record, ensure_ascii=False) + "\n")


def _as_json(mark: Opened | Entered | Ended) -> dict[str, Any]:
    if isinstance(mark, Opened):
        record: dict[str, Any] = {"step": mark.id, "in": mark.inside, "name": mark.name, "at": mark.at}
        more = {"stage": mark.stage, "branch": mark.branch, "line": mark.line, "text": mark.text}
        return {**record, **{key: value for key, value in more.items() if value}}
    if isinstance(mark, Entered):
        return {"body": mark.id, "of": mark.of, "title": mark.title, "at": mark.at}
    return {"end": mark.id, "at": mark.at, **({"error": mark.error} if mark.error else {})}


def read_marks(path: Path) -> Iterator[Mark]:
    """The marks of a file, in order; a last line that was cut off while it was written is left out.

    Raises:
        CibusError: the file cannot be read, or is not one of marks.
    """
    try:
        with path.open(encoding="utf-8") as file:
            head = _parsed(file.readline())
            if head.get("steps") != VERSION:
                raise CibusError(f"{path}: not a file of steps that this version of cibus can read")
            for number, line in enumerate(file, 2):
                if not line.endswith("\n"):
                    return
                mark = _mark(_parsed(line))
                if mark is None:
                    raise CibusError(f"{path}:{number}: not a record of a step")
                yield mark
    except (OSError, UnicodeDecodeError) as error:
        raise CibusError(f"{path}: cannot be read: {error}") from error


def _parsed(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _mark(record: dict[str, Any]) -> Mark | None:
    try:
        if "from" in record:
            return Lines(str(record["of"]), int(record["from"]), int(record["count"]))
        at = None if record.get("at") is None else int(record["at"])
        if "step" in record:
            more = (str(record.get("stage", "")), str(record.get("branch", "")), int(record.get("line", 0)), str(record.get("text", "")))
            return Opened(str(record["step"]), str(record["in"]), str(record["name"]), at, *more)
        if "body" in record:
            return Entered(str(record["body"]), str(record["of"]), str(record["title"]), at)
        if "end" in record:
            return Ended(str(record["end"]), at, str(record.get("error", "")))
    except (KeyError, TypeError, ValueError):
        return None
    return None
