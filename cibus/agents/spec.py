"""What an agent shall be: from ``[agents.NAME]`` of cibus.toml, or from an Ansible inventory."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cibus.config import AgentConfig, Config
from cibus.errors import ConfigError, HostAddressError, UsageError
from cibus.secrets import SecretSource
from cibus.ssh.address import Address, parse

LAUNCHERS = ("websocket", "tcp", "ssh")
FOLDERS = {"linux": "/home/{user}/agent", "macos": "/Users/{user}/agent"}
SERVICE = "jenkins-agent"
UNSAFE = set("?*/\\%!@#$^&|<>[]:;")  # jenkins.model.Jenkins.checkGoodName
# what an Ansible inventory calls things that are fields here
FIELDS = {
    "agent_labels", "agent_executors", "agent_mode", "agent_remote_folder", "agent_launcher", "agent_credentials", "agent_owner",
    "agent_description", "agent_controller", "agent_os", "agent_tools", "agent_env", "agent_java", "agent_practice",
}  # fmt: skip


@dataclass(frozen=True)
class AgentSpec:
    """An agent as it shall be.

    Arguments:
        address: where the machine is, or None where only its name is known
        user: the machine's user who runs the agent's process
        java: the major version of Java that runs the process; 0: what the controller needs
        variables: further variables of the playbooks; ``secrets``: such that nobody may see
        inventory: the Ansible inventory that it comes from
    """

    name: str
    address: Address | None = None
    os: str = "linux"
    labels: tuple[str, ...] = ()
    executors: int = 1
    mode: str = "normal"
    user: str = "jenkins"
    remote_folder: str = "/home/jenkins/agent"
    launcher: str = "websocket"
    credentials: str = ""
    owner: str = ""
    description: str = ""
    controller: str = ""
    java: int = 0
    practice: bool = False
    env: Mapping[str, str] = field(default_factory=dict)
    tools: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, SecretSource] = field(default_factory=dict)
    inventory: Path | None = None

    @property
    def inbound(self) -> bool:
        """Whether the agent calls the controller, rather than being called."""
        return self.launcher != "ssh"

    @property
    def alias(self) -> str:
        """Its name where only plain ones will do: in Ansible's inventory and for files."""
        return alias(self.name)

    @property
    def service(self) -> str:
        """The name of the service that keeps it running."""
        return str(self.variables.get("agent_service_name", SERVICE))

    @property
    def host(self) -> Address:
        """Where the machine is.

        Raises:
            UsageError: nobody said so.
        """
        if self.address is None:
            raise UsageError(f"agent {self.name}: which machine is it? Give host = \"user@machine\" in [agents.{self.name}] of cibus.toml")
        return self.address


def alias(name: str) -> str:
    """A plain name: ``acme ägent 4`` → ``acme__gent_4-b1946ac9``; one that is plain stays."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    return name if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def specs(config: Config) -> dict[str, AgentSpec]:
    """All agents that are configured, by name; those of cibus.toml win over the inventory's.

    Raises:
        ConfigError: an entry makes no sense; the inventory cannot be read.
    """
    inventory = config.rebuild.inventory
    found = {each.name: each for each in from_inventory(inventory)} if inventory is not None else {}
    found.update((each.name, from_config(each, str(config.path or "cibus.toml"))) for each in config.agents.values())
    return found


def chosen(known: Mapping[str, AgentSpec], names: Iterable[str], where: str) -> list[AgentSpec]:
    """The agents of these names.

    Raises:
        UsageError: there is none of a name.
    """
    picked = []
    for name in dict.fromkeys(names):
        if name not in known:
            raise UsageError(f"there is no [agents.{name}] in {where}; known: {', '.join(known) or 'none'} (cibus agents import takes them from a controller)")
        picked.append(known[name])
    return picked


def from_config(agent: AgentConfig, where: str = "cibus.toml") -> AgentSpec:
    """What ``[agents.NAME]`` says of the machine."""
    place = f"{where}: [agents.{agent.name}]"
    host = agent.host or (agent.run_on if agent.run_on.startswith("ssh://") else "")
    return _spec(
        place,
        agent.name,
        _address(host, place),
        {
            "os": agent.os,
            "labels": agent.labels,
            "executors": agent.executors,
            "mode": agent.mode,
            "remote_folder": agent.remote_folder,
            "launcher": agent.launcher,
            "credentials": agent.credentials,
            "owner": agent.owner,
            "description": agent.description,
            "controller": agent.controller,
            "java": agent.java,
            "practice": agent.practice,
            "env": agent.env,
            "tools": agent.tools,
            "secrets": agent.secrets,
        },
        agent.variables,
    )


def from_inventory(path: Path) -> list[AgentSpec]:
    """The hosts of an Ansible inventory; ``agent_labels``, ``agent_executors`` and their kin are host variables.

    Raises:
        ConfigError: Ansible cannot read it, or a host's variables make no sense.
    """
    hosts = _hostvars(path)
    return [_from_hostvars(path, name, values) for name, values in sorted(hosts.items())]


def _hostvars(path: Path) -> dict[str, dict[str, Any]]:
    if not path.exists():
        raise ConfigError(f"{path}: there is no such inventory")
    done = subprocess.run([program("ansible-inventory"), "-i", str(path), "--list"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    problem = next((line for line in done.stderr.splitlines() if "ERROR" in line or "Failed to parse" in line or "Unable to parse" in line), "")
    if done.returncode or problem:
        raise ConfigError(f"{path}: Ansible cannot read this inventory: {' '.join((problem or done.stderr).split())[:300]}")
    data = json.loads(done.stdout)
    named = {host for group in data.values() if isinstance(group, dict) for host in group.get("hosts", ())}
    variables = data.get("_meta", {}).get("hostvars", {})
    return {host: variables.get(host, {}) for host in named}


def program(name: str) -> str:
    """The path of one of Ansible's programs: those of this Python come first.

    Raises:
        UsageError: it is not installed.
    """
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.is_file() else shutil.which(name)
    if found is None:
        raise UsageError(f"{name} is not installed; install it with pip install 'cibus[agents]'")
    return found


def _from_hostvars(path: Path, name: str, values: Mapping[str, Any]) -> AgentSpec:
    place = f"{path}: host {name}"
    host = str(values.get("ansible_host", name))
    user, port = values.get("ansible_user", ""), values.get("ansible_port", "")
    bare = f"[{host}]" if ":" in host else host
    address = _address(f"{user}@{bare}" if user else bare, place) if not port else _address(f"{f'{user}@' if user else ''}{bare}:{port}", place)
    fields = {key.removeprefix("agent_"): value for key, value in values.items() if key in FIELDS}
    if isinstance(fields.get("labels"), str):
        fields["labels"] = fields["labels"].split()
    rest = {key: value for key, value in values.items() if key not in FIELDS and not _is_vaulted(value)}
    return _spec(place, name, address, fields, rest, path)


def _is_vaulted(value: Any) -> bool:
    """Whether a value is encrypted: Ansible reads it from the inventory itself."""
    return isinstance(value, dict) and "__ansible_vault" in value


def _address(host: str, place: str) -> Address | None:
    if not host:
        return None
    try:
        return parse(host)
    except HostAddressError as error:
        raise ConfigError(f"{place}: {error}") from error


def _spec(place: str, name: str, address: Address | None, fields: Mapping[str, Any], variables: Mapping[str, Any], inventory: Path | None = None) -> AgentSpec:
    if not name.strip() or name in (".", "..") or not name.isprintable() or set(name) & UNSAFE:
        raise ConfigError(f"{place}: Jenkins does not take this as a name: it is empty, or has one of {' '.join(sorted(UNSAFE))}")
    given = {key: value for key, value in fields.items() if value}
    given["labels"] = tuple(str(each) for each in given.get("labels", ()))
    odd = next((each for each in given["labels"] if not each.strip() or '"' in each or not each.isprintable()), None)
    if odd is not None:
        raise ConfigError(f"{place}: {odd!r} cannot be a label: it is empty, or has a quotation mark or a control character in it")
    system = str(given.setdefault("os", _guessed(given["labels"])))
    if system not in FOLDERS:
        raise ConfigError(f"{place}: os {system!r} must be one of {', '.join(FOLDERS)}")
    if (launcher := given.get("launcher", "websocket")) not in LAUNCHERS:
        raise ConfigError(f"{place}: launcher {launcher!r} must be one of {', '.join(LAUNCHERS)}")
    user = str(variables.get("agent_user", "jenkins"))
    given.setdefault("remote_folder", FOLDERS[system].format(user=user))
    return AgentSpec(name, address, user=user, variables=dict(variables), inventory=inventory, **given)


def _guessed(labels: Iterable[str]) -> str:
    return "macos" if {"macos", "mac", "osx", "darwin"} & {each.lower() for each in labels} else "linux"
