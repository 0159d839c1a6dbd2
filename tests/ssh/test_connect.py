"""Getting in, and what is said where that fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hosts.boot import Host as Machine

from cibus.errors import HostError, HostRefused, HostUnknown
from cibus.ssh.address import parse
from cibus.ssh.host import Host


def problem(url: str) -> str:
    with pytest.raises(HostError) as caught:
        Host(parse(url), deadline=3).close()
    text = str(caught.value)
    assert "\n" not in text
    return f"{type(caught.value).__name__}: {text}"


def set_config(host: Machine, text: str) -> None:
    (host.home / ".ssh/config").write_text(text.format(address=host.address, key=host.key, home=host.home), "utf-8")


@pytest.fixture(autouse=True)
def _config_back(host: Machine) -> object:
    paths = [host.home / ".ssh/config", host.known_hosts]
    before = [path.read_text("utf-8") for path in paths]
    yield
    for path, text in zip(paths, before, strict=True):
        path.write_text(text, "utf-8")


def test_facts(host: Machine) -> None:
    with Host(parse(host.address)) as remote:
        assert remote.environ["HOME"] == "/home/jenkins"
        assert (remote.facts["system"], remote.facts["host"], remote.facts["find"], remote.facts["tar"]) == ("Linux", host.name, "gnu", "null")
        folder = remote.facts["session"]
        assert host.run(f"stat -c %a {folder}") == "700\n"
    assert host.run(f"ls {folder}", check=False) == ""


def test_an_alias_of_the_configuration(host: Machine) -> None:
    set_config(host, "Host box\n  HostName {address}\n  User jenkins\n  IdentityFile {key}\n  Port 22\n")
    with Host(parse("ssh://box")) as remote:
        assert remote.environ["USER"] == "jenkins"


def test_an_unknown_host_key(host: Machine) -> None:
    host.known_hosts.write_text("", "utf-8")
    said = problem(host.url)
    assert said.startswith(f"HostUnknown: {host.address}: its host key (ssh-ed25519 SHA256:")
    assert f"is not known; connect once with ssh and compare the key, or add it: ssh-keyscan {host.address} >> {host.known_hosts}" in said


def test_a_host_key_that_changed(host: Machine) -> None:
    other = (host.home / ".ssh/id_root.pub").read_text("utf-8").split()[:2]
    host.known_hosts.write_text(f"{host.address} {' '.join(other)}\n", "utf-8")
    said = problem(host.url)
    assert said.startswith("HostUnknown: ")
    assert f"is another than the one in known_hosts; if the host was rebuilt, remove the old one: ssh-keygen -R {host.address}" in said


@pytest.mark.parametrize(("mode", "kept"), [("no", False), ("accept-new", True)])
def test_a_configuration_that_takes_new_keys(host: Machine, mode: str, kept: bool) -> None:
    host.known_hosts.write_text("", "utf-8")
    set_config(host, "Host *\n  IdentityFile {key}\n  UserKnownHostsFile {home}/.ssh/known_hosts\n  StrictHostKeyChecking " + mode + "\n")
    Host(parse(host.url)).close()
    assert (host.address in host.known_hosts.read_text("utf-8")) is kept


def test_a_key_that_is_not_accepted(host: Machine) -> None:
    with pytest.raises(HostRefused, match="does not let this user in"):
        Host(parse(f"ssh://nobody@{host.address}"))


def test_a_key_that_is_not_there(host: Machine) -> None:
    set_config(host, "Host *\n  IdentityFile {home}/.ssh/none\n")
    assert problem(host.url).startswith("HostRefused: ")


def test_a_key_with_a_passphrase(host: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".ssh").mkdir()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", str(tmp_path / ".ssh/id_ed25519")], check=True)
    (tmp_path / ".ssh/known_hosts").write_text(host.known_hosts.read_text("utf-8"))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "passphrase; add it to the agent: ssh-add" in problem(host.url)


def test_nobody_there(host: Machine) -> None:
    assert "cannot be reached" in problem(f"ssh://{host.address}:2")
    assert "cannot be reached" in problem("ssh://no-such-host.invalid")
    host.cut()
    assert "cannot be reached: no answer" in problem(host.url)


def test_an_odd_login_shell(host: Machine) -> None:
    host.run("usermod -s /bin/false jenkins", user="root")
    try:
        assert "commands cannot be run there: the login shell ended with exit code 1" in problem(host.url)
    finally:
        host.run("usermod -s /bin/bash jenkins", user="root")


def test_a_full_disk_at_the_start(host: Machine) -> None:
    host.run("mount -t tmpfs -o size=4k tmpfs /tmp && { head -c 4096 /dev/zero > /tmp/full; true; }", user="root")
    try:
        assert "No space left on device" in problem(host.url)
    finally:
        host.run("umount -l /tmp", user="root")


def test_known_hosts_are_not_ignored_behind_a_jump(host: Machine, second_host: Machine) -> None:
    """fabric itself would take any key, also of the machine that one goes through."""
    set_config(host, f"Host {second_host.address}\n  User jenkins\n  IdentityFile {second_host.key}\n  UserKnownHostsFile {host.home}/.ssh/known_hosts\n  ProxyJump jenkins@{{address}}\nHost {{address}}\n  IdentityFile {{key}}\n  UserKnownHostsFile /dev/null\n")
    with pytest.raises(HostUnknown, match=host.address):
        Host(parse(second_host.address), deadline=5)


def test_nothing_is_imported_before_it_is_needed(tmp_path: Path) -> None:
    script = "import sys, cibus.cli, cibus.cli.run, cibus.pipeline.runtime.run, cibus.ssh.host, cibus.pipeline.runtime.hosts; print(*sorted({'fabric', 'paramiko', 'invoke'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("\n", "")
