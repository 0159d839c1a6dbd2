"""Agents for tests: booted hosts, a fake controller that they reach, and a cibus.toml that names both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fake_jenkins import FakeJenkins, empty_state
from hosts.boot import Host
from standin.jar import agent_jar

VERSION = "2.479.1"
LABELS = ("linux", "git", "jdk-17", "python-3.11")


@contextmanager
def controller(jar: bytes | None = None, version: str = VERSION) -> Iterator[FakeJenkins]:
    """A controller that hosts reach, and whose agent.jar is the stand-in; agents really get connected to it."""
    state = empty_state()
    state.documents["jnlpJars/agent.jar"] = ("application/java-archive", jar or agent_jar())
    with FakeJenkins(state, host=Host.here, version=version) as fake:
        yield fake


@dataclass
class Fleet:
    """A folder with a cibus.toml; ``agents`` by name: the host, and what the table says besides."""

    folder: Path
    fake: FakeJenkins | None
    agents: Mapping[str, tuple[Host, Mapping[str, Any]]]
    rebuild: Mapping[str, Any] = field(default_factory=dict)
    user: str = "root"
    controller: tuple[str, str, str] = ("", "", "")  # of a real one: URL, user, token
    practice: bool = False  # whether the controller and all agents are there to be broken
    more: str = ""  # further tables

    def write(self) -> Path:
        """Writes cibus.toml, and the home folder whose ``.ssh`` lets one in; gives cibus.toml."""
        let_in(self.folder, [(host, self.user) for host, _ in self.agents.values()])
        path = self.folder / "cibus.toml"
        path.write_text("\n".join(self._tables()), "utf-8")
        return path

    def _tables(self) -> Iterator[str]:
        url, user, token = (self.fake.url, self.fake.user, self.fake.token) if self.fake else self.controller
        practice = {"practice": True} if self.practice else {}
        yield f'[controllers.default]\nurl = "{url}"\nuser = "{user}"\ntoken = {{ value = "{token}" }}\n{"practice = true" if practice else ""}\n'
        yield "[rebuild]"
        yield from (f"{key} = {_toml(value)}" for key, value in {"disk": 1, **self.rebuild}.items())
        for name, (host, more) in self.agents.items():
            values = {"host": f"{self.user}@{host.address}", "labels": LABELS, "executors": 2, "owner": "tools team", **practice, **more}
            yield f"\n[agents.{name}]"
            yield from (f"{key} = {_toml(value)}" for key, value in values.items())
        yield self.more


def let_in(folder: Path, hosts: Sequence[tuple[Host, str]]) -> None:
    """Writes ``home/.ssh`` in a folder, with which one gets into hosts as these users."""
    ssh = folder / "home/.ssh"
    ssh.mkdir(parents=True, mode=0o700, exist_ok=True)
    config, known = [], []
    for host, user in hosts:
        key = host.root_key if user == "root" else host.key
        config.append(f"Host {host.address}\n  IdentityFile {key}\n  IdentitiesOnly yes\n  UserKnownHostsFile {ssh / 'known_hosts'}\n")
        known.append(host.known_hosts.read_text("utf-8"))
    (ssh / "config").write_text("".join(config), "utf-8")
    (ssh / "known_hosts").write_text("".join(known), "utf-8")


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, Path)):
        return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f'"{key}" = {_toml(each)}' for key, each in value.items()) + " }"
    if isinstance(value, Sequence):
        return f"[{', '.join(map(_toml, value))}]"
    return str(value)
