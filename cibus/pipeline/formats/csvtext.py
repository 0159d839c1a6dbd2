"""CSV as commons-csv's default format reads and writes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from cibus.pipeline.javatext import double


def load(text: str) -> list[list[str]]:
    """The records of a text; empty lines are not records."""
    import csv
    import io

    return [row for row in csv.reader(io.StringIO(text, newline="")) if row]


def dump(records: Iterable[Sequence[Any]]) -> str:
    """Records with CRLF, quoted where commons-csv finds it needful."""
    return "".join(",".join(_field(v, i == 0) for i, v in enumerate(record)) + "\r\n" for record in records)


def _field(value: Any, first: bool) -> str:
    if value is None:
        text = ""
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, float):
        text = double(value)
    else:
        text = str(value)
    return '"' + text.replace('"', '""') + '"' if _needs_quotes(text, first) else text


def _needs_quotes(text: str, first: bool) -> bool:
    if not text:
        return first
    c = text[0]
    if first and not (" " <= c <= "!" or "#" <= c <= "+" or "-" <= c <= "~"):
        return True
    return c <= "#" or any(s in text for s in ',"\r\n') or text[-1] <= " "
