"""Answer a staged alert by its runbook: something is made wrong on the practice controller, and has to be put right."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cibus import receipts
from cibus.errors import ControllerError
from cibus.jenkins.client import Client
from cibus.jenkins.paths import job_url
from cibus.monitor.conditions import View, findings
from cibus.monitor.sweep import sweep
from cibus.ownership.drills.base import PREFIX, Begun, Proof, Setting
from cibus.ownership.practised import operator_of
from cibus.receipts import read_lines

LABELLED = "<project><description>Made by cibus for a drill</description><assignedNode>{label}</assignedNode><canRoam>false</canRoam><disabled>false</disabled><builders/></project>"


@dataclass(frozen=True)
class Alert:
    """Something that can be made wrong.

    Arguments:
        page: its runbook, which bears the condition's name
        stage: makes it so, with a mark of this drill; gives what it is about
        end: takes away what is left of it
    """

    page: str
    stage: Callable[[Client, str], str]
    end: Callable[[Client, str], object]


def _quiet(client: Client, mark: str) -> str:
    client.session.post("quietDown")
    return ""


def _label(client: Client, mark: str) -> str:
    """A job waits for a label that no agent has."""
    label = f"{PREFIX}-label-{mark}"
    client.create_item(f"{PREFIX}-{mark}", LABELLED.format(label=label).encode())
    client.session.post(f"{job_url(f'{PREFIX}-{mark}')}build?delay=0sec")
    return label


ALERTS = {
    each.page: each
    for each in (
        Alert("controller-shutting-down", _quiet, lambda client, mark: client.session.post("cancelQuietDown")),
        Alert("label-without-agent", _label, lambda client, mark: client.delete_item(f"{PREFIX}-{mark}")),
    )
}


def begin(setting: Setting) -> Mapping[str, Any]:
    """Makes one of the things wrong.

    Raises:
        ControllerError: the practice controller refuses.
    """
    return stage(setting, ALERTS[secrets.choice(sorted(ALERTS))])


def stage(setting: Setting, alert: Alert) -> Mapping[str, Any]:
    """The same with a chosen one."""
    mark = secrets.token_hex(4)
    with setting.client() as client:
        subject = alert.stage(client, mark)
    return {"page": alert.page, "mark": mark, "subject": subject}


def tell(setting: Setting, begun: Begun) -> list[str]:
    """What the person has to do; which page it is, the monitor says."""
    return [
        f"Something is wrong with {setting.practice.url}. Find out what (cibus monitor check), and go through the page that the finding names: cibus runbook run PAGE",
        *([setting.shell] if setting.shell else []),
        "You are done when the page's last check passes.",
    ]


def verify(setting: Setting, begun: Begun) -> list[Proof]:
    """Whether the page was gone through to its end by this person, and the finding is gone."""
    page, subject = str(begun.facts["page"]), str(begun.facts["subject"])
    path = receipts.folder(setting.config) / "runbooks" / f"{page}.jsonl"
    mine = [(place, data) for place, data in (read_lines(path) if path.is_file() else ()) if data and _of(setting, begun, data)]
    with setting.client() as client:
        seen = sweep(client)
    left = [each.words for each in findings(View(seen)) if each.condition == page and each.subject == subject]
    last = mine[-1] if mine else None
    return [
        Proof("the page of the alert was gone through", last is not None, last[0] if last else f"no run of a page by {setting.person.shown} since {begun.started} that belongs to what is wrong"),
        Proof("all of its blocks passed", last is not None and last[1].get("outcome") == "ok", f"outcome {last[1].get('outcome')}" if last else "nothing"),
        Proof("the controller answers", not seen.troubles, "; ".join(each.words for each in seen.troubles) or "all was read"),
        Proof("what was wrong is put right", not left and not seen.troubles, "; ".join(left) or "the monitor finds it no more"),
    ]


def _of(setting: Setting, begun: Begun, data: Mapping[str, Any]) -> bool:
    """Whether a receipt is a run by this person since the drill began."""
    try:
        person = operator_of(setting.registry, data["operator"])
        return data["mode"] == "run" and datetime.fromisoformat(data["started"]) >= begun.when and person is not None and person.id == setting.person.id
    except (KeyError, TypeError, ValueError):
        return False


def tidy(setting: Setting, begun: Begun) -> None:
    """Takes away what is left of it."""
    with contextlib.suppress(ControllerError), setting.client() as client:
        ALERTS[str(begun.facts["page"])].end(client, str(begun.facts["mark"]))
