"""All agents from both sides: as they are configured, and as the controller and their machines have them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from cibus.agents.nodexml import NodeFacts
from cibus.agents.probe import connected
from cibus.agents.registration import drift
from cibus.agents.spec import AgentSpec
from cibus.errors import CibusError, ControllerError
from cibus.jenkins.client import Client
from cibus.jenkins.nodes import Computer, computers
from cibus.tomltext import bare_key, quoted


@dataclass(frozen=True)
class Row:
    """An agent.

    Arguments:
        spec: as it is configured, or None: only the controller has it
        computer: as the controller has it, or None
        reachable: whether its machine lets one in over SSH: "" where that was not tried, "yes", or why not
        drift: where the controller's node is not as it is configured
    """

    name: str
    spec: AgentSpec | None
    computer: Computer | None
    reachable: str = ""
    drift: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether both sides agree and it can be worked on."""
        return self.spec is not None and self.computer is not None and not self.drift and self.reachable in ("", "yes")


def overview(known: Mapping[str, AgentSpec], client: Client | None, *, ssh: bool) -> list[Row]:
    """All agents, by name.

    Arguments:
        client: their controller, or None where only the configuration is looked at
        ssh: whether their machines are called
    """
    there = {each.name: each for each in computers(client)} if client is not None else {}
    # a table without a machine only says what a label means to `cibus run`
    names = sorted({*(name for name, spec in known.items() if client is None or spec.address is not None), *there})
    with ThreadPoolExecutor(16) as pool:
        drifts = {name: pool.submit(_drift, client, known[name]) for name in names if client is not None and name in known and name in there}
        reached = {name: pool.submit(_reachable, known[name]) for name in names if ssh and name in known and known[name].address is not None}
        return [
            Row(name, known.get(name), there.get(name), reached[name].result() if name in reached else "", drifts[name].result() if name in drifts else ())
            for name in names
        ]


def _drift(client: Client, spec: AgentSpec) -> tuple[str, ...]:
    try:
        return tuple(drift(client, spec))
    except ControllerError as error:
        return (f"its configuration cannot be read: {error}",)


def _reachable(spec: AgentSpec) -> str:
    try:
        with connected(spec, timeout=8):
            return "yes"
    except CibusError as error:
        return str(error)


def imported(found: Iterable[NodeFacts]) -> str:
    """``[agents.NAME]`` tables of a controller's nodes, as text for cibus.toml."""
    return "\n".join(map(_table, found))


def _table(node: NodeFacts) -> str:
    bare = f"[{node.host}]" if ":" in node.host else node.host
    host = f"{bare}:{node.port}" if node.host and node.port not in (0, 22) else bare
    lines = [f"[agents.{bare_key(node.name)}]", f"host = {quoted(host)}" if host else '# host = "user@machine"  # the controller does not know it: fill it in']
    if node.labels:
        lines.append(f"labels = [{', '.join(map(quoted, node.labels))}]")
    lines.append(f"executors = {max(node.executors, 1)}")
    if node.mode == "exclusive":
        lines.append('mode = "exclusive"')
    lines.append(f"remote_folder = {quoted(node.remote_folder)}" if node.remote_folder.startswith("/") else f"# its remote folder, {quoted(node.remote_folder)}, is no absolute path")
    lines.append(f"launcher = {quoted(node.launcher)}" if node.launcher in ("websocket", "tcp", "ssh") else f"# its launcher, {node.launcher}, is one that cibus does not rebuild")
    if node.credentials:
        lines.append(f"credentials = {quoted(node.credentials)}")
    if node.description:
        lines.append(f"description = {quoted(node.description)}")
    lines.append('# owner = "who looks after it"')
    for name, values in (("env", node.env), ("tools", node.tools)):
        if values:
            lines += [f"[agents.{bare_key(node.name)}.{name}]", *(f"{quoted(key)} = {quoted(value)}" for key, value in values.items())]
    return "\n".join(lines) + "\n"
