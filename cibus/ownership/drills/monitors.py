"""Read the monitors: questions about the controller as it is now, answered from what the monitor shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cibus.jenkins.client import Client
from cibus.jenkins.settings import choose
from cibus.monitor.conditions import View, findings
from cibus.monitor.outside import outside
from cibus.monitor.sweep import sweep
from cibus.ownership.drills.base import Begun, Proof, Setting

QUESTIONS = {
    "online": "how many agents are online",
    "waiting": "how many builds wait in the queue",
    "worst": "the page of the first finding, or none",
    "owner": "who gets the first finding, or none",
}


def begin(setting: Setting) -> Mapping[str, Any]:
    """Nothing is staged: the controller is the one that the monitor watches."""
    _view(setting)
    return {}


def tell(setting: Setting, begun: Begun) -> list[str]:
    """What the person has to do."""
    return [
        f"Look at the monitors of {choose(setting.config, setting.asked).url} (cibus monitor check; cibus agents list --no-ssh; cibus monitor serve has a page), and answer:",
        *(f"  {name}: {text}" for name, text in QUESTIONS.items()),
        f"cibus onboard {setting.person.id} --verify monitors {' '.join(f'--answer {name}=…' for name in QUESTIONS)}",
        "The page: cibus runbook show monitor-daily",
    ]


def verify(setting: Setting, begun: Begun) -> list[Proof]:
    """Whether the answers are what a sweep sees now."""
    view = _view(setting)
    return list(_proofs(setting.answers, right(view)))


def right(view: View) -> dict[str, tuple[str, ...]]:
    """The answers to each question that are right."""
    swept = view.sweep
    found = findings(view)
    first = [each for each in found if each.level == found[0].level]  # what is as bad stands in no order that matters
    return {
        "online": (str(sum(node.online for node in swept.agents)),),
        "waiting": (str(len(swept.queue or ())),),
        "worst": tuple(dict.fromkeys(each.page for each in first)) or ("none",),
        "owner": tuple(dict.fromkeys(each.owner or "none" for each in first)) or ("none",),
    }


def _proofs(answers: Mapping[str, str], known: Mapping[str, tuple[str, ...]]) -> Iterator[Proof]:
    for name, text in QUESTIONS.items():
        given = answers.get(name, "").strip()
        holds = given.casefold() in (each.casefold() for each in known[name])
        yield Proof(text, holds, f"you say {given}" if given else f"give --answer {name}=…")


def _view(setting: Setting) -> View:
    with Client(choose(setting.config, setting.asked)) as client:
        return View(sweep(client), outside(setting.config, client.settings), setting.config.monitor)
