"""Nodes as a controller knows them: their state, their way offline and back, an agent's secret and its jar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from lxml import etree

from cibus.errors import ControllerError, NotFound
from cibus.jenkins.client import EXECUTING, Client, executing, node_url
from cibus.jenkins.session import FORM
from cibus.secrets import Secret

TREE = (
    "displayName,description,offline,temporarilyOffline,offlineCauseReason,jnlpAgent,numExecutors,absoluteRemotePath,"
    f"assignedLabels[name],monitorData[*],{EXECUTING}"
)


@dataclass(frozen=True)
class Computer:
    """A permanent agent as the controller sees it now.

    Arguments:
        connected: whether its process talks to the controller, also while it takes no builds
        away: whether somebody took it offline, with ``reason``
        running: the URLs of the builds that run on it
        monitors: readings by name, as the controller takes them
    """

    name: str
    description: str = ""
    connected: bool = False
    away: bool = False
    reason: str = ""
    executors: int = 0
    labels: tuple[str, ...] = ()
    running: tuple[str, ...] = ()
    monitors: Mapping[str, Any] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """In a word: online, away (taken offline, yet connected), or offline."""
        return ("away" if self.away else "online") if self.connected else "offline"


def computers(client: Client) -> list[Computer]:
    """All permanent agents, by name; one request."""
    found = client.session.json(f"computer/api/json?tree=computer[{TREE}]")["computer"]
    return sorted((_computer(each) for each in found if each["_class"].endswith("SlaveComputer")), key=lambda each: each.name)


def computer(client: Client, name: str) -> Computer | None:
    """One agent, or None where the controller has none of this name."""
    try:
        data = client.session.json(f"{node_url(name)}api/json?tree={TREE}")
    except NotFound:
        return None
    if not isinstance(data, dict) or not {"displayName", "offline"} <= set(data):
        raise ControllerError(f"{client.settings.url}{node_url(name)}api/json is no answer of Jenkins: does a proxy answer in its place?")
    return _computer(data)


def _computer(data: Mapping[str, Any]) -> Computer:
    name = data["displayName"]
    # absoluteRemotePath is null as long as there is no channel (hudson.slaves.SlaveComputer), whatever `offline` says
    connected = data.get("absoluteRemotePath") is not None or not data["offline"]
    return Computer(
        name,
        data.get("description") or "",
        connected,
        bool(data.get("temporarilyOffline")),
        data.get("offlineCauseReason") or "",
        data.get("numExecutors", 0),
        tuple(each["name"] for each in data.get("assignedLabels", ()) if each["name"] != name),
        tuple(dict.fromkeys(executing(data))),
        {key.rpartition(".")[2].removesuffix("Monitor"): value for key, value in (data.get("monitorData") or {}).items()},
    )


def take_offline(client: Client, name: str, reason: str) -> None:
    """Takes an agent offline, or gives the reason anew where it is; running builds go on."""
    # changeOfflineCause takes offline what is not, too; toggleOffline would bring back what another took offline meanwhile
    client.session.post(f"{node_url(name)}changeOfflineCause", urlencode({"offlineMessage": reason}).encode(), headers=FORM, repeatable=True)


def bring_online(client: Client, name: str) -> None:
    """Lets an agent take builds again."""
    found = computer(client, name)
    if found is not None and found.away:
        client.session.post(f"{node_url(name)}toggleOffline", urlencode({"offlineMessage": ""}).encode(), headers=FORM)


def launch(client: Client, name: str) -> None:
    """Has the controller start an agent over SSH."""
    client.session.post(f"{node_url(name)}launchSlaveAgent", headers=FORM)


def log_tail(client: Client, name: str, lines: int = 5) -> list[str]:
    """The last lines of an agent's log on the controller."""
    text = client.session.get(f"{node_url(name)}logText/progressiveText?start=0").text
    return [line for line in text.splitlines() if line.strip()][-lines:]


def agent_secret(client: Client, name: str) -> Secret:
    """What an inbound agent identifies itself with: the first argument of its JNLP file (hudson.slaves.SlaveComputer).

    Raises:
        Forbidden: the permission Agent/Connect is missing.
        ControllerError: the node has no such secret: it is not launched by an inbound connection.
    """
    try:
        body = client.session.get(f"{node_url(name)}jenkins-agent.jnlp").body
    except NotFound:
        body = client.session.get(f"{node_url(name)}slave-agent.jnlp").body  # its name before 2.319
    try:
        found = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True)).findtext(".//argument")
    except etree.XMLSyntaxError:
        found = None
    if not found:
        raise ControllerError(f"{client.settings.url}: the JNLP file of agent {name} has no secret; is its launcher an inbound one?")
    return Secret(found)


def agent_jar(client: Client) -> bytes:
    """The agent.jar (remoting) that this controller serves: the one whose version fits."""
    return client.session.get("jnlpJars/agent.jar").body
