"""What is taken from a play: real Ansible, on this machine itself, with playbooks that change nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from cibus.agents.play import HostResult, Output, Plays, TaskDone, private_place
from cibus.agents.playbooks import Target
from cibus.agents.spec import AgentSpec
from cibus.secrets import Secret
from cibus.ssh.address import parse

SECRET = 'pa"ss-w0rd-of-ours'


def played(folder: Path, tasks: str) -> tuple[HostResult, str, str]:
    """Runs tasks; gives the result, what was told, and what is kept of Ansible's output."""
    (folder / "agent.yml").write_text(f"- hosts: agents\n  gather_facts: false\n  tasks:\n{tasks}", "utf-8")
    (folder / "ansible.cfg").write_text("", "utf-8")
    spec = AgentSpec("a", parse("box.invalid"), variables={"ansible_connection": "local", "ansible_become": False})
    told: list[TaskDone | Output] = []
    with private_place() as place:
        results, log = Plays(folder, [Target(spec, secrets={"password": Secret(SECRET)})], place).play("agent.yml", ["a"], told.append)
        left = log.read_text("utf-8")
    return results["a"], repr(told), left


def test_what_was_rescued_is_no_failure(tmp_path: Path) -> None:
    result, _, _ = played(tmp_path, "  - block:\n    - command: 'false'\n    rescue:\n    - command: 'true'\n")
    assert result.failure == ""
    assert result.total == 1


def test_what_fails_after_a_rescue_is_what_is_said(tmp_path: Path) -> None:
    tasks = "  - block:\n    - name: One\n      command: 'false'\n    rescue:\n    - command: 'true'\n  - name: Two\n    fail: {msg: no more}\n"
    assert played(tmp_path, tasks)[0].failure == "play: Two: no more"


def test_an_ansible_that_dies_halfway_has_failed(tmp_path: Path) -> None:
    # its own process is the parent of the one that runs the module
    tasks = "  - command: 'true'\n  - shell: 'P=$PPID; while [ \"$(cut -d\" \" -f5 /proc/$P/stat)\" != \"$P\" ]; do P=$(cut -d\" \" -f4 /proc/$P/stat); done; kill -9 $P; sleep 1'\n"
    assert "Ansible did not come to its end there" in played(tmp_path, tasks)[0].failure


@pytest.mark.parametrize("shown", ["{{ password }}", "{{ password | to_json }}"])
def test_a_secret_is_hidden_wherever_ansible_says_it(shown: str, tmp_path: Path) -> None:
    result, told, kept = played(tmp_path, f"  - name: Say\n    fail: {{msg: 'it is {shown}, they say'}}\n")
    assert "they say" in result.failure
    for text in (result.failure, told, kept):
        assert "w0rd-of-ours" not in text
        assert "****" in text
