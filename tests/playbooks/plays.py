"""Running the playbooks against booted hosts."""

from __future__ import annotations

import http.server
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from hosts.boot import Host

REPOSITORY = Path(__file__).parents[2]
PLAYBOOKS = REPOSITORY / "playbooks"
BIN = Path(sys.executable).parent
SECRET = "0123456789abcdef" * 4


class _Quiet(http.server.SimpleHTTPRequestHandler):
    asked: list[str]

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def do_POST(self) -> None:
        """The agent of tests/standin asks what it shall do: nothing, but it is known by its secret only."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200 if self.headers.get("X-Agent-Secret") == SECRET else 403)
        self.send_header("Content-Length", "0")
        self.end_headers()


class Controller:
    """Serves the files of a folder to hosts, as a controller does with its agent.jar, and answers agents; ``asked`` are the files."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.asked: list[str] = []
        handler = type("Handler", (_Quiet,), {"asked": self.asked})
        self._server = http.server.ThreadingHTTPServer(("0.0.0.0", 0), partial(handler, directory=str(folder)))
        self.url = f"http://{address}:{self._server.server_address[1]}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def offer(self, name: str, file: Path) -> str:
        """Serves a file under this name; gives its address."""
        place = self.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.read_bytes())
        return self.url + name

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Played:
    """What a run of ansible-playbook did, by its recap."""

    code: int
    output: str
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def changed(self) -> int:
        return self.counts["changed"]

    @property
    def changes(self) -> list[str]:
        """The tasks that changed something."""
        task, found = "", []
        for line in self.output.splitlines():
            if line.startswith(("TASK [", "RUNNING HANDLER [")):
                task = line.partition("[")[2].partition("]")[0]
            elif line.startswith("changed:"):
                found.append(task)
        return found

    def succeeded(self) -> Played:
        assert self.code == 0, self.output[-6000:]
        return self


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    return {
        **kept,
        "ANSIBLE_CONFIG": str(PLAYBOOKS / "ansible.cfg"),
        "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "cp"),
        "ANSIBLE_NOCOLOR": "1",
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
    }


def run(folder: Path, command: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs a command of Ansible."""
    return subprocess.run([str(BIN / command), *words], cwd=REPOSITORY, env=_environment(folder), capture_output=True, text=True, check=False)


def play(folder: Path, host: Host, variables: Mapping[str, Any], *words: str, playbook: Path = PLAYBOOKS / "agent.yml", user: str = "root") -> Played:
    """Runs a playbook on a host."""
    return play_as(folder, host, {host.name: variables}, *words, playbook=playbook, user=user)[host.name]


def play_as(folder: Path, host: Host, entries: Mapping[str, Mapping[str, Any]], *words: str, playbook: Path, user: str = "root") -> dict[str, Played]:
    """Runs a playbook once on a host that the inventory has under several names, each with its variables."""
    folder.mkdir(parents=True, exist_ok=True)
    inventory = folder / f"{host.name}.json"
    inventory.write_text(json.dumps({"agents": {"hosts": {name: {**host.variables(user), **variables} for name, variables in entries.items()}}}), "utf-8")
    done = run(folder, "ansible-playbook", "-i", str(inventory), str(playbook), *words)
    return {name: Played(done.returncode, done.stdout + done.stderr, _counts(done.stdout, name)) for name in entries}


def _counts(output: str, name: str) -> dict[str, int]:
    recap = re.search(rf"^{name} +: (.*)$", output, re.MULTILINE)
    return {key: int(number) for key, number in re.findall(r"(\w+)=(\d+)", recap[1])} if recap else {}
