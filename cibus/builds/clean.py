"""Secrets out of what a bundle holds: values, documents, and a log of any size."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from cibus.redaction import PLACEHOLDER, Redactor

PIECE = 1 << 18  # bytes of a log that are looked at together
HELD = 1 << 18  # bytes that are held back for the end of a private key
SURE = 8  # characters of a secret that is looked for everywhere: a shorter one may be a word
LIKELY = 6  # of one with digits
LINE = 16  # of one line of a key
LONGEST = 4 << 20  # bytes of a line, beyond which it is cut at white space


class Cleaner:
    """Takes secrets out; the same secret becomes the same placeholder everywhere.

    Arguments:
        redactor: decides what is one
        known: values that are secret wherever they stand, whatever they look like
    """

    def __init__(self, redactor: Redactor, known: Iterable[str] = ()) -> None:
        self._redactor = redactor
        self._known: dict[str, str] = {}
        self.found = 0
        for value in known:
            self.remember(self._redactor.stand_in("secret", value), value)

    def remember(self, stand_in: str, value: str) -> None:
        """A secret that was found once is one everywhere: what a script hides in a variable, its log prints plainly."""
        for part in _parts(value):
            self._known.setdefault(part, stand_in)

    def text(self, text: str, where: str, *, script: bool = False) -> str:
        """A text without secrets, with as many lines as it had: steps and errors are told by line."""
        redacted = self._redactor.text(text, where, "groovy" if script else "plain")
        self.found += len(redacted.findings)
        clean = redacted.text
        for stand_in, secret in redacted.secrets.items():
            self.remember(stand_in, secret.reveal())
        clean = self._without_known(clean)
        for stand_in, secret in redacted.secrets.items():
            lines = secret.reveal().count("\n")
            if lines:
                clean = clean.replace(stand_in, stand_in + "\n" * lines)
        return clean

    def _without_known(self, text: str) -> str:
        for value, stand_in in self._known.items():
            if value in text:
                pattern = rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])"
                text, count = re.subn(pattern, lambda _, to=stand_in: to, text)  # type: ignore[misc]
                self.found += count
        return text

    def sweep(self, path: Path) -> None:
        """Takes out of a file what turned out to be secret only after it was written."""
        values = [value.encode() for value in self._known]
        if not any(value in piece for piece in _pieces(path) for value in values):
            return
        beside = path.with_name(f".{path.name}.swept")
        with beside.open("wb") as out:
            for piece in _pieces(path):
                out.write(self._without_known(piece.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape"))
        beside.replace(path)

    def named(self, name: str, value: str) -> str:
        """The value of a variable or parameter: its name may tell that it is secret."""
        line = f"{name}={value}"
        clean = self.text(line, name)
        if clean == line:
            return value
        self.remember(self._redactor.stand_in("secret", value), value)
        return clean.removeprefix(f"{name}=") if clean.startswith(f"{name}=") else "****"

    def data(self, data: Any, where: str) -> Any:
        """Plain data without secrets in its texts."""
        if isinstance(data, str):
            return self.text(data, where) if data else data
        if isinstance(data, dict):
            return {key: self.data(value, f"{where}/{key}") for key, value in data.items()}
        if isinstance(data, (list, tuple)):
            return [self.data(each, where) for each in data]
        return data


def sure_secrets(values: Iterable[str]) -> tuple[str, ...]:
    """Those values, and parts of values, that a capture takes out wherever they stand."""
    return tuple(dict.fromkeys(part for value in values for part in _parts(value)))


def _pieces(path: Path) -> Iterator[bytes]:
    """A file in pieces of whole lines."""
    rest = b""
    with path.open("rb") as file:
        while data := file.read(1 << 20):
            cut = data.rfind(b"\n") + 1
            if cut or len(rest) > LONGEST:
                yield rest + data[:cut]
                rest = data[cut:]
            else:
                rest += data
    yield rest


def _parts(value: str) -> Iterator[str]:
    """What of a secret is one by itself: the lines of a key, the value behind a name (``DB_PASSWORD=x``, ``pass:x``)."""
    lines = [line.strip() for line in value.replace("\\n", "\n").split("\n")]
    if len(lines) > 1:
        yield from (line for line in lines if len(line) >= LINE and "-----" not in line)
        return
    yield from (part for part in (lines[0], *re.split(r"[=:&]", lines[0])) if _is_sure(part, part == lines[0]))


def _is_sure(text: str, whole: bool) -> bool:
    has_digit = any(map(str.isdigit, text))
    return (whole and len(text) >= SURE) or (has_digit and len(text) >= (LIKELY if whole else SURE))


def has_placeholder(text: str) -> bool:
    """Whether a secret was taken out of it."""
    return PLACEHOLDER.search(text) is not None


class CleanLog:
    """Writes a log without secrets, in constant memory.

    Arguments:
        path: where it is written
        cleaner: what takes them out
        at: bytes of the file that are there from an attempt that was interrupted
        crlf: the source ends lines with CR LF (progressiveText)
    """

    def __init__(self, path: Path, cleaner: Cleaner, at: int = 0, *, crlf: bool = False) -> None:
        self._file = path.open("r+b" if at else "wb")
        self._file.truncate(at)
        self._file.seek(at)
        self._cleaner = cleaner
        self._crlf = crlf
        self._held = bytearray()
        self.written = at
        self.taken = 0  # bytes of the source that are on the disk, or left out

    def __enter__(self) -> CleanLog:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self._write(len(self._held))
        self._file.close()

    def feed(self, data: bytes) -> None:
        """Takes more of the source."""
        self._held += data
        if len(self._held) >= PIECE:
            self._write(self._whole())

    @property
    def held(self) -> int:
        """Bytes that came and are not judged yet."""
        return len(self._held)

    def flush(self) -> None:
        """Brings what was written to the disk."""
        self._file.flush()

    def _whole(self) -> int:
        """How much of what is held can be judged: whole lines, no part of a private key."""
        held = self._held
        cut = held.rfind(b"\n") + 1
        begin = held.rfind(b"-----BEGIN", 0, cut)
        if begin >= 0 and held.find(b"-----END", begin, cut) < 0 and cut - begin < HELD:
            cut = held.rfind(b"\n", 0, begin) + 1
        if not cut and len(held) > LONGEST:
            cut = max(held.rfind(b" "), held.rfind(b"\t")) + 1 or len(held)
        return cut

    def _write(self, size: int) -> None:
        if not size:
            return
        piece = bytes(self._held[:size])
        del self._held[:size]
        text = piece.decode("utf-8", "replace")
        if self._crlf:
            text = text.replace("\r\n", "\n")
        clean = self._cleaner.text(text, "console.txt").encode("utf-8", "replace")
        self._file.write(clean)
        self.written += len(clean)
        self.taken += size
