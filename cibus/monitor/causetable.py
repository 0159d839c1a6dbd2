"""The table of causes of failed builds: records, and reading causes.toml."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

PLACES = ("step", "last", "final", "anywhere", "unstable", "said")
FAULTS = ("infrastructure", "code", "person")
_NOT_PLAIN = re.compile(r"\\[A-Za-z]|\[[^\]]*\]|\((?:[^()\\]|\\.)*\)|.[?*{]|[\^$|+]|\(\?i\)")


@dataclass(frozen=True)
class Cause:
    """A kind of cause.

    Arguments:
        title: what happened, in plain words
        fault: infrastructure, code, or person
        runbook: the page that says what to do
        rank: of several causes the highest is named
    """

    id: str
    title: str
    fault: str
    runbook: str
    rank: int


@dataclass(frozen=True)
class Pattern:
    """What tells a cause, in one line; see causes.toml for ``place`` (there: where).

    Arguments:
        words: one of them is in every line that matches, in lower case: looked for first
        match, no: lines that must match, and lines that must not
        warnings: it counts on a line that calls itself a warning, too
    """

    cause: Cause
    regex: re.Pattern[str]
    place: str
    rank: int
    words: tuple[str, ...]
    match: tuple[str, ...]
    no: tuple[str, ...]
    warnings: bool = False

    def found(self, text: str) -> bool:
        """Whether a line, without its timestamp and colours, tells this cause."""
        return self.regex.search(text) is not None


@dataclass(frozen=True)
class Table:
    """All patterns, and by the words that lines must have."""

    causes: Mapping[str, Cause]
    patterns: tuple[Pattern, ...]

    @functools.cached_property
    def by_word(self) -> Mapping[bytes, tuple[Pattern, ...]]:
        """The patterns of each word."""
        found: dict[bytes, list[Pattern]] = {}
        for pattern in self.patterns:
            for word in pattern.words:
                found.setdefault(word.encode(), []).append(pattern)
        return {word: tuple(patterns) for word, patterns in found.items()}


def read_table(text: str) -> Table:
    """Reads a table.

    Raises:
        ValueError: something in it is wrong: which cause, which pattern.
    """
    causes: dict[str, Cause] = {}
    patterns: list[Pattern] = []
    for each in tomllib.loads(text)["cause"]:
        cause = Cause(each["id"], each["title"], each["fault"], each["runbook"], each["rank"])
        if cause.id in causes or cause.fault not in FAULTS:
            raise ValueError(f"cause {cause.id}: there twice, or its fault is none of {', '.join(FAULTS)}")
        causes[cause.id] = cause
        patterns += [_pattern(cause, data) for data in each["patterns"]]
    return Table(causes, tuple(patterns))


@functools.cache
def shipped() -> Table:
    """The table of this package."""
    return read_table(resources.files("cibus.monitor").joinpath("causes.toml").read_text("utf-8"))


def _pattern(cause: Cause, data: Mapping[str, Any]) -> Pattern:
    place = data.get("where", "step")
    if place not in PLACES:
        raise ValueError(f"cause {cause.id}: {data['re']}: where is none of {', '.join(PLACES)}")
    words = tuple(_listed(data.get("word") or longest_literal(data["re"])))
    if not all(len(word) > 1 for word in words):
        raise ValueError(f"cause {cause.id}: {data['re']}: give a word that lines must have")
    return Pattern(cause, re.compile(data["re"]), place, data.get("rank", cause.rank), words, tuple(data["match"]), tuple(data["no"]), data.get("warnings", False))


def longest_literal(regex: str) -> str:
    """The longest text that every match of a regex has, in lower case; not for one with alternatives at its top."""
    plain = regex
    while (shorter := _NOT_PLAIN.sub("\0", plain)) != plain:
        plain = shorter
    parts = re.sub(r"\\(.)", r"\1", plain.replace("\\.", "\1")).replace(".", "\0").replace("\1", ".").split("\0")
    return max(parts, key=len).strip("()").lower()


def _listed(value: str | Iterable[str]) -> Iterable[str]:
    return (value,) if isinstance(value, str) else value
