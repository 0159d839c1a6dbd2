"""A real build on an agent: a tiny pipeline, gone afterwards.

Its job is in the folder ``cibus``, which is made for it and goes with the last such job; one that somebody else made stays.
"""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Sequence

from lxml import etree

from cibus.agents.atoms import Proof
from cibus.errors import ControllerError, Forbidden, NotFound
from cibus.jenkins.builds import NotInTime, Pause, console, run_build
from cibus.jenkins.client import Client
from cibus.jenkins.paths import job_url

FOLDER = "cibus"
FOLDER_CLASS = "com.cloudbees.hudson.plugins.folder.Folder"
DESCRIPTION = "Builds that cibus proves agents with"
FOLDER_XML = f"<{FOLDER_CLASS}><description>{DESCRIPTION}</description></{FOLDER_CLASS}>".encode()
LOCK = threading.Lock()  # agents that are proved at once must not take the folder from each other


def trial_build(client: Client, name: str, label: str, proofs: Sequence[Proof], seconds: float, pause: Pause = time.sleep) -> tuple[str, str]:
    """Runs a build on the agents of a label; gives a level (fine, error, unknown) and words.

    Arguments:
        name: the agent's; the job is named after it
        seconds: how long to wait for the build's end
    """
    job = f"{FOLDER}/verify-{name}-{uuid.uuid4().hex[:8]}"
    try:
        with LOCK:
            _make(client, job, _job(label, proofs))
        return _built(client, job, seconds, pause)
    except Forbidden as error:
        return "unknown", f"no build was tried: {error}"
    except ControllerError as error:
        return "unknown", f"no build could be made and followed: {error}"
    finally:  # also where the answer to its making was lost
        with LOCK:
            _remove(client, job)


def script(label: str, proofs: Sequence[Proof]) -> str:
    """The pipeline: the commands that prove the labels, stopped at the first that fails."""
    lines = ["set -e", "echo cibus: the agent runs builds", *(f"( {proof.command} ) > /dev/null" for proof in proofs)]
    name = label.replace("\\", "\\\\").replace("'", "\\'")
    return f"node('{name}') {{ sh '''{_escaped(chr(10).join(lines))}''' }}"


def _escaped(shell: str) -> str:
    """For Groovy's ''' … '''."""
    return shell.replace("\\", "\\\\").replace("'''", "\\'\\'\\'")


def _job(label: str, proofs: Sequence[Proof]) -> bytes:
    root = etree.Element("flow-definition")
    definition = etree.SubElement(root, "definition", {"class": "org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition"})
    etree.SubElement(definition, "script").text = script(label, proofs)
    etree.SubElement(definition, "sandbox").text = "true"
    return etree.tostring(root)


def _make(client: Client, job: str, xml: bytes) -> None:
    """Makes the job, and the folder where it is not there; once more where another process took it away meanwhile."""
    for last in (False, True):
        if not client.exists(FOLDER):
            client.create_item(FOLDER, FOLDER_XML)
        try:
            return client.create_item(job, xml)
        except NotFound:
            if last:
                raise
    return None


def _built(client: Client, job: str, seconds: float, pause: Pause) -> tuple[str, str]:
    try:
        ended = run_build(client, job, seconds, pause)
    except NotInTime as error:
        return "error", f"a build on it {error}"
    if ended.result == "SUCCESS":
        return "fine", f"a build ran on it in {ended.seconds:.1f} s"
    lines = [line for line in console(client, job, ended.number).splitlines() if line.strip() and not line.startswith(("[Pipeline]", "Finished:"))]
    return "error", f"a build on it ends with {ended.result}: {' / '.join(lines[-2:])[:300]}"


def _remove(client: Client, job: str) -> None:
    """Takes the job away, and the folder where it is cibus' own and nothing else is in it."""
    with contextlib.suppress(ControllerError):  # it is only clutter, and a finding would hide the build's own
        client.delete_item(job)
    with contextlib.suppress(ControllerError):
        found = client.session.json(f"{job_url(FOLDER)}api/json?tree=description,jobs[name]")
        if found.get("description") == DESCRIPTION and not found.get("jobs"):
            client.delete_item(FOLDER)
