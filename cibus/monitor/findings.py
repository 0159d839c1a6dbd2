"""What is wrong with CI, as the sweep and the probes say it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning"]
RANKS: dict[str, int] = {"error": 0, "warning": 1}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Arguments:
        condition: its kind, e.g. service-down
        subject: what it is about: an agent, a job, a service
        words: what was found, with figures
        runbook: the name of the page that says what to do
    """

    condition: str
    subject: str
    level: Level
    words: str
    owner: str = ""
    runbook: str = ""

    @property
    def key(self) -> str:
        """What tells findings apart over time: the condition and the subject."""
        return f"{self.condition} {self.subject}"


def ranked(found: Iterable[Finding]) -> list[Finding]:
    """Errors first; otherwise in the order in which they came."""
    return sorted(found, key=lambda each: RANKS[each.level])
