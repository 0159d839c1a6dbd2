"""The allow list: values that look like secrets and are none."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase

from cibus.errors import UsageError


@dataclass(frozen=True)
class Allowed:
    """One entry: a fingerprint, or a text that is either the value itself or a pattern of places."""

    reason: str
    fingerprint: str = ""
    match: str = ""


@dataclass(frozen=True)
class AllowList:
    """What stays in the snapshot although it looks like a secret."""

    entries: tuple[Allowed, ...] = ()

    @classmethod
    def parse(cls, text: str, name: str = "allow.toml") -> AllowList:
        """Reads ``[[allow]]`` tables with ``fingerprint`` or ``match``, and ``reason``.

        Arguments:
            text: TOML
            name: what an error calls the file

        Raises:
            UsageError: not TOML, an unknown key, or an entry without reason.
        """
        try:
            tables = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"{name}: {error}") from error
        unknown = set(tables) - {"allow"}
        if unknown:
            raise UsageError(f"{name}: unknown key {sorted(unknown)[0]!r}; entries are [[allow]] tables")
        entries = tables.get("allow", [])
        if not isinstance(entries, list):
            raise UsageError(f"{name}: write [[allow]], not [allow]")
        return cls(tuple(_entry(entry, f"{name}: entry {number}") for number, entry in enumerate(entries, 1)))

    def allows(self, mark: str, value: str, where: str) -> bool:
        """Whether an entry names this fingerprint, this value or this place."""
        return any(
            entry.fingerprint == mark if entry.fingerprint else entry.match == value or fnmatchcase(where, entry.match)
            for entry in self.entries
        )


def _entry(entry: object, where: str) -> Allowed:
    if not isinstance(entry, dict):
        raise UsageError(f"{where} is not a table")
    unknown = set(entry) - {"fingerprint", "match", "reason"}
    if unknown:
        raise UsageError(f"{where}: unknown key {sorted(unknown)[0]!r}")
    if not all(isinstance(value, str) for value in entry.values()):
        raise UsageError(f"{where}: every value is a string")
    if not entry.get("reason", "").strip():
        raise UsageError(f"{where}: say why in reason")
    if bool(entry.get("fingerprint")) == bool(entry.get("match")):
        raise UsageError(f"{where}: give either fingerprint or match")
    return Allowed(entry["reason"], entry.get("fingerprint", ""), entry.get("match", ""))
