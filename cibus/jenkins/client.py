"""python-jenkins on cibus' own session, and the few calls that it lacks or makes in a dearer way."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import jenkins
import requests
from requests.adapters import BaseAdapter

from cibus.jenkins.paths import job_url
from cibus.jenkins.problems import Missing
from cibus.jenkins.session import FORM, XML, Session
from cibus.jenkins.settings import Settings
from cibus.jenkins.transport import Request, Transport


class Client(jenkins.Jenkins):  # type: ignore[misc]
    """A controller. Every method of python-jenkins works, with this session's rights, retries and errors.

    Arguments:
        settings: the controller
        transport: what carries the requests; default: pooled connections
    """

    def __init__(self, settings: Settings, transport: Transport | None = None) -> None:
        super().__init__(settings.url)
        self.settings = settings
        self.session = Session(settings, transport)
        for scheme in ("http://", "https://", "http", "https"):
            self._session.mount(scheme, _Adapter(self.session))

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc: object) -> None:
        self.session.close()

    def maybe_add_crumb(self, req: requests.Request) -> None:
        """The session does it, and only where one is needed."""

    def _maybe_add_auth(self) -> None:
        """The session does it, in every request."""

    def job_config(self, path: str) -> bytes:
        """A job's config.xml as it comes: python-jenkins guesses its encoding, which Jenkins does not tell."""
        return self.session.get(f"{job_url(path)}config.xml").body

    def post_job_config(self, path: str, xml: bytes) -> None:
        """Replaces a job's config.xml."""
        self.session.post(f"{job_url(path)}config.xml", xml, headers=XML, repeatable=True)

    def create_item(self, path: str, xml: bytes) -> None:
        """Creates a job in a folder that is there; one request, where python-jenkins makes three."""
        folder, name = _split(path)
        self.session.post(f"{job_url(folder)}createItem?name={quote(name, safe='')}", xml, headers=XML)

    def exists(self, path: str) -> bool:
        """Whether this user can see a job or folder of this path; the root is the path ''."""
        try:
            self.session.get(f"{job_url(path)}api/json?tree=_class")
        except Missing:
            return False
        return True

    def delete_item(self, path: str) -> None:
        """Deletes a job or a folder with all that is in it."""
        self.session.post(f"{job_url(path)}doDelete")

    def move_item(self, path: str, folder: str) -> None:
        """Moves an item into another folder (cloudbees-folder's move action)."""
        self.session.post(f"{job_url(path)}move/move", urlencode({"destination": f"/{folder}"}).encode(), headers=FORM)

    def rename_item(self, path: str, name: str) -> None:
        """Renames an item within its folder (Jenkins 2.110 and later: confirmRename)."""
        self.session.post(f"{job_url(path)}confirmRename?{urlencode({'newName': name}, quote_via=quote)}")

    def view_config(self, folder: str, name: str) -> bytes:
        """A view's config.xml; the folder '' is the root."""
        return self.session.get(f"{_view_url(folder, name)}config.xml").body

    def post_view_config(self, folder: str, name: str, xml: bytes) -> None:
        """Replaces a view's config.xml."""
        self.session.post(f"{_view_url(folder, name)}config.xml", xml, headers=XML, repeatable=True)

    def create_view_in(self, folder: str, name: str, xml: bytes) -> None:
        """Creates a view."""
        self.session.post(f"{job_url(folder)}createView?name={quote(name, safe='')}", xml, headers=XML)

    def delete_view_in(self, folder: str, name: str) -> None:
        """Deletes a view."""
        self.session.post(f"{_view_url(folder, name)}doDelete")

    def primary_view(self) -> str:
        """The root's primary view: Jenkins would let it be deleted."""
        return str(self.session.json("api/json?tree=primaryView[name]")["primaryView"]["name"])

    def node_config(self, name: str) -> bytes:
        """A node's config.xml."""
        return self.session.get(f"{node_url(name)}config.xml").body

    def post_node_config(self, name: str, xml: bytes) -> None:
        """Replaces a node's config.xml."""
        self.session.post(f"{node_url(name)}config.xml", xml, headers=XML, repeatable=True)

    def create_empty_node(self, name: str) -> None:
        """Creates a permanent agent that is to get its config.xml next; Jenkins takes no XML here."""
        form = {"name": name, "type": jenkins.NODE_TYPE, "json": EMPTY_NODE % quote(name)}
        self.session.post(jenkins.CREATE_NODE, urlencode(form).encode(), headers=FORM)

    def delete_node_named(self, name: str) -> None:
        """Deletes a node; a build that runs there dies with it."""
        self.session.post(f"{node_url(name)}doDelete")

    def plugins(self) -> dict[str, str]:
        """The installed plugins with their versions."""
        found = self.session.json("pluginManager/api/json?tree=plugins[shortName,version,enabled]")
        return {each["shortName"]: each["version"] for each in found["plugins"]}


EXECUTING = "executors[currentExecutable[url]],oneOffExecutors[currentExecutable[url]]"
EMPTY_NODE = (
    '{"nodeDescription": "", "numExecutors": 1, "remoteFS": "/", "labelString": "", "mode": "EXCLUSIVE",'
    ' "type": "hudson.slaves.DumbSlave$DescriptorImpl", "retentionStrategy": {"stapler-class":'
    ' "hudson.slaves.RetentionStrategy$Always"}, "nodeProperties": {"stapler-class-bag": "true"}, "launcher":'
    ' {"stapler-class": "hudson.slaves.JNLPLauncher"}, "name": "%s"}'
)


def _split(path: str) -> tuple[str, str]:
    folder, _, name = path.rpartition("/")
    return folder, name


def _view_url(folder: str, name: str) -> str:
    return f"{job_url(folder)}view/{quote(name, safe='')}/"


def node_url(name: str) -> str:
    """A node's path below the controller."""
    return f"computer/{quote(name, safe='()')}/"


class _Adapter(BaseAdapter):
    """Lets requests, and with it python-jenkins, send through a session."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._sender = session

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        parts = urlsplit(request.url or "")
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        body = request.body.encode() if isinstance(request.body, str) else request.body
        headers = {name: value for name, value in request.headers.items() if name.lower() == "content-type"}
        sent = Request(request.method or "GET", target, headers, body, repeatable=request.method in ("GET", "HEAD"))
        answer = self._sender.checked(sent)
        made = requests.Response()
        made.status_code = answer.status
        made.headers.update({name: value for name, value in answer.headers.items() if name != "content-encoding"})
        made.url = request.url or ""
        made.request = request
        made.encoding = "utf-8"
        made.raw = io.BytesIO(answer.body)
        return made

    def close(self) -> None:
        self._sender.close()


def running_builds(client: Client) -> Iterator[str]:
    """The URLs of the builds that run now."""
    for computer in client.session.json(f"computer/api/json?tree=computer[{EXECUTING}]")["computer"]:
        yield from executing(computer)


def executing(computer: Mapping[str, Any]) -> Iterator[str]:
    """The URLs of the builds that run on a computer, of which ``EXECUTING`` was asked for."""
    for executor in (*computer.get("executors", ()), *computer.get("oneOffExecutors", ())):
        if url := (executor.get("currentExecutable") or {}).get("url"):
            yield url
