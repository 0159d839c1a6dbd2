"""Rebuilding agents: a plan of steps, each of which can be gone on from.

offline, drain, machine and register are done again in every run: they cost little and what they find may have changed.
A playbook that ran to its end is not run again as long as the machine shows its work.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cibus.agents import playbooks
from cibus.agents.findings import Finding
from cibus.agents.journal import Journal, digest, opened
from cibus.agents.play import HostResult, Output, Plays, TaskDone, private_place
from cibus.agents.playbooks import Target
from cibus.agents.probe import Facts, Wants, connected, look, run
from cibus.agents.registration import Served, await_connection, drain, go_offline, register
from cibus.agents.spec import AgentSpec
from cibus.agents.verify import AS_ROOT, Context, Deeds, verify
from cibus.config import RebuildConfig
from cibus.errors import CibusError, HostError
from cibus.jenkins import nodes
from cibus.jenkins.client import Client
from cibus.secrets import Secret

GIB = 1 << 30
SYSTEMS = {"linux": "Linux", "macos": "Darwin"}


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
    """

    reason: str = "rebuild"
    drain: float = 600
    bare: bool = False
    prove: bool = False
    reboot: bool = False
    build: bool = True
    again: bool = False
    connect: float = 120


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
            self.second_seconds, self.failed, self.words, system, self.resumed,
        )  # fmt: skip


class Stopped(BaseException):
    """Ctrl-C was pressed while a step of another thread waits."""


class Rebuild:
    """Rebuilds agents, several at once.

    Arguments:
        contexts: by agent: its controller and what it is proved against
        folder: the playbooks
        tell: is told of all that happens, from several threads
    """

    def __init__(self, specs: Sequence[AgentSpec], contexts: Mapping[str, Context], folder: Path, options: Options, tell: Told, *, config: RebuildConfig, operator: str) -> None:
        self.folder = folder
        self.options = options
        self.config = config
        self.operator = operator
        self.commit = playbooks.commit(folder)
        self._tell = tell
        self._stop = threading.Event()
        self.works = [Work(spec, contexts[spec.name], self._journal(spec, contexts[spec.name])) for spec in specs]

    def _journal(self, spec: AgentSpec, context: Context) -> Journal:
        plan = digest(replace(spec, secrets={}), sorted(spec.secrets), self.commit, self.options.bare, context.served.jar if context.served else "")
        return Journal(spec.name, plan, time.time()) if self.options.again else opened(spec.name, plan)

    # -- all steps

    def run(self) -> list[Outcome]:
        """Goes through all steps; an agent whose step fails stays offline, the others go on.

        Raises:
            KeyboardInterrupt: agents stay offline; the journal has what is done.
        """
        try:
            self._each(self._prepare)
            with private_place() as place:
                plays = self._plays(place)
                if plays is not None:
                    self._playbooks(plays)
                    self._each(self._connect)
                    self._each(self._verify)
                    if self.options.prove:
                        self._prove(plays)
            self._each(self._finish)
        except KeyboardInterrupt:
            self._stop.set()
            raise
        return [work.outcome() for work in self.works]

    @property
    def secrets(self) -> list[str]:
        """The agents' own secrets: no receipt may have them."""
        return [work.secret.reveal() for work in self.works if work.secret is not None]

    def _left(self) -> list[Work]:
        return [work for work in self.works if not work.failed]

    def _each(self, do: Callable[[Work], None]) -> None:
        """Does something for each agent that has not failed, at once."""
        left = self._left()
        if not left:
            return
        pool = ThreadPoolExecutor(min(len(left), self.config.forks, 32))
        try:
            for done in [pool.submit(do, work) for work in left]:
                done.result()
        except BaseException:
            self._stop.set()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def pause(self, seconds: float) -> None:
        """Waits, but not after Ctrl-C."""
        if self._stop.wait(seconds):
            raise Stopped

    @contextmanager
    def _step(self, work: Work, name: str) -> Iterator[list[str]]:
        """A step: told, timed, and its failure written down; give it its words."""
        self._tell(Began(work.spec.name, name))
        start = time.monotonic()
        words: list[str] = []
        try:
            yield words
        except CibusError as error:
            self._end(work, Ended(work.spec.name, name, time.monotonic() - start, str(error), well=False))
            self._fail(work, name, str(error))
        else:
            self._end(work, Ended(work.spec.name, name, time.monotonic() - start, "; ".join(words)))

    def _end(self, work: Work, ended: Ended) -> None:
        work.steps.append(ended)
        self._tell(ended)

    def _fail(self, work: Work, step: str, words: str) -> None:
        """The node stays offline, and says why."""
        work.failed, work.words = step, words
        try:
            if nodes.computer(work.client, work.spec.name) is not None:
                nodes.take_offline(work.client, work.spec.name, self._reason(f"failed at {step}: {words}")[:500])
        except CibusError as error:
            self._tell(Said(work.spec.name, f"its reason on the controller could not be set: {error}"))

    def _reason(self, words: str) -> str:
        return f"{self.options.reason} by {self.operator} (cibus): {words}"

    # -- the steps of one agent

    def _prepare(self, work: Work) -> None:
        spec, client = work.spec, work.client
        steps: tuple[tuple[str, Callable[[], str]], ...] = (
            ("offline", lambda: go_offline(client, spec, self._reason("under way"))),
            ("drain", lambda: drain(client, spec, self.options.drain, lambda words: self._tell(Said(spec.name, words)), self.pause)),
            ("machine", lambda: self._machine(work)),
            ("register", lambda: self._register(work)),
        )
        for name, do in steps:
            with self._step(work, name) as words:
                words.append(do())
            if work.failed:
                return

    def _machine(self, work: Work) -> str:
        """Whether it is reachable, the right system, with room and rights."""
        spec = work.spec
        with connected(spec) as connection:
            transport: Any = connection.transport
            key = transport.get_remote_server_key()
            work.host_key = f"{key.get_name()} {key.get_base64()}"
            facts = work.facts = look(connection, spec, Wants())
            if run(connection, AS_ROOT.format("true"))[0]:
                raise HostError(f"{spec.host.shown}: this user may not become root with sudo -n; connect as root, or let the user in sudoers with NOPASSWD")
        return checked_machine(spec, facts, self.config.disk)

    def _register(self, work: Work) -> str:
        done = register(work.client, work.spec, self._reason("under way"), work.host_key)
        if work.spec.inbound:
            work.secret = nodes.agent_secret(work.client, work.spec.name)
        return done

    def _connect(self, work: Work) -> None:
        with self._step(work, "connect") as words:
            if not work.spec.inbound:
                nodes.launch(work.client, work.spec.name)
            words.append(await_connection(work.client, work.spec, self.options.connect, self.pause))

    def _verify(self, work: Work) -> None:
        with self._step(work, "verify") as words:
            label = ""
            if self.options.build:
                label = f"cibus-{uuid.uuid4().hex[:8]}"
                self._let_in(work, label)
            try:
                deeds = Deeds(kill=True, reboot=self.options.reboot, build=self.options.build, label=label)
                found = verify(work.spec, work.context, deeds, lambda text: self._tell(Said(work.spec.name, text)), self.pause)
            finally:
                if label:
                    self._shut_again(work)
            work.findings = [each for each in found if each.check != "node" and each.check != "configuration"]
            bad = [each for each in work.findings if each.level == "error"]
            if bad:
                raise CibusError("; ".join(f"{each.check}: {each.words}" for each in bad))
            words.append(f"{sum(each.level == 'fine' for each in work.findings)} checks are fine")

    def _let_in(self, work: Work, label: str) -> None:
        """Online for one label only that nobody else knows: an unproved agent gets no other build."""
        register(work.client, work.spec, "", labels=(label,), exclusive=True)
        nodes.bring_online(work.client, work.spec.name)

    def _shut_again(self, work: Work) -> None:
        nodes.take_offline(work.client, work.spec.name, self._reason("under way"))
        register(work.client, work.spec, "", work.host_key)

    def _finish(self, work: Work) -> None:
        with self._step(work, "online") as words:
            nodes.bring_online(work.client, work.spec.name)
            found = nodes.computer(work.client, work.spec.name)
            if found is None or found.away or not found.connected:
                raise CibusError(f"it should be online, and is {found.state if found else 'gone'}")
            words.append("online")
        if not work.failed:
            work.journal.close()

    # -- the steps of all agents together

    def _plays(self, place: Path) -> Plays | None:
        """Ansible for all agents that are ready; those whose secrets cannot be had fail here."""
        targets = []
        for work in self._left():
            with self._step(work, "secrets") as words:
                targets.append(target(work.spec, work.served, work.secret))
                words.append(f"{len(work.spec.secrets) + (work.secret is not None)} there")
        if not targets:
            return None
        inventories = list(dict.fromkeys(work.spec.inventory for work in self._left() if work.spec.inventory is not None))
        vault = self.config.vault_password.get() if self.config.vault_password else None
        return Plays(self.folder, targets, place, inventory=inventories, forks=self.config.forks, vault_password=vault)

    def _playbooks(self, plays: Plays) -> None:
        if self.options.bare:
            self._played(plays, "bare.yml", "bare")
        self._played(plays, "agent.yml", "playbook")

    def _played(self, plays: Plays, playbook: str, step: str) -> None:
        """Runs a playbook on all agents for which it is not done, and writes down what it did to each."""
        todo = []
        for work in self._left():
            if self._done_before(work, step):
                work.resumed = True
                work.first = _result(work.journal.done[step]) if step == "playbook" else work.first
                self._end(work, Ended(work.spec.name, step, 0.0, "done by the run before", skipped=True))
            else:
                todo.append(work)
                self._tell(Began(work.spec.name, step))
        if not todo:
            return
        start = time.monotonic()
        results, log = plays.play(playbook, [work.spec.name for work in todo], self._tell)
        for work in todo:
            result = results[work.spec.name]
            if step == "playbook":
                work.first = result
            seconds = time.monotonic() - start
            if result.failure:
                words = f"{result.failure}; Ansible's output is in {log}"
                self._end(work, Ended(work.spec.name, step, seconds, words, well=False))
                self._fail(work, step, result.failure)
                continue
            self._end(work, Ended(work.spec.name, step, seconds, f"{result.ok} tasks, {result.total} changed"))
            work.journal = work.journal.with_step(step, {"roles": result.roles, "changed": result.changed, "changes": list(result.changes), "ok": result.ok})

    def _done_before(self, work: Work, step: str) -> bool:
        """Whether an unfinished run did it, and the machine still shows it."""
        if step not in work.journal.done:
            return False
        if step == "bare":
            return True
        facts = work.facts
        return facts is not None and bool(facts["user"]) and bool(facts["folder"]["exists"]) and (not work.spec.inbound or facts["service"]["active"] == "active")

    def _prove(self, plays: Plays) -> None:
        """The second pass: whatever changes again was not done right, or is changed back by somebody."""
        todo = self._left()
        if not todo:
            return
        for work in todo:
            self._tell(Began(work.spec.name, "prove"))
        start = time.monotonic()
        results, log = plays.play("agent.yml", [work.spec.name for work in todo], self._tell)
        seconds = time.monotonic() - start
        for work in todo:
            second = work.second = results[work.spec.name]
            work.second_seconds = seconds
            words = second.failure or ("" if not second.total else f"the second pass changed {second.total}: {'; '.join(second.changes)}")
            self._end(work, Ended(work.spec.name, "prove", seconds, f"{words}; Ansible's output is in {log}" if words else f"{second.ok} tasks, changed=0", well=not words))
            if words:
                self._fail(work, "prove", words)


def target(spec: AgentSpec, served: Served, secret: Secret | None) -> Target:
    """What a playbook is told of an agent.

    Raises:
        SecretError: one of its secrets cannot be had; UsageError: its Java is too old.
    """
    values: dict[str, Any] = {
        "agent_controller_url": served.url,
        "agent_jar_sha256": served.jar,
        "java_version": served.java.chosen(spec.java),
    }
    return Target(spec, values, {name: source.get() for name, source in spec.secrets.items()}, secret)


def checked_machine(spec: AgentSpec, facts: Facts, disk: int) -> str:
    """What a machine is, where it can be an agent.

    Arguments:
        disk: GiB that must be free

    Raises:
        HostError: it cannot.
    """
    if facts["system"] != SYSTEMS[spec.os]:
        raise HostError(f"{spec.host.shown}: is {facts['distribution'] or facts['system']}, and os of agent {spec.name} is {spec.os}: is it the right machine?")
    for name, found in facts["disks"].items():
        free, wanted = found["free"] / GIB, float(disk) if name == "folder" else 0.1
        if free < wanted:
            raise HostError(f"{spec.host.shown}: {found['path']} has {free:.1f} GiB free, {wanted:g} are wanted; make room there (du -xh {found['path']} | sort -h | tail), or lower disk in [rebuild]")
        if found["inodes"] and found["inodes_free"] < 10_000:
            raise HostError(f"{spec.host.shown}: {found['path']} has {found['inodes_free']} inodes free; remove many small files there")
    return f"{facts['distribution'] or facts['system']}, {facts['arch']}, {facts['disks']['folder']['free'] / GIB:.0f} GiB free"


def _result(data: Mapping[str, Any]) -> HostResult:
    return HostResult(data["ok"], data["roles"], data["changed"], tuple(data["changes"]))

