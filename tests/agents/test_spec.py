from __future__ import annotations

from pathlib import Path

import pytest

from cibus.agents.spec import AgentSpec, chosen, from_inventory, program, specs
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


def inventory(tmp_path: Path, variables: str) -> AgentSpec:
    path = tmp_path / "hosts.ini"
    path.write_text(f"[macs]\nbox ansible_host=2001:db8::7 ansible_user=ci {variables}\n", "utf-8")
    return from_inventory(path)[0]


@pytest.mark.parametrize(("word", "practice"), [("no", False), ("false", False), ("False", False), ("0", False), ("yes", True), ("true", True)])
def test_a_machine_is_for_practice_only_where_it_says_so(word: str, practice: bool, tmp_path: Path) -> None:
    assert inventory(tmp_path, f"agent_practice={word}").practice is practice


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ("agent_practice=maybe", "agent_practice: 'maybe' is neither true nor false"),
        ("agent_executors=two", "agent_executors: 'two' is no whole number"),
        ("agent_java=seventeen", "agent_java: 'seventeen' is no whole number"),
        ("agent_env=x", "agent_env: 'x' is no table"),
        ("agent_labels=7", "agent_labels: 7 is no list of labels"),
        ("agent_owner='[1]'", "agent_owner: [1] is no text"),
        ("agent_mode=busy", "mode 'busy' must be one of normal, exclusive"),
        ("agent_remote_folder=agent", "remote_folder 'agent' must be an absolute path"),
    ],
)
def test_an_inventory_that_makes_no_sense(variables: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        inventory(tmp_path, variables)
    assert str(caught.value).startswith(f"{tmp_path / 'hosts.ini'}: host box")
    assert words in str(caught.value)


def test_words_of_an_inventory_become_what_they_stand_for(tmp_path: Path) -> None:
    found = inventory(tmp_path, "agent_executors='2' agent_java='\"17\"' agent_labels='macos xcode'")
    assert (found.executors, found.java, found.labels, found.host.host) == (2, 17, ("macos", "xcode"), "2001:db8::7")


def test_an_encrypted_file_of_variables_is_read_with_the_password(tmp_path: Path) -> None:
    import subprocess

    (tmp_path / "group_vars").mkdir()
    kept = tmp_path / "group_vars" / "all.yml"
    kept.write_text("agent_owner: tools\n", "utf-8")
    (tmp_path / "password").write_text("open", "utf-8")
    subprocess.run([program("ansible-vault"), "encrypt", "--vault-password-file", str(tmp_path / "password"), str(kept)], check=True, capture_output=True)
    (tmp_path / "hosts.ini").write_text("box\n", "utf-8")
    with pytest.raises(ConfigError, match="vault"):
        read(tmp_path, '[rebuild]\ninventory = "hosts.ini"\n')
    assert read(tmp_path, '[rebuild]\ninventory = "hosts.ini"\nvault_password = { file = "password" }\n')["box"].owner == "tools"


@pytest.mark.parametrize("name", ["all", "agents", "localhost", "-x"])
def test_a_name_that_means_others_to_ansible_is_another_there(name: str) -> None:
    assert AgentSpec(name).alias not in ("all", "agents", "localhost")
    assert not AgentSpec(name).alias.startswith("--")
    assert AgentSpec(name).alias != name


def test_a_node_with_an_address_of_version_6_is_imported_as_can_be_read(tmp_path: Path) -> None:
    from cibus.agents.nodexml import NodeFacts
    from cibus.agents.overview import imported

    node = NodeFacts("six", "", "/home/jenkins/agent", 1, "normal", ("linux",), "ssh", "2001:db8::7", 2222, "key", {}, {})
    assert read(tmp_path, imported([node]))["six"].host.shown == "ssh://[2001:db8::7]:2222"


def test_a_table_of_atoms_whose_words_are_no_patterns(tmp_path: Path) -> None:
    from cibus.agents.atoms import read as table

    (tmp_path / "atoms.yml").write_text("jdk:\n  label: 'jdk-(?P<version>.+)'\n  prove: java -version\n  expect: '({version}'\n", "utf-8")
    with pytest.raises(ConfigError, match="jdk: expect is no regular expression"):
        table(tmp_path / "atoms.yml")
