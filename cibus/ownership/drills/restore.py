"""Restore a deleted job: on the practice controller a job is made, exported, and deleted; it has to come back as it was."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lxml import etree

from cibus.errors import ControllerError, NotFound
from cibus.jobs.collect import Filter
from cibus.jobs.drift import drift
from cibus.jobs.export import export
from cibus.jobs.sides import pair
from cibus.ownership.drills.base import PREFIX, Begun, Proof, Setting
from cibus.redaction.fingerprints import fingerprint_key


def pipeline_job(script: str, description: str = "") -> bytes:
    """The config of a job with an inline pipeline (workflow-job, workflow-cps)."""
    root = etree.Element("flow-definition")
    etree.SubElement(root, "description").text = description
    definition = etree.SubElement(root, "definition", {"class": "org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition"})
    etree.SubElement(definition, "script").text = script
    etree.SubElement(definition, "sandbox").text = "true"
    return bytes(etree.tostring(root))


def begin(setting: Setting) -> Mapping[str, Any]:
    """Makes a job, exports it and deletes it.

    Raises:
        ControllerError: the practice controller refuses.
    """
    mark = secrets.token_hex(4)
    job = f"{PREFIX}-{setting.person.id}-{mark}"
    script = f"node {{\n    stage('Greet') {{\n        sh 'echo {mark}'\n    }}\n}}\n"
    snapshot = setting.folder / "jenkins"
    with setting.client() as client:
        client.create_item(job, pipeline_job(script, f"Made by cibus for a drill of {setting.person.shown}; says {mark}"))
        try:
            export(client, snapshot, fingerprint_key(setting.config.snapshot), Filter((job,)))
        finally:
            client.delete_item(job)
    return {"job": job, "snapshot": str(snapshot), "mark": mark}


def tell(setting: Setting, begun: Begun) -> list[str]:
    """What the person has to do."""
    return [
        f"Somebody deleted the job {begun.facts['job']} of {setting.practice.url}. Bring it back as it was.",
        f"The snapshot is {begun.facts['snapshot']}.",
        *([setting.shell] if setting.shell else []),
        "The page: cibus runbook show restore-job",
    ]


def verify(setting: Setting, begun: Begun) -> list[Proof]:
    """Whether the job is there and its config is that of the snapshot."""
    job, snapshot = str(begun.facts["job"]), Path(begun.facts["snapshot"])
    with setting.client() as client:
        try:
            xml = client.job_config(job).decode("utf-8", "replace")
        except NotFound:
            return [Proof("the job is there", False, f"{setting.practice.url} has no {job}")]
    chosen = Filter((job,))
    with pair(str(snapshot), setting.practice.name, setting.config, chosen) as (wanted, live):
        found = drift(wanted, live, chosen.means, documents=False)
    greeting = f"echo {begun.facts['mark']}"
    return [
        Proof("the job is there", True, job),
        Proof("it is the one that was deleted", greeting in xml, f"its script {'has' if greeting in xml else 'does not have'} {greeting}"),
        Proof("its configuration is that of the snapshot", not found.configs, f"{len(found.configs)} configurations differ"),
    ]


def tidy(setting: Setting, begun: Begun) -> None:
    """Takes the job away."""
    with contextlib.suppress(ControllerError), setting.client() as client:
        client.delete_item(str(begun.facts["job"]))
