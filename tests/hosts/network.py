"""A network namespace with a link to this machine."""

from __future__ import annotations

import fcntl
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path


def quiet(*command: str) -> int:
    """Runs a command whose trouble does not matter."""
    return subprocess.run(command, capture_output=True, check=False).returncode


def must(*command: str) -> str:
    """Runs a command; its trouble is an error that says what it said."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


HERE = "10.77.255.1"  # this machine, from every host; it is an address of each link and goes away with the last one


@dataclass(frozen=True)
class Network:
    """A namespace ``name``; the host has ``address``, this machine the one before it, and ``HERE``."""

    name: str
    number: int  # of the pair of addresses

    @property
    def near(self) -> str:
        return f"10.77.{self.number // 64}.{self.number % 64 * 4 + 1}"

    @property
    def address(self) -> str:
        return f"10.77.{self.number // 64}.{self.number % 64 * 4 + 2}"

    def make(self) -> None:
        """Makes namespace and link."""
        must("ip", "netns", "add", self.name)
        must("ip", "link", "add", self.name, "mtu", "1400", "type", "veth", "peer", "name", "host0", "mtu", "1400", "netns", self.name)
        must("ip", "addr", "add", f"{self.near}/30", "dev", self.name)
        must("ip", "addr", "add", f"{HERE}/32", "dev", self.name)
        must("ip", "link", "set", self.name, "up")
        for words in (("addr", "add", f"{self.address}/30", "dev", "host0"), ("link", "set", "lo", "up"), ("link", "set", "host0", "up"), ("route", "add", HERE, "via", self.near)):
            must("ip", "-n", self.name, *words)

    def _rules(self) -> tuple[tuple[str, ...], ...]:
        mark = ("-m", "comment", "--comment", self.name)
        return (
            ("nat", "POSTROUTING", "-s", f"{self.address}/32", "!", "-d", "10.77.0.0/16", *mark, "-j", "MASQUERADE"),
            ("filter", "FORWARD", "-i", self.name, *mark, "-j", "ACCEPT"),
            ("filter", "FORWARD", "-o", self.name, *mark, "-j", "ACCEPT"),
        )

    def go_online(self) -> None:
        """From now on the host reaches what this machine reaches, as this machine."""
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1\n", "utf-8")
        must("ip", "-n", self.name, "route", "add", "default", "via", self.near)
        for table, chain, *rule in self._rules():
            must("iptables", "-w", "-t", table, "-I", chain, *rule)

    def cut(self) -> None:
        """From now on no packet passes, and nobody is told."""
        for chain in ("INPUT", "OUTPUT"):
            must("ip", "netns", "exec", self.name, "iptables", "-I", chain, "-i" if chain == "INPUT" else "-o", "host0", "-j", "DROP")

    def refuse(self, address: str, port: str) -> None:
        """From now on what the host sends to this port is rejected, as firewalls do."""
        must("ip", "netns", "exec", self.name, "iptables", "-I", "OUTPUT", "-p", "tcp", "-d", address, "--dport", port, "-j", "REJECT", "--reject-with", "tcp-reset")

    def restore(self) -> None:
        """Packets pass again."""
        quiet("ip", "netns", "exec", self.name, "iptables", "-F")

    def remove(self) -> None:
        """Takes link and namespace away; the link first, since its removal takes a while."""
        for table in ("nat", "filter"):
            for rule in must("iptables", "-w", "-t", table, "-S").splitlines():
                if f"--comment {self.name} " in rule or f'--comment "{self.name}" ' in rule:
                    quiet("iptables", "-w", "-t", table, *rule.replace('"', "").replace("-A", "-D", 1).split())
        quiet("ip", "link", "del", self.name)
        quiet("ip", "netns", "del", self.name)


def made(name: str) -> Network:
    """A network with a pair of addresses that nobody here has; other test runs wait meanwhile."""
    with (Path(tempfile.gettempdir()) / "cibus-test-networks.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        used = must("ip", "-4", "-o", "addr")
        network = next(each for each in (Network(name, n) for n in range(16320)) if f" {each.near}/" not in used)
        network.make()
    return network
