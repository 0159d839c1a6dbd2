"""Rebuilding where things go wrong: Ctrl-C, a controller that goes away, missing rights, two operators.

One booted host, and playbooks that change nothing on it: what is looked at is what cibus makes of it.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from agentcommand import Done, environment, run_agents
from fake_jenkins import FakeJenkins, Fault, State
from fake_jenkins.nodes import Node, agent_config
from fleets import Fleet, controller
from hosts.boot import Host
from hosts.fixtures import Boot
from test_remoting import jar

JAVA = "#!/bin/sh\necho 'openjdk version \"17.0.1\"' >&2\n"
TASK = "  - name: Work\n    command: 'true'\n    changed_when: false\n"


@pytest.fixture(scope="module")
def machine(boot: Boot) -> Host:
    """A host with something that says that it is a Java."""
    host = boot()
    host.run(f"printf '%s' {_quoted(JAVA)} > /usr/local/bin/java; chmod +x /usr/local/bin/java", user="root")
    return host


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


@dataclass
class Site:
    """An agent ``a`` (and others) that the controller started over SSH, so that nothing of Jenkins is needed on the host."""

    folder: Path
    fake: FakeJenkins
    host: Host
    temporary: Path

    def write(self, task: str = TASK, names: tuple[str, ...] = ("a",), rebuild: Mapping[str, Any] | None = None, **more: Any) -> Site:
        place = self.folder / "playbooks"
        place.mkdir(exist_ok=True)
        (place / "agent.yml").write_text(f"- hosts: agents\n  gather_facts: false\n  tasks:\n{task}", "utf-8")
        (place / "ansible.cfg").write_text("[ssh_connection]\nssh_args = -o ControlMaster=auto -o ControlPersist=60s\n", "utf-8")
        (place / "atoms.yml").write_text("{}\n", "utf-8")
        table = {"launcher": "ssh", "remote_folder": "/root", "labels": ["linux"], "executors": 3, "variables": {"agent_user": "root"}, **more}
        Fleet(self.folder, self.fake, dict.fromkeys(names, (self.host, table)), {"playbooks": place, **(rebuild or {})}).write()
        for name in names:
            config = agent_config(name, {"launcher": {"stapler-class": "hudson.plugins.sshslaves.SSHLauncher"}})
            self.fake.state.nodes[name] = Node(name, config, online=True)
        return self

    def run(self, *argv: str, env: dict[str, str] | None = None) -> Done:
        return run_agents(self.folder, "rebuild", *(argv or ("a",)), "--yes", "--no-build", env={"TMPDIR": str(self.temporary), **(env or {})})

    def start(self, *argv: str) -> subprocess.Popen[str]:
        argv = (sys.executable, "-m", "cibus", "agents", "rebuild", *(argv or ("a",)), "--yes")
        return subprocess.Popen(argv, cwd=self.folder, env={**environment(self.folder), "TMPDIR": str(self.temporary)}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)

    def receipts(self, name: str = "a") -> list[dict[str, Any]]:
        path = self.folder / "receipts" / f"{name}.jsonl"
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() else []

    def node(self, name: str = "a") -> Node:
        return self.fake.state.nodes[name]

    @property
    def places(self) -> list[Path]:
        """What private folders and sockets are there."""
        return list(self.temporary.glob("cibus-*"))


@pytest.fixture
def site(machine: Host, tmp_path: Path) -> Iterator[Site]:
    with controller(jar(17)) as fake, tempfile.TemporaryDirectory(dir="/tmp") as temporary:
        yield Site(tmp_path, fake, machine, Path(temporary))


def within(seconds: float, what: Callable[[], object]) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


def connections(place: Path) -> list[str]:
    """The SSH connections whose sockets are in a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            except OSError:
                continue
            found += [line] if str(place) in line and "ssh" in line else []
    return found


def test_a_rebuild_that_ends_well_leaves_nothing(site: Site) -> None:
    done = site.write().run()
    assert done.code == 0, done.all
    assert site.node().offline_cause is None
    assert site.node().field("mode") == "NORMAL"
    assert "linux" in site.node().labels
    assert not site.places
    within(5, lambda: not connections(site.temporary))
    assert [each["outcome"] for each in site.receipts()] == ["ok"]
    assert not list((site.folder / "state/agents").glob("*.rebuild.json"))


def test_a_long_path_of_temporary_files_is_no_hindrance(site: Site) -> None:
    long = site.folder / ("x" * 80)
    long.mkdir()
    done = site.write().run(env={"TMPDIR": str(long)})
    assert done.code == 0, done.all
    assert not list(long.glob("cibus-*"))


def stopped(site: Site, process: subprocess.Popen[str], number: int = signal.SIGINT, seconds: float = 15) -> str:
    """Sends a signal; gives what was printed once it has ended, which must be soon."""
    os.kill(process.pid, number)
    out, err = process.communicate(timeout=seconds)
    assert process.returncode == 130, out + err
    assert "Traceback" not in out + err
    assert "interrupted; agents stay offline; the same command goes on from there" in err
    within(5, lambda: not connections(site.temporary))
    assert not site.places
    return out + err


def left_offline(site: Site, step: str) -> None:
    node = site.node()
    assert f"interrupted at {step}" in (node.offline_cause or "")
    assert not [label for label in node.labels if label.startswith("cibus-")]
    (receipt,) = site.receipts()
    assert (receipt["outcome"], receipt["failed"], receipt["words"]) == ("failed", step, "interrupted")
    assert not [item.full_name for item in site.fake.state.root.walk() if item.full_name]


def test_interrupted_while_builds_are_waited_for(site: Site) -> None:
    site.write()
    site.node().running = [{"currentExecutable": {"_class": "hudson.model.FreeStyleBuild", "url": f"{site.fake.url}job/x/1/"}}]
    process = site.start()
    within(30, lambda: "under way, run" in (site.node().offline_cause or ""))
    time.sleep(1)
    stopped(site, process)
    left_offline(site, "drain")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_while_ansible_works(number: int, site: Site) -> None:
    mark = f"/root/mark{number}"
    site.write(f"  - name: Wait\n    shell: 'touch {mark}; sleep 40'\n")
    process = site.start()
    within(60, lambda: site.host.run(f"ls {mark} 2>/dev/null || true", user="root"))
    stopped(site, process, number)
    left_offline(site, "playbook")


def test_interrupted_while_a_build_proves_it(site: Site) -> None:
    process = site.write().start()
    within(60, lambda: site.fake.state.queue)
    assert [label for label in site.node().labels if label.startswith("cibus-")], "it is let in for one label only"
    assert site.node().field("mode") == "EXCLUSIVE"
    stopped(site, process)
    left_offline(site, "verify")
    assert site.node().field("mode") == "NORMAL"


def test_interrupted_while_the_machine_takes_its_time(site: Site) -> None:
    site.write(labels=["linux", "slow"])
    (site.folder / "playbooks/atoms.yml").write_text("slow:\n  label: slow\n  prove: sleep 25\n", "utf-8")
    process = site.start()
    within(60, lambda: [label for label in site.node().labels if label.startswith("cibus-")])
    within(30, lambda: site.host.run("pgrep -fx 'sleep 25' || true", user="root").strip())
    stopped(site, process, seconds=25)
    left_offline(site, "verify")
    assert (site.node().field("mode"), site.node().field("label")) == ("NORMAL", "linux slow")


def test_gone_on_from_after_an_interruption(site: Site) -> None:
    process = site.write().start()
    within(60, lambda: site.fake.state.queue)
    stopped(site, process)
    done = site.run()
    assert done.code == 0, done.all
    assert "playbook: done by the run before" in done.out


def test_what_was_not_right_when_it_was_verified_is_made_again(site: Site) -> None:
    site.write(rebuild={"mirror": f"{site.fake.url}mirror/"}).fake.faults.set(Fault("503", path="mirror"))
    failed = site.run()
    assert failed.code == 1
    assert "a: failed at verify" in failed.out, failed.all
    site.fake.faults.set()
    done = site.run()
    assert done.code == 0, done.all
    assert "done by the run before" not in done.out


def test_the_controller_goes_away_and_the_receipt_is_still_written(site: Site) -> None:
    site.write("  - name: Wait\n    shell: 'touch /root/gone; sleep 3'\n")
    process = site.start("a", "--no-build")
    within(60, lambda: site.host.run("ls /root/gone 2>/dev/null || true", user="root"))
    site.fake.faults.set(Fault("403"))
    out, err = process.communicate(timeout=90)
    assert process.returncode == 1, out + err
    assert "nothing of this is said on the controller" in out
    assert "this is a bug" not in out + err
    (receipt,) = site.receipts()
    assert (receipt["outcome"], receipt["failed"]) == ("failed", "connect")


@pytest.mark.parametrize(("path", "step"), [("changeOfflineCause", "offline"), ("config.xml", "register"), ("toggleOffline", "online"), ("launchSlaveAgent", "connect")])
def test_without_a_right_it_is_said_which(path: str, step: str, site: Site) -> None:
    site.write().fake.faults.set(Fault("403", path=path, method="POST"))
    done = site.run()
    assert done.code == 1
    assert re.search(rf"a: failed at {step} after \d+ s: .*{path}", done.out), done.all
    assert ("nothing of this is said on the controller" in done.out) is (step == "offline")
    assert [each["failed"] for each in site.receipts()] == [step]


def test_let_in_by_half_it_is_shut_again(site: Site) -> None:
    """The node has its label of quarantine when the right to bring it online is missing."""
    site.write().fake.faults.set(Fault("403", path="toggleOffline"))
    done = run_agents(site.folder, "rebuild", "a", "--yes")
    assert done.code == 1
    assert "failed at verify" in done.out
    assert (site.node().field("mode"), site.node().field("label")) == ("NORMAL", "linux")


def test_one_agents_odd_answer_does_not_stop_the_other(site: Site) -> None:
    """What nobody thought of is said as such, for one agent; the receipts of all are written."""
    site.write(names=("a", "b"))

    def odd(state: State) -> None:
        root = state.nodes["a"].root
        assert root is not None
        launcher = root.find("launcher")
        assert launcher is not None
        number = launcher.find("port")
        assert number is not None
        number.children = ["many"]

    site.fake.before(r"/computer/a/changeOfflineCause", odd, method="POST")
    done = site.run("a", "b")
    assert done.code == 1
    assert "b: rebuilt in" in done.out, done.all
    assert "this is a bug" in done.err
    assert [site.receipts(name)[0]["outcome"] for name in ("a", "b")] == ["failed", "ok"]
    assert site.node("b").offline_cause is None


def test_an_ansible_that_does_not_start_is_a_failure_with_a_receipt(site: Site) -> None:
    site.write("  - no_such_module_of_ours: {}\n")
    done = site.run()
    assert done.code == 1
    assert "a: failed at playbook" in done.out, done.all
    assert site.receipts()[0]["failed"] == "playbook"
    assert "failed at playbook" in (site.node().offline_cause or "")


def test_not_begun_where_it_cannot_be_ended(site: Site) -> None:
    (site.folder / "receipts").write_text("no folder", "utf-8")
    done = site.write().run()
    assert done.code == 1
    assert "receipts cannot be kept there" in done.err
    assert site.node().offline_cause is None
    (site.folder / "receipts").unlink()
    site.write(rebuild={"vault_password": {"env": "NOT_THERE"}})
    done = site.run()
    assert done.code == 2
    assert "NOT_THERE is not set" in done.err
    assert site.node().offline_cause is None


def test_one_rebuild_of_an_agent_at_a_time(site: Site) -> None:
    site.write("  - name: Wait\n    shell: 'touch /root/both; sleep 8'\n")
    process = site.start("a", "--no-build")
    within(60, lambda: site.host.run("ls /root/both 2>/dev/null || true", user="root"))
    here = site.run()
    elsewhere = site.run(env={"CIBUS_STATE_DIR": str(site.folder / "another")})
    out, err = process.communicate(timeout=90)
    assert (here.code, elsewhere.code, process.returncode) == (1, 1, 0), here.all + elsewhere.all + out + err
    assert re.fullmatch(r"cibus: error: a: another rebuild of it is under way here \(process \d+, since \d\d:\d\d\); wait until it has ended, or end it\n", here.err)
    assert "a: a rebuild from elsewhere is under way" in elsewhere.err
    assert len(site.receipts()) == 1


def test_a_run_that_was_killed_is_gone_on_from_here_and_taken_over_elsewhere(site: Site) -> None:
    site.write("  - name: Wait\n    shell: 'touch /root/killed; sleep 2'\n")
    process = site.start("a", "--no-build")
    within(60, lambda: site.host.run("ls /root/killed 2>/dev/null || true", user="root"))
    process.kill()
    process.communicate(timeout=30)
    another = {"CIBUS_STATE_DIR": str(site.folder / "another")}
    refused = site.run(env=another)
    assert "take over: cibus agents rebuild a --again" in refused.err
    assert site.run().code == 0
    site.node().offline_cause = "rebuild by somebody (cibus): under way, run 0123abcd"
    assert site.run(env=another).code == 1
    assert site.run("a", "--again", env=another).code == 0


def test_a_reader_that_goes_away_does_not_end_the_work(site: Site) -> None:
    process = site.write().start("a", "--no-build")
    assert process.stdout is not None
    assert process.stderr is not None
    while "✓ offline" not in process.stdout.readline():
        assert process.poll() is None
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    process.wait(timeout=60)
    assert "bug" not in said
    assert site.receipts()[0]["outcome"] == "ok"
    assert site.node().offline_cause is None


def test_json_is_all_that_is_on_standard_output(site: Site) -> None:
    done = run_agents(site.write().folder, "rebuild", "a", "--yes", "--no-build", "--json")
    assert [each["outcome"] for each in json.loads(done.out)] == ["ok"]
    assert "✓ playbook" in done.err


def test_secrets_are_neither_on_the_controller_nor_kept(site: Site) -> None:
    site.write("  - name: Log in\n    shell: 'echo {{ password }} is wrong >&2; exit 3'\n", secrets={"password": {"value": "pa55-of-the-store"}})
    done = site.run("a", "--verbose")
    assert done.code == 1
    assert "**** is wrong" in (site.node().offline_cause or "")
    kept = [path.read_text("utf-8", "replace") for place in ("state", "receipts") for path in (site.folder / place).rglob("*") if path.is_file()]
    for text in (done.all, site.node().offline_cause or "", *kept):
        assert "pa55-of-the-store" not in text


def test_a_journal_that_cannot_be_read_is_begun_anew(site: Site) -> None:
    process = site.write().start()
    within(60, lambda: site.fake.state.queue)
    stopped(site, process)
    (path,) = (site.folder / "state/agents").glob("*.rebuild.json")
    data = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**data, "done": {"playbook": 5}}), "utf-8")
    done = site.run()
    assert done.code == 0, done.all
    assert "done by the run before" not in done.out
