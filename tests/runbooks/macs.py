"""Mac agents to practise on: the stand-in for a Mac, rebuilt once; each page gets a copy. hosts/macos/README.md says what that proves."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentcommand import Done, run_agents
from fake_jenkins import FakeJenkins, empty_state
from fake_jenkins.nodes import Node
from fake_jenkins.standin import refresh
from fleets import Fleet
from hosts.macos.host import Mac
from macfleet import ENVIRONMENT, KEYCHAIN, NAME, table
from machines import until
from playbooks.macos import SECRETS, make_files, make_identity
from staging import Stage, book_of

VERSION = "15.1"  # of Xcode
LABELS = ("macos", "git", "xcode-15.1")


def small(files: Path) -> dict[str, Any]:
    """What the table says of a Mac with what the pages are about, and with nothing else that takes time."""
    found = table(files, LABELS)
    variables = found["variables"]
    for name in ("macos_settings_rosetta", "monitoring_node_exporter"):
        del variables[name]
    variables.update(homebrew_formulae=["git"], xcode_runtimes=variables["xcode_runtimes"][:1])
    return found
JOB = "system/org.jenkins-ci.jenkins-agent"


class MacPlant:
    """Where Mac agents come from: one that a rebuild made of a bare stand-in, off from then on."""

    def __init__(self, folder: Path, fake: FakeJenkins, mac: Mac) -> None:
        self.fake, self.mac = fake, mac
        self.documents = dict(fake.state.documents)
        self.files = folder / "material"
        make_files(self.files)
        Fleet(folder, fake, {NAME: (mac, small(self.files))}, user=mac.user).write()
        done = run_agents(folder, "rebuild", NAME, "--yes", "--no-build", env=ENVIRONMENT)
        assert done.code == 0, done.all
        self._node = copy.deepcopy(fake.state.nodes[NAME].root)
        mac.frozen()

    def renew(self) -> None:
        """The controller has nothing but the agent."""
        state = empty_state()
        state.documents.update(self.documents)
        state.nodes[NAME] = Node(NAME, copy.deepcopy(self._node))
        self.fake.state = state


@dataclass
class MacSite:
    """A copy of the Mac and its controller, the folder with the cibus.toml, and what the table there names."""

    folder: Path
    fake: FakeJenkins
    mac: Mac
    files: Path

    @property
    def node(self) -> Node:
        return self.fake.state.nodes[NAME]

    def write(self) -> None:
        """Writes cibus.toml."""
        Fleet(self.folder, self.fake, {NAME: (self.mac, small(self.files))}, user=self.mac.user, practice=True).write()

    def root(self, command: str) -> str:
        """Runs a command there as root."""
        return self.mac.run(command, user="root")

    def as_agent(self, command: str, *, check: bool = True) -> str:
        """Runs a command there as the agent's user, with what it says as an error."""
        return self.mac.run(f"sudo -H -u jenkins {command} 2>&1", check=check)

    def expire(self, days: int) -> None:
        """The identity in the keychain is one that ends then, which was put there by a former rebuild."""
        make_identity(self.files, days)
        archive = "/Users/jenkins/ci.p12"
        self.mac.run(f"cat > {archive}; chown jenkins {archive}", user="root", stdin=(self.files / "ci.p12").read_bytes())
        (old,) = set(re.findall("[0-9A-F]{40}", self.as_agent("security find-identity -p codesigning")))
        self.as_agent(f"security delete-certificate -Z {old} {KEYCHAIN}")
        command = f'import "{archive}" -k {KEYCHAIN} -f pkcs12 -P "{SECRETS["p12"]}"\n'
        self.mac.run("sudo -H -u jenkins security -i", stdin=command.encode())
        self.root(f"rm {archive} {KEYCHAIN}.imported")

    def agents(self, *argv: str) -> Done:
        return run_agents(self.folder, *argv, env=ENVIRONMENT)

    def online(self) -> None:
        """Waits until it is connected."""
        until(lambda: self.node.online)

    def offline(self) -> None:
        """Waits until the controller has noticed that it is gone."""

        def gone() -> bool:
            refresh(self.fake.state)
            return not self.node.online

        until(gone)

    def xcode(self) -> dict[str, Any]:
        """What the stand-in knows of the one that is selected."""
        return dict(self.mac.now()["xcodes"][VERSION])

    def stage(self, page: str, *, hand: tuple[Callable[[], object], ...] = (), proof: Callable[[], object] = lambda: None, secrets: dict[str, str] | None = None) -> Stage:
        """The stage of a page, with those variables that it has."""
        given = {"agent": NAME, "host": f"{self.mac.user}@{self.mac.address}"}
        return Stage(self.folder, {key: value for key, value in given.items() if key in book_of(page).variables}, {**ENVIRONMENT, **(secrets or {})}, hand, proof)
