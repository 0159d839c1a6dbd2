from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hosts.boot import Host
from hosts.fixtures import Boot
from hosts.network import HERE
from standin.jar import agent_jar, missing

from playbooks.plays import PLAYBOOKS, SECRET, Controller, Played, play

Play = Callable[..., Played]
FACTS = yaml.safe_load((PLAYBOOKS / "agent.yml").read_text("utf-8"))[0]["gather_subset"]


@pytest.fixture(scope="session")
def jar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stand-in for agent.jar."""
    if missing():
        pytest.skip(missing())
    path = tmp_path_factory.mktemp("jar") / "agent.jar"
    path.write_bytes(agent_jar())
    return path


@pytest.fixture(scope="session")
def controller(tmp_path_factory: pytest.TempPathFactory, jar: Path) -> Iterator[Controller]:
    """What hosts take for their controller."""
    controller = Controller(tmp_path_factory.mktemp("controller"), HERE)
    controller.offer("jnlpJars/agent.jar", jar)
    yield controller
    controller.close()


@pytest.fixture(scope="session")
def variables(tmp_path_factory: pytest.TempPathFactory, controller: Controller, jar: Path) -> dict[str, Any]:
    """What an agent needs to know."""
    secret = tmp_path_factory.mktemp("secrets") / "secret"
    secret.write_text(SECRET, "utf-8")
    secret.chmod(0o600)
    return {
        "agent_name": "linux 1",
        "agent_controller_url": controller.url,
        "agent_secret_file": str(secret),
        "agent_jar_sha256": hashlib.sha256(jar.read_bytes()).hexdigest(),
        "toolchains_labels": ["linux", "git", "jq", "python-3.11"],
        "agent_restart_seconds": 1,
    }


@pytest.fixture
def ansible(tmp_path: Path, variables: dict[str, Any]) -> Play:
    """Runs agent.yml, another playbook, or some roles alone, on a host; further variables are those that differ."""

    def run(host: Host, *words: str, playbook: Path = PLAYBOOKS / "agent.yml", roles: Sequence[str] = (), user: str = "root", **different: Any) -> Played:
        if roles:
            playbook = tmp_path / "roles.yml"
            playbook.write_text(json.dumps([{"hosts": "agents", "gather_subset": FACTS, "roles": roles}]), "utf-8")
        return play(tmp_path / "ansible", host, {**variables, **different}, *words, user=user, playbook=playbook)

    return run


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, boot: Boot, variables: dict[str, Any]) -> tuple[Host, Played]:
    """A host that agent.yml made an agent, for copies; and what was said meanwhile."""
    host = boot(online=True)
    return host, play(tmp_path_factory.mktemp("ansible"), host, variables, "--diff")


@pytest.fixture
def agent(boot_briefly: Boot, built: tuple[Host, Played]) -> Host:
    """A whole agent, to be broken."""
    return boot_briefly(built[0], online=True)
