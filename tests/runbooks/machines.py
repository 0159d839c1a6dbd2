"""An agent to practise on: a booted Linux host that was rebuilt once; each page gets a copy of it and a controller as new."""

from __future__ import annotations

import copy
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentcommand import run_agents
from fake_jenkins import FakeJenkins, empty_state
from fake_jenkins.nodes import Node
from fake_jenkins.standin import refresh
from fleets import LABELS, Fleet
from hosts.boot import Host
from staging import Stage, book_of, login

NAME = "linux-1"
REMOTE = "/home/jenkins/agent"
WATCHED = '\n[monitor]\nlabels = ["linux"]\nsnapshot = "jenkins"\n'
QUICK = {"variables": {"agent_restart_seconds": 1}}  # nobody wants to wait for systemd
# as a user's own ssh would: it finds its settings by the user's entry, not by HOME
SSH = '#!/bin/sh\nexec {ssh} -F "$HOME/.ssh/config" "$@"\n'


def until(done: Callable[[], Any], seconds: float = 60) -> Any:
    """Waits for it; gives what it gave."""
    end = time.monotonic() + seconds
    while not (found := done()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.1)
    return found


def ssh_of(folder: Path) -> str:
    """A PATH whose ``ssh`` takes the settings in ``folder/home``."""
    place = folder / "bin"
    place.mkdir(exist_ok=True)
    program = place / "ssh"
    program.write_text(SSH.format(ssh=shutil.which("ssh", path=os.defpath + ":/usr/local/bin")))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return f"{place}{os.pathsep}{os.environ['PATH']}"


class Plant:
    """Where agents come from: one that a rebuild made of a bare host, off from then on."""

    def __init__(self, folder: Path, fake: FakeJenkins, host: Host) -> None:
        self.fake, self.host = fake, host
        self.documents = dict(fake.state.documents)
        Fleet(folder, fake, {NAME: (host, QUICK)}).write()
        done = run_agents(folder, "rebuild", NAME, "--yes", "--no-build")
        assert done.code == 0, done.all
        self._node = copy.deepcopy(fake.state.nodes[NAME].root)
        host.frozen()

    def renew(self) -> None:
        """The controller has nothing but the agent."""
        state = empty_state()
        state.documents.update(self.documents)
        state.nodes[NAME] = Node(NAME, copy.deepcopy(self._node))
        self.fake.faults.set()
        self.fake.state = state


@dataclass
class Site:
    """A copy of the agent and its controller, and the folder with the cibus.toml that names both."""

    folder: Path
    fake: FakeJenkins
    host: Host

    @property
    def node(self) -> Node:
        return self.fake.state.nodes[NAME]

    @property
    def where(self) -> str:
        """Its machine, as ssh takes it."""
        return f"root@{self.host.address}"

    def root(self, command: str) -> str:
        """Runs a command there as root."""
        return self.host.run(command, user="root")

    def write(self, more: str = WATCHED, **table: Any) -> None:
        """Writes cibus.toml; ``table``: what ``[agents.linux-1]`` says besides."""
        Fleet(self.folder, self.fake, {NAME: (self.host, {**QUICK, **table})}, practice=True, more=more).write()

    def label(self, *labels: str) -> None:
        """Adds labels, on both sides."""
        wanted = (*LABELS, *labels)
        assert self.node.root is not None
        self.node.root.set("label", " ".join(wanted))
        self.write(labels=wanted)

    def online(self) -> None:
        """Waits until it is connected."""
        until(lambda: self.node.online)

    def offline(self) -> None:
        """Waits until the controller has noticed that it is gone."""

        def gone() -> bool:
            refresh(self.fake.state)
            return not self.node.online

        until(gone)

    def export(self) -> None:
        """Exports the controller's configuration."""
        subprocess.run([sys.executable, "-m", "cibus", "jobs", "export", "jenkins"], cwd=self.folder, check=True, capture_output=True)

    def active(self) -> str:
        """The state of its service."""
        return self.host.run("systemctl is-active jenkins-agent", user="root", check=False).strip()

    def stage(self, page: str, *, hand: tuple[Callable[[], object], ...] = (), proof: Callable[[], object] = lambda: None, **variables: str) -> Stage:
        """The stage of a page, with those variables that it has."""
        known, secrets = login(self.fake)
        book = book_of(page)
        given = {"agent": NAME, "host": self.where, **known}
        asked = {each.environment for each in book.variables.values() if each.secret}
        return Stage(self.folder, {**{key: value for key, value in given.items() if key in book.variables}, **variables}, {key: value for key, value in secrets.items() if key in asked}, hand, proof)
