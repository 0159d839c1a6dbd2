"""JSON as net.sf.json (json-lib 2.4) reads and writes it: lenient, and with an odd pretty format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from cibus.pipeline.javatext import double
from cibus.pipeline.values import Thrown

EXCEPTION = "net.sf.json.JSONException"


def parse(text: str) -> Any:
    """The value of a JSON text: an object, an array or null; raises JSONException for anything else."""
    text = text.strip()
    tokens = _Tokens(text)
    if text.startswith("["):
        return tokens.array()
    if text.startswith("{"):
        return tokens.object()
    if text == "null":
        return None
    raise Thrown(EXCEPTION, "Invalid JSON String")


class _Tokens:
    """json-lib's JSONTokener: single quotes, bare words, ``=`` and ``;`` are fine for it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def next(self) -> str:
        if self.at < len(self.text):
            self.at += 1
            return self.text[self.at - 1]
        self.at += 1
        return ""

    def back(self) -> None:
        if self.at > 0:
            self.at -= 1

    def clean(self) -> str:
        """The next character that is neither space nor comment; empty at the end."""
        while True:
            c = self.next()
            if c == "/":
                follows = self.next()
                if follows == "/":
                    while self.next() not in ("\n", "\r", ""):
                        pass
                elif follows == "*":
                    end = self.text.find("*/", self.at)
                    if end < 0:
                        raise self.error("Unclosed comment.")
                    self.at = end + 2
                else:
                    self.back()
                    return "/"
            elif c == "#":
                while self.next() not in ("\n", "\r", ""):
                    pass
            elif c == "" or c > " ":
                return c

    def error(self, message: str) -> Thrown:
        return Thrown(EXCEPTION, f"{message} at character {min(self.at, len(self.text))} of {self.text}")

    def object(self) -> dict[str, Any]:
        if self.clean() != "{":
            raise self.error("A JSONObject text must begin with '{'")
        found: dict[str, Any] = {}
        while True:
            c = self.clean()
            if c == "":
                raise self.error("A JSONObject text must end with '}'")
            if c == "}":
                return found
            self.back()
            key = self.value()
            c = self.clean()
            if c == "=":
                if self.next() != ">":
                    self.back()
            elif c != ":":
                raise self.error("Expected a ':' after a key")
            found[to_text(key) if not isinstance(key, str) else key] = self.value()
            c = self.clean()
            if c == "}":
                return found
            if c not in (";", ",") or not c:
                raise self.error("Expected a ',' or '}'")
            if self.clean() == "}":
                return found
            self.back()

    def array(self) -> list[Any]:
        if self.clean() != "[":
            raise self.error("A JSONArray text must start with '['")
        found: list[Any] = []
        if self.clean() == "]":
            return found
        self.back()
        while True:
            if self.clean() == ",":
                self.back()
                found.append(None)
            else:
                self.back()
                found.append(self.value())
            c = self.clean()
            if c == "]":
                return found
            if c not in (";", ",") or not c:
                raise self.error("Expected a ',' or ']'")
            if self.clean() == "]":
                return found
            self.back()

    def value(self) -> Any:
        c = self.clean()
        if c in ('"', "'") and c:
            return self.string(c)
        if c == "{":
            self.back()
            return self.object()
        if c == "[":
            self.back()
            return self.array()
        word = ""
        first = c
        while c >= " " and c not in ',:]}/\\"[{;=#':
            word += c
            c = self.next()
        self.back()
        word = word.strip()
        if not word:
            raise self.error("Missing value.")
        return self._word(word, first)

    def _word(self, word: str, first: str) -> Any:
        if word.lower() in ("true", "false"):
            return word.lower() == "true"
        if word == "null":
            return None
        if first.isdigit() or first in ".-+":
            number = _number(word)
            if number is not None:
                return number
        if self.text[self.at : self.at + 1] in (",", "}", "{", "[", "]"):
            raise Thrown(EXCEPTION, f"Unquotted string '{word}'")
        return word

    def string(self, quote: str) -> str:
        out: list[str] = []
        while True:
            c = self.next()
            if c in ("", "\n", "\r"):
                raise self.error("Unterminated string")
            if c == quote:
                return "".join(out)
            out.append(self._escape() if c == "\\" else c)

    def _escape(self) -> str:
        c = self.next()
        if c in ("u", "x"):
            width = 4 if c == "u" else 2
            digits = self.text[self.at : self.at + width]
            self.at += width
            try:
                return chr(int(digits, 16))
            except ValueError as error:
                raise Thrown("java.lang.NumberFormatException", f'For input string: "{digits}"') from error
        return {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}.get(c, c)


def _number(word: str) -> int | float | None:
    try:
        if word[0] == "0" and len(word) > 2 and word[1] in "xX":
            return int(word[2:], 16)
        if word[0] == "0" and len(word) > 1 and set(word) <= set("01234567"):
            return int(word, 8)
        if set(word) <= set("+-0123456789") and -(2**63) <= int(word) < 2**63:
            return int(word)
        return float(word) if word.lower().strip("+-") not in ("nan", "inf", "infinity") else None
    except ValueError:
        return None


def to_text(value: Any) -> str:
    """The compact form."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{quote(str(k))}:{to_text(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ",".join(to_text(v) for v in value) + "]"
    return _scalar(value)


def to_pretty(value: Any, factor: int, indent: int = 0) -> str:
    """The indented form; json-lib puts a nested value's own indent before its opening bracket, too."""
    is_object = isinstance(value, Mapping)
    if not is_object and (isinstance(value, str) or not isinstance(value, Sequence)):
        return _scalar(value)
    opening, closing = "{}" if is_object else "[]"
    inner = indent if len(value) == 1 else indent + factor
    if is_object:
        items = [f"{quote(str(k))}: {to_pretty(v, factor, inner)}" for k, v in value.items()]
    else:
        items = [to_pretty(v, factor, inner) for v in value]
    if not items:
        return opening + closing
    if len(items) == 1:
        return opening + items[0] + closing
    lines = ",\n".join(" " * inner + item for item in items)
    return " " * indent + opening + "\n" + lines + "\n" + " " * indent + closing


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, Decimal)):
        return _number_text(value)
    return quote(str(value))


def _number_text(value: int | float | Decimal) -> str:
    text = double(value) if isinstance(value, float) else str(value)
    if text in ("NaN", "Infinity", "-Infinity"):
        raise Thrown(EXCEPTION, "JSON does not allow non-finite numbers")
    if "." in text and "e" not in text.lower():
        text = text.rstrip("0").rstrip(".")
    return text


_ESCAPES = {"\\": "\\\\", '"': '\\"', "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def quote(text: str) -> str:
    """A string in double quotes; a slash is escaped only after ``<``."""
    out = []
    previous = ""
    for c in text:
        if c == "/" and previous == "<":
            out.append("\\/")
        elif c in _ESCAPES:
            out.append(_ESCAPES[c])
        else:
            out.append(c if c >= " " else f"\\u{ord(c):04x}")
        previous = c
    return '"' + "".join(out) + '"'
