"""A booted host becomes an agent of a real controller, with its own agent.jar; the host must reach that controller."""

from __future__ import annotations

import uuid
from pathlib import Path

from agentcommand import run_agents
from conftest import Live
from hosts.fixtures import Boot

from cibus.jenkins import nodes


def test_a_bare_host_becomes_a_real_agent(live: Live, boot: Boot, tmp_path: Path) -> None:
    from fleets import Fleet

    settings = live.client.settings
    assert settings.token is not None
    name = f"cibus-test-{uuid.uuid4().hex[:8]}"
    fleet = Fleet(tmp_path, None, {name: (boot(online=True), {})})
    fleet.controller = (settings.url, settings.user, settings.token.reveal())
    fleet.write()
    try:
        done = run_agents(tmp_path, "rebuild", name, "--prove", "--reboot", "--yes", timeout=900)
        assert done.code == 0, done.all
        found = nodes.computer(live.client, name)
        assert found is not None
        assert found.state == "online"
    finally:
        if nodes.computer(live.client, name) is not None:
            live.client.delete_node_named(name)
