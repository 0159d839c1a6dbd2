"""Rebuilding agents on booted hosts: real systemd, sshd, apt, Java; the controller is the fake, agent.jar the stand-in."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from agentcommand import Done, run_agents
from fake_jenkins import FakeJenkins
from fleets import LABELS, Fleet, controller
from hosts.boot import Host
from hosts.fixtures import Boot
from standin import jar
from watching import Watch

pytestmark = pytest.mark.skipif(bool(jar.missing()), reason=jar.missing() or "-")
NAMES = ("linux-1", "linux-2")
SCHEMA = json.loads((Path(__file__).parents[2] / "cibus/agents/receipt.schema.json").read_text("utf-8"))


class Built:
    """Two agents that were rebuilt from bare, and all that was seen meanwhile."""

    def __init__(self, folder: Path, fake: FakeJenkins, hosts: tuple[Host, ...]) -> None:
        self.folder, self.fake, self.hosts = folder, fake, hosts
        self.fleet = Fleet(folder, fake, {name: (host, {}) for name, host in zip(NAMES, hosts, strict=True)})
        self.fleet.write()
        self.checked = run_agents(folder, "rebuild", *NAMES, "--check", "--json")
        self.nodes_after_check = list(fake.state.nodes)
        with Watch() as watch:
            self.done = run_agents(folder, "rebuild", *NAMES, "--prove", "--reboot", "--yes", "--reason", "a drive died")
        self.watch = watch

    def receipts(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "receipts" / f"{name}.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def built(boot: Boot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    hosts = boot(online=True), boot(online=True)
    with controller() as fake:
        yield Built(tmp_path_factory.mktemp("fleet"), fake, hosts)


# -- from bare to verified


def test_a_check_shows_what_would_change_and_changes_nothing(built: Built) -> None:
    assert built.checked.code == 3, built.checked.all
    shown = json.loads(built.checked.out)
    assert [each["agent"] for each in shown] == list(NAMES)
    assert all(each["node"] == ["the node is created"] and len(each["changes"]) > 5 and not each["failure"] for each in shown)
    assert built.nodes_after_check == [""]


def test_two_bare_hosts_become_agents_in_one_go(built: Built) -> None:
    assert built.done.code == 0, built.done.all
    assert "linux-1 on ssh://root@" in built.done.out, "the plan is shown first"
    for name in NAMES:
        node = built.fake.state.nodes[name]
        assert node.online
        assert node.offline_cause is None
        assert set(LABELS) <= set(node.labels)
        assert node.num_executors == 2
        assert f"{name}: rebuilt in" in built.done.out
    assert not any(item.full_name.startswith("cibus") for item in built.fake.state.root.walk()), "the trial's job is gone"


def test_the_receipt_says_it_all(built: Built) -> None:
    for name in NAMES:
        (receipt,) = built.receipts(name)
        jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(receipt)
        assert (receipt["kind"], receipt["outcome"], receipt["reason"]) == ("rebuild", "ok", "a drive died")
        assert receipt["second"]["changed"] == 0
        assert {"base", "java", "toolchains", "caches", "agent"} <= set(receipt["roles"])
        assert receipt["changes"]["count"] >= 8
        assert [each["name"] for each in receipt["steps"]] == ["offline", "drain", "machine", "register", "secrets", "playbook", "connect", "verify", "prove", "online"]
        assert receipt["controller"]["version"] == "2.479.1"
        found = {each["check"]: each["words"] for each in receipt["findings"]}
        assert "it was back after" in found["killed process"]
        assert "rebooted, back after" in found["reboot"]
        assert "a build ran on it" in found["build"]
        assert all(each["level"] == "fine" for each in receipt["findings"])
        assert re.fullmatch(r"[0-9a-f]{40}(\+changes)?|cibus .*", receipt["playbooks"])


def test_the_secret_is_nowhere(built: Built) -> None:
    from fake_jenkins.nodes import secret_of

    secrets = [secret_of(built.fake.state.nodes[name]) for name in NAMES] + [built.fake.token]
    assert built.watch.samples > 20
    assert built.watch.saw("jenkins-agent.secret"), "the watch sees command lines"
    kept = [path for place in ("state", "receipts", "home") for path in (built.folder / place).rglob("*") if path.is_file()]
    assert any(path.name == "stdout" for path in kept), "Ansible's output is kept"
    journals = [host.run("journalctl --no-pager -o cat", user="root") for host in built.hosts]
    assert all("INFO: Connected" in journal for journal in journals)
    for secret in secrets:
        assert not built.watch.saw(secret), "in no command line, here or there"
        assert not [path for path in kept if secret.encode() in path.read_bytes()]
        assert not [journal for journal in journals if secret in journal]
        assert secret not in built.done.all


def test_lists_and_examines(built: Built) -> None:
    listed = run_agents(built.folder, "list", "--json")
    assert listed.code == 0, listed.all
    assert [(each["name"], each["controller"], each["reachable"], each["differences"]) for each in json.loads(listed.out)] == [(name, "online", "yes", []) for name in NAMES]
    examined = run_agents(built.folder, "doctor", "--all", "--json")
    assert examined.code == 0, examined.all
    found = json.loads(examined.out)
    assert {each["agent"] for each in found} == set(NAMES)
    assert {"git", "jdk-17", "python-3.11"} <= {each["words"].partition(":")[0] for each in found if each["check"] == "labels"}
    verified = run_agents(built.folder, "verify", "linux-1", "--kill", "--json")
    assert verified.code == 0, verified.all
    assert {"killed process", "build"} <= {each["check"] for each in json.loads(verified.out)}
    assert built.receipts("linux-1")[-1]["kind"] == "verify"
    page = run_agents(built.folder, "receipts", "--html", "page.html")
    assert page.code == 0
    assert "linux-2" in (built.folder / "page.html").read_text("utf-8")


# -- broken hosts


@pytest.fixture(scope="module")
def whole(built: Built) -> Built:
    """The built agents, from now on only copied; their own hosts are off."""
    for host in built.hosts:
        host.frozen()
    return built


Break = Callable[[Host], object]


def root(command: str) -> Break:
    return lambda host: host.run(command, user="root")


ANOTHER = r"#!/bin/sh\necho openjdk version \"11.0.1\" >&2\nexit 1\n"
HALF = "for p in libexpat1; do sed -i \"/^Package: $p\\$/,/^\\$/s/^Status: install ok installed/Status: install ok half-configured/\" /var/lib/dpkg/status; done; dpkg --audit | grep -q ."
LOCK = "nohup setsid python3 -c 'import fcntl,time; f=open(\"/var/lib/dpkg/lock-frontend\",\"w\"); fcntl.lockf(f,fcntl.LOCK_EX); time.sleep(25)' > /dev/null 2>&1 & sleep 1"
REPAIRED: dict[str, Break] = {
    "dead service": root("systemctl disable --now jenkins-agent"),
    "masked service": root("systemctl stop jenkins-agent; rm /etc/systemd/system/jenkins-agent.service; systemctl mask jenkins-agent"),
    "drifted unit": root("sed -i 's/-workDir [^ ]*/-workDir \\/tmp/; s/^Restart=.*/Restart=no/' /etc/systemd/system/jenkins-agent.service; systemctl daemon-reload; systemctl restart jenkins-agent"),
    "drop-in of somebody": root("mkdir /etc/systemd/system/jenkins-agent.service.d; printf '[Service]\\nEnvironment=PATH=/nowhere\\nExecStartPre=/bin/false\\n' > /etc/systemd/system/jenkins-agent.service.d/x.conf; systemctl daemon-reload; systemctl restart jenkins-agent || true"),
    "torn agent.jar": root("truncate -s 1000 /opt/jenkins-agent/jenkins-agent.jar; systemctl restart jenkins-agent"),
    "wrong secret": root("echo 0123 > /etc/jenkins-agent/jenkins-agent.secret; systemctl restart jenkins-agent"),
    "secret for all to read": root("chmod 0644 /etc/jenkins-agent/jenkins-agent.secret; chown root /etc/jenkins-agent/jenkins-agent.secret"),
    "java gone": root("systemctl stop jenkins-agent; rm -rf /usr/lib/jvm/*/bin/java /usr/lib/jvm/*/lib/server"),
    "another java in its place": root(f"systemctl stop jenkins-agent; cd /usr/lib/jvm/*/bin; rm java; printf '{ANOTHER}' > java; chmod +x java"),
    "half-configured package": root(HALF),
    "apt lock held for a while": root(f"apt-get -qq -y remove git > /dev/null; {LOCK}"),
    "half-finished run": root("systemctl stop jenkins-agent; rm -f /etc/systemd/system/jenkins-agent.service /opt/jenkins-agent/jenkins-agent.jar /etc/jenkins-agent/jenkins-agent.secret; systemctl daemon-reload"),
    "folder of root": root("systemctl stop jenkins-agent; chown -R root:root /home/jenkins/agent"),
    "no folder": root("systemctl stop jenkins-agent; rm -rf /home/jenkins/agent"),
    "no user": root("systemctl stop jenkins-agent; pkill -KILL -u jenkins; userdel -r jenkins"),
    "a label's tool gone": root("dpkg --force-all --purge git > /dev/null 2>&1"),
}


class Copies:
    """Copies of the built hosts, as agents of the same names and of the same controller."""

    def __init__(self, whole: Built, boot: Boot, folder: Path, **rebuild: Any) -> None:
        self.hosts = tuple(boot(host, online=True) for host in whole.hosts)
        self.folder = folder
        self.fake = whole.fake
        self.fleet = Fleet(folder, whole.fake, {name: (host, {}) for name, host in zip(NAMES, self.hosts, strict=True)}, rebuild)
        self.fleet.write()
        self.wait()

    def wait(self) -> None:
        """Until both are connected."""
        end = time.monotonic() + 30
        while not all(self.fake.state.nodes[name].online for name in NAMES) and time.monotonic() < end:
            time.sleep(0.2)

    def rebuild(self, *names: str, **options: Any) -> Done:
        return run_agents(self.folder, "rebuild", *(names or NAMES), "--yes", *options.get("more", ()))


# two breaks for each of the two hosts, which do not hide each other: a rebuild takes its time
BREAKS = (
    (("dead service", "a label's tool gone"), ("masked service", "secret for all to read")),
    (("drifted unit", "folder of root"), ("drop-in of somebody", "java gone")),
    (("torn agent.jar", "half-configured package"), ("wrong secret", "another java in its place")),
    (("half-finished run", "apt lock held for a while"), ("no folder", "no user")),
)


def test_every_break_is_tried() -> None:
    assert sorted(name for both in BREAKS for names in both for name in names) == sorted(REPAIRED)


@pytest.mark.parametrize("breaks", BREAKS, ids=[", ".join(name for names in both for name in names) for both in BREAKS])
def test_a_broken_host_is_repaired(breaks: tuple[tuple[str, str], ...], whole: Built, boot_briefly: Boot, tmp_path: Path) -> None:
    copies = Copies(whole, boot_briefly, tmp_path)
    for host, names in zip(copies.hosts, breaks, strict=True):
        for name in names:
            REPAIRED[name](host)
    before = run_agents(tmp_path, "doctor", "--json")
    assert {each["agent"] for each in json.loads(before.out) if each["level"] == "error"} == set(NAMES), "they are broken indeed"
    done = copies.rebuild()
    assert done.code == 0, done.all
    for name in NAMES:
        assert copies.fake.state.nodes[name].online
        assert json.loads((tmp_path / "receipts" / f"{name}.jsonl").read_text("utf-8"))["changes"]["count"] > 0
    examined = run_agents(tmp_path, "doctor")
    assert examined.code == 0, examined.all


def test_refused_in_the_right_words(whole: Built, boot_briefly: Boot, tmp_path: Path) -> None:
    """One agent's trouble does not stop the other, and stays visible on the controller."""
    copies = Copies(whole, boot_briefly, tmp_path)
    full, other = copies.hosts
    full.run("mount -t tmpfs -o size=30m none /home/jenkins/agent", user="root")
    done = copies.rebuild()
    assert done.code == 1
    assert "linux-1: failed at machine" in done.out
    assert "/home/jenkins/agent has 0.0 GiB free, 1 are wanted; make room there" in done.out
    assert "linux-2: rebuilt in" in done.out, done.all
    node = copies.fake.state.nodes["linux-1"]
    assert node.offline_cause is not None
    assert "failed at machine: " in node.offline_cause
    full.run("umount -l /home/jenkins/agent", user="root")
    again = copies.rebuild("linux-1")
    assert again.code == 0, again.all
    assert node is not copies.fake.state.nodes["linux-1"] or node.offline_cause is None
    other.run("true")


REFUSED = [
    ({"os": "macos"}, {}, "machine", r"is Debian GNU/Linux 12 \(bookworm\), and os of agent linux-1 is macos: is it the right machine\?"),
    ({"java": 99}, {}, "playbook", r"java: Say what to do where there is no such Java: linux-1: Debian 12.* has no package openjdk-99-jre-headless .*it has Java 17"),
    ({"labels": ["linux", "python-3.99"]}, {}, "playbook", r"python-?3\.99"),
    ({"variables": {"agent_controller_url": "http://10.77.255.1:9/"}}, {}, "machine", r"http://10\.77\.255\.1:9/ cannot be reached from there: .*refused"),
]


@pytest.mark.parametrize(("table", "rebuild", "step", "words"), REFUSED, ids=["another system", "no such java", "no such tool", "controller not reachable"])
def test_what_cannot_work_is_refused(table: dict[str, Any], rebuild: dict[str, Any], step: str, words: str, whole: Built, boot_briefly: Boot, tmp_path: Path) -> None:
    host = boot_briefly(whole.hosts[0], online=True)
    Fleet(tmp_path, whole.fake, {"linux-1": (host, table)}, rebuild).write()
    done = run_agents(tmp_path, "rebuild", "linux-1", "--yes")
    assert done.code == 1, done.all
    assert re.search(rf"linux-1: failed at {step} after \d+ s: .*{words}", done.out), done.all
    assert "Traceback" not in done.all
    assert step in (whole.fake.state.nodes["linux-1"].offline_cause or "")


def test_a_machine_that_is_not_there_or_not_ours(whole: Built, boot_briefly: Boot, tmp_path: Path) -> None:
    host = boot_briefly(whole.hosts[0], online=True)
    fleet = Fleet(tmp_path, whole.fake, {"linux-1": (host, {})}, user=host.user)
    fleet.write()
    no_rights = run_agents(tmp_path, "rebuild", "linux-1", "--yes")
    assert "this user may not become root with sudo -n" in no_rights.out, no_rights.all
    (tmp_path / "home/.ssh/known_hosts").write_text("", "utf-8")
    unknown = run_agents(tmp_path, "rebuild", "linux-1", "--yes")
    assert "its host key" in unknown.out, unknown.all
    assert "is not known; connect once with ssh" in unknown.out
    fleet.write()
    host.power_off()
    off = run_agents(tmp_path, "doctor", "linux-1")
    assert off.code == 1
    assert re.search(r"ssh: .*cannot be reached: .*→ runbooks/agent-unreachable.md", off.out), off.all


def test_an_admin_with_sudo_will_do_and_a_tcp_agent_too(whole: Built, boot_briefly: Boot, tmp_path: Path) -> None:
    host = boot_briefly(whole.hosts[0], online=True)
    Fleet(tmp_path, whole.fake, {"linux-1": (host, {"launcher": "tcp", "executors": 3})}, user=host.admin).write()
    done = run_agents(tmp_path, "rebuild", "linux-1", "--yes", "--prove")
    assert done.code == 0, done.all
    assert "launcher websocket instead of tcp" in done.out
    assert "-webSocket" not in host.run("systemctl cat jenkins-agent", user="root")
    assert "executors 2 instead of 3" in done.out


def test_bare_begins_from_nothing(whole: Built, boot_briefly: Boot, tmp_path: Path) -> None:
    host = boot_briefly(whole.hosts[0], online=True)
    host.run("mkdir -p /home/jenkins/agent/workspace/old && touch /home/jenkins/agent/workspace/old/x", user="root")
    Fleet(tmp_path, whole.fake, {"linux-1": (host, {"practice": True})}).write()
    done = run_agents(tmp_path, "drill", "linux-1", "--yes")
    assert done.code == 0, done.all
    assert host.run("ls /home/jenkins/agent/workspace/old 2>&1 || true", user="root").strip().endswith("No such file or directory")
    (receipt,) = [json.loads(line) for line in (tmp_path / "receipts/linux-1.jsonl").read_text("utf-8").splitlines()]
    assert (receipt["kind"], receipt["outcome"], receipt["second"]["changed"]) == ("drill", "ok", 0)
    assert "bare" in [each["name"] for each in receipt["steps"]]


def test_a_drill_is_for_practice_machines_only(whole: Built, tmp_path: Path) -> None:
    Fleet(tmp_path, whole.fake, {"linux-1": (whole.hosts[0], {})}).write()
    done = run_agents(tmp_path, "drill", "linux-1", "--yes")
    assert done.code == 2
    assert "no machine to practise on" in done.err


def test_running_builds_are_waited_for_and_a_failed_step_is_gone_on_from(whole: Built, boot_briefly: Boot, tmp_path: Path) -> None:
    host = boot_briefly(whole.hosts[0], online=True)
    Fleet(tmp_path, whole.fake, {"linux-1": (host, {})}).write()
    node = whole.fake.state.nodes["linux-1"]
    url = f"{whole.fake.url}job/app/job/main/12/"
    node.running = [{"currentExecutable": {"_class": "org.jenkinsci.plugins.workflow.job.WorkflowRun", "url": url}}]
    busy = run_agents(tmp_path, "rebuild", "linux-1", "--yes", "--drain", "2")
    assert busy.code == 1
    assert "app/main #12 still runs after 2 s; wait longer (--drain), or let them die (--now)" in busy.out, busy.all
    refused = run_agents(tmp_path, "verify", "linux-1", "--kill")
    assert refused.code == 2
    assert "1 builds run on it" in refused.err
    whole.fake.state.nodes["linux-1"].running = []
    failing = run_agents(tmp_path, "rebuild", "linux-1", "--yes", "--reason", "x")
    assert failing.code == 0, failing.all
