"""What works on a controller with the given rights. Every probe only reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

from cibus.errors import ControllerError, Forbidden, NotFound
from cibus.jenkins.client import Client
from cibus.jenkins.inventory import ItemRef, items_and_views, nodes
from cibus.jenkins.session import FORM

State = Literal["works", "not allowed", "not there", "broken"]


@dataclass(frozen=True)
class Probe:
    """What came of a probe.

    Arguments:
        what: what was tried
        needed: what cibus needs it for
        found: what was found, or why it does not work
    """

    what: str
    needed: str
    state: State
    found: str


@dataclass(frozen=True)
class Check:
    """All probes of a controller; ``user``: as whom they were made."""

    url: str
    version: str
    user: str
    probes: tuple[Probe, ...]

    @property
    def complete(self) -> bool:
        """Whether nothing is refused or broken."""
        return all(probe.state in ("works", "not there") for probe in self.probes)


def check(client: Client) -> Check:
    """Tries what cibus uses.

    Raises:
        ControllerError: the controller cannot be reached, is none, or refuses the user altogether.
    """
    version = client.session.require_jenkins()
    who = client.session.json("whoAmI/api/json")
    items: list[ItemRef] = []

    def list_items() -> str:
        found, views = items_and_views(client.session)
        items.extend(found)
        return f"{len(found)} jobs and folders, {len(views)} views"

    def read_config() -> str:
        if not items:
            return "there is no job to try it on"
        client.job_config(items[0].path)
        return f"tried on {items[0].path}"

    probes = [
        _probe("list jobs", "export, diff", list_items),
        _probe("read a job's config.xml", "export, diff", read_config),
        _probe("create jobs", "apply", lambda: _creatable(client)),
        _probe("list agents", "export, agents", lambda: f"{len(nodes(client.session))} agents"),
        _probe("list plugins", "plan's warnings", lambda: f"{len(client.plugins())} plugins"),
        _probe("list credentials (names only)", "plan's warnings", lambda: _reads(client, "credentials/api/json")),
        _probe("configuration as code", "export of the system configuration", lambda: _posts(client, "configuration-as-code/export")),
        _probe("script console", "script approvals; system configuration without that plugin", lambda: _script(client)),
        _probe("queue", "monitoring", lambda: f"{len(client.session.json('queue/api/json?tree=items[id]')['items'])} waiting"),
    ]
    return Check(client.settings.url, version, str(who.get("name", client.settings.user)), tuple(probes))


def _probe(what: str, needed: str, run: Callable[[], str]) -> Probe:
    try:
        return Probe(what, needed, "works", run())
    except Forbidden as error:
        return Probe(what, needed, "not allowed", f"needs {error.permission}" if error.permission else str(error))
    except NotFound:
        return Probe(what, needed, "not there", "the plugin is not installed, or it is not to be seen with these rights")
    except ControllerError as error:
        return Probe(what, needed, "broken", str(error))


def _reads(client: Client, path: str) -> str:
    client.session.json(path)
    return ""


def _posts(client: Client, path: str) -> str:
    client.session.post(path, repeatable=True)
    return ""


def _creatable(client: Client) -> str:
    """The form's own check of a new job's name; it needs Job/Create."""
    client.session.get("checkJobName?value=cibus-check")
    return ""


def _script(client: Client) -> str:
    client.session.post("scriptText", urlencode({"script": "print 1"}).encode(), headers=FORM, repeatable=True)
    return ""
