"""What one sweep saw of a controller: frozen records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True)
class Node:
    """A node and what the controller's monitors say of it.

    Arguments:
        online: takes builds; ``away``: somebody took it offline, with ``reason`` and ``since`` (epoch seconds)
        labels: without its own name
        disk, temporary: bytes free in its root folder and its temporary folder; None: not known
        memory: share of physical memory and swap that is free, 0 to 1
        response: seconds for an answer to a ping; ``clock``: seconds that its clock is behind the controller's
        exclusive: what is only built here asks for it by label
    """

    name: str
    online: bool = True
    builtin: bool = False
    away: bool = False
    reason: str = ""
    since: float | None = None
    executors: int = 1
    busy: int = 0
    labels: tuple[str, ...] = ()
    disk: int | None = None
    temporary: int | None = None
    memory: float | None = None
    response: float | None = None
    clock: float | None = None


@dataclass(frozen=True)
class Waiting:
    """A build in the queue; ``kind``: quiet, blocked, label, offline, busy or other; ``since`` in epoch seconds."""

    job: str
    since: float
    kind: str
    why: str
    label: str = ""


@dataclass(frozen=True)
class Job:
    """A job by its last builds; times in epoch seconds, durations in seconds.

    Arguments:
        result: of the last build that ended, or "" where there is none or it is not known
        started: when the running build began, or None where none runs
        estimated: what Jenkins expects of a build, from the last ones that ended well; 0: not known
        ended: when the last build that ended began
        succeeded: when the last successful build began
        duration: of the last successful build
        flaky: the commit that both passed and failed, or ""
    """

    name: str
    number: int = 0
    result: str = ""
    started: float | None = None
    estimated: float = 0.0
    ended: float | None = None
    succeeded: float | None = None
    duration: float | None = None
    flaky: str = ""
    disabled: bool = False

    @property
    def failing(self) -> bool:
        """Whether its last build failed; an aborted or unstable one says nothing of that."""
        return self.result == "FAILURE"


@dataclass(frozen=True)
class Label:
    """A label over all the nodes that bear it; ``nodes``: their names, ``online``: how many of them take builds."""

    name: str
    nodes: tuple[str, ...]
    online: int
    executors: int
    busy: int

    @property
    def saturated(self) -> bool:
        """Whether no executor is free, though there are some."""
        return 0 < self.executors <= self.busy


@dataclass(frozen=True)
class Trouble:
    """A part of the sweep that failed; ``kind``: down (no answer), rights, wrong (an answer that is none), or fault."""

    part: str
    kind: str
    words: str


@dataclass(frozen=True)
class Sweep:
    """All that was seen.

    Arguments:
        when: epoch seconds at its begin; ``seconds``: how long it took
        latency: seconds for the smallest answer, or None where there was none
        nodes, queue, jobs: None where they could not be read
        requests: how many it took
    """

    url: str
    when: float
    seconds: float = 0.0
    latency: float | None = None
    version: str = ""
    quieting: bool = False
    nodes: tuple[Node, ...] | None = None
    queue: tuple[Waiting, ...] | None = None
    jobs: tuple[Job, ...] | None = None
    troubles: tuple[Trouble, ...] = ()
    requests: int = 0

    @cached_property
    def labels(self) -> Mapping[str, Label]:
        """The labels that nodes bear, by name."""
        bearers: dict[str, list[Node]] = {}
        for node in self.nodes or ():
            for label in node.labels:
                bearers.setdefault(label, []).append(node)
        return {name: _label(name, nodes) for name, nodes in sorted(bearers.items())}

    @cached_property
    def ready(self) -> tuple[Waiting, ...]:
        """What waits for an executor only: not for its quiet period, nor for another build."""
        return tuple(each for each in self.queue or () if each.kind not in ("quiet", "blocked"))

    @property
    def longest_wait(self) -> float:
        """Seconds that a build waits for an executor, at most."""
        return max((self.when - each.since for each in self.ready), default=0.0)

    @property
    def counts(self) -> Mapping[str, int | None]:
        """How many jobs, nodes and waiting builds there are; None: not to be seen."""
        return {name: None if found is None else len(found) for name, found in (("jobs", self.jobs), ("nodes", self.nodes), ("waiting", self.queue))}

    @property
    def agents(self) -> Iterator[Node]:
        """The nodes but the built-in one."""
        return (node for node in self.nodes or () if not node.builtin)


def _label(name: str, nodes: list[Node]) -> Label:
    online = [node for node in nodes if node.online]
    return Label(name, tuple(node.name for node in nodes), len(online), sum(node.executors for node in online), sum(node.busy for node in online))


@dataclass(frozen=True)
class Outside:
    """What is known beside the controller: epoch seconds; None: not known, and not asked for.

    Arguments:
        exported: the last export of its configuration; ``watched``: whether one is expected at all
        drift: how many differences the last diff found
        certificate: when the controller's TLS certificate ends
        identities: days that signing identities are valid, as ``agent: identity``, by the last verify
        receipts: findings of the last verify by agent, as (check, level, words)
        owners: who owns an agent, "" where nobody does
        areas: globs of jobs, and who owns these
    """

    watched: bool = False
    exported: float | None = None
    drift: int | None = None
    compared: float | None = None
    certificate: float | None = None
    receipts: Mapping[str, tuple[tuple[str, str, str], ...]] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    areas: tuple[tuple[tuple[str, ...], str], ...] = ()
