"""Service level objectives: what is left of the error budget, and how fast it burns. Pure functions.

After *The Site Reliability Workbook*, chapter 5, "Alerting on SLOs" (https://sre.google/workbook/alerting-on-slos/): the
budget is what availability allows to fail; the burn rate is how many times faster than just allowed it is used. Its
figures for a page, 14.4 over one hour and 6 over six hours, must both be passed here: the long window says that it
matters, the short one that it still goes on.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cibus.config import ProbeConfig
from cibus.monitor.conditions import ALL, CERTIFICATE
from cibus.monitor.findings import Finding, ranked
from cibus.monitor.results import ProbeResult

HOUR = 3600.0
DAY = 86400.0
BURN_1H = 14.4
BURN_6H = 6.0
CONDITION = {each.name: each for each in ALL}


@dataclass(frozen=True)
class Slo:
    """How a service stands against its goals.

    Arguments:
        goal: the availability wanted, as a share
        tried, good: connections within the window
        allowed: how many of those tried may fail
        used: the share of the budget that is used; 1 is all of it, more is too much
        burn_1h, burn_6h: burn rates; None where nothing was tried in that time
        p95: milliseconds: the median of the p95 of the runs of the last hour, so that one slow run alone does not count;
            None where nothing was answered
        latency: the goal in milliseconds; 0 none
    """

    goal: float
    tried: int
    good: int
    allowed: float
    used: float
    burn_1h: float | None
    burn_6h: float | None
    p95: float | None
    latency: int = 0

    @property
    def availability(self) -> float | None:
        """The share of connections that were good; None where nothing was tried."""
        return self.good / self.tried if self.tried else None

    @property
    def remaining(self) -> float:
        """The share of the budget that is left; negative where more than all is used."""
        return 1 - self.used

    @property
    def latency_met(self) -> bool:
        """Whether the goal of latency is kept; true where there is none."""
        return not self.latency or self.p95 is None or self.p95 <= self.latency


def slo(config: ProbeConfig, results: Iterable[ProbeResult], now: float) -> Slo:
    """How a service stands, from the runs of its window.

    Arguments:
        now: seconds since 1970
    """
    goal = float(config.availability) / 100
    within = [each for each in results if now - config.window * DAY <= each.started <= now]
    tried, good = _sums(within)
    allowed = tried * (1 - goal)
    lately = sorted(each.total.p95 for each in within if each.started >= now - HOUR and each.ok)
    return Slo(
        goal, tried, good, allowed, (tried - good) / allowed if tried else 0.0, _burn(within, now - HOUR, goal), _burn(within, now - 6 * HOUR, goal),
        lately[math.ceil(len(lately) / 2) - 1] if lately else None, config.latency,
    )  # fmt: skip


def _sums(results: Sequence[ProbeResult]) -> tuple[int, int]:
    return sum(each.tried for each in results), sum(each.good for each in results)


def _burn(results: Sequence[ProbeResult], since: float, goal: float) -> float | None:
    tried, good = _sums([each for each in results if each.started >= since])
    return (tried - good) / tried / (1 - goal) if tried else None


def probe_findings(config: ProbeConfig, result: ProbeResult, state: Slo) -> list[Finding]:
    """What is wrong with a service, the worst first.

    Arguments:
        result: its last run
        state: with that run
    """

    def found(condition: str, words: str, runbook: str = "") -> Finding:
        known = CONDITION[condition]
        return Finding(condition, config.name, known.level, words, config.owner, runbook or known.page)

    made = []
    if result.tried and not result.ok:
        made.append(found("service-down", f"{result.tried} of {result.tried} connections failed: {result.message}", config.runbook))
    if (state.burn_1h or 0) > BURN_1H and (state.burn_6h or 0) > BURN_6H:
        made.append(found("error-budget-burn", f"fails {state.burn_1h:.1f} times as often as {config.availability} % allow (last hour; {state.burn_6h:.1f} times over 6 hours)"))
    if state.used >= 1 and state.good < state.tried:
        made.append(found("error-budget-spent", f"{(state.availability or 0) * 100:.3f} % available in {config.window} days, wanted are {config.availability} %: {state.used * 100:.0f} % of the error budget are used"))
    if not state.latency_met:
        made.append(found("service-slow", f"95 % of the answers take up to {state.p95:.0f} ms, wanted are {config.latency} ms"))
    days = result.certificate_days
    if days is not None and days < CERTIFICATE:
        made.append(found("certificate-expires", f"the certificate is valid for {math.floor(days)} more days"))
    return ranked(made)


def as_data(state: Slo) -> dict[str, Any]:
    """How a service stands, as it is printed as JSON."""
    return asdict(state) | {"availability": state.availability, "remaining": state.remaining, "latency_met": state.latency_met}
