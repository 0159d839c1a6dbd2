"""Rebuilding a Mac: the whole of agent.yml on the stand-in, a real Java, the fake controller. hosts/macos/README.md says what that proves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from agentcommand import Done, run_agents
from fake_jenkins import FakeJenkins
from fake_jenkins.nodes import secret_of
from fleets import Fleet, controller
from hosts.macos.fixtures import MakeMac
from hosts.macos.host import Mac
from macfleet import ENVIRONMENT, KEYCHAIN, LABELS, NAME, table
from playbooks.macos import IDENTITY, SECRETS, make_files
from standin import jar
from watching import Watch

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(jar.missing()), reason=jar.missing() or "-")]


class Built:
    """A Mac that was rebuilt from bare, and all that was seen meanwhile."""

    def __init__(self, folder: Path, fake: FakeJenkins, mac: Mac) -> None:
        self.folder, self.fake, self.mac = folder, fake, mac
        self.files = folder / "material"
        make_files(self.files)
        self.write()
        self.checked = self.agents("rebuild", NAME, "--check", "--json")
        self.after_check = sorted(each.name for each in (mac.root / "Users").iterdir()), mac.now()["brew"], list(fake.state.nodes)
        with Watch() as watch:
            self.done = self.agents("rebuild", NAME, "--prove", "--reboot", "--yes", "--reason", "a new Mac")
        self.watch = watch

    def write(self, labels: tuple[str, ...] = LABELS) -> None:
        Fleet(self.folder, self.fake, {NAME: (self.mac, table(self.files, labels))}, user=self.mac.user).write()

    def agents(self, *argv: str) -> Done:
        return run_agents(self.folder, *argv, env=ENVIRONMENT)

    def receipt(self) -> dict[str, Any]:
        """The newest one."""
        return dict(json.loads((self.folder / f"receipts/{NAME}.jsonl").read_text("utf-8").splitlines()[-1]))

    def as_agent(self, command: str) -> str:
        return self.mac.run(f"sudo -H -u jenkins {command}")


@pytest.fixture(scope="module")
def built(make_mac: MakeMac, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    mac = make_mac("arm64", real_java=True)
    with controller() as fake:
        yield Built(tmp_path_factory.mktemp("mac"), fake, mac)


def test_a_check_of_a_bare_mac_shows_what_would_change_and_changes_nothing(built: Built) -> None:
    assert built.checked.code == 3, built.checked.all
    (shown,) = json.loads(built.checked.out)
    assert shown["failure"] == ""
    assert len(shown["changes"]) > 15
    assert built.after_check == (["Shared", "admin"], {}, [""])


def test_a_bare_mac_becomes_an_agent(built: Built) -> None:
    assert built.done.code == 0, built.done.all
    assert f"{NAME}: rebuilt in" in built.done.out
    node = built.fake.state.nodes[NAME]
    assert node.online
    assert node.offline_cause is None
    assert set(LABELS) <= set(node.labels)
    running = built.mac.run("ps -axww -o user=,args= | grep '[a]gent.jar'")
    assert running.startswith("jenkins")
    assert "/opt/homebrew/opt/openjdk@17/libexec/" in running


def test_the_receipt_says_it_all(built: Built) -> None:
    receipt = built.receipt()
    assert (receipt["kind"], receipt["outcome"], receipt["reason"], receipt["system"]) == ("rebuild", "ok", "a new Mac", "macOS 14.3")
    assert receipt["second"]["changed"] == 0
    assert {"signing: Create the keychain", "agent: Keep the secret where only the user reads it"} <= set(receipt["changes"]["tasks"]), "those whose output is hidden count, too"
    roles = {"base", "macos_settings", "homebrew", "xcode", "signing", "java", "toolchains", "caches", "monitoring", "agent"}
    assert roles <= {name for name, seconds in receipt["roles"].items() if seconds > 0}
    assert [each["name"] for each in receipt["steps"]] == ["offline", "drain", "machine", "register", "secrets", "playbook", "connect", "verify", "prove", "online"]
    assert [each for each in receipt["findings"] if each["level"] != "fine"] == []
    found = {each["check"]: each["words"] for each in receipt["findings"]}
    assert "it was back after" in found["killed process"]
    assert "rebooted, back after" in found["reboot"]
    assert "a build ran on it" in found["build"]
    assert found["identities"].startswith(f"{IDENTITY}: valid for 37")
    assert found["simulators"] == "2 simulators"
    assert found["memory"] == "7.5 of 16.0 GiB available"
    assert [each["words"] for each in receipt["findings"] if each["check"] == "labels"] == ["git: git version 2.44.0", "xcode-15.1: Xcode 15.1", "node-20: v20.11.1", "ruby: ruby 3.3.0p0 (2024-01-01 revision 0) [arm64-darwin23]"]


def test_the_secrets_are_nowhere(built: Built) -> None:
    assert built.watch.samples > 20
    assert built.watch.saw("-secret @/Users/jenkins/agent/.secret"), "the watch sees command lines"
    kept = [path for place in ("state", "receipts", "home") for path in (built.folder / place).rglob("*") if path.is_file()]
    assert any(path.name == "stdout" for path in kept), "Ansible's output is kept"
    log = built.mac.run("cat /Users/jenkins/Library/Logs/org.jenkins-ci.jenkins-agent.log")
    assert "INFO: Connected" in log
    calls = [str(word) for call in built.mac.calls() for word in call]
    assert "-i" in calls, "what has a password goes to security -i"
    for secret in (secret_of(built.fake.state.nodes[NAME]), SECRETS["keychain"], SECRETS["p12"], built.fake.token):
        assert not built.watch.saw(secret), "in no command line, here or there"
        assert not [word for word in calls if secret in word]
        assert not [path for path in kept if any(form.encode() in path.read_bytes() for form in (secret, json.dumps(secret)[1:-1]))]
        assert secret not in log + built.done.all


def test_a_locked_keychain_and_a_dead_job_are_found_and_repaired(built: Built) -> None:
    target = "system/org.jenkins-ci.jenkins-agent"
    built.mac.run(f"launchctl bootout {target}; launchctl disable {target}", user="root")
    built.as_agent(f"security lock-keychain {KEYCHAIN}")
    examined = built.agents("doctor", NAME)
    assert examined.code == 1
    words = " ".join(examined.out.split())
    assert "keychain: the default keychain is locked" in words, examined.all
    assert "runbooks/mac-keychain-locked.md" in words
    assert "service: jenkins-agent is not in launchd" in words
    assert "runbooks/agent-service-dead.md" in words
    done = built.agents("rebuild", NAME, "--yes", "--no-build")
    assert done.code == 0, done.all
    assert built.receipt()["changes"]["tasks"] == ["signing: Unlock it", "base: Switch it on", "base: Put it in"]
    healed = built.agents("doctor", NAME)
    assert healed.code == 0, healed.all


def test_no_archive_of_xcode_is_refused(built: Built) -> None:
    built.write((*LABELS, "xcode-15.2"))
    done = built.agents("rebuild", NAME, "--yes")
    assert done.code == 1
    words = "no archive given for xcode-15.2 and it is not installed on mac-1: set xcode_archives['15.2'] to the .xip from Apple's developer site"
    assert f"{NAME}: failed at playbook" in done.out, done.all
    assert words in " ".join(done.out.split())
    node = built.fake.state.nodes[NAME]
    assert "failed at playbook: xcode: " in (node.offline_cause or "")
    assert built.receipt()["outcome"] == "failed"
