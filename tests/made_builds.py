"""Builds made for a test, as the fake Jenkins serves them: JSON, log, stage view, replay page."""

from __future__ import annotations

import html
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fake_jenkins import FakeJenkins
from fake_jenkins.items import Build

RUN = "org.jenkinsci.plugins.workflow.job.WorkflowRun"
INLINE = """<flow-definition><description/><properties/><definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition">
<script>{script}</script><sandbox>{sandbox}</sandbox></definition><triggers/><disabled>false</disabled></flow-definition>"""
SCM = """<flow-definition><description/><properties/><definition class="org.jenkinsci.plugins.workflow.cps.CpsScmFlowDefinition">
<scm class="hudson.plugins.git.GitSCM"><userRemoteConfigs><hudson.plugins.git.UserRemoteConfig><url>{url}</url></hudson.plugins.git.UserRemoteConfig></userRemoteConfigs>
<branches><hudson.plugins.git.BranchSpec><name>*/main</name></hudson.plugins.git.BranchSpec></branches></scm><scriptPath>Jenkinsfile</scriptPath><lightweight>true</lightweight>
</definition><triggers/><disabled>false</disabled></flow-definition>"""


def add_build(fake: FakeJenkins, job: str, number: int, values: Mapping[str, Any], *, console: str, cls: str = RUN, extra: Mapping[str, Any] | None = None) -> Build:
    """Adds a build to a job that is there.

    Arguments:
        extra: path below the build → JSON data, or HTML text
    """
    found = {
        "result": "SUCCESS", "building": False, "timestamp": 1795341766508, "duration": 1234, "displayName": f"#{number}", "description": None,
        "builtOn": "", "actions": [], "artifacts": [], "changeSets": [], **values,
    }  # fmt: skip
    build = Build(number, found, cls, console)
    for path, data in (extra or {}).items():
        is_html = isinstance(data, str)
        build.extra[path] = ("text/html;charset=utf-8", data.encode()) if is_html else ("application/json;charset=utf-8", json.dumps(data).encode())
    item = fake.state.jobs[job]
    item.builds = sorted([*item.builds, build], key=lambda each: -each.number)
    item.next_build = max(item.next_build, number + 1)
    return build


def replay_page(script: str) -> str:
    return f'<html><title>Replay</title><form><textarea name="_.mainScript" rows="20">\n{html.escape(script, quote=False)}</textarea></form></html>'


def git(folder: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()
