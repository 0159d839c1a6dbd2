"""What a controller has besides jobs, views and nodes: plugins, credentials' names, users' ids, its own settings."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from lxml import etree

from cibus.canonical import canonical
from cibus.errors import ControllerError, Forbidden, NotFound
from cibus.jenkins.client import Client
from cibus.jenkins.paths import job_url
from cibus.jenkins.session import FORM, Session
from cibus.jobs.collect import why
from cibus.jobs.layout import CREDENTIALS, PLUGINS, SYSTEM, USERS
from cibus.redaction import Redactor
from cibus.tomltext import quoted

JCASC = f"{SYSTEM}/jenkins.yaml"
APPROVALS = "scriptApproval.xml"

# Reads the XML files in Jenkins' home; changes nothing. credentials.xml holds nothing but secrets, queue.xml is no setting.
READ_XML = """\
def left = ['credentials.xml', 'queue.xml'] as Set
def files = jenkins.model.Jenkins.instance.rootDir.listFiles().findAll { it.file && it.name.endsWith('.xml') && !(it.name in left) }
print groovy.json.JsonOutput.toJson(files.collectEntries { [it.name, it.getText('UTF-8')] })
"""


@dataclass(frozen=True)
class Documents:
    """The files, by path; and what could not be read, and why."""

    files: dict[str, str]
    missing: dict[str, str]


def documents(client: Client, redactor: Redactor, credential_folders: Iterable[str]) -> Documents:
    """Everything that this user may read.

    Arguments:
        credential_folders: the folders that may have credentials of their own
    """
    files: dict[str, str] = {}
    missing: dict[str, str] = {}

    def take(name: str, read: Callable[[], Iterator[tuple[str, str]]]) -> None:
        try:
            files.update(read())
        except ControllerError as error:
            missing[name] = why(error)

    take("plugins", lambda: _plugins(client))
    take("credentials", lambda: _credentials(client.session, redactor, sorted(credential_folders)))
    take("users", lambda: _users(client.session))
    take("system", lambda: _jcasc(client.session, redactor))
    take("script approvals" if JCASC in files else "system", lambda: _xml_files(client.session, redactor, everything=JCASC not in files))
    if JCASC not in files and any(path.startswith(f"{SYSTEM}/") for path in files):
        missing.pop("system", None)
    return Documents(files, missing)


def credential_ids(session: Session, folder: str) -> dict[str, dict[str, str]]:
    """The credentials of the controller (folder '') or of a folder, by their full name: id, type, name, description."""
    found = session.json(f"{job_url(folder)}credentials/api/json?depth=3")
    return {
        each["fullName"]: {
            "id": each["id"],
            "type": each["typeName"],
            "name": each["displayName"],
            "description": each.get("description") or "",
        }
        for store in (found.get("stores") or {}).values()
        for domain in (store.get("domains") or {}).values()
        for each in domain.get("credentials") or ()
    }


def _plugins(client: Client) -> Iterator[tuple[str, str]]:
    lines = (f"{quoted(name)} = {quoted(version)}" for name, version in sorted(client.plugins().items()))
    yield PLUGINS, _lines("The plugins that are installed", lines)


def _credentials(session: Session, redactor: Redactor, folders: list[str]) -> Iterator[tuple[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for folder in ("", *folders):
        try:
            found.update(credential_ids(session, folder))
        except NotFound:
            if not folder:  # the credentials plugin is not there
                return
    lines = []
    for name, facts in sorted(found.items()):
        lines += [f"\n[{quoted(name)}]", *(f"{key} = {quoted(_shown(redactor, value, name))}" for key, value in facts.items())]
    yield CREDENTIALS, _lines("Credentials: what they are called, never what they are", lines)


def _shown(redactor: Redactor, value: str, where: str) -> str:
    return redactor.text(value, f"credential {where}", "plain").text


def _users(session: Session) -> Iterator[tuple[str, str]]:
    found = session.json("asynchPeople/api/json?tree=users[user[id,absoluteUrl]]")
    ids = {_user_id(each["user"]) for each in found.get("users") or ()}
    yield USERS, _lines("Users' ids", [f"users = [{''.join(f'{chr(10)}  {quoted(each)},' for each in sorted(ids))}\n]"])


def _user_id(user: dict[str, Any]) -> str:
    return str(user.get("id") or user["absoluteUrl"].rstrip("/").rpartition("/")[2])


def _jcasc(session: Session, redactor: Redactor) -> Iterator[tuple[str, str]]:
    try:
        text = session.post("configuration-as-code/export", repeatable=True).text
    except NotFound:  # the plugin is not there
        return
    yield JCASC, redactor.text(text, JCASC, "yaml").text


def _xml_files(session: Session, redactor: Redactor, *, everything: bool) -> Iterator[tuple[str, str]]:
    """The script console is the only way to them (Overall/Administer)."""
    try:
        answer = session.post("scriptText", urlencode({"script": READ_XML}).encode(), headers=FORM, repeatable=True).text
    except NotFound:
        raise Forbidden("the script console is switched off", "Overall/Administer") from None
    try:
        found: dict[str, str] = json.loads(answer)
    except ValueError:
        raise ControllerError(f"the script console gave no JSON: {answer.strip().splitlines()[:1]}") from None
    for name, text in sorted(found.items()):
        if everything or name == APPROVALS:
            config = canonical(_without_views(text).encode("utf-8", "surrogatepass") if name == "config.xml" else text.encode("utf-8", "surrogatepass"))
            redacted = redactor.config(config.xml, {}, f"{SYSTEM}/{name}")
            yield f"{SYSTEM}/{name}", redacted.xml


def _without_views(text: str) -> str:
    """The controller's config.xml without its views: they are exported one by one."""
    xml = canonical(text.encode("utf-8", "surrogatepass")).xml
    root = etree.fromstring(xml.encode())
    for views in root.findall("views"):
        root.remove(views)
    return etree.tostring(root, encoding="unicode")


def _lines(title: str, lines: Iterable[str]) -> str:
    return "\n".join([f"# {title}", *lines]) + "\n"
