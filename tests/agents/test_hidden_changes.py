"""Running a playbook: what is made of Ansible's events."""

from __future__ import annotations

import shutil
from pathlib import Path

from playbooks.plays import PLAYBOOKS

from cibus.agents.play import Plays, private_place
from cibus.agents.playbooks import Target
from cibus.agents.spec import AgentSpec
from cibus.ssh.address import parse

BOOK = """
- hosts: agents
  gather_facts: false
  connection: local
  tasks:
    - {name: Plain, command: "true"}
    - {name: Hidden, command: "true", no_log: true}
    - {name: Hidden in a loop, command: "true", no_log: true, loop: [1, 2]}
    - {name: Hidden and as it should be, command: "true", no_log: true, changed_when: false}
    - {name: Skipped, command: "true", no_log: true, when: false}
"""


def test_changes_of_tasks_with_hidden_output_count(tmp_path: Path) -> None:
    (tmp_path / "book.yml").write_text(BOOK, "utf-8")
    shutil.copy(PLAYBOOKS / "ansible.cfg", tmp_path)
    local = {"ansible_connection": "local", "ansible_become": False, "ansible_host": "localhost"}
    with private_place() as place:
        results, _ = Plays(tmp_path, [Target(AgentSpec("a", parse("root@localhost"), variables=local))], place).play("book.yml", ["a"], lambda _: None)
    assert results["a"].changes == ("play: Plain", "play: Hidden", "play: Hidden in a loop")
    assert results["a"].ok == 4
