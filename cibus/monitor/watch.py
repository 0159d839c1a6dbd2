"""Watching: sweep after sweep, each kept in the history, with what is wrong since when."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cibus.config import ProbeConfig
from cibus.errors import CibusError
from cibus.monitor.conditions import View, findings
from cibus.monitor.findings import Finding, ranked
from cibus.monitor.history import History
from cibus.monitor.services import Standing, probed, standings
from cibus.monitor.state import Sweep

PRUNE = 3600.0  # seconds between two prunings of the history


@dataclass(frozen=True)
class Seen:
    """What was seen last; ``since``: when each finding began, in epoch seconds, by its key."""

    view: View
    findings: tuple[Finding, ...] = ()
    services: tuple[Standing, ...] = ()
    since: Mapping[str, float] = field(default_factory=dict)


class Watch:
    """Looks again and again; what it saw last is in ``seen``.

    Arguments:
        look: makes a sweep with what is known beside it
        history: where figures are kept
        probes: the services that are probed with each sweep
    """

    def __init__(self, look: Callable[[], View], history: History, probes: Sequence[ProbeConfig] = ()) -> None:
        self._look = look
        self._history = history
        self._probes = probes
        self._pruned = 0.0
        self.seen: Seen | None = None

    def once(self) -> Seen:
        """One sweep."""
        view = self._look()
        services = tuple(self._probed(view.now))
        found = tuple(ranked([*findings(view), *(finding for each in services for finding in each.findings)]))
        self._history.add(view.now, figures(view.sweep, len(found)))
        since = self._history.note_findings(view.now, (each.key for each in found), partial=bool(view.sweep.troubles))
        if view.now - self._pruned > PRUNE:
            self._history.prune(view.now)
            self._pruned = view.now
        self.seen = Seen(view, found, services, since)
        return self.seen

    def _probed(self, now: float) -> Sequence[Standing]:
        if not self._probes:
            return ()
        return standings(self._history, self._probes, asyncio.run(probed(self._probes)), now)

    def until(self, stopped: Callable[[float], bool], interval: float, told: Callable[[Seen], None], troubled: Callable[[str], None]) -> None:
        """Sweeps until it is stopped; a sweep that cannot be made is not the last one.

        Arguments:
            stopped: waits so many seconds, and says whether it is to end
            interval: seconds from the begin of a sweep to that of the next
            told: is told each sweep; ``troubled``: why one could not be made, e.g. an inventory that cannot be read
        """
        while True:
            start = time.monotonic()
            try:
                told(self.once())
            except CibusError as error:
                troubled(str(error))
            if stopped(max(interval - (time.monotonic() - start), 1.0)):
                return


TRENDS = (
    ("queue_length", "Builds that wait for an executor", ""),
    ("queue_wait", "Longest wait for an executor", "s"),
    ("executors_busy", "Busy executors", ""),
    ("agents_online", "Agents online", ""),
    ("latency", "The controller's smallest answer", "s"),
    ("jobs_failing", "Jobs whose last build failed", ""),
    ("findings", "Findings", ""),
)


def figures(sweep: Sweep, found: int) -> Mapping[str, float]:
    """The figures of a sweep that trends are made of; what is not known is not among them."""
    made: dict[str, float] = {"up": float(sweep.latency is not None), "findings": float(found)}
    if sweep.latency is not None:
        made["latency"] = sweep.latency
    if sweep.queue is not None:
        made["queue_length"] = float(len(sweep.ready))
        made["queue_wait"] = sweep.longest_wait
    if sweep.nodes is not None:
        made["executors_busy"] = float(sum(node.busy for node in sweep.nodes))
        made["agents_online"] = float(sum(node.online for node in sweep.agents))
    if sweep.jobs is not None:
        made["jobs_failing"] = float(sum(job.failing and not job.disabled for job in sweep.jobs))
    return made
