"""The playbooks on really booted hosts."""

from __future__ import annotations

import hashlib
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hosts import base
from hosts.boot import Host

from playbooks.agent_jar import agent_jar
from playbooks.conftest import Play
from playbooks.plays import PLAYBOOKS, SECRET, Controller, Played

CHECKED, FIRST, SECOND = range(3)
CONNECTED = "Connected linux 1"
Built = tuple[Host, list[Played]]


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


def test_a_check_of_a_bare_host_does_not_fail(built: Built) -> None:
    assert built[1][CHECKED].succeeded().changed > 5


def test_the_first_pass_makes_an_agent_and_the_second_changes_nothing(built: Built, agent: Host) -> None:
    built[1][FIRST].succeeded()
    assert built[1][SECOND].succeeded().changed == 0, built[1][SECOND].changes
    until(lambda: runs(agent))
    assert "with a secret of 64 letters, version 1" in root(agent, "journalctl -u jenkins-agent -o cat")
    assert "user: jenkins" in root(agent, "ps -o user:20=,args= -C java | sed 's/^/user: /'")


def test_the_secret_is_seen_nowhere_and_the_jar_is_downloaded_once(built: Built, agent: Host, ansible: Play, controller: Controller) -> None:
    asked = len(controller.asked)
    for played in built[1]:
        assert SECRET not in played.output
    agent.run("rm /etc/jenkins-agent/jenkins-agent.secret", user="root")
    again = ansible(agent, "-vvv", "--diff", roles=AGENT).succeeded()
    assert "agent : Write the secret" in again.changes
    assert len(controller.asked) == asked
    assert SECRET not in again.output
    assert root(agent, "stat -c '%a %U' /etc/jenkins-agent/jenkins-agent.secret") == "600 jenkins\n"
    assert SECRET not in root(agent, "ps axwwe; journalctl --no-pager -o export; systemctl show jenkins-agent")
    assert not root(agent, f"grep -rl {SECRET} /etc /opt /home /root /tmp /var/tmp --exclude=jenkins-agent.secret", check=False)


def test_everything_works_for_a_user_with_sudo(agent: Host, ansible: Play) -> None:
    different: dict[str, Any] = {"agent_user": "builder", "agent_remote_folder": "/srv/builds", "agent_launcher": "tcp", "base_timezone": "Europe/Berlin", "base_users": [{"name": "watcher", "keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAWrFwHPjgF5Uo5ZEnVRcUrpH5J8WTyZq7mBPKqGr9gG watcher"]}]}
    ansible(agent, user=agent.admin, **different).succeeded()
    until(lambda: runs(agent))
    assert "by tcp" in root(agent, "journalctl -u jenkins-agent -o cat")
    assert "passwordauthentication no" in root(agent, "sshd -T")
    assert agent.run("id -un", user=agent.admin) == "admin\n"
    again = ansible(agent, user=agent.admin, **different).succeeded()
    assert again.changed == 0, again.changes


def test_nobody_is_locked_out(agent: Host, ansible: Play) -> None:
    root(agent, "cp -r /root/.ssh /etc/ssh/root.d; echo 'AuthorizedKeysFile /etc/ssh/root.d/authorized_keys' >/etc/ssh/sshd_config.d/90-x.conf; rm -r /root/.ssh; systemctl reload ssh")
    ansible(agent, roles=["base"]).succeeded()
    assert "passwordauthentication yes" in root(agent, "sshd -T")


# -- what comes back by itself


def test_an_agent_that_is_killed_or_rebooted_comes_back(agent: Host) -> None:
    until(lambda: runs(agent))
    root(agent, "systemctl set-property --runtime jenkins-agent CPUWeight=100; kill -9 $(pidof java)")
    until(lambda: connections(agent) == 2)
    root(agent, "systemctl reboot", check=False)
    time.sleep(1)
    agent.wait()
    until(lambda: runs(agent))


# -- what another pass repairs


BREAKS = {
    "another jar, secret, Java and packages": (
        "echo x >/opt/jenkins-agent/jenkins-agent.jar",
        "echo x >/etc/jenkins-agent/jenkins-agent.secret; chmod 644 /etc/jenkins-agent/jenkins-agent.secret",
        "mkdir -p /home/jenkins/agent/workspace/a; touch /home/jenkins/agent/workspace/a/b; chown -R root /home/jenkins/agent/workspace",
        "rm /usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so",
        "sed -i '/^Package: jq$/,/^$/s/^Status: .*/Status: install ok unpacked/' /var/lib/dpkg/status",
        "systemctl restart jenkins-agent",
    ),
    "masked, without user, folder and Java": (
        "systemctl stop jenkins-agent; rm /etc/systemd/system/jenkins-agent.service; systemctl mask jenkins-agent",
        "userdel jenkins; rm -r /home/jenkins/agent",
        "dpkg --purge --force-depends openjdk-17-jre-headless",
    ),
}
UNIT_BREAKS = {
    "masked until the next boot, and disabled": (
        "systemctl disable --now jenkins-agent",
        "mkdir -p /run/systemd/system; ln -sf /dev/null /run/systemd/system/jenkins-agent.service",
    ),
    "drop-ins and another unit": (
        "mkdir -p /etc/systemd/system/jenkins-agent.service.d; printf '[Service]\\nUser=nobody\\n' >/etc/systemd/system/jenkins-agent.service.d/x.conf",
        "systemctl set-property jenkins-agent MemoryMax=10M",
        "sed -i 's/-jar/-Xmx8m -jar/' /etc/systemd/system/jenkins-agent.service",
        "systemctl daemon-reload; systemctl restart jenkins-agent",
    ),
}
AGENT = ["java", "agent"]


def repaired(agent: Host, breaks: tuple[str, ...], play: Callable[[], Played]) -> None:
    root(agent, f"exec >/dev/null 2>&1; {'; '.join(breaks)}", check=False)
    assert play().succeeded().changed > 0
    until(lambda: runs(agent))
    assert root(agent, "systemctl is-enabled jenkins-agent") == "enabled\n"
    assert not root(agent, "dpkg --audit")
    assert not root(agent, "find /etc/systemd /run/systemd -name 'jenkins-agent.service.d'")
    root(agent, "sudo -u jenkins test -w /home/jenkins/agent/.")
    assert not root(agent, "find /home/jenkins/agent ! -user jenkins")


@pytest.mark.parametrize("broken", BREAKS)
def test_what_is_broken_is_repaired(broken: str, agent: Host, ansible: Play) -> None:
    repaired(agent, BREAKS[broken], lambda: ansible(agent))


@pytest.mark.parametrize("broken", UNIT_BREAKS)
def test_what_was_done_to_the_unit_is_undone(broken: str, agent: Host, ansible: Play) -> None:
    repaired(agent, UNIT_BREAKS[broken], lambda: ansible(agent, roles=AGENT))


def test_a_new_jar_and_a_new_java_option_restart_the_agent(agent: Host, ansible: Play, controller: Controller, variables: dict[str, Any]) -> None:
    newer = agent_jar(base.folder().parent, 2)
    controller.offer("newer/jnlpJars/agent.jar", newer)
    different = {"agent_controller_url": f"{controller.url}newer/", "agent_jar_sha256": hashlib.sha256(newer.read_bytes()).hexdigest(), "agent_java_options": ["-Xmx64m", "-Da=b c"]}
    ansible(agent, roles=AGENT, **different).succeeded()
    until(lambda: "version 2" in root(agent, "journalctl -u jenkins-agent -o cat"))
    in_order(agent, ansible, roles=AGENT, **different)
    wrong = ansible(agent, roles=AGENT, agent_jar_sha256="0" * 64)
    assert wrong.code != 0
    assert "checksum" in wrong.output
    assert runs(agent)


# -- what needs something else


def test_a_wait_for_whoever_installs_packages(agent: Host, ansible: Play) -> None:
    root(agent, "apt-get remove -qy jq >&2")
    hold = "import fcntl,time; f=open('/var/lib/dpkg/lock-frontend','w'); fcntl.lockf(f,fcntl.LOCK_EX); time.sleep(6)"
    root(agent, f'systemd-run --quiet python3 -c "{hold}"')
    ansible(agent, roles=["toolchains"]).succeeded()
    assert root(agent, "jq --version")


def test_a_java_that_is_not_there_is_told_with_those_that_are(agent: Host, ansible: Play) -> None:
    told = ansible(agent, roles=["java"], java_version=21)
    assert told.code != 0
    assert "Debian 12.1" in told.output
    assert "has no package openjdk-21-jre-headless (it has Java 17)" in told.output


def test_a_java_of_an_archive_has_to_be_the_right_one(agent: Host, ansible: Play, controller: Controller, tmp_path: Path) -> None:
    archive = archived(tmp_path, "jre/bin/java", "#!/bin/sh\necho 'openjdk version \"21.0.5\" 2024-10-15' >&2\n")
    address = controller.offer("jre.tar.gz", archive)
    for changed in (True, False):
        assert (ansible(agent, roles=["java"], java_version=21, java_archive_url=address).succeeded().changed > 0) is changed
    assert "21.0.5" in root(agent, "/opt/toolchains/java-21/bin/java 2>&1")
    wrong = ansible(agent, roles=["java"], java_version=23, java_archive_url=address)
    assert wrong.code != 0
    assert "/opt/toolchains/java-23/bin/java should be Java 23, but it answers openjdk version" in wrong.output


def test_a_label_without_a_package_is_told(agent: Host, ansible: Play) -> None:
    told = ansible(agent, roles=["toolchains"], toolchains_labels=["python-3.99"])
    assert told.code != 0
    assert "python3.99" in told.output
    assert "the labels python-3.99" in told.output


def test_archives_are_unpacked_linked_and_kept(agent: Host, ansible: Play, controller: Controller, tmp_path: Path) -> None:
    archive = archived(tmp_path, "tool-1.2.3/bin/tool", "#!/bin/sh\necho tool 1.2.3\n")
    controller.offer("tool-1.2.3-amd64.tar.gz", archive)
    sums = tmp_path / "sums"
    sums.write_text(f"{hashlib.sha256(archive.read_bytes()).hexdigest()}  tool-1.2.3-amd64.tar.gz\n", "utf-8")
    address = controller.offer("SHASUMS256.txt", sums)
    entry = {
        "label": r"tool-(?P<version>\d+)",
        "role": "toolchain_archive",
        "with": {
            "Linux": {
                "releases": {"1": "1.2.3"},
                "arch": {"x86_64": "amd64", "aarch64": "amd64"},
                "url": f"{controller.url}tool-{{release}}-{{arch}}.tar.gz",
                "checksum": f"sha256:{address}",
                "environment": {"TOOL_HOME": "/opt/toolchains/tool-{version}"},
                "links": {"/usr/local/bin/tool": "/opt/toolchains/tool-{version}/bin/tool"},
            }
        },
        "prove": "tool",
    }
    different: dict[str, Any] = {"roles": ["toolchains"], "toolchains_labels": ["tool-1"], "toolchains_table": {"tool": entry}}
    ansible(agent, **different).succeeded()
    assert agent.run("tool") == "tool 1.2.3\n"
    asked = len(controller.asked)
    in_order(agent, ansible, **different)
    assert len(controller.asked) == asked
    unknown = ansible(agent, roles=["toolchains"], toolchains_labels=["tool-2"], toolchains_table={"tool": entry})
    assert "the label tool-2: the entry tool of the table knows 1, not 2" in unknown.output


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
