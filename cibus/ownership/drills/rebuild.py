"""Rebuild a practice agent: the receipt of a drill by this person, and the agent online on its controller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from cibus import receipts
from cibus.agents.receipts import Receipt, read
from cibus.agents.spec import AgentSpec, specs
from cibus.jenkins import nodes
from cibus.jenkins.client import Client
from cibus.jenkins.settings import choose
from cibus.ownership.drills.base import Begun, Proof, Setting, for_practice
from cibus.ownership.practised import operator_of


def chosen(setting: Setting) -> AgentSpec:
    """The agent to practise on.

    Raises:
        UsageError: there is none, several, or the one that is named is none.
    """
    known = {name: spec for name, spec in specs(setting.config).items() if spec.practice and spec.address is not None}
    where = setting.config.path or "cibus.toml"
    return for_practice(known, setting.agent, "agent", f"say host and practice = true in [agents.NAME] of {where} if it may be wiped; a machine of the Vagrantfile will do")


def begin(setting: Setting) -> Mapping[str, Any]:
    """Chooses the agent; the drill itself wipes it."""
    return {"agent": chosen(setting).name}


def tell(setting: Setting, begun: Begun) -> list[str]:
    """What the person has to do."""
    return [
        f"The agent {begun.facts['agent']} is broken in a way that no page names. Make its machine anew, from nothing: cibus agents drill {begun.facts['agent']}",
        "The page: cibus runbook show rebuild-agent",
    ]


def verify(setting: Setting, begun: Begun) -> list[Proof]:
    """Whether this person rebuilt it since the drill began, it was proved, and it is online now."""
    name = str(begun.facts["agent"])
    spec = specs(setting.config).get(name)
    if spec is None:
        return [Proof("the agent is known", False, f"there is no [agents.{name}] any more")]
    found, _ = read(receipts.folder(setting.config), name)
    mine = [each for each in found if each.data["kind"] in ("drill", "rebuild") and _since(each, begun.when) and _by(setting, each)]
    last = mine[-1] if mine else None
    with Client(choose(setting.config, spec.controller)) as client:
        computer = nodes.computer(client, name)
    return [
        Proof("there is a receipt", last is not None, last.place if last else f"no rebuild or drill of {name} by {setting.person.shown} since {begun.started}"),
        Proof("the rebuild was proved", last is not None and last.data["outcome"] in ("ok", "look"), _ended(last)),
        Proof("the agent is online", computer is not None and computer.state == "online", computer.state if computer is not None else "the controller does not know it"),
    ]


def _since(receipt: Receipt, when: datetime) -> bool:
    return receipt.started >= when


def _by(setting: Setting, receipt: Receipt) -> bool:
    person = operator_of(setting.registry, receipt.data["operator"])
    return person is not None and person.id == setting.person.id


def _ended(last: Receipt | None) -> str:
    if last is None:
        return "nothing"
    findings: Sequence[Mapping[str, Any]] = last.data["findings"]
    errors = sum(each["level"] == "error" for each in findings)
    return f"outcome {last.data['outcome']}, {len(findings)} checks, {errors} errors"
