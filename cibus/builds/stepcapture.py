"""Which step each line of a captured log belongs to: Jenkins tells it in the console that browsers see."""

from __future__ import annotations

import codecs
from dataclasses import replace
from pathlib import Path

from cibus.builds.clean import Cleaner
from cibus.errors import ControllerError
from cibus.jenkins.session import Session
from cibus.marks import Entered, Mark, MarkWriter, Opened
from cibus.marks.htmlconsole import HtmlConsole

LARGEST = 64 << 20  # bytes of a log beyond which its annotated form, several times as large, is not fetched


class Unlike(Exception):
    """The annotated console has other lines than the log."""


def capture_steps(session: Session, build: str, console: Path, target: Path, cleaner: Cleaner) -> None:
    """Writes a file of marks beside a log.

    Arguments:
        build: the build's path below the controller's URL
        console: the log, as it was captured

    Raises:
        Unlike: the two cannot be matched; nothing is written.
        ControllerError: it is not to be had.
    """
    if console.stat().st_size > LARGEST:
        raise Unlike(f"the log is larger than {LARGEST >> 20} MB: its steps are told from its own lines")
    for tried in range(session.settings.retries + 1):
        try:
            lines = _fetch(session, build, target, cleaner)
            break
        except ControllerError as error:
            target.unlink(missing_ok=True)
            if tried == session.settings.retries or type(error) is not ControllerError:
                raise
            session.wait(tried)
    if lines != _line_count(console):
        target.unlink()
        raise Unlike("the annotated console has other lines than the log: its steps are told from its own lines")


def _fetch(session: Session, build: str, target: Path, cleaner: Cleaner) -> int:
    """Gives the number of lines."""
    reader, decoder, lines = HtmlConsole(), codecs.getincrementaldecoder("utf-8")("replace"), 0
    with target.open("w", encoding="utf-8", errors="replace") as file:
        writer = MarkWriter(file)
        for piece in session.opened(f"{build}logText/progressiveHtml?start=0", "text/html")[1]:
            lines += reader.feed(decoder.decode(piece)).count("\n")
            _write(reader, writer, cleaner)
        lines += reader.part_ended().count("\n")
        _write(reader, writer, cleaner)
        writer.flush()
    return lines


def _write(reader: HtmlConsole, writer: MarkWriter, cleaner: Cleaner) -> None:
    for mark in reader.marks:
        writer.write(_clean(mark, cleaner))
    reader.marks.clear()


def _clean(mark: Mark, cleaner: Cleaner) -> Mark:
    """Titles of stages and branches are the script's own texts."""
    if isinstance(mark, Entered) and mark.title:
        return replace(mark, title=cleaner.text(mark.title, "console.steps"))
    if isinstance(mark, Opened) and (mark.stage or mark.branch):
        return replace(mark, stage=cleaner.text(mark.stage, "console.steps"), branch=cleaner.text(mark.branch, "console.steps"))
    return mark


def _line_count(path: Path) -> int:
    count = 0
    with path.open("rb") as file:
        while data := file.read(1 << 20):
            count += data.count(b"\n")
    return count
