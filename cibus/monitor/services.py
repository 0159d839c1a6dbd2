"""The services beside Jenkins: probed, kept in the history, and held against their goals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cibus.config import ProbeConfig
from cibus.monitor.findings import Finding
from cibus.monitor.history import DAY, History
from cibus.monitor.results import ProbeResult
from cibus.monitor.slo import Slo, probe_findings, slo


@dataclass(frozen=True)
class Standing:
    """How a service stands after its last probe."""

    config: ProbeConfig
    result: ProbeResult
    slo: Slo

    @property
    def findings(self) -> list[Finding]:
        """What is wrong with it."""
        return probe_findings(self.config, self.result, self.slo)


def standings(history: History, probes: Iterable[ProbeConfig], results: Sequence[ProbeResult], now: float) -> list[Standing]:
    """Keeps the results, and says how the services stand with them; in the order of the results.

    Arguments:
        now: epoch seconds
    """
    configs = {each.name: each for each in probes}
    found = []
    for result in results:
        config = configs[result.name]
        kept = history.add_probe(result)
        past = history.probe_results(result.name, now - config.window * DAY)
        found.append(Standing(config, result, slo(config, past if kept else [*past, result], now)))
    return found


async def probed(probes: Sequence[ProbeConfig]) -> list[ProbeResult]:
    """Probes all of them once."""
    from cibus.monitor.probes import run_probes

    results: list[ProbeResult] = []
    await run_probes(probes, results.append)
    return results
