"""A console as a file of lines that is read piece by piece, however long it is."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from cibus.builds.compare.noise import PREFIX
from cibus.errors import CibusError

CHUNK = 1 << 16
LONGEST_LINE = 1 << 16  # bytes; a longer line is read as several
MARKER = b"[Pipeline] "
_PREFIX = re.compile(PREFIX.encode() + rb"?")


@dataclass
class Scan:
    """What one pass over a console found.

    Arguments:
        lines: how many there are
        markers: the ``[Pipeline]`` lines, by number from 0, without that word
        offsets: where lines begin, in bytes; those that were asked for, the markers and what follows them
    """

    lines: int = 0
    markers: list[tuple[int, str]] = field(default_factory=list)
    offsets: dict[int, int] = field(default_factory=dict)
    index: list[tuple[int, int]] = field(default_factory=list)  # line and offset about every CHUNK


def scan(path: Path, wanted: Iterable[int] = (), *, markers: bool = True) -> Scan:
    """Goes over a console once.

    Arguments:
        wanted: numbers of lines whose offsets are needed

    Raises:
        CibusError: the file cannot be read.
    """
    found = Scan(offsets={0: 0})
    asked = sorted(set(wanted))
    place = 0
    offset, fresh = 0, True  # fresh: at the beginning of a line
    try:
        with path.open("rb") as file:
            while chunk := _chunk(file):
                if fresh:
                    found.index.append((found.lines, offset))
                count = chunk.count(b"\n")
                if place < len(asked) and asked[place] <= found.lines + count:
                    place = _locate(found, chunk, offset, asked, place, fresh)
                if markers:
                    _marks(found, chunk, offset, fresh)
                found.lines += count
                offset += len(chunk)
                fresh = chunk.endswith(b"\n")
    except OSError as error:
        raise CibusError(f"{path}: cannot be read: {error.strerror}") from error
    if not fresh:
        found.lines += 1
    found.offsets[found.lines] = offset
    for line in asked[place:]:
        found.offsets[line] = offset
    return found


def _chunk(file: BinaryIO) -> bytes:
    """Whole lines, unless one is very long."""
    chunk = file.read(CHUNK)
    return chunk if not chunk or chunk.endswith(b"\n") else chunk + file.readline(LONGEST_LINE)


def _locate(found: Scan, chunk: bytes, offset: int, asked: list[int], place: int, fresh: bool) -> int:
    starts = [0, *(match.end() for match in re.finditer(b"\n", chunk))]
    while place < len(asked) and asked[place] - found.lines < len(starts):
        position = asked[place] - found.lines
        if position or fresh:
            found.offsets[asked[place]] = offset + starts[position]
        place += 1
    return place


def _marks(found: Scan, chunk: bytes, offset: int, fresh: bool) -> None:
    at, line, counted = chunk.find(MARKER), found.lines, 0
    while at >= 0:
        start = chunk.rfind(b"\n", 0, at) + 1
        if (start or fresh) and (start == at or _PREFIX.fullmatch(chunk, start, at)):
            line += chunk.count(b"\n", counted, start)
            counted = start
            end = chunk.find(b"\n", at)
            end = len(chunk) if end < 0 else end
            found.markers.append((line, chunk[at + len(MARKER) : end].rstrip().decode("utf-8", "replace")))
            found.offsets[line] = offset + start
            found.offsets[line + 1] = offset + min(end + 1, len(chunk))
        at = chunk.find(MARKER, at + 1)


class Console:
    """A console whose lines can be had by number.

    Raises:
        CibusError: the file cannot be read.
    """

    def __init__(self, path: Path, wanted: Iterable[int] = (), *, markers: bool = True) -> None:
        self.path = path
        self.scan = scan(path, wanted, markers=markers)
        self._file: BinaryIO = path.open("rb")

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def blocks(self, start: int, end: int) -> Iterator[list[bytes]]:
        """The lines between two offsets, some at a time."""
        rest, at = b"", start
        while at < end:
            self._file.seek(at)
            piece = self._file.read(min(CHUNK, end - at))
            if not piece:
                break
            at += len(piece)
            lines = (rest + piece).split(b"\n")
            rest = lines.pop()
            if len(rest) > LONGEST_LINE:
                lines, rest = [*lines, rest], b""
            if lines:
                yield lines
        if rest:
            yield [rest]

    def piece(self, start: int, end: int) -> bytes | None:
        """The bytes between two offsets, None where they are many."""
        if end - start > CHUNK:
            return None
        self._file.seek(start)
        return self._file.read(end - start)

    def quote(self, first: int, count: int) -> list[str]:
        """Some lines by number, from 0; fewer where the console ends."""
        if count <= 0:
            return []
        self._file.seek(self.offset(max(0, first)))
        lines = [self._file.readline(LONGEST_LINE) for _ in range(count)]
        return [line.decode("utf-8", "replace").rstrip("\r\n") for line in lines if line]

    def offset(self, first: int) -> int:
        """Where a line begins, in bytes."""
        if first in self.scan.offsets:
            return self.scan.offsets[first]
        place = bisect.bisect_right(self.scan.index, (first, 1 << 62)) - 1
        line, offset = self.scan.index[place] if place >= 0 else (0, 0)
        self._file.seek(offset)
        while line < first and (piece := self._file.readline(LONGEST_LINE)):
            line += piece.endswith(b"\n")
        return self._file.tell()
