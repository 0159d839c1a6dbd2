"""Rotate a dummy credential: a secret text on the practice controller has to get a new value, which a build proves."""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from cibus.errors import ControllerError
from cibus.folders import write_whole
from cibus.jenkins.builds import console, run_build
from cibus.jenkins.client import Client
from cibus.jenkins.session import XML
from cibus.ownership.drills.base import PREFIX, Begun, Proof, Setting
from cibus.ownership.drills.restore import pipeline_job

DOMAIN = "credentials/store/system/domain/_"
ENTRY = (  # plain-credentials, https://plugins.jenkins.io/plain-credentials/
    "<org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl><scope>GLOBAL</scope><id>{id}</id>"
    "<description>Made by cibus for a drill; of no use for anything</description><secret>{secret}</secret></org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl>"
)
SCRIPT = """\
node {{
    withCredentials([string(credentialsId: '{id}', variable: 'VALUE')]) {{
        sh 'printf %s "{salt}$VALUE" | (sha256sum 2>/dev/null || shasum -a 256)'
    }}
}}
"""
WAIT = 180.0  # seconds for the build
HASH = re.compile(r"^([0-9a-f]{64})\b", re.MULTILINE)


def begin(setting: Setting) -> Mapping[str, Any]:
    """Makes the credential, a job that uses it, and the new value in a file that only this user can read.

    Raises:
        ControllerError: the practice controller refuses.
    """
    mark, salt = secrets.token_hex(4), secrets.token_hex(8)
    name = f"{PREFIX}-{setting.person.id}-{mark}"
    old, new = secrets.token_urlsafe(18), secrets.token_urlsafe(18)
    file = setting.folder / "new-secret"
    write_whole(file, f"{new}\n".encode(), private=True)
    with setting.client() as client:
        client.session.post(f"{DOMAIN}/createCredentials", ENTRY.format(id=name, secret=escape(old)).encode(), headers=XML)
        try:
            client.create_item(name, pipeline_job(SCRIPT.format(id=name, salt=salt), "Made by cibus for a drill: shows a fingerprint of a dummy secret"))
        except BaseException:
            _remove(client, name)
            raise
    return {"credential": name, "job": name, "file": str(file), "old": _fingerprint(salt, old), "new": _fingerprint(salt, new)}


def tell(setting: Setting, begun: Begun) -> list[str]:
    """What the person has to do."""
    return [
        f"The secret of the credential {begun.facts['credential']} on {setting.practice.url} was seen by somebody. Put the new one there, which is in {begun.facts['file']}.",
        f"The job {begun.facts['job']} uses it.",
        *([setting.shell] if setting.shell else []),
        f"The page: cibus runbook show rotate-secret; it wants the new secret in the environment: export VALUE=\"$(cat {begun.facts['file']})\"",
    ]


def verify(setting: Setting, begun: Begun) -> list[Proof]:
    """Whether a build that uses the credential sees the new value."""
    job = str(begun.facts["job"])
    try:
        with setting.client() as client:
            ended = run_build(client, job, WAIT)
            found = HASH.search(console(client, job, ended.number))
    except ControllerError as error:
        return [Proof("a build uses the credential", False, str(error))]
    seen = found[1] if found else ""
    return [
        Proof("a build uses the credential", ended.result == "SUCCESS" and bool(seen), f"{job} #{ended.number}: {ended.result}"),
        Proof("it sees the new secret", seen == begun.facts["new"], "the new one" if seen == begun.facts["new"] else "still the old one" if seen == begun.facts["old"] else "another one than that of the file"),
    ]


def _fingerprint(salt: str, value: str) -> str:
    return hashlib.sha256(f"{salt}{value}".encode()).hexdigest()


def tidy(setting: Setting, begun: Begun) -> None:
    """Takes the job and the credential away."""
    with contextlib.suppress(ControllerError), setting.client() as client:
        client.delete_item(str(begun.facts["job"]))
    with contextlib.suppress(ControllerError), setting.client() as client:
        _remove(client, str(begun.facts["credential"]))


def _remove(client: Client, credential: str) -> None:
    client.session.post(f"{DOMAIN}/credential/{quote(credential, safe='')}/doDelete")
