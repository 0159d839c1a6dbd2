"""Rebuilding agents: a plan of steps, each of which can be gone on from.

offline, drain, machine and register are done again in every run: they cost little and what they find may have changed.
A playbook that ran to its end is not run again as long as the machine shows its work.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from cibus.agents import playbooks
from cibus.agents.journal import Journal, digest, opened
from cibus.agents.lock import under_way
from cibus.agents.play import HostResult, Plays, private_place, require_ansible
from cibus.agents.playbooks import Target
from cibus.agents.probe import Facts, Wants, connected, look, run
from cibus.agents.registration import Served, await_connection, drain, go_offline, register
from cibus.agents.spec import AgentSpec
from cibus.agents.verify import AS_ROOT, Context, Deeds, verify
from cibus.agents.work import Began, Ended, Options, Outcome, Said, Told, Work
from cibus.config import RebuildConfig
from cibus.errors import CibusError, HostError
from cibus.jenkins import nodes
from cibus.secrets import Secret

GIB = 1 << 30
GRACE = 8.0  # seconds that steps get to tidy up after Ctrl-C
SYSTEMS = {"linux": "Linux", "macos": "Darwin"}


class Stopped(BaseException):
    """Ctrl-C was pressed while a step of another thread waits."""


class Rebuild:
    """Rebuilds agents, several at once.

    Arguments:
        contexts: by agent: its controller and what it is proved against
        folder: the playbooks
        tell: is told of all that happens, from several threads
        run: its name on the controller while it is under way

    ``broken`` is what ended it early, or a bug in one agent's step, once it has run.

    Raises:
        UsageError: Ansible is not there, or an agent lacks what must be known; SecretError: the vault's password cannot be had.
    """

    def __init__(self, specs: Sequence[AgentSpec], contexts: Mapping[str, Context], folder: Path, options: Options, tell: Told, *, config: RebuildConfig, operator: str, run: str = "") -> None:
        require_ansible()
        for spec in specs:  # before anything is touched
            spec.host  # noqa: B018
            if (there := contexts[spec.name].served) is not None:
                there.java.chosen(spec.java)
        self._vault = config.vault_password.get() if config.vault_password else None
        self.broken: BaseException | None = None
        self._under_way = under_way(run or uuid.uuid4().hex[:8])
        self.folder = folder
        self.options = options
        self.config = config
        self.operator = operator
        self.commit = playbooks.commit(folder)
        self._tell = tell
        self._stop = threading.Event()
        self.works = [Work(spec, contexts[spec.name], self._journal(spec, contexts[spec.name])) for spec in specs]

    def _journal(self, spec: AgentSpec, context: Context) -> Journal:
        # playbooks that are being worked on may be others than those that ran, though they are called the same
        edited = uuid.uuid4().hex if self.commit.endswith("+changes") else ""
        plan = digest(edited, replace(spec, secrets={}), sorted(spec.secrets), self.commit, self.options.bare, context.served.jar if context.served else "")
        return Journal(spec.name, plan, time.time()) if self.options.again else opened(spec.name, plan)

    # -- all steps

    def run(self) -> list[Outcome]:
        """Goes through all steps; an agent whose step fails stays offline, the others go on.

        Also after Ctrl-C there is an outcome of each agent, for its receipt; see ``broken``.
        """
        try:
            self._all_steps()
        except (KeyboardInterrupt, Exception) as error:
            self.broken = error
            self._stop.set()
            with suppress(KeyboardInterrupt):  # pressed again: the reasons stay as they are
                self._leave("interrupted" if isinstance(error, KeyboardInterrupt) else _unforeseen(error))
        return [work.outcome() for work in self.works]

    def _all_steps(self) -> None:
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

    def _leave(self, words: str) -> None:
        """Writes down of each agent that is under way where it was left, and has its node say so."""
        begun = [work for work in self._left() if work.now and not work.done]
        for work in self._left():
            if not work.now:
                work.failed, work.words = "offline", f"not begun: {words}"
        threads = [threading.Thread(target=self._leave_one, args=(work, words), daemon=True) for work in begun]
        for thread in threads:
            thread.start()
        end = time.monotonic() + GRACE  # a controller that does not answer is not waited for
        for thread in threads:
            thread.join(max(end - time.monotonic(), 0))

    def _leave_one(self, work: Work, words: str) -> None:
        self._fail(work, work.now, words)
        if work.apart:  # its own thread still waits for the machine
            try:
                register(work.client, work.spec, "", work.host_key)
            except CibusError as error:
                self._tell(Said(work.spec.name, f"its labels and mode on the controller could not be set again: {error}"))

    @property
    def secrets(self) -> list[str]:
        """The agents' own secrets: no receipt may have them."""
        return [work.secret.reveal() for work in self.works if work.secret is not None]

    def _left(self) -> list[Work]:
        return [work for work in self.works if not work.failed]

    def _each(self, do: Callable[[Work], None]) -> None:
        """Does something for each agent that has not failed, at once."""
        room = threading.Semaphore(max(min(self.config.forks, 32), 1))

        def guarded(work: Work) -> None:
            with room, suppress(Stopped):
                if not self._stop.is_set():
                    do(work)

        # daemons: what waits for a machine that does not answer must not hold up who pressed Ctrl-C
        threads = [threading.Thread(target=guarded, args=(work,), name=work.spec.name, daemon=True) for work in self._left()]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        except KeyboardInterrupt:
            self._stop.set()
            end = time.monotonic() + GRACE
            for thread in threads:
                thread.join(max(end - time.monotonic(), 0))
            raise

    def pause(self, seconds: float) -> None:
        """Waits, but not after Ctrl-C."""
        if self._stop.wait(seconds):
            raise Stopped

    @contextmanager
    def _step(self, work: Work, name: str) -> Iterator[list[str]]:
        """A step: told, timed, and its failure written down; give it its words."""
        self._tell(Began(work.spec.name, name))
        work.now = name
        start = time.monotonic()
        words: list[str] = []
        try:
            yield words
        except Stopped:
            self._end(work, Ended(work.spec.name, name, time.monotonic() - start, "interrupted", well=False))
            raise
        except Exception as error:  # also a bug is one agent's only: the others go on, and all get their receipts
            self.broken = self.broken or (None if isinstance(error, CibusError) else error)
            why = str(error) if isinstance(error, CibusError) else _unforeseen(error)
            self._end(work, Ended(work.spec.name, name, time.monotonic() - start, why, well=False))
            self._fail(work, name, why)
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
                nodes.take_offline(work.client, work.spec.name, self._reason(f"{words} at {step}" if words == "interrupted" else f"failed at {step}: {words}")[:500])
                work.marked = True
        except CibusError as error:
            self._tell(Said(work.spec.name, f"its reason on the controller could not be set: {error}"))

    def _reason(self, words: str) -> str:
        return f"{self.options.reason} by {self.operator} (cibus): {words}"

    # -- the steps of one agent

    def _prepare(self, work: Work) -> None:
        spec, client = work.spec, work.client
        steps: tuple[tuple[str, Callable[[], str]], ...] = (
            ("offline", lambda: go_offline(client, spec, self._reason(self._under_way))),
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
            facts = work.facts = look(connection, spec, Wants(work.context.wants(spec).controller if spec.inbound else ""))
            if run(connection, AS_ROOT.format("true"))[0]:
                raise HostError(f"{spec.host.shown}: this user may not become root with sudo -n; connect as root, or let the user in sudoers with NOPASSWD")
        return checked_machine(spec, facts, self.config.disk)

    def _register(self, work: Work) -> str:
        done = register(work.client, work.spec, self._reason(self._under_way), work.host_key)
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
            try:
                if label:
                    self._let_in(work, label)
                deeds = Deeds(kill=True, reboot=self.options.reboot, build=self.options.build, label=label)
                found = verify(work.spec, work.context, deeds, lambda text: self._tell(Said(work.spec.name, text)), self.pause)
            finally:
                if label:
                    self._shut_again(work)
            work.findings = [each for each in found if each.check != "node" and each.check != "configuration"]
            bad = [each for each in work.findings if each.level == "error"]
            if bad:
                self._forget(work, "playbook")  # it did not make what it shall make: the next run is to run it again
                raise CibusError("; ".join(f"{each.check}: {each.words}" for each in bad))
            words.append(f"{sum(each.level == 'fine' for each in work.findings)} checks are fine")

    def _let_in(self, work: Work, label: str) -> None:
        """Online for one label only that nobody else knows: an unproved agent gets no other build."""
        work.apart = True
        register(work.client, work.spec, "", labels=(label,), exclusive=True)
        nodes.bring_online(work.client, work.spec.name)

    def _shut_again(self, work: Work) -> None:
        """Offline, and its own labels and mode again: the one also where the other fails."""
        try:
            nodes.take_offline(work.client, work.spec.name, self._reason(self._under_way))
        finally:
            register(work.client, work.spec, self._reason(self._under_way), work.host_key)
        work.apart = False

    def _finish(self, work: Work) -> None:
        with self._step(work, "online") as words:
            nodes.bring_online(work.client, work.spec.name)
            found = nodes.computer(work.client, work.spec.name)
            if found is None or found.away or not found.connected:
                raise CibusError(f"it should be online, and is {found.state if found else 'gone'}")
            words.append("online")
        if not work.failed:
            work.done = True
            self._noted(work, work.journal.close)

    def _noted(self, work: Work, do: Callable[[], None]) -> None:
        """Writes to the journal; where that cannot be, a next run does more than it must, and that is all."""
        try:
            do()
        except OSError as error:
            self._tell(Said(work.spec.name, f"its journal cannot be written: {error.strerror}"))

    def _forget(self, work: Work, step: str) -> None:
        work.journal = work.journal.without_step(step)
        self._noted(work, work.journal.write)

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
        return Plays(self.folder, targets, place, forks=self.config.forks, vault_password=self._vault)

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
                work.now = step
                self._tell(Began(work.spec.name, step))
        if not todo:
            return
        start = time.monotonic()
        results, log = self._run(plays, playbook, todo)
        for work in todo:
            result = results[work.spec.name]
            if step == "playbook":
                work.first = result
            seconds = time.monotonic() - start
            if result.failure:
                self._end(work, Ended(work.spec.name, step, seconds, f"{result.failure}{log}", well=False))
                self._fail(work, step, result.failure)
                continue
            self._end(work, Ended(work.spec.name, step, seconds, f"{result.ok} tasks, {result.total} changed"))
            work.journal = work.journal.with_step(step, {"roles": dict(result.roles), "changed": dict(result.changed), "changes": list(result.changes), "ok": result.ok})
            self._noted(work, work.journal.write)

    def _run(self, plays: Plays, playbook: str, works: Sequence[Work]) -> tuple[Mapping[str, HostResult], str]:
        """What a playbook did, and words that name its output; an Ansible that does not start is each agent's failure."""
        names = [work.spec.name for work in works]
        try:
            results, log = plays.play(playbook, names, self._tell)
        except CibusError as error:
            return dict.fromkeys(names, HostResult(failure=str(error))), ""
        return results, f"; Ansible's output is in {log}"

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
            work.now = "prove"
            self._tell(Began(work.spec.name, "prove"))
        start = time.monotonic()
        results, log = self._run(plays, "agent.yml", todo)
        seconds = time.monotonic() - start
        for work in todo:
            second = work.second = results[work.spec.name]
            work.second_seconds = seconds
            words = second.failure or ("" if not second.total else f"the second pass changed {second.total}: {'; '.join(second.changes)}")
            self._end(work, Ended(work.spec.name, "prove", seconds, f"{words}{log}" if words else f"{second.ok} tasks, changed=0", well=not words))
            if words:
                self._forget(work, "playbook")
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
    called = facts.get("controller")
    if called and not called["status"]:
        raise HostError(f"{spec.host.shown}: {called['url']} cannot be reached from there: {called['error']}; look at name server, firewall and proxy, or say agent_controller_url in its variables")
    return f"{facts['distribution'] or facts['system']}, {facts['arch']}, {facts['disks']['folder']['free'] / GIB:.0f} GiB free"


def _unforeseen(error: Exception) -> str:
    """What nobody thought of, in a line: a full disk here is one, and bugs are."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'writing'}: {error.strerror}"
    return f"this is a bug: {type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _result(data: Mapping[str, Any]) -> HostResult:
    return HostResult(data["ok"], data["roles"], data["changed"], tuple(data["changes"]))

