"""A view as Prometheus metrics, in a number of series that does not grow with the controller.

The budget: ``SERIES`` series at most, however many jobs, agents and labels there are. Labels of agents beyond the
``LABELS`` that are waited for most are summed up as ``(other)``; jobs have series of their own only where
``[monitor] jobs`` names them; findings beyond ``FINDINGS`` are only counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from cibus.monitor.conditions import ALL, View
from cibus.monitor.findings import Finding
from cibus.monitor.services import Standing
from cibus.monitor.state import Job, Label
from cibus.monitor.watch import Seen

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

LABELS, JOBS, SERVICES, FINDINGS = 50, 40, 25, 160
KINDS = ("quiet", "blocked", "label", "offline", "busy", "shutdown", "other")
RESULTS = ("SUCCESS", "UNSTABLE", "FAILURE", "ABORTED", "NOT_BUILT")
SERIES = 700
OTHER = "(other)"


class Collector:
    """Gives prometheus_client what was seen last."""

    def __init__(self) -> None:
        self.seen: Seen | None = None

    def collect(self) -> Iterator[Metric]:
        """The metrics, by https://prometheus.io/docs/practices/naming/."""
        if self.seen is not None:
            view = self.seen.view
            yield from _controller(view)
            yield from _queue(view)
            yield from _nodes(view)
            yield from _labels(view)
            yield from _builds(view)
            yield from _outside(view)
            yield from _services(self.seen.services)
            yield from _findings(self.seen.findings)


def _gauge(name: str, words: str, values: Iterable[tuple[Sequence[str], float | None]], labels: Sequence[str] = ()) -> Iterator[Metric]:
    """A gauge; values that are not known are left out, and so is a gauge without any."""
    from prometheus_client.core import GaugeMetricFamily

    made = GaugeMetricFamily(f"cibus_{name}", words, labels=list(labels))
    for names, value in values:
        if value is not None:
            made.add_metric(list(names), float(value))
    if made.samples:
        yield made


def _one(name: str, words: str, value: float | None) -> Iterator[Metric]:
    return _gauge(name, words, [((), value)])


def _controller(view: View) -> Iterator[Metric]:
    sweep = view.sweep
    yield from _one("controller_up", "Whether the controller answered the last sweep.", sweep.latency is not None)
    yield from _one("controller_latency_seconds", "What the controller's smallest answer took.", sweep.latency)
    yield from _one("controller_shutting_down", "Whether it starts no more builds.", sweep.quieting)
    if sweep.version:
        yield from _gauge("controller_version", "Its version, as a label.", [((sweep.version,), 1)], ["version"])
    yield from _one("sweep_timestamp_seconds", "When the last sweep began.", sweep.when)
    yield from _one("sweep_duration_seconds", "How long the last sweep took.", sweep.seconds)
    yield from _one("sweep_requests", "How many requests it took.", sweep.requests)
    missing = {each.part for each in sweep.troubles}
    yield from _gauge("sweep_part_ok", "Whether a part of the sweep could be read.", [((part,), part not in missing) for part in ("controller", "agents", "queue", "jobs")], ["part"])


def _queue(view: View) -> Iterator[Metric]:
    queue = view.sweep.queue
    if queue is None:
        return
    counts = Counter(each.kind for each in queue)
    yield from _gauge("queue_length", "Builds that wait, by what they wait for.", [((kind,), counts[kind]) for kind in KINDS], ["kind"])
    yield from _one("queue_longest_wait_seconds", "How long a build waits for an executor, at most.", view.sweep.longest_wait)


def _nodes(view: View) -> Iterator[Metric]:
    nodes = view.sweep.nodes
    if nodes is None:
        return
    states = Counter("online" if node.online else "away" if node.away else "offline" for node in nodes)
    yield from _gauge("nodes", "Nodes by state; away: taken offline by somebody.", [((state,), states[state]) for state in ("online", "away", "offline")], ["state"])
    yield from _one("executors", "Executors that are online.", sum(node.executors for node in nodes if node.online))
    yield from _one("executors_busy", "Executors that build.", sum(node.busy for node in nodes if node.online))
    yield from _one("node_least_disk_free_bytes", "The least free space in a node's root folder.", min((node.disk for node in nodes if node.disk is not None), default=None))


def _labels(view: View) -> Iterator[Metric]:
    if view.sweep.nodes is None:
        return
    waits = Counter(each.label for each in view.sweep.queue or () if each.label)
    rows = _bounded(view.sweep.labels, waits)
    for name, words, pick in _PER_LABEL:
        yield from _gauge(name, words, [((label.name,), pick(label)) for label, _ in rows], ["label"])
    yield from _gauge("label_waiting", "Builds that wait for a label.", [((label.name,), count) for label, count in rows], ["label"])


_PER_LABEL: tuple[tuple[str, str, Callable[[Label], float]], ...] = (
    ("label_agents_online", "Agents with a label that are online.", lambda label: label.online),
    ("label_executors", "Executors of a label that are online.", lambda label: label.executors),
    ("label_executors_busy", "Executors of a label that build.", lambda label: label.busy),
)


def _bounded(known: Mapping[str, Label], waits: Counter[str]) -> list[tuple[Label, int]]:
    """The labels that matter most, and one that stands for all others; a node counts there once for each of its labels."""
    names = sorted({*known, *waits}, key=lambda name: (-waits[name], -len(known[name].nodes) if name in known else 0, name))
    rows = [(known.get(name, Label(name, (), 0, 0, 0)), waits[name]) for name in names]
    rest = rows[LABELS:]
    if rest:
        labels = [label for label, _ in rest]
        other = Label(OTHER, (), sum(each.online for each in labels), sum(each.executors for each in labels), sum(each.busy for each in labels))
        rows[LABELS:] = [(other, sum(count for _, count in rest))]
    return sorted(rows, key=lambda row: row[0].name)


def _builds(view: View) -> Iterator[Metric]:
    jobs = view.sweep.jobs
    if jobs is None:
        return
    results = Counter(job.result for job in jobs if not job.disabled)
    yield from _gauge("jobs", "Jobs that are not disabled, by the result of their last build.", [((each,), results[each]) for each in RESULTS], ["result"])
    yield from _one("jobs_building", "Jobs whose last build runs.", sum(job.started is not None for job in jobs))
    chosen = [job for job in jobs if job.name in view.chosen][:JOBS]
    for name, words, pick in _PER_JOB:
        yield from _gauge(name, words, [((job.name,), pick(job)) for job in chosen], ["job"])


_PER_JOB: tuple[tuple[str, str, Callable[[Job], float | None]], ...] = (
    ("job_failing", "Whether a job's last build failed.", lambda job: job.failing),
    ("job_success_timestamp_seconds", "When a job's last successful build began.", lambda job: job.succeeded),
    ("job_duration_seconds", "How long a job's last successful build took.", lambda job: job.duration),
    ("job_running_since_seconds", "When a job's running build began.", lambda job: job.started),
)


def _outside(view: View) -> Iterator[Metric]:
    outside = view.outside
    yield from _one("export_timestamp_seconds", "When the configuration was exported last.", outside.exported)
    yield from _one("drift_configs", "Configs that differed from the snapshot at the last comparison.", outside.drift)
    yield from _one("certificate_end_timestamp_seconds", "When the controller's TLS certificate ends.", outside.certificate)


def _services(found: Sequence[Standing]) -> Iterator[Metric]:
    chosen = found[:SERVICES]
    for name, words, pick in _PER_SERVICE:
        yield from _gauge(name, words, [((each.config.name,), pick(each)) for each in chosen], ["service"])


_PER_SERVICE: tuple[tuple[str, str, Callable[[Standing], float | None]], ...] = (
    ("service_good_ratio", "Share of a service's last probe that was good.", lambda each: each.result.good / each.result.tried if each.result.tried else None),
    ("service_latency_p95_seconds", "What 95 of 100 answers of its last probe took at most.", lambda each: each.result.total.p95 / 1000 if each.result.ok else None),
    ("service_availability_ratio", "Share of all probes in its window that were good.", lambda each: each.slo.availability),
    ("service_error_budget_used_ratio", "Share of its error budget that is used.", lambda each: each.slo.used),
)


def _findings(found: Sequence[Finding]) -> Iterator[Metric]:
    counts = Counter(each.condition for each in found)
    known = dict.fromkeys([*(each.name for each in ALL), *counts])
    yield from _gauge("findings", "Findings by condition; all of them are counted here.", [((name,), counts[name]) for name in known], ["condition"])
    single = {each.key: each for each in found[:FINDINGS]}
    rows = [((each.condition, each.subject, each.level, each.owner, each.page), 1.0) for each in single.values()]
    yield from _gauge("finding", f"A finding; the {FINDINGS} worst ones.", rows, ["condition", "subject", "level", "owner", "runbook"])

