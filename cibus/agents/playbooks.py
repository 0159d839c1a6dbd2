"""Where the playbooks are, of which commit, and how Ansible is told of the agents."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cibus.agents.atoms import Atom, read
from cibus.agents.spec import AgentSpec
from cibus.config import Config
from cibus.errors import UsageError
from cibus.git import try_git
from cibus.secrets import Secret

TABLE = "atoms.yml"
KEPT = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TMPDIR", "SSH_AUTH_SOCK", "TERM", "SSL_CERT_FILE", "XDG_CACHE_HOME")
"""What Ansible's process gets of the user's environment: tokens that are in it are not its business."""


def folder(config: Config) -> Path:
    """The folder of the playbooks: the one that cibus.toml names, else those that come with cibus.

    Raises:
        UsageError: it has no agent.yml.
    """
    beside = Path(__file__).resolve().parents[1]
    found = config.rebuild.playbooks or next((each for each in (beside / "playbooks", beside.parent / "playbooks") if each.is_dir()), beside / "playbooks")
    if not (found / "agent.yml").is_file():
        raise UsageError(f"{found}: there is no agent.yml; playbooks in [rebuild] of cibus.toml names the folder of the playbooks")
    return found


def atoms(config: Config) -> list[Atom]:
    """The table of what labels promise."""
    return read(folder(config) / TABLE)


def commit(playbooks: Path) -> str:
    """Which commit the playbooks are of, with ``+changes`` where files differ from it; the version of cibus where they are in no repository."""
    from cibus import __version__

    head = try_git(playbooks, "rev-parse", "HEAD")
    if not head or not try_git(playbooks, "ls-files", "agent.yml"):
        return f"cibus {__version__}"
    return head + ("+changes" if try_git(playbooks, "status", "--porcelain", "--", ".") else "")


@dataclass(frozen=True)
class Target:
    """A machine that a playbook is run on; ``secrets`` are variables, too, and ``secret``: the agent's own, to be copied there."""

    spec: AgentSpec
    variables: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    secret: Secret | None = None


def write_inventory(place: Path, targets: Iterable[Target]) -> Path:
    """Writes the inventory and the secrets' files into a folder that only the user can read, and gives the inventory's path."""
    hosts = {}
    for target in targets:
        values = variables(target)
        values.update((name, secret.reveal()) for name, secret in target.secrets.items())
        if target.secret is not None:
            path = place / f"{target.spec.alias}.secret"
            _write_private(path, target.secret.reveal())
            values["agent_secret_file"] = str(path)
        hosts[target.spec.alias] = values
    path = place / "agents.json"
    _write_private(path, json.dumps({"agents": {"hosts": hosts}}, indent=1))
    return path


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(text, "utf-8")


def variables(target: Target) -> dict[str, Any]:
    """An agent's host variables: those of its connection, and those of the roles."""
    spec = target.spec
    values: dict[str, Any] = {
        **_connection(spec),
        "agent_name": spec.name,
        "agent_user": spec.user,
        "agent_remote_folder": spec.remote_folder,
        "agent_launcher": spec.launcher,
        "agent_service_name": spec.service,
        "toolchains_labels": list(spec.labels),
        **target.variables,
        **spec.variables,
    }
    if spec.os == "linux":  # asking for it costs a round trip, and every Linux has it here
        values.setdefault("ansible_python_interpreter", "/usr/bin/python3")
    return values


def _connection(spec: AgentSpec) -> dict[str, Any]:
    from cibus.ssh.connect import ssh_command

    host = spec.host
    values: dict[str, Any] = {"ansible_host": host.host, "ansible_become": host.user != "root"}
    if host.user:
        values["ansible_user"] = host.user
    if host.port:
        values["ansible_port"] = host.port
    command = ssh_command(host)
    if "-F" in command:
        values["ansible_ssh_common_args"] = f"-F {command[command.index('-F') + 1]}"
    return values


def environment(playbooks: Path, place: Path, vault_password: Secret | None) -> dict[str, str]:
    """The environment of Ansible's process.

    Arguments:
        place: a folder of the user's own, with a short path: a socket's path has room for 100 characters
    """
    own = {name: value for name, value in os.environ.items() if name in KEPT}
    beside = str(Path(sys.executable).parent)
    made = {
        **own,
        "PATH": f"{beside}:{own.get('PATH', '/usr/local/bin:/usr/bin:/bin')}",
        "ANSIBLE_CONFIG": str(playbooks / "ansible.cfg"),
        "ANSIBLE_LOCAL_TEMP": str(place / "tmp"),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(place / "cp"),
        "ANSIBLE_CACHE_PLUGIN": "jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(place / "facts"),
        "ANSIBLE_FORCE_COLOR": "0",
        "ANSIBLE_NOCOLOR": "1",
    }
    if vault_password is not None:
        path = place / "vault"
        if not path.exists():
            _write_private(path, vault_password.reveal())
        made["ANSIBLE_VAULT_PASSWORD_FILE"] = str(path)
    return made
