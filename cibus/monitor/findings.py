"""A finding of the monitor, as it is shown, kept, told and exported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Level = Literal["error", "warning"]
RANKS = {"error": 0, "warning": 1}


@dataclass(frozen=True)
class Finding:
    """Something that somebody has to do something about.

    Arguments:
        condition: its kind, e.g. queue-stuck
        subject: what it is about: an agent, a label, a job; "" for the controller
        level: error or warning
        words: what was found, with figures
        runbook: the page that says what to do; default: that of the condition's name
    """

    condition: str
    subject: str
    level: Level
    words: str
    owner: str = ""
    runbook: str = ""

    @property
    def page(self) -> str:
        """The runbook's name."""
        return self.runbook or self.condition

    @property
    def key(self) -> str:
        """What makes it the same finding in two sweeps: its condition and its subject."""
        return f"{self.condition} {self.subject}"


def ranked(found: Iterable[Finding]) -> list[Finding]:
    """The worst first; otherwise in the order in which they came."""
    return sorted(found, key=lambda each: RANKS[each.level])


def as_data(found: Finding, since: float | None = None) -> Mapping[str, Any]:
    """A finding as it is printed in JSON; ``since``: epoch seconds."""
    data = {"condition": found.condition, "subject": found.subject, "level": found.level, "words": found.words, "owner": found.owner, "runbook": found.page}
    return data if since is None else {**data, "since": since}
