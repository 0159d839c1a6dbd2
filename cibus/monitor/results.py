"""What came of a run of a probe: counts, and times as exact percentiles."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

STEP = 0.1  # ms: times are counted in steps of this size, so that hours of holding do not fill the memory


@dataclass(frozen=True)
class Times:
    """Percentiles of times in milliseconds by nearest rank: each is a time that was measured, to 0.1 ms."""

    count: int = 0
    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    max: float = 0.0


class Clock:
    """Counts times and gives their percentiles."""

    def __init__(self) -> None:
        self._steps: Counter[int] = Counter()

    def add(self, seconds: float) -> None:
        """Counts one time."""
        self._steps[round(seconds * 1000 / STEP)] += 1

    def times(self) -> Times:
        """The percentiles of all that was counted; zeros where nothing was."""
        count = self._steps.total()
        if not count:
            return Times()
        steps = sorted(self._steps.items())
        return Times(count, *(_nearest(steps, count, share) for share in (50, 95, 99, 100)))


def _nearest(steps: list[tuple[int, int]], count: int, percent: int) -> float:
    """The smallest time that at least so many per cent of all do not exceed (the nearest-rank method)."""
    rank, seen = math.ceil(count * percent / 100), 0
    for step, how_many in steps:
        seen += how_many
        if seen >= rank:
            return round(step * STEP, 1)
    raise AssertionError("a rank beyond the count")


@dataclass(frozen=True)
class ProbeResult:
    """One run of a probe.

    Arguments:
        started: seconds since 1970, UTC
        seconds: how long it took
        tried: connections whose outcome is known; the sum of ok, timeouts, refused, wrong and errors
        wrong: answered, but not as expected
        errors: everything else: no such name, reset, a certificate that is not trusted, ...
        dropped: of those that are ok: lost, or silent for longer than the timeout, while they were held
        message: the first that went wrong, in one line
        connect: until connected, with TLS; SMTP: with the banner
        total: from the beginning until the first answer that is as expected
        held: of each later exchange on connections that are held
        certificate_days: left to the server's certificate; None where there is none to see
        interrupted: ended by the user before its time
        lag: how late the probing process itself was; by several times that the other times may be too high
    """

    name: str
    started: float
    seconds: float = 0.0
    tried: int = 0
    ok: int = 0
    timeouts: int = 0
    refused: int = 0
    wrong: int = 0
    errors: int = 0
    dropped: int = 0
    message: str = ""
    connect: Times = field(default_factory=Times)
    total: Times = field(default_factory=Times)
    held: Times = field(default_factory=Times)
    certificate_days: float | None = None
    interrupted: bool = False
    lag: Times = field(default_factory=Times)

    @property
    def good(self) -> int:
        """The connections of which nobody would complain."""
        return self.ok - self.dropped


def as_data(result: ProbeResult) -> Mapping[str, Any]:
    """A result as it is printed as JSON."""
    return asdict(result) | {"good": result.good}
