from __future__ import annotations

from pathlib import Path

import pytest

from cibus.agents.spec import AgentSpec, chosen, from_inventory, specs
from cibus.config import load_config
from cibus.errors import ConfigError, UsageError


def read(tmp_path: Path, text: str) -> dict[str, AgentSpec]:
    path = tmp_path / "cibus.toml"
    path.write_text(text, "utf-8")
    return specs(load_config(path))


def test_a_table_says_all(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
        [agents.mac-03]
        host = "ci@mac-03.example:2222"
        os = "macos"
        labels = ["macos", "xcode-15.1"]
        executors = 2
        launcher = "tcp"
        owner = "mobile"
        java = 21
        env = { LANG = "C" }
        tools = { "jdk/17" = "/opt/jdk" }
        variables = { xcode_archives = ["/x.xip"], agent_user = "builder" }
        secrets = { signing_password = { env = "P12" } }
        """,
    )["mac-03"]
    assert (found.os, found.labels, found.executors, found.launcher, found.owner, found.java) == ("macos", ("macos", "xcode-15.1"), 2, "tcp", "mobile", 21)
    assert found.host.shown == "ssh://ci@mac-03.example:2222"
    assert found.user == "builder"
    assert found.remote_folder == "/Users/builder/agent"
    assert found.variables["xcode_archives"] == ["/x.xip"]
    assert found.tools == {"jdk/17": "/opt/jdk"}
    assert "P12" in repr(found.secrets["signing_password"])


def test_what_is_not_said_has_a_default(tmp_path: Path) -> None:
    found = read(tmp_path, '[agents.a]\nrun_on = "ssh://box/work"\n[agents.m]\nlabels = ["macos"]\n')
    assert found["a"].host.host == "box"
    assert (found["a"].os, found["a"].remote_folder, found["a"].launcher, found["a"].executors) == ("linux", "/home/jenkins/agent", "websocket", 1)
    assert found["m"].os == "macos"
    with pytest.raises(UsageError, match="which machine is it"):
        _ = found["m"].host


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[agents.a]\nos = "windows"', "must be one of linux, macos"),
        ('[agents.a]\nlauncher = "carrier-pigeon"', "must be one of websocket"),
        ('[agents.a]\nhost = "a b"', "is not the address of a host"),
        ('[agents.a]\nlabels = [" "]', "cannot be a label"),
        ('[agents.a]\nremote_folder = "agent"', "an absolute path"),
        ('[agents.a]\nexecutors = 0', "at least 1"),
        ('[agents."../a"]\nhost = "x"', "Jenkins does not take this as a name"),
        ('[agents.a]\ntools = { jdk = 1 }', "must be a table of texts"),
        ('[rebuild]\nmirror = "ftp://x"', "mirror"),
        ('[rebuild]\ninventory = "nowhere.yml"', "there is no such inventory"),
    ],
)
def test_what_makes_no_sense_is_said_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        read(tmp_path, text)
    assert str(tmp_path) in str(caught.value)


def test_unknown_names_are_said_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no \[agents.b\] in cibus.toml; known: a"):
        chosen(read(tmp_path, '[agents.a]\nhost = "x"'), ["b"], "cibus.toml")


INVENTORY = """
agents:
  vars: {agent_owner: tools}
  hosts:
    linux-1:
      ansible_host: 192.0.2.7
      ansible_user: ops
      ansible_port: 2200
      agent_labels: [linux, git]
      agent_executors: 3
      agent_launcher: tcp
      base_time_zone: Europe/Berlin
      signing_password: !vault |
        $ANSIBLE_VAULT;1.1;AES256
        3132
    mac-1: {agent_os: macos, agent_labels: macos xcode-15.1}
"""


def test_an_ansible_inventory_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "inventory.yml"
    path.write_text(INVENTORY, "utf-8")
    linux, mac = from_inventory(path)
    assert linux.host.shown == "ssh://ops@192.0.2.7:2200"
    assert (linux.labels, linux.executors, linux.launcher, linux.owner) == (("linux", "git"), 3, "tcp", "tools")
    assert linux.variables["base_time_zone"] == "Europe/Berlin"
    assert "signing_password" not in linux.variables, "what is encrypted Ansible reads itself"
    assert (mac.os, mac.labels, mac.remote_folder, mac.host.host) == ("macos", ("macos", "xcode-15.1"), "/Users/jenkins/agent", "mac-1")


def test_an_inventory_that_is_none_is_said(tmp_path: Path) -> None:
    path = tmp_path / "inventory.yml"
    path.write_text("agents: [\n", "utf-8")
    with pytest.raises(ConfigError, match="Ansible cannot read this inventory"):
        from_inventory(path)
