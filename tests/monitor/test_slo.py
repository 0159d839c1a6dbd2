"""Goals of services: budgets, burn rates and findings, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from cibus.config import ProbeConfig
from cibus.monitor.results import ProbeResult, Times
from cibus.monitor.slo import DAY, HOUR, Slo, probe_findings, slo

NOW = 1_800_000_000.0
CONFIG = ProbeConfig("mirror", "https://mirror.example/", availability="99.0", latency=300, owner="ops")


def run(ago: float, tried: int = 100, ok: int = 100, p95: float = 50, dropped: int = 0, **more: Any) -> ProbeResult:
    return ProbeResult("mirror", NOW - ago, 1, tried, ok, timeouts=tried - ok, dropped=dropped, total=Times(ok, p95, p95, p95, p95), **more)


def conditions(last: ProbeResult, *before: ProbeResult, config: ProbeConfig = CONFIG) -> list[tuple[str, str, str]]:
    found = probe_findings(config, last, slo(config, [*before, last], NOW))
    assert all((each.subject, each.owner) == ("mirror", "ops") for each in found)
    assert all("\n" not in each.words for each in found)
    return [(each.level, each.condition, each.runbook) for each in found]


def test_the_budget() -> None:
    state = slo(CONFIG, [run(10 * DAY, 1000, 1000), run(5 * DAY, 900, 896), run(1 * DAY, 100, 99, dropped=1), run(31 * DAY, 500, 0)], NOW)
    assert (state.tried, state.good) == (2000, 1994)
    assert state.allowed == pytest.approx(20)
    assert state.used == pytest.approx(0.3)
    assert state.remaining == pytest.approx(0.7)
    assert state.availability == pytest.approx(0.997)
    assert (state.burn_1h, state.burn_6h, state.p95) == (None, None, None)


def test_burn_rates() -> None:
    state = slo(CONFIG, [run(60, 100, 80), run(5 * HOUR, 300, 300), run(7 * HOUR, 100, 0)], NOW)
    assert state.burn_1h == pytest.approx(20)
    assert state.burn_6h == pytest.approx(5)


def test_nothing_was_tried() -> None:
    state = slo(CONFIG, [], NOW)
    assert (state.availability, state.used, state.latency_met) == (None, 0, True)
    assert state == Slo(0.99, 0, 0, 0, 0, None, None, None, 300)


def test_what_lies_ahead_of_the_clock_does_not_count() -> None:
    assert slo(CONFIG, [run(-100)], NOW).tried == 0


@pytest.mark.parametrize(
    ("p95s", "median", "met"),
    [((200, 200, 900), 200, True), ((900, 900, 200), 900, False), ((300,), 300, True), ((301,), 301, False), ((200, 900), 200, True)],
)
def test_one_slow_run_is_not_slow(p95s: tuple[float, ...], median: float, met: bool) -> None:
    state = slo(CONFIG, [run(60 * number, p95=p95) for number, p95 in enumerate(p95s, 1)], NOW)
    assert (state.p95, state.latency_met) == (median, met)


def test_quiet() -> None:
    assert conditions(run(0)) == []
    assert conditions(run(0, 100, 99), run(2 * HOUR)) == []


def test_down() -> None:
    found = conditions(run(0, 1, 0), run(DAY, 100_000, 100_000))
    assert ("error", "service-down", "service-down") in found
    assert ("warning", "error-budget-spent", "error-budget") not in found
    own = ProbeConfig("mirror", "x", owner="ops", runbook="mirror-down")
    assert ("error", "service-down", "mirror-down") in conditions(run(0, 1, 0), config=own)


def test_burning_needs_both_windows() -> None:
    burning = ("error", "error-budget-burn", "error-budget")
    assert burning in conditions(run(0, 100, 80), run(5 * HOUR, 100, 95))
    assert burning not in conditions(run(0, 100, 80), run(5 * HOUR, 300, 300))  # 20 and 5
    assert burning not in conditions(run(0, 100, 90), run(5 * HOUR, 100, 80))  # 10 and 15


def test_spent() -> None:
    spent = ("warning", "error-budget-spent", "error-budget")
    assert spent in conditions(run(0), run(DAY, 100, 97))
    assert spent not in conditions(run(0), run(DAY, 200, 199))
    assert spent in conditions(run(0), run(DAY, 100, 100, dropped=3))


def test_slow_and_certificates() -> None:
    assert conditions(run(0, p95=301)) == [("warning", "service-slow", "service-slow")]
    assert conditions(run(0, certificate_days=20.9)) == [("warning", "certificate-expires", "certificate-expires")]
    assert conditions(run(0, certificate_days=21.0)) == []
    assert conditions(run(0, p95=10_000), config=ProbeConfig("mirror", "x", owner="ops")) == []


def test_errors_come_first() -> None:
    levels = [level for level, _, _ in conditions(run(0, 100, 0, certificate_days=2.0))]
    assert levels == sorted(levels)
    assert len(levels) == 4
