"""Tables in TOML files: what keys they have, what is wrong with them and in which line, and their JSON schema."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from cibus.errors import ConfigError

T = TypeVar("T")


@dataclass(frozen=True)
class Key:
    """A key of a table: its kind (str, int, ints, bool, strings, table, texts, any, secret, secrets) and the values it may take.

    ``pattern``: what a text must begin with or be, as a regular expression, where ``choices`` cannot say it.
    ``most``: the largest value of an int; 0: any.
    """

    kind: str
    choices: tuple[str, ...] = ()
    help: str = ""
    required: bool = False
    pattern: str = ""
    most: int = 0


SECRET_KINDS = ("value", "env", "file", "command", "keyring")


def read_toml(path: Path) -> tuple[str, dict[str, Any]]:
    """A file's text, and what it says.

    Raises:
        ConfigError: it cannot be read, or is no TOML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from error


class TableReader:
    """Turns parsed TOML into records, with line numbers found in the text when something is wrong.

    Arguments:
        tables: by table, the keys that it may have
    """

    def __init__(self, path: Path, text: str, tables: Mapping[str, Mapping[str, Key]]) -> None:
        self.path = path
        self.folder = path.resolve().parent
        self.text = text
        self.tables = tables

    def named(self, data: dict[str, Any], table: str, make: Callable[[str, dict[str, Any]], T]) -> dict[str, T]:
        """The records of ``[table.NAME]``, by name."""
        section = data.get(table, {})
        made = {}
        for name, entry in section.items():
            if not isinstance(entry, dict):
                raise self.wrong((table, name), f"[{table}.{name}] must be a table")
            self.check(table, (table, name), entry)
            made[name] = make(name, entry)
        return made

    def check(self, table: str, where: tuple[str, ...], entry: dict[str, Any]) -> None:
        """Every key known, every value of its kind."""
        keys = self.tables[table]
        shown = ".".join(where)
        for name, value in entry.items():
            key = keys.get(name)
            if key is None:
                raise self.wrong((*where, name), f"unknown key {name!r} in [{shown}]{hint(name, keys)}")
            if wrong := problem(key, value):
                raise self.wrong((*where, name), f"{name} in [{shown}] {wrong}")
        for name, key in keys.items():
            if key.required and name not in entry:
                raise self.wrong(where, f"[{shown}] needs {name} ({key.help})")

    def wrong(self, key: tuple[str, ...], text: str) -> ConfigError:
        """An error with the file and the line of a key."""
        return ConfigError(f"{self.path}:{line_of(self.text, key)}: {text}")


def hint(name: str, known: Iterable[str]) -> str:
    """The nearest name that is known, or all of them: to be put behind a message."""
    near = difflib.get_close_matches(name, list(known), 1, 0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"


def problem(key: Key, value: Any) -> str | None:
    """What is wrong with a value, or None."""
    kinds: dict[str, type | tuple[type, ...]] = {"str": str, "int": int, "bool": bool, "table": dict, "secret": dict, "secrets": dict, "texts": dict, "strings": list, "ints": list}
    expected = kinds.get(key.kind)
    if expected and (not isinstance(value, expected) or (key.kind == "int" and isinstance(value, bool))):
        return {"strings": "must be a list of texts", "ints": "must be a list of whole numbers", "secret": _SECRET_FORM, "secrets": "must be a table of secrets", "texts": "must be a table of texts", "table": "must be a table"}.get(
            key.kind, f"must be {'text' if key.kind == 'str' else key.kind}"
        )
    if key.kind == "strings" and not all(isinstance(each, str) for each in value):
        return "must be a list of texts"
    if key.kind == "texts" and not all(isinstance(each, str) for each in value.values()):
        return "must be a table of texts"
    if key.kind == "ints" and not all(isinstance(each, int) and not isinstance(each, bool) and each > 0 for each in value):
        return "must be a list of whole numbers"
    if key.kind == "int" and value < 1:
        return "must be at least 1"
    if key.most and value > key.most:
        return f"must be at most {key.most}"
    if key.kind == "secrets":
        return next((f"{name!r} {bad}" for name, each in value.items() if (bad := problem(Key("secret"), each))), None)
    if key.kind == "secret":
        valid = len(value) == 1 and next(iter(value)) in SECRET_KINDS and isinstance(next(iter(value.values())), str)
        return None if valid else _SECRET_FORM
    if key.choices and value not in key.choices:
        return f"must be one of {', '.join(key.choices)}"
    if key.pattern and not re.search(key.pattern, value):
        return f"must be {key.help}"
    return None


_SECRET_FORM = 'must say where it comes from: { env = "NAME" }, or file, command, keyring or value'


def line_of(text: str, key: tuple[str, ...]) -> int:
    """The line (from 1) where a dotted key stands in TOML text, or the nearest table above it."""
    table: tuple[str, ...] = ()
    best = (0, 1)
    for number, line in enumerate(text.splitlines(), 1):
        here = _path_in(line)
        if here is None:
            continue
        header, path = here
        full = path if header else (*table, *path)
        if header:
            table = path
        if key[: len(full)] == full and len(full) > best[0]:
            best = (len(full), number)
    return best[1]


def _path_in(line: str) -> tuple[bool, tuple[str, ...]] | None:
    """The dotted path of a header or a key on a line: (is a header, path)."""
    stripped = line.strip()
    header = stripped.startswith("[")
    candidate = stripped if header else stripped.partition("=")[0].strip() + " = 1"
    if not header and "=" not in stripped:
        return None
    try:
        node: Any = tomllib.loads(candidate)
    except tomllib.TOMLDecodeError:
        return None
    path = []
    while isinstance(node, (dict, list)) and node:
        if isinstance(node, list):
            node = node[0]
            continue
        name, node = next(iter(node.items()))
        path.append(name)
    return header, tuple(path)


_SECRET = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": False,
    "properties": {kind: {"type": "string"} for kind in SECRET_KINDS},
}
_FORMS: dict[str, Any] = {
    "str": {"type": "string"},
    "int": {"type": "integer", "minimum": 1},
    "bool": {"type": "boolean"},
    "strings": {"type": "array", "items": {"type": "string"}},
    "ints": {"type": "array", "items": {"type": "integer", "minimum": 1}},
    "table": {"type": "object"},
    "texts": {"type": "object", "additionalProperties": {"type": "string"}},
    "any": {},
    "secret": _SECRET,
    "secrets": {"type": "object", "additionalProperties": _SECRET},
}


def schema_of(keys: Mapping[str, Key]) -> dict[str, Any]:
    """The JSON schema of a table, made from what the reader uses."""
    properties = {}
    for name, key in keys.items():
        form = dict(_FORMS[key.kind])
        if key.choices:
            form["enum"] = list(key.choices)
        if key.pattern:
            form["pattern"] = key.pattern
        if key.most:
            form["maximum"] = key.most
        if key.help:
            form["description"] = key.help
        properties[name] = form
    made: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": properties}
    required = [name for name, key in keys.items() if key.required]
    if required:
        made["required"] = required
    return made
