"""An agent on its controller: registered as it shall be, drained, connected."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from cibus.agents.nodexml import desired, differences, facts
from cibus.agents.remoting import JavaNeed, need, remoting_version
from cibus.agents.spec import AgentSpec
from cibus.canonical import canonical, restored
from cibus.errors import CibusError, ControllerError
from cibus.jenkins import nodes
from cibus.jenkins.client import Client
from cibus.jenkins.paths import item_path

POLL = 1.0  # seconds
Say = Callable[[str], None]
Pause = Callable[[float], None]


@dataclass(frozen=True)
class Served:
    """What a controller gives its agents: its version, its agent.jar's SHA-256 and version, the Java that they need."""

    url: str
    version: str
    jar: str
    remoting: str
    java: JavaNeed


def served(client: Client) -> Served:
    """Asks the controller; its agent.jar is read once.

    Raises:
        ControllerError: it cannot be reached, or gives no jar.
    """
    version = client.session.require_jenkins()
    jar = nodes.agent_jar(client)
    java = need(version, jar)
    return Served(client.settings.url, version, hashlib.sha256(jar).hexdigest(), remoting_version(jar), java)


def drift(client: Client, spec: AgentSpec) -> list[str]:
    """Where the controller's node is not as the agent shall be.

    Raises:
        NotFound: there is no node.
    """
    return differences(facts(client.node_config(spec.name)), spec)


def go_offline(client: Client, spec: AgentSpec, reason: str) -> str:
    """Takes the agent offline, so that it gets no more builds; gives what was done."""
    found = nodes.computer(client, spec.name)
    if found is None:
        return "the controller does not have it yet"
    nodes.take_offline(client, spec.name, reason)
    return "offline already; the reason is the new one" if found.away else "offline"


def drain(client: Client, spec: AgentSpec, seconds: float, say: Say = lambda _: None, pause: Pause = time.sleep) -> str:
    """Waits until no build runs on it.

    Arguments:
        seconds: how long at most; 0: they are left to die

    Raises:
        CibusError: builds still run.
    """
    end = time.monotonic() + seconds
    said: tuple[str, ...] = ()
    while found := nodes.computer(client, spec.name):
        if not found.running:
            return "no build runs"
        names = ", ".join(_build_name(url) for url in found.running)
        if seconds == 0:
            return f"not waited for {names}"
        if time.monotonic() > end:
            raise CibusError(f"{spec.name}: {names} still {'runs' if len(found.running) == 1 else 'run'} after {seconds:.0f} s; wait longer (--drain), or let them die (--now)")
        if found.running != said:
            say(f"waiting for {names}")
            said = found.running
        pause(POLL)
    return "the controller does not have it yet"


def _build_name(url: str) -> str:
    """``https://ci.example/job/app/job/main/12/`` → ``app/main #12``."""
    return f"{item_path(url)} #{url.rstrip('/').rpartition('/')[2]}"


def register(client: Client, spec: AgentSpec, reason: str, host_key: str = "", *, labels: tuple[str, ...] | None = None, exclusive: bool = False) -> str:
    """Creates or updates the node; a new one is offline before it can take a build. Gives what was done.

    Arguments:
        labels, exclusive: see :func:`cibus.agents.nodexml.desired`
    """
    new = nodes.computer(client, spec.name) is None
    if new:
        client.create_empty_node(spec.name)
        nodes.take_offline(client, spec.name, reason)
    before = client.node_config(spec.name)
    after = desired(before, spec, host_key, labels=labels, exclusive=exclusive)
    if restored(canonical(before)) == after:
        return "as it shall be"
    client.post_node_config(spec.name, after)
    return "created" if new else "updated: " + ("; ".join(differences(facts(before), spec)) or "its details")


def await_connection(client: Client, spec: AgentSpec, seconds: float, pause: Pause = time.sleep) -> str:
    """Waits until the agent is connected, offline or not.

    Raises:
        CibusError: it is not; with the last lines of its log on the controller.
    """
    start = time.monotonic()
    while True:
        found = nodes.computer(client, spec.name)
        if found is not None and found.connected:
            return f"connected after {time.monotonic() - start:.0f} s"
        if time.monotonic() - start > seconds:
            break
        pause(POLL)
    try:
        lines = nodes.log_tail(client, spec.name, 3)
    except ControllerError:
        lines = []
    log = f"; its log there: {' / '.join(lines)}" if lines else ""
    look = f"journalctl -u {spec.service}" if spec.os == "linux" else "its log in the remote folder"
    raise CibusError(f"{spec.name} is not connected to {urlsplit(client.settings.url).netloc} after {seconds:.0f} s{log}; see {look} on {spec.host.shown}")
