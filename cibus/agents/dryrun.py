"""What a rebuild would change: Ansible's check mode, and the node's config. Nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cibus.agents.play import Output, Plays, TaskDone, private_place, require_ansible
from cibus.agents.playbooks import Target
from cibus.agents.probe import Wants, connected, look
from cibus.agents.rebuild import checked_machine, target
from cibus.agents.registration import Served, drift
from cibus.agents.spec import AgentSpec
from cibus.agents.verify import Context
from cibus.config import RebuildConfig
from cibus.errors import CibusError, ControllerError
from cibus.jenkins import nodes
from cibus.secrets import Secret

Told = Callable[[TaskDone | Output], None]


@dataclass(frozen=True)
class Change:
    """What would be changed of the ``node``, and by which tasks of the machine; or why that cannot be said."""

    node: list[str]
    changes: tuple[str, ...] = ()
    failure: str = ""


def dry_run(specs: Sequence[AgentSpec], contexts: Mapping[str, Context], folder: Path, config: RebuildConfig, tell: Told) -> dict[str, Change]:
    """What would change, by agent.

    Raises:
        CibusError: the controller or Ansible cannot be used.
    """
    found: dict[str, Change] = {}
    ready: list[AgentSpec] = []
    targets: list[Target] = []
    for spec in specs:
        found[spec.name] = Change([])
        try:
            found[spec.name] = _node(spec, contexts[spec.name])
            with connected(spec) as connection:
                checked_machine(spec, look(connection, spec, Wants()), config.disk)
            targets.append(target(spec, _served(contexts[spec.name]), _secret(spec, contexts[spec.name])))
            ready.append(spec)
        except CibusError as error:
            found[spec.name] = Change(found[spec.name].node, failure=str(error))
    if not ready:
        return found
    require_ansible()
    with private_place() as place:
        vault = config.vault_password.get() if config.vault_password else None
        plays = Plays(folder, targets, place, forks=config.forks, vault_password=vault)
        results, _ = plays.play("agent.yml", [spec.name for spec in ready], tell, check=True)
    for spec in ready:
        result = results[spec.name]
        found[spec.name] = Change(found[spec.name].node, result.changes, result.failure)
    return found


def _served(context: Context) -> Served:
    assert context.served is not None
    return context.served


def _node(spec: AgentSpec, context: Context) -> Change:
    assert context.client is not None
    if nodes.computer(context.client, spec.name) is None:
        return Change(["the node is created"])
    return Change(drift(context.client, spec))


def _secret(spec: AgentSpec, context: Context) -> Secret | None:
    """The agent's secret; one that is not there yet is none that a check can compare."""
    if not spec.inbound or context.client is None:
        return None
    try:
        return nodes.agent_secret(context.client, spec.name)
    except ControllerError:
        return Secret("not known yet")
