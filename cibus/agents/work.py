"""What a rebuild is told, tells, and comes to: options, events, an agent's way through the steps, its outcome."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from cibus.agents.findings import Finding
from cibus.agents.journal import Journal
from cibus.agents.play import HostResult, Output, TaskDone
from cibus.agents.probe import Facts
from cibus.agents.registration import Served
from cibus.agents.spec import AgentSpec
from cibus.agents.verify import Context
from cibus.jenkins.client import Client
from cibus.secrets import Secret


@dataclass(frozen=True)
class Options:
    """How to rebuild.

    Arguments:
        drain: seconds to wait for running builds; 0: they die
        bare: first remove what a former agent left
        prove: run the playbook a second time, which must change nothing
        reboot: reboot the machine while it is verified
        build: run a build on it while it is verified
        again: do not go on from an unfinished rebuild
        connect: seconds to wait until it is connected
        takeover: also where a run from elsewhere seems to be under way
    """

    reason: str = "rebuild"
    drain: float = 600
    bare: bool = False
    prove: bool = False
    reboot: bool = False
    build: bool = True
    again: bool = False
    connect: float = 120
    takeover: bool = False


@dataclass(frozen=True)
class Began:
    """A step of an agent began."""

    agent: str
    step: str


@dataclass(frozen=True)
class Ended:
    """A step ended: well, skipped, or with the reason why not."""

    agent: str
    step: str
    seconds: float
    words: str
    well: bool = True
    skipped: bool = False


@dataclass(frozen=True)
class Said:
    """What goes on within a step."""

    agent: str
    words: str


Event = Began | Ended | Said | TaskDone | Output
Told = Callable[[Event], None]


@dataclass(frozen=True)
class Outcome:
    """What came of one agent's rebuild; ``failed``: the step that failed, with ``words``."""

    spec: AgentSpec
    started: float
    seconds: float
    steps: tuple[Ended, ...]
    findings: tuple[Finding, ...] = ()
    first: HostResult | None = None
    second: HostResult | None = None
    second_seconds: float = 0.0
    failed: str = ""
    words: str = ""
    system: str = ""
    resumed: bool = False
    marked: bool = True  # offline on the controller, with the reason

    @property
    def result(self) -> str:
        """ok, look (it works, but something was found), or failed."""
        return "failed" if self.failed else "look" if any(each.bad for each in self.findings) else "ok"


@dataclass
class Work:
    """One agent's way through the steps."""

    spec: AgentSpec
    context: Context
    journal: Journal
    started: float = field(default_factory=time.time)
    clock: float = field(default_factory=time.monotonic)
    steps: list[Ended] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    facts: Facts | None = None
    host_key: str = ""
    secret: Secret | None = None
    first: HostResult | None = None
    second: HostResult | None = None
    second_seconds: float = 0.0
    failed: str = ""
    words: str = ""
    resumed: bool = False
    now: str = ""  # the step under way
    done: bool = False
    marked: bool = False
    apart: bool = False  # its node has the label of its trial only

    @property
    def client(self) -> Client:
        """Its controller."""
        assert self.context.client is not None
        return self.context.client

    @property
    def served(self) -> Served:
        """What its controller gives."""
        assert self.context.served is not None
        return self.context.served

    def outcome(self) -> Outcome:
        """What came of it."""
        system = str(self.facts["distribution"]) if self.facts else ""
        return Outcome(
            self.spec, self.started, time.monotonic() - self.clock, tuple(self.steps), tuple(self.findings), self.first, self.second,
            self.second_seconds, self.failed, self.words, system, self.resumed, self.marked,
        )  # fmt: skip
