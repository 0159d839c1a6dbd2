"""How often things are used: builds of jobs, and by them of the credentials, libraries and agents that they name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cibus.config import Config
from cibus.jenkins.client import Client
from cibus.jenkins.pulse import jobs as builds_of_jobs
from cibus.jobs.layout import Key
from cibus.jobs.trees import Snapshot
from cibus.ownership.records import Thing
from cibus.wording import counted


@dataclass(frozen=True)
class Uses:
    """What is known of uses.

    Arguments:
        builds: by job, how many builds it had so far; empty where no controller was asked
        named_by: by thing, the jobs that name it
    """

    builds: Mapping[str, int] = field(default_factory=dict)
    named_by: Mapping[Thing, tuple[str, ...]] = field(default_factory=dict)

    def count(self, thing: Thing) -> int | None:
        """How many builds use a thing; without a controller how many jobs; None where nothing is known."""
        if thing.kind == "job":
            return self.builds.get(thing.name, 0) if self.builds else None
        if thing not in self.named_by:
            return None
        jobs = self.named_by[thing]
        return sum(self.builds.get(job, 0) for job in jobs) if self.builds else len(jobs)

    def words(self, thing: Thing) -> str:
        """In words."""
        count = self.count(thing)
        if count is None:
            return "uses not known"
        if thing.kind == "job":
            return counted(count, "build")
        jobs = counted(len(self.named_by[thing]), "job")
        return f"{counted(count, 'build')} of {jobs}" if self.builds else jobs


def uses(config: Config, things: Iterable[Thing], snapshot: Snapshot | None, client: Client | None) -> Uses:
    """Counts uses; the controller is asked once, for the numbers of its jobs' last builds.

    Raises:
        ControllerError: the controller does not say.
    """
    builds = dict(_numbers(builds_of_jobs(client)[1])) if client is not None else {}
    named = dict(_named(config, things, snapshot)) if snapshot is not None else {}
    return Uses(builds, named)


def _numbers(found: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, int]]:
    for job in found:
        if job.get("lastBuild"):
            yield str(job["fullName"]), int(job["lastBuild"]["number"])
        yield from _numbers(job.get("jobs") or ())


def _named(config: Config, things: Iterable[Thing], snapshot: Snapshot) -> Iterator[tuple[Thing, tuple[str, ...]]]:
    """Which jobs name a credential's id, a library, or one of an agent's labels, in their configs and scripts."""
    texts = {key.name: _words(snapshot, key) for key in snapshot.entries if key.kind == "job"}
    for thing in things:
        if thing.kind not in ("credential", "library", "agent"):
            continue
        tokens = {thing.name.rpartition("/")[2] if thing.kind == "credential" else thing.name}
        if thing.kind == "agent" and thing.name in config.agents:
            tokens |= set(config.agents[thing.name].labels)
        yield thing, tuple(job for job, words in texts.items() if tokens & words)


def _words(snapshot: Snapshot, key: Key) -> frozenset[str]:
    config = snapshot.config(key)
    return frozenset(word for text in (config.xml, *config.scripts.values()) for word in re.findall(r"[\w.-]+", text))
