"""Metrics: what they say, that they are valid, and how many there are at most."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from test_alerts import promtool

from cibus.config import MonitorConfig, ProbeConfig
from cibus.monitor.conditions import View, findings
from cibus.monitor.metrics import FINDINGS, JOBS, LABELS, SERIES, SERVICES, Collector
from cibus.monitor.results import ProbeResult
from cibus.monitor.services import Standing
from cibus.monitor.slo import slo
from cibus.monitor.state import Job, Node, Outside, Sweep, Waiting
from cibus.monitor.watch import Seen

registry = pytest.importorskip("prometheus_client.registry")

NOW = 1_800_000_000.0


def view(jobs: int, agents: int, queue: int, labels: int) -> View:
    """A controller of this size on which nearly everything is wrong; names have what must be escaped in them."""
    nodes = tuple(Node(f'agent "{n}"\\\n', online=n % 3 > 0, executors=2, busy=n % 3, labels=(f"l{n % labels}", f"x{n % 7}"), disk=1 << 20, clock=99.0, response=9.0, memory=0.01) for n in range(agents))
    waits = tuple(Waiting(f"job-{n}", NOW - 60 * n, ("label", "busy", "offline", "other")[n % 4], "why", f"l{n % (2 * labels)}") for n in range(queue))
    built = tuple(Job(f"job-{n}", 4, "FAILURE" if n % 2 else "SUCCESS", NOW - 9999 if n % 5 == 0 else None, 60.0, NOW - 100, NOW - 9e6, 600.0, "abc" if n % 3 else "") for n in range(jobs))
    return View(
        Sweep("http://ci/", NOW, 1.0, 9.0, "2.479.1", True, nodes, waits, built, (), 4),
        Outside(True, NOW - 9e6, 3, NOW, NOW + 100, {f"a{n}": (("java", "error", "old"),) for n in range(agents)}, {f"a{n}": "" for n in range(agents)}),
        MonitorConfig(jobs=tuple(f"job-{n}" for n in range(0, jobs, 2)), labels=tuple(f"l{n}" for n in range(labels))),
    )


def services(count: int) -> tuple[Standing, ...]:
    """Services that do not answer."""
    configs = [ProbeConfig(f"service-{n}", "tcp://127.0.0.1:1") for n in range(count)]
    results = [ProbeResult(each.name, NOW, 1.0, tried=2, ok=1, refused=1) for each in configs]
    return tuple(Standing(config, result, slo(config, [result], NOW)) for config, result in zip(configs, results, strict=True))


def text_of(seen: View) -> bytes:
    from prometheus_client.openmetrics.exposition import generate_latest

    found = registry.CollectorRegistry(auto_describe=False)
    collector = Collector()
    collector.seen = Seen(seen, tuple(findings(seen)), services(60))
    found.register(collector)
    return generate_latest(found)


def series(text: bytes) -> list[str]:
    return [line for line in text.decode().splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("size", [(0, 0, 0, 1), (20, 5, 5, 2), (1000, 50, 50, 20), (10_000, 200, 500, 150), (50_000, 2000, 5000, 1500)])
def test_the_number_of_series_is_bounded(size: tuple[int, int, int, int]) -> None:
    found = series(text_of(view(*size)))
    assert len(found) <= SERIES
    assert len({line.rpartition(" ")[0] for line in found}) == len(found), "a series twice"
    if size[0] >= 10_000:  # every part of the budget is used up, and not more
        for prefix, most in (("cibus_finding{", FINDINGS), ("cibus_label_executors{", LABELS + 1), ("cibus_job_failing{", JOBS), ("cibus_service_good_ratio{", SERVICES)):
            assert sum(line.startswith(prefix) for line in found) == most


def test_what_is_left_out_is_still_counted() -> None:
    big = view(10_000, 200, 500, 150)
    lines = dict(line.rsplit(" ", 1) for line in series(text_of(big)))
    assert sum(float(value) for name, value in lines.items() if name.startswith("cibus_label_waiting{")) == sum(bool(each.label) for each in big.sweep.queue or ())
    counted = sum(float(value) for name, value in lines.items() if name.startswith("cibus_findings{"))
    assert counted == len(findings(big)) > FINDINGS


def test_it_is_valid_openmetrics_and_promtool_agrees() -> None:
    from prometheus_client import generate_latest
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    text = text_of(view(1000, 50, 50, 20)).decode()
    families = {each.name: each for each in text_string_to_metric_families(text)}
    assert families["cibus_queue_length"].type == "gauge"
    names = {sample.labels["subject"] for sample in families["cibus_finding"].samples}
    assert 'agent "0"\\\n' in names
    found = registry.CollectorRegistry(auto_describe=False)
    collector = Collector()
    collector.seen = Seen(view(1000, 50, 50, 20), tuple(findings(view(1000, 50, 50, 20))), services(3))
    found.register(collector)
    assert promtool("check", "metrics", stdin=generate_latest(found)) == ""


def test_what_is_not_known_is_left_out() -> None:
    down = View(Sweep("http://ci/", time.time(), 3.0))
    lines = series(text_of(down))
    assert "cibus_controller_up 0.0" in lines
    assert not [line for line in lines if line.startswith(("cibus_queue", "cibus_nodes", "cibus_jobs", "cibus_export"))]
    partial = replace(down, sweep=replace(down.sweep, latency=0.1, queue=()))
    assert "cibus_queue_longest_wait_seconds 0.0" in series(text_of(partial))
