"""Giving ``node`` blocks an executor and a workspace."""

from __future__ import annotations

import contextlib
import os
import platform
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cibus.config import AgentConfig
from cibus.pipeline.runtime.branch import Wait
from cibus.pipeline.runtime.launch import end_leftovers
from cibus.pipeline.runtime.nodes import Agent, Agents, LabelError, Lease
from cibus.pipeline.runtime.places import HERE
from cibus.pipeline.runtime.scope import Scope
from cibus.pipeline.values import Thrown, abort

if TYPE_CHECKING:
    from cibus.pipeline.runtime.run import Run
    from cibus.pipeline.steps.context import StepContext

PATIENCE = 15.0  # seconds after which Jenkins says what a node block waits for


def builtin_agent(legacy: bool) -> Agent:
    """The controller's own node: ``master`` on older controllers, ``built-in`` since 2.307."""
    name = "master" if legacy else "built-in"
    return Agent(name, (name,), "Jenkins", executors=max(4, os.cpu_count() or 1))


def machine_labels() -> tuple[str, ...]:
    """What this machine is, as labels that teams use."""
    system = platform.system().lower()
    names = {"darwin": ("macos", "mac", "osx"), "linux": ("linux", "unix")}.get(system, (system,))
    machine = platform.machine().lower()
    return (*names, machine, {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine), "docker") if machine else names


def configured_agent(config: AgentConfig) -> Agent:
    """An agent of cibus.toml."""
    return Agent(config.name, config.labels, config.name, config.executors, config.mode == "exclusive", config.run_on, config.env)


def agent_on(where: str, agents: Mapping[str, AgentConfig]) -> Agent | None:
    """The one agent that ``--on`` means: ``ssh://...``, a host, ``container:IMAGE``, or a name of cibus.toml.

    Raises:
        HostAddressError: it is none of these.
    """
    if not where:
        return None
    busy = max(4, os.cpu_count() or 1)  # parallel branches each take an executor
    if where in agents:
        agent = configured_agent(agents[where])
        return replace(agent, executors=max(agent.executors, busy))
    if where.startswith("container:") and where != "container:":
        return Agent("container", (), where, busy, run_on=where)
    from cibus.ssh.address import parse

    address = parse(where)
    return Agent(address.host, (), address.host, busy, run_on=where if where.startswith("ssh://") else f"ssh://{where}")


class Executors:
    """The agents of a run, and who holds an executor."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.legacy = run.config.pipeline.cps == "strict"
        self.builtin = builtin_agent(self.legacy)
        self.on = agent_on(run.options.on, run.config.agents)
        others = [configured_agent(each) for each in run.config.agents.values()]
        self.agents = Agents((self.builtin, *(each for each in others if self.on is None or each.name != self.on.name), *([self.on] if self.on else [])))
        self._freed = threading.Condition()
        self._explained: set[str] = set()
        self._groups: dict[str, list[int]] = {}

    def lease(self, ctx: StepContext, label: str) -> Lease:
        """An executor for a label expression; waits while all are busy.

        Raises:
            Thrown: the label cannot be read, no agent has it (``unknown_labels = "fail"``), or the wait was interrupted.
        """
        try:
            candidates = [self.on] if self.on else self.agents.matching(label)
        except LabelError as error:
            raise Thrown("java.lang.IllegalArgumentException", str(error)) from error
        if not candidates:
            candidates = self._nobody_has(label)
        found = self.agents.take(candidates) if candidates else None
        if found is None:
            found = self._wait(ctx, label, candidates)
        agent, number = found
        run = self._run
        cookie = f"{os.urandom(4).hex()}-{ctx.id}"
        if agent.run_on.startswith("ssh://"):
            return self._afar(ctx, agent, number, cookie)
        workspace = run.source.root if run.in_place and run.source.root else None
        if workspace is None or workspace in run.in_place_used:
            workspace = run.workspaces.allocate(agent.name, ctx.branch.id, self.builtin.name)
        else:
            run.in_place_used.add(workspace)
        return Lease(agent, number, workspace, cookie)

    def _afar(self, ctx: StepContext, agent: Agent, number: int, cookie: str) -> Lease:
        """A lease on a machine over SSH."""
        run = self._run
        try:
            if run.in_place:
                ctx.note_difference(f"--in-place has no meaning on {agent.name}: its workspace is a folder there")
            place = run.hosts.place(ctx, agent.name, agent.run_on, cookie)
        except BaseException:
            self._give_back(Lease(agent, number, Path(), cookie))
            raise
        return Lease(agent, number, place.home, cookie, place)

    def _nobody_has(self, label: str) -> list[Agent]:
        """What to do with a label that no agent has, as cibus.toml says."""
        run = self._run
        mode = run.config.pipeline.unknown_labels
        if mode == "wait":
            return []
        machine = machine_labels()
        missing = [atom for atom in self.agents.missing_atoms(label) if atom not in machine]
        explained = ", ".join(missing) or label
        if mode == "fail":
            raise abort(f"no agent here has the label expression ‘{label}’ (missing: {explained}); add [agents.NAME] labels to cibus.toml, or unknown_labels = \"here\"")
        if label not in self._explained:
            self._explained.add(label)
            known = [atom for atom in self.agents.missing_atoms(label) if atom in machine]
            if missing:
                has = f"; it has {', '.join(known)}" if known else ""
                run.remark(f"label ‘{label}’: this machine lacks {explained}{has}; the block runs here all the same (say what it means in cibus.toml under [agents.NAME])")
                run.missing_labels.update(missing)
                for atom in missing:
                    run.fidelity.differs(f"label atom {atom} is missing on this machine")
        return [self.builtin]

    def _wait(self, ctx: StepContext, label: str, candidates: list[Agent]) -> tuple[Agent, int]:
        """Waits for a free executor, and says so after a while."""
        started, told = time.monotonic(), False
        while True:
            wait = Wait()
            with ctx.branch.waiting(wait), self._freed:
                found = self.agents.take(candidates) if candidates else None
                if found is None:
                    self._freed.wait(0.05)
                    if wait.error is not None:
                        raise wait.error
                    found = self.agents.take(candidates) if candidates else None
            if wait.error is not None and found is None:
                raise wait.error
            if found is not None:
                return found
            if not told and time.monotonic() - started > PATIENCE:
                told = True
                why = f"‘{self.builtin.display}’ doesn’t have label ‘{label}’" if not candidates else f"Waiting for next available executor on ‘{label or candidates[0].display}’"
                ctx.log(f"Still waiting to schedule task\n{why}")

    def release(self, ctx: StepContext, lease: Lease) -> None:
        """Gives the executor back and ends what the steps left running."""
        if lease.place is not HERE:
            with ctx.suspended():
                lease.place.release(ctx)
            self._give_back(lease)
            return
        groups = self._groups.pop(lease.cookie, None)
        if groups is not None:
            end_leftovers(groups, lease.cookie)
            for group in groups:
                self._run.engine.unguard(group)
            self._run.engine.unguard(cookie=_guarded(lease))
        if lease.workspace in self._run.in_place_used:
            self._run.in_place_used.discard(lease.workspace)
        else:
            self._run.workspaces.release(lease.workspace)
        self._give_back(lease)

    def _give_back(self, lease: Lease) -> None:
        with self._freed:
            self.agents.give_back(lease)
            self._freed.notify_all()

    def begins(self, lease: Lease | None) -> None:
        """A step starts a process on the agent; should cibus be killed, what comes of it is ended too."""
        if lease is not None and lease.cookie not in self._groups:
            self._groups[lease.cookie] = []
            self._run.engine.guard(cookie=_guarded(lease))

    def leftover(self, lease: Lease | None, group: int) -> None:
        """A step left processes behind; they end with the node block."""
        if lease is not None:
            self._groups.setdefault(lease.cookie, []).append(group)

    @contextlib.contextmanager
    def container(self, ctx: StepContext, lease: Lease, scope: Scope) -> Iterator[Scope]:
        """For an agent that is a container (``run_on = "container:IMAGE"``): starts it around the body."""
        kind, _, image = lease.agent.run_on.partition(":")
        if kind != "container":
            yield scope
            return
        from cibus.pipeline.steps.docker import running_container

        with running_container(ctx, image, "", Path(lease.workspace)) as started:
            yield scope.inside(container=started)


def _guarded(lease: Lease) -> str:
    """What the environment of an agent's processes has."""
    return f"JENKINS_NODE_COOKIE={lease.cookie}"
