"""The playbooks on really booted hosts: what is special. The usual way, from bare to repaired, is in tests/agents/test_rebuild.py."""

from __future__ import annotations

import hashlib
import json
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hosts.boot import Host
from standin.jar import agent_jar

from playbooks.conftest import FACTS, Play
from playbooks.plays import PLAYBOOKS, SECRET, Controller, Played, play_as

CONNECTED = "INFO: Connected"
Built = tuple[Host, Played]


def root(host: Host, command: str, *, check: bool = True) -> str:
    return host.run(command, user="root", check=check)


def connections(host: Host) -> int:
    """How often the agent connected."""
    return root(host, "journalctl -b -u jenkins-agent -o cat", check=False).count(CONNECTED)


def until(happened: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.2)


def runs(host: Host) -> bool:
    return root(host, "systemctl is-active jenkins-agent", check=False).strip() == "active" and connections(host) > 0


def in_order(agent: Host, ansible: Play, **different: Any) -> None:
    """The agent runs, as the playbook wants it."""
    until(lambda: runs(agent))
    again = ansible(agent, **different).succeeded()
    assert again.changed == 0, again.changes


def archived(folder: Path, name: str, script: str) -> Path:
    """A tar archive of one program."""
    program = folder / "program"
    program.write_text(script, "utf-8")
    program.chmod(0o755)
    with tarfile.open(folder / "archive.tar.gz", "w:gz") as archive:
        archive.add(program, name)
    return folder / "archive.tar.gz"


# -- from bare to whole


def test_agent_yml_works_alone(built: Built, agent: Host) -> None:
    assert built[1].succeeded().changed > 5
    until(lambda: runs(agent))
    assert "user: jenkins" in root(agent, "ps -o user:20=,args= -C java | sed 's/^/user: /'")


def test_the_secret_is_seen_nowhere_and_the_jar_is_downloaded_once(built: Built, agent: Host, ansible: Play, controller: Controller) -> None:
    asked = len(controller.asked)
    assert SECRET not in built[1].output
    agent.run("rm /etc/jenkins-agent/jenkins-agent.secret", user="root")
    again = ansible(agent, "-vvv", "--diff", roles=AGENT).succeeded()
    assert "agent : Write the secret" in again.changes
    assert len(controller.asked) == asked
    assert SECRET not in again.output
    assert root(agent, "stat -c '%a %U' /etc/jenkins-agent/jenkins-agent.secret") == "600 jenkins\n"
    assert SECRET not in root(agent, "ps axwwe; journalctl --no-pager -o export; systemctl show jenkins-agent")
    assert not root(agent, f"grep -rl {SECRET} /etc /opt /home /root /tmp /var/tmp --exclude=jenkins-agent.secret", check=False)


def test_everything_works_for_a_user_with_sudo(agent: Host, ansible: Play) -> None:
    different: dict[str, Any] = {"agent_user": "builder", "agent_remote_folder": "/srv/builds", "agent_launcher": "tcp", "base_timezone": "Europe/Berlin", "roles": ["base", *AGENT], "base_users": [{"name": "watcher", "keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAWrFwHPjgF5Uo5ZEnVRcUrpH5J8WTyZq7mBPKqGr9gG watcher"]}]}
    ansible(agent, user=agent.admin, **different).succeeded()
    until(lambda: runs(agent))
    assert "-webSocket" not in root(agent, "systemctl cat jenkins-agent")
    assert "passwordauthentication no" in root(agent, "sshd -T")
    assert agent.run("id -un", user=agent.admin) == "admin\n"
    again = ansible(agent, user=agent.admin, **different).succeeded()
    assert again.changed == 0, again.changes


def test_nobody_is_locked_out(agent: Host, ansible: Play) -> None:
    root(agent, "cp -r /root/.ssh /etc/ssh/root.d; echo 'AuthorizedKeysFile /etc/ssh/root.d/authorized_keys' >/etc/ssh/sshd_config.d/90-x.conf; rm -r /root/.ssh; systemctl reload ssh")
    ansible(agent, roles=["base"]).succeeded()
    assert "passwordauthentication yes" in root(agent, "sshd -T")


# -- what another pass repairs


AGENT = ["java", "agent"]
BREAKS = (
    "systemctl set-property jenkins-agent MemoryMax=10M",
    "mkdir -p /etc/systemd/system/jenkins-agent.service.d; printf '[Service]\\nUser=nobody\\n' >/etc/systemd/system/jenkins-agent.service.d/x.conf",
    "sed -i 's/-jar/-Xmx8m -jar/' /etc/systemd/system/jenkins-agent.service",
    "systemctl daemon-reload; systemctl restart jenkins-agent",
    "systemctl disable --now jenkins-agent",
    "mkdir -p /run/systemd/system; ln -sf /dev/null /run/systemd/system/jenkins-agent.service",
)


def test_what_was_done_to_the_unit_is_undone(agent: Host, ansible: Play) -> None:
    """Drop-ins, limits, another unit, disabled, and masked until the next boot."""
    root(agent, f"exec >/dev/null 2>&1; {'; '.join(BREAKS)}", check=False)
    assert not runs(agent)
    assert ansible(agent, roles=AGENT).succeeded().changed > 0
    until(lambda: runs(agent))
    assert root(agent, "systemctl is-enabled jenkins-agent") == "enabled\n"
    assert not root(agent, "find /etc/systemd /run/systemd -name 'jenkins-agent.service.d'")
    assert "-Xmx8m" not in root(agent, "systemctl cat jenkins-agent")


def test_a_new_jar_and_a_new_java_option_restart_the_agent(agent: Host, ansible: Play, controller: Controller, tmp_path: Path) -> None:
    newer = tmp_path / "agent.jar"
    newer.write_bytes(agent_jar(version="newer"))
    controller.offer("newer/jnlpJars/agent.jar", newer)
    until(lambda: runs(agent))
    before = connections(agent)
    different = {"agent_controller_url": f"{controller.url}newer/", "agent_jar_sha256": hashlib.sha256(newer.read_bytes()).hexdigest(), "agent_java_options": ["-Xmx64m", "-Da=b c"]}
    ansible(agent, roles=AGENT, **different).succeeded()
    until(lambda: connections(agent) > before)
    command = root(agent, "tr '\\0' '|' </proc/$(pidof java)/cmdline")
    assert "|-Da=b c|" in command
    assert f"|{controller.url}newer/|" in command
    assert different["agent_jar_sha256"] in root(agent, "sha256sum /opt/jenkins-agent/jenkins-agent.jar")


# -- what needs something else


def test_refusals_have_the_right_words(agent: Host, controller: Controller, variables: dict[str, Any], tmp_path: Path) -> None:
    """The inventory has the host under several names, each with a mistake of its own."""
    archive = archived(tmp_path, "jre/bin/java", "#!/bin/sh\necho 'openjdk version \"21.0.5\" 2024-10-15' >&2\n")
    address = controller.offer("jre.tar.gz", archive)
    cases: dict[str, tuple[str, dict[str, Any], str]] = {
        "absent": ("java", {"java_version": 21}, "has no package openjdk-21-jre-headless (it has Java 17)"),
        "other": ("java", {"java_version": 23, "java_archive_url": address}, "/opt/toolchains/java-23/bin/java should be Java 23, but it answers openjdk version"),
        "label": ("toolchains", {"toolchains_labels": ["python-3.99"]}, "the labels python-3.99"),
        "release": ("toolchains", {"toolchains_labels": ["tool-2"], "toolchains_table": {"tool": tool(controller.url)}}, "the label tool-2: the entry tool of the table knows 1, not 2"),
        "jar": ("agent", {"agent_jar_sha256": "0" * 64}, f"did not match {'0' * 64}"),
    }
    book = tmp_path / "refusals.yml"
    tasks = [{"ansible.builtin.include_role": {"name": "java"}, "when": "role_under_test == 'agent'"}, {"ansible.builtin.include_role": {"name": "{{ role_under_test }}"}}]
    book.write_text(json.dumps([{"hosts": "agents", "gather_subset": FACTS, "tasks": tasks}]), "utf-8")
    entries = {name: {**variables, **more, "role_under_test": role} for name, (role, more, _) in cases.items()}
    entries["right"] = {**variables, "java_version": 21, "java_archive_url": address, "role_under_test": "java"}
    told = play_as(tmp_path / "ansible", agent, entries, playbook=book)
    words = " ".join(told["absent"].output.split())
    assert [name for name, (_, _, each) in cases.items() if each not in words] == []
    assert [name for name in entries if told[name].counts["failed"] != (name in cases)] == []
    assert "21.0.5" in root(agent, "/opt/toolchains/java-21/bin/java 2>&1")
    assert runs(agent)


def tool(url: str) -> dict[str, Any]:
    """An entry of the table for a program of an archive, whose hash stands in a list."""
    return {
        "label": r"tool-(?P<version>\d+)",
        "role": "toolchain_archive",
        "with": {
            "Linux": {
                "releases": {"1": "1.2.3"},
                "arch": {"x86_64": "amd64", "aarch64": "amd64"},
                "url": f"{url}tool-{{release}}-{{arch}}.tar.gz",
                "checksum": f"sha256:{url}SHASUMS256.txt",
                "environment": {"TOOL_HOME": "/opt/toolchains/tool-{version}"},
                "links": {"/usr/local/bin/tool": "/opt/toolchains/tool-{version}/bin/tool"},
            }
        },
        "prove": "tool",
    }


def test_archives_are_unpacked_linked_and_kept(agent: Host, ansible: Play, controller: Controller, tmp_path: Path) -> None:
    archive = archived(tmp_path, "tool-1.2.3/bin/tool", "#!/bin/sh\necho tool 1.2.3\n")
    controller.offer("tool-1.2.3-amd64.tar.gz", archive)
    sums = tmp_path / "sums"
    sums.write_text(f"{hashlib.sha256(archive.read_bytes()).hexdigest()}  tool-1.2.3-amd64.tar.gz\n", "utf-8")
    controller.offer("SHASUMS256.txt", sums)
    different: dict[str, Any] = {"roles": ["toolchains"], "toolchains_labels": ["tool-1"], "toolchains_table": {"tool": tool(controller.url)}}
    ansible(agent, **different).succeeded()
    assert agent.run("tool") == "tool 1.2.3\n"
    asked = len(controller.asked)
    in_order(agent, ansible, **different)
    assert len(controller.asked) == asked


def test_an_agent_of_ssh_has_a_key_and_no_service(agent: Host, ansible: Play) -> None:
    different: dict[str, Any] = {"roles": AGENT, "agent_launcher": "ssh", "agent_controller_public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAWrFwHPjgF5Uo5ZEnVRcUrpH5J8WTyZq7mBPKqGr9gG controller"}
    ansible(agent, **different).succeeded()
    assert "could not be found" in root(agent, "systemctl status jenkins-agent 2>&1", check=False)
    assert "controller" in root(agent, "cat /home/jenkins/.ssh/authorized_keys")
    assert ansible(agent, **different).succeeded().changed == 0


def test_the_cleaning_removes_old_workspaces_that_nobody_uses(agent: Host) -> None:
    root(agent, "cd /home/jenkins/agent; mkdir -p workspace/old workspace/used workspace/new; touch -d 2020-01-01 workspace/old workspace/used")
    root(agent, "cd /home/jenkins/agent/workspace/used && systemd-run --quiet --same-dir sleep 60; systemctl start jenkins-agent-clean.service")
    assert root(agent, "ls /home/jenkins/agent/workspace").split() == ["new", "used"]
    assert "jenkins-agent-clean.timer" in root(agent, "systemctl list-timers --no-pager")


def test_removal_leaves_the_home_and_nothing_of_the_agent(agent: Host, ansible: Play) -> None:
    root(agent, "touch /home/jenkins/mine; mkdir -p /etc/systemd/system/jenkins-agent.service.d; touch /etc/systemd/system/jenkins-agent.service.d/x.conf")
    ansible(agent, "--check", playbook=PLAYBOOKS / "bare.yml").succeeded()
    assert runs(agent)
    ansible(agent, playbook=PLAYBOOKS / "bare.yml").succeeded()
    left = root(agent, "find / -xdev -name '*jenkins-agent*' -not -path '/proc/*' -not -path '/var/lib/systemd/timers/*' -not -path '/etc/ssh/*'; find /run/systemd -name '*jenkins-agent*'")
    assert not left
    assert root(agent, "ls /home/jenkins") == "mine\n"
    assert not agent.count("agent.jar")
    assert ansible(agent, playbook=PLAYBOOKS / "bare.yml").succeeded().changed == 0
