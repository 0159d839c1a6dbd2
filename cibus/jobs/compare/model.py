"""What is compared, and what a comparison says."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["added", "removed", "changed", "moved"]


@dataclass(frozen=True)
class ConfigText:
    """A config as a snapshot has it: canonical and redacted.

    Arguments:
        xml: the document
        scripts: its pipeline scripts, by the name that the document gives them
    """

    xml: str
    scripts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """One difference by meaning.

    Arguments:
        kind: added, removed, changed, or moved within a list
        what: the thing in words: ``parameter TARGET: default``
        path: the same as a path of elements and keys, those of the old side where it is there
        old: the old text; empty if there was none
        new: the new text; empty if there is none
        secret: only placeholders differ: the value changed, and is not shown
    """

    kind: Kind
    what: str
    path: str
    old: str = ""
    new: str = ""
    secret: bool = False

    @property
    def diff(self) -> str:
        """A unified diff of the texts, if one of them has several lines and both are there."""
        if not (self.old and self.new and ("\n" in self.old or "\n" in self.new)):
            return ""
        lines = difflib.unified_diff(self.old.splitlines(), self.new.splitlines(), "old", "new", lineterm="")
        return "\n".join(lines)

    @property
    def in_words(self) -> str:
        """The change in a line."""
        if self.secret:
            return f"{self.what}: secret changed (not shown)"
        if self.kind != "changed":
            return f"{self.kind} {self.what}"
        return f"{self.what}: text changed" if self.diff else f"{self.what}: {_cut(self.old)!r} -> {_cut(self.new)!r}"


def _cut(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:199]}…"
