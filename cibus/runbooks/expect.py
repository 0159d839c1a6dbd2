"""What a block's output has to be: exit code, texts, regular expressions, JSON paths."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ATTRIBUTES = ("exit", "text", "no-text", "regex", "json", "no-json")
PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")


@dataclass(frozen=True)
class Expect:
    """Assertions on a block that ran; ``exits`` empty: any exit code.

    ``json`` and ``no_json`` are JSONPaths (RFC 9535) on standard output, ``regex`` Python's with ``^`` and ``$`` at lines.
    """

    exits: tuple[int, ...] = (0,)
    text: tuple[str, ...] = ()
    no_text: tuple[str, ...] = ()
    regex: tuple[str, ...] = ()
    json: tuple[str, ...] = ()
    no_json: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """All values in which variables may stand."""
        return (*self.text, *self.no_text, *self.regex, *self.json, *self.no_json)


def expected(attributes: Sequence[tuple[str, str]]) -> Expect:
    """The assertions that a fence's attributes say.

    Raises:
        ValueError: one makes no sense, or nothing is asserted.
    """
    many: dict[str, list[str]] = {}
    for key, value in attributes:
        many.setdefault(key, []).append(value)
    exits = _exits(many.pop("exit", ["0"]))
    if not exits and not many:
        raise ValueError("exit=any alone asserts nothing: add text, regex or json")
    if empty := next((key for key, values in many.items() if "" in values), ""):
        raise ValueError(f"{empty} is empty")
    found = Expect(exits, **{key.replace("-", "_"): tuple(values) for key, values in many.items()})
    for pattern in found.regex:
        _compiled(PLACE.sub("x", pattern))
    for path in (*found.json, *found.no_json):
        _path(PLACE.sub("x", path))
    return found


def _exits(values: list[str]) -> tuple[int, ...]:
    if values == ["any"]:
        return ()
    codes = values[0].split(",")
    if len(values) > 1 or not all(code.isdigit() and int(code) < 256 for code in codes):
        raise ValueError(f"exit={values[-1]} is no exit code, several with commas, or any")
    return tuple(int(code) for code in codes)


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.MULTILINE)
    except re.error as error:
        raise ValueError(f"regex {pattern} is no regular expression: {error}") from error


def _path(path: str) -> Any:
    from jsonpath import JSONPathError, compile

    try:
        return compile(path)
    except JSONPathError as error:
        raise ValueError(f"json {path} is no JSONPath: {' '.join(str(error).split())}") from error


def filled(text: str, variables: Mapping[str, str], quoted: Callable[[str], str] = str) -> str:
    """The text with ``{name}`` replaced; ``quoted`` makes a value fit its place."""
    return PLACE.sub(lambda found: quoted(variables[found[1]]) if found[1] in variables else found[0], text)


def unmet(expect: Expect, code: int, out: str, err: str, variables: Mapping[str, str]) -> list[str]:
    """Which assertions do not hold, in words; nothing where all do."""
    return [*_wrong_exit(expect, code), *_wrong_texts(expect, f"{out}\n{err}", variables), *_wrong_json(expect, out, variables)]


def _wrong_exit(expect: Expect, code: int) -> Iterator[str]:
    if expect.exits and code not in expect.exits:
        yield f"exit code {code} in place of {' or '.join(map(str, expect.exits))}"


def _wrong_texts(expect: Expect, output: str, variables: Mapping[str, str]) -> Iterator[str]:
    for text in expect.text:
        if (wanted := filled(text, variables)) not in output:
            yield f"the output lacks “{wanted}”"
    for text in expect.no_text:
        if (wanted := filled(text, variables)) in output:
            yield f"the output has “{wanted}”"
    for pattern in expect.regex:
        wanted = filled(pattern, variables, re.escape)
        if not _compiled(wanted).search(output):
            yield f"nothing in the output matches {wanted}"


def _wrong_json(expect: Expect, out: str, variables: Mapping[str, str]) -> Iterator[str]:
    if not expect.json and not expect.no_json:
        return
    try:
        data = json.loads(out)
    except (ValueError, RecursionError):
        yield "the output is no JSON"
        return
    for path, meant in (*((each, True) for each in expect.json), *((each, False) for each in expect.no_json)):
        wanted = filled(path, variables, _in_quotes)
        try:
            found = bool(_path(wanted).findall(data))
        except ValueError as error:
            yield str(error)
            continue
        if found != meant:
            yield f"{wanted} finds {'nothing' if meant else 'something'} in the output"


def _in_quotes(value: str) -> str:
    """A value as it stands within the quotes of a JSONPath's text."""
    return json.dumps(value)[1:-1].replace("'", "\\'").replace('\\"', '"')
