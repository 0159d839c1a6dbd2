"""Rebuilding booted hosts: against plain ansible-playbook with its default settings, the second pass, and ten at once.

    python benchmarks/agents.py --hosts 10

Needs what booting hosts needs (root on Debian or Ubuntu, see tests/hosts/packages.sh). All in one run: the machine's own
speed cancels out in the ratios. The controller is the fake, agent.jar the stand-in.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "tests"))
sys.path.insert(0, str(TOP))

from agentcommand import run_agents  # noqa: E402
from fleets import LABELS, Fleet, controller  # noqa: E402
from hosts import base  # noqa: E402
from hosts.boot import Host, booted, sweep  # noqa: E402
from standin import jar  # noqa: E402


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--hosts", type=int, default=10)
    asked = options.parse_args()
    reason = base.missing() or base.refused() or jar.missing()
    if reason:
        raise SystemExit(f"not measured: {reason}")
    sweep()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with controller() as fake, tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with booted(online=True) as one, booted(online=True) as plain:
            by_plain = plainly(folder, plain)
            single = rebuilt(folder / "one", fake, {"linux-1": one}, "--prove")
        print(f"plain ansible-playbook, default settings: first pass {by_plain[0]:6.1f} s, second {by_plain[1]:6.1f} s")
        print(f"cibus agents rebuild, one host:           first pass {single['playbook']:6.1f} s, second {single['prove']:6.1f} s, all of it {single['all']:6.1f} s")
        print(f"  first pass / plain first pass     {single['playbook'] / by_plain[0]:.2f}")
        print(f"  whole rebuild / plain two passes  {single['all'] / sum(by_plain):.2f}")
        print(f"  second pass / first pass          {single['prove'] / single['playbook']:.2f}")
        with contextlib.ExitStack() as stack:
            hosts = {f"linux-{number}": stack.enter_context(booted(online=True)) for number in range(1, asked.hosts + 1)}
            several = rebuilt(folder / "several", fake, hosts)
        print(f"cibus agents rebuild, {asked.hosts} hosts:          first pass {several['playbook']:6.1f} s, all of it {several['all']:6.1f} s")
        print(f"  {asked.hosts} hosts / 1 host: first pass {several['playbook'] / single['playbook']:.2f}, without the second pass {several['all'] / (single['all'] - single['prove']):.2f}")


def rebuilt(folder: Path, fake: object, hosts: Mapping[str, Host], *more: str) -> dict[str, float]:
    """Seconds by step."""
    folder.mkdir()
    Fleet(folder, fake, {name: (host, {}) for name, host in hosts.items()}).write()  # type: ignore[arg-type]
    start = time.monotonic()
    done = run_agents(folder, "rebuild", *hosts, "--yes", *more, timeout=1800)
    seconds = time.monotonic() - start
    if done.code:
        raise SystemExit(done.all)
    steps = json.loads((folder / "receipts" / f"{next(iter(hosts))}.jsonl").read_text("utf-8"))["steps"]
    return {**{each["name"]: each["seconds"] for each in steps}, "all": seconds}


def plainly(folder: Path, host: Host) -> tuple[float, float]:
    """Two passes of the same roles as Ansible runs them where nobody set anything."""
    with controller() as fake:
        secret = folder / "secret"
        secret.write_text("0" * 64, "utf-8")
        values = {
            **host.variables(), "agent_name": "plain", "agent_controller_url": fake.url, "agent_secret_file": str(secret), "agent_jar_sha256": "",
            "java_version": 17, "toolchains_labels": list(LABELS), "agent_remote_folder": "/home/jenkins/agent", "agent_launcher": "websocket",
        }  # fmt: skip
        inventory = folder / "plain.json"
        inventory.write_text(json.dumps({"agents": {"hosts": {"plain": values}}}), "utf-8")
        settings = folder / "ansible.cfg"
        settings.write_text(f"[defaults]\nroles_path = {TOP}/playbooks/roles\nlibrary = {TOP}/playbooks/library\n", "utf-8")
        playbook = folder / "plain.yml"
        playbook.write_text((TOP / "playbooks/agent.yml").read_text("utf-8").replace("  gather_subset:", "  # gather_subset:"), "utf-8")
        environ = {**os.environ, "ANSIBLE_CONFIG": str(settings), "HOME": str(host.home)}
        return _timed(inventory, playbook, environ), _timed(inventory, playbook, environ)


def _timed(inventory: Path, playbook: Path, environ: dict[str, str]) -> float:
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory), str(playbook)]
    start = time.monotonic()
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout[-3000:] + done.stderr[-1000:])
    return time.monotonic() - start


if __name__ == "__main__":
    main()
