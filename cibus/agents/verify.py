"""Proving that an agent works: what its machine says, what its controller says, a killed process, a reboot, a build."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cibus.agents.atoms import Atom, Proof, proofs
from cibus.agents.findings import Expected, Finding, findings, of_controller, ranked
from cibus.agents.probe import Facts, Wants, connected, look, run
from cibus.agents.registration import Served, await_connection, drift
from cibus.agents.spec import AgentSpec
from cibus.agents.trial import trial_build
from cibus.config import RebuildConfig
from cibus.errors import CibusError, ControllerError, HostError
from cibus.jenkins import nodes
from cibus.jenkins.client import Client

if TYPE_CHECKING:
    import fabric

AS_ROOT = 'S=; [ "$(id -u)" = 0 ] || S="sudo -n"; $S {0}'
STEADY = 3.0  # seconds: a connection that was there before a kill is gone by then
Pause = Callable[[float], None]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Context:
    """What agents are proved against.

    Arguments:
        client: their controller, or None: what it knows is left out
        served: what it gives its agents, or None where that is not known
        atoms: the table of what labels promise
    """

    client: Client | None
    served: Served | None
    atoms: tuple[Atom, ...]
    rebuild: RebuildConfig

    def proofs(self, spec: AgentSpec) -> tuple[Proof, ...]:
        """What an agent's labels promise."""
        return tuple(proofs(self.atoms, spec.labels))

    def wants(self, spec: AgentSpec) -> Wants:
        """What to look for on an agent's machine."""
        url = str(spec.variables.get("agent_controller_url", "")) or (self.client.settings.url if self.client else "")
        return Wants(url, self.rebuild.git, self.rebuild.mirror, self.proofs(spec))

    def expected(self, spec: AgentSpec) -> Expected:
        """What an agent's machine is held against."""
        served = self.served
        return Expected(served.java if served else None, served.jar if served else "", self.rebuild.disk, self.proofs(spec))


@dataclass(frozen=True)
class Deeds:
    """What verifying may do besides looking: ``kill`` the agent's process, ``reboot`` the machine, run a ``build`` on ``label``.

    ``patience``: seconds for what was down to be back.
    """

    kill: bool = False
    reboot: bool = False
    build: bool = False
    label: str = ""
    patience: float = 180


def examine(spec: AgentSpec, context: Context) -> tuple[list[Finding], Facts | None]:
    """The read-only part: what the machine and the controller say. A machine that cannot be reached is a finding."""
    found: list[Finding] = []
    if context.client is not None:
        try:
            node = nodes.computer(context.client, spec.name)
            found += of_controller(spec, node, drift(context.client, spec) if node else [])
        except ControllerError as error:
            found.append(Finding(spec.name, "node", "unknown", str(error), "agent-offline"))
    try:
        with connected(spec) as connection:
            facts = look(connection, spec, context.wants(spec))
    except CibusError as error:
        found.append(Finding(spec.name, "ssh", "error", str(error), "agent-unreachable"))
        return ranked(found), None
    return ranked([*found, *findings(spec, facts, context.expected(spec))]), facts


def verify(spec: AgentSpec, context: Context, deeds: Deeds, say: Say = lambda _: None, pause: Pause = time.sleep) -> list[Finding]:
    """Examines an agent and has it do what it must be able to do."""
    found, facts = examine(spec, context)
    if facts is None:
        return found
    tried: list[Finding] = []
    for wanted, check, page, deed in (
        (deeds.kill and spec.inbound, "killed process", "agent-does-not-come-back", _survives_kill),
        (deeds.reboot, "reboot", "agent-does-not-come-back", _survives_reboot),
        (deeds.build and context.client is not None, "build", "agent-build-fails", _builds),
    ):
        if wanted:
            say(check)
            level, words = deed(spec, context, deeds, pause)
            tried.append(Finding(spec.name, check, level, words, "" if level == "fine" else page))
    return ranked([*found, *tried])


def _survives_kill(spec: AgentSpec, context: Context, deeds: Deeds, pause: Pause) -> tuple[str, str]:
    start = time.monotonic()
    try:
        with connected(spec) as connection:
            before = _pid(connection, spec)
            if before is None:
                return "error", "no agent process runs"
            code, _, err = run(connection, AS_ROOT.format(f"kill -9 {before}"))
            if code and _pid(connection, spec) == before:
                return "unknown", f"not killed: {spec.host.shown} does not let this user ({(err.strip().splitlines() or ['no rights'])[-1]})"
            while _pid(connection, spec) in (before, None):
                if time.monotonic() - start > deeds.patience:
                    return "error", f"killed, it is not back after {deeds.patience:.0f} s"
                pause(0.5)
        back = time.monotonic() - start
        if context.client is not None:
            _steadily_connected(context.client, spec, deeds, pause)
    except CibusError as error:
        return "error", f"killed: {error}"
    return "fine", f"killed, it was back after {back:.0f} s"


def _steadily_connected(client: Client, spec: AgentSpec, deeds: Deeds, pause: Pause) -> None:
    """Waits until the controller has a connection that is not the old one."""
    end = time.monotonic() + deeds.patience
    since: float | None = None
    while since is None or time.monotonic() - since < STEADY:
        await_connection(client, spec, max(end - time.monotonic(), 1), pause)
        since = since or time.monotonic()
        pause(0.5)
        found = nodes.computer(client, spec.name)
        if found is None or not found.connected:
            since = None


def _pid(connection: fabric.Connection, spec: AgentSpec) -> int | None:
    process = look(connection, spec, Wants())["process"]
    return None if process is None else int(process["pid"])


def _survives_reboot(spec: AgentSpec, context: Context, deeds: Deeds, pause: Pause) -> tuple[str, str]:
    start = time.monotonic()
    bare = Wants()
    try:
        with connected(spec) as connection:
            before = look(connection, spec, bare)["boot"]
            code, _, err = run(connection, AS_ROOT.format("true"))
            if code:
                return "unknown", f"not rebooted: {spec.host.shown} does not let this user ({(err.strip().splitlines() or ['no rights'])[-1]})"
            run(connection, AS_ROOT.format("nohup sh -c 'sleep 1; shutdown -r now' > /dev/null 2>&1 &"))
    except CibusError as error:
        return "error", f"could not be rebooted: {error}"
    facts = _after_reboot(spec, before, start + deeds.patience, pause)
    if facts is None:
        return "error", f"not back {deeds.patience:.0f} s after its reboot"
    back = time.monotonic() - start
    try:
        if context.client is not None:
            _steadily_connected(context.client, spec, deeds, pause)
        elif spec.inbound and facts["service"]["active"] != "active":
            return "error", f"back after {back:.0f} s, but {spec.service} is {facts['service']['active']}"
    except CibusError as error:
        return "error", f"back after {back:.0f} s, but {error}"
    return "fine", f"rebooted, back after {back:.0f} s and connected after {time.monotonic() - start:.0f} s" if context.client else f"rebooted, back after {back:.0f} s"


def _after_reboot(spec: AgentSpec, before: str, end: float, pause: Pause) -> Facts | None:
    while time.monotonic() < end:
        pause(1)
        try:
            with connected(spec, timeout=5) as connection:
                facts = look(connection, spec, Wants())
        except HostError:
            continue
        if facts["boot"] != before and (not spec.inbound or facts["process"] is not None):
            return facts
    return None


def _builds(spec: AgentSpec, context: Context, deeds: Deeds, pause: Pause) -> tuple[str, str]:
    assert context.client is not None
    return trial_build(context.client, spec.name, deeds.label or spec.name, context.proofs(spec), deeds.patience, pause)

