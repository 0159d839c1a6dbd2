"""Looking at a Mac: what is made of launchctl's words. The rest is in test_rebuild_mac.py."""

from __future__ import annotations

import os
import plistlib
import pwd
from pathlib import Path
from typing import Any, cast

import pytest

from cibus.agents import onhost, probe
from cibus.agents.probe import Wants, look
from cibus.agents.spec import AgentSpec
from cibus.errors import HostError
from cibus.ssh.address import parse

LABEL = "org.jenkins-ci.jenkins-agent"
RUNNING = "{\n\tactive count = 1\n\tstate = running\n\n\truns = 3\n\tpid = 77\n\tlast exit code = 9\n}\n"
WAITING = "{\n\tactive count = 0\n\tstate = spawn scheduled\n\n\truns = 5\n\tlast exit code = 255\n}\n"
DEAD = "{\n\tactive count = 0\n\tstate = not running\n\n\truns = 0\n\tlast exit code = (never exited)\n}\n"
OFF = f'\tdisabled services = {{\n\t\t"{LABEL}" => %s\n\t\t"{LABEL}-clean" => enabled\n\t}}\n'
GUI = f"gui/{os.getuid()}"


@pytest.mark.parametrize(
    ("domain", "printed", "disabled", "expected"),
    [
        ("system", RUNNING, OFF % "enabled", {"active": "active", "enabled": "enabled", "pid": 77, "restarts": 2}),
        (GUI, RUNNING, "", {"active": "active", "enabled": "enabled", "pid": 77}),
        ("system", WAITING, "", {"active": "inactive", "restarts": 4, "result": "last exit code 255"}),
        ("system", DEAD, OFF % "disabled", {"active": "inactive", "enabled": "disabled", "restarts": 0, "result": ""}),
        ("system", "", OFF % "true", {"loaded": "loaded", "active": "not in launchd", "enabled": "disabled"}),
        ("", "", "", {"loaded": "not-found", "active": "inactive"}),
    ],
    ids=["daemon", "in a session", "dies", "never ran", "taken out", "not there"],
)
def test_a_job_by_what_launchctl_says(domain: str, printed: str, disabled: str, expected: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = {("print", f"{domain}/{LABEL}"): printed, ("print-disabled", domain): disabled}
    monkeypatch.setattr(onhost, "_plain", lambda *words: said.get(words[1:], ""))
    paths = {"system": tmp_path / "daemon.plist", GUI: tmp_path / "agent.plist"}
    if domain:
        paths[domain].write_bytes(plistlib.dumps({"EnvironmentVariables": {"PATH": "/opt/homebrew/bin"}}))
    monkeypatch.setattr(onhost, "_plists", lambda service, account: [(name, str(path)) for name, path in paths.items()])
    account = pwd.getpwuid(os.getuid())
    found = onhost._launchd("jenkins-agent", account)
    assert {key: found[key] for key in expected} == expected
    assert onhost._job_environ("jenkins-agent", account) == ({"PATH": "/opt/homebrew/bin"} if domain else {})


def test_jobs_are_where_the_role_puts_them() -> None:
    account = cast(pwd.struct_passwd, type("Account", (), {"pw_uid": 502, "pw_dir": "/Users/jenkins"}))
    assert onhost._plists("jenkins-agent", account) == [
        ("system", f"/Library/LaunchDaemons/{LABEL}.plist"),
        ("gui/502", f"/Users/jenkins/Library/LaunchAgents/{LABEL}.plist"),
    ]
    assert onhost._plists("com.example.agent", None) == [("system", "/Library/LaunchDaemons/com.example.agent.plist")]


@pytest.mark.parametrize("words", ["sh: 1: python3: not found", "xcode-select: note: No developer tools were found, requesting install."])
def test_no_python_is_told(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "run", lambda *_, **__: (1, "", words))
    with pytest.raises(HostError, match=r"there is no python3.*macOS: xcode-select --install"):
        look(cast(Any, None), AgentSpec("a", parse("x@mac.example")), Wants())
