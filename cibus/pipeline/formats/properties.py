"""Java's ``.properties`` files: reading, writing, and references between values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_SPACE = " \t\f"
_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_REFERENCE = re.compile(r"\$\{([^${}]*)\}")


def load(text: str) -> dict[str, str]:
    """The keys and values of a text, as ``java.util.Properties.load`` reads them."""
    found: dict[str, str] = {}
    for line in _logical_lines(text):
        end = _key_end(line)
        value = line[end:].lstrip(_SPACE)
        if value[:1] in ("=", ":"):
            value = value[1:].lstrip(_SPACE)
        found[_unescape(line[:end])] = _unescape(value)
    return found


def _logical_lines(text: str) -> Iterator[str]:
    lines = iter(re.split(r"\r\n|\r|\n", text))
    for natural in lines:
        line = natural.lstrip(_SPACE)
        if not line or line[0] in "#!":
            continue
        while _continues(line):
            line = line[:-1] + next(lines, "").lstrip(_SPACE)
        yield line


def _continues(line: str) -> bool:
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1


def _key_end(line: str) -> int:
    escaped = False
    for i, c in enumerate(line):
        if not escaped and (c in _SPACE or c in "=:"):
            return i
        escaped = c == "\\" and not escaped
    return len(line)


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    out: list[str] = []
    i = 0
    while i < len(text):
        c = text[i]
        i += 1
        if c != "\\" or i >= len(text):
            if c != "\\":
                out.append(c)
            continue
        c = text[i]
        i += 1
        if c == "u":
            digits = text[i : i + 4]
            if not re.fullmatch("[0-9a-fA-F]{4}", digits):
                from cibus.pipeline.values import Thrown

                raise Thrown("java.lang.IllegalArgumentException", "Malformed \\uxxxx encoding.")
            out.append(chr(int(digits, 16)))
            i += 4
        else:
            out.append(_ESCAPES.get(c, c))
    joined = "".join(out)
    return joined.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def interpolate(values: Mapping[str, Any]) -> dict[str, Any]:
    """``${key}`` in values replaced by the other values, as commons-configuration does; unknown keys stay."""

    def resolve(value: Any, seen: tuple[str, ...]) -> Any:
        if not isinstance(value, str):
            return value

        def replacement(found: re.Match[str]) -> str:
            key = found.group(1)
            if key in seen:
                chain = "->".join([*seen, key])
                raise ValueError(f"Infinite loop in property interpolation of ${{{key}}}: {chain}")
            return str(resolve(values[key], (*seen, key))) if key in values else found.group(0)

        return _REFERENCE.sub(replacement, value)

    return {key: resolve(value, (key,)) for key, value in values.items()}


def dump(values: Mapping[str, Any]) -> str:
    """Lines that :func:`load` reads back; ASCII only, as ``java.util.Properties.store`` writes."""
    return "".join(f"{_escape(str(k), True)}={_escape(str(v), False)}\n" for k, v in values.items())


def _escape(text: str, key: bool) -> str:
    out = []
    for i, c in enumerate(text):
        if c == " ":
            out.append("\\ " if key or i == 0 else " ")
        elif c in "\t\n\r\f":
            out.append("\\" + {"\t": "t", "\n": "n", "\r": "r", "\f": "f"}[c])
        elif c in "\\=:#!":
            out.append("\\" + c)
        elif " " < c <= "~":
            out.append(c)
        else:
            units = c.encode("utf-16-be")
            out.append("".join(f"\\u{units[j] << 8 | units[j + 1]:04X}" for j in range(0, len(units), 2)))
    return "".join(out)
