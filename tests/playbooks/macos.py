"""What the tests of macOS roles share: material to install, an inventory, running a playbook, watching processes."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import http.server
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from hosts.macos.host import Mac

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
FACTS = yaml.safe_load((PLAYBOOKS / "agent.yml").read_text("utf-8"))[0]["gather_subset"]
ROLES = ("base", "macos_settings", "homebrew", "xcode", "signing", "java", "caches", "monitoring", "agent")
SECRETS = {"agent": "5ecre7-0f-the-agent", "keychain": 'key"chain \\ pass-word', "p12": "p12 pass'word", "login": "log-in-pass-word"}
IDENTITY = "Apple Distribution: Example (TEAM123456)"
PROGRAM = Path(sys.executable).parent / "ansible-playbook"


@dataclass(frozen=True)
class Done:
    """How a playbook ended."""

    status: int
    output: str

    def count(self, host: str, what: str) -> int:
        """A number of the recap: ok, changed, failed, …"""
        row = re.search(rf"(?m)^{re.escape(host)}\s+:.*\b{what}=(\d+)", self.output)
        assert row, self.output[-3000:]
        return int(row[1])

    def changed(self) -> list[str]:
        """The tasks that changed something."""
        found, task = [], ""
        for line in self.output.splitlines():
            if line.startswith(("TASK [", "RUNNING HANDLER [")):
                task = line.partition("[")[2].partition("]")[0]
            elif line.startswith("changed:"):
                found.append(f"{task} {line}")
        return found

    @property
    def words(self) -> str:
        """The output with line breaks and runs of blanks as one blank."""
        return " ".join(self.output.split())


def play(folder: Path, hosts: Mapping[str, Mapping[str, Any]], roles: Sequence[str | Mapping[str, str]] = ROLES, words: Sequence[str] = ()) -> Done:
    """Runs roles on hosts, each of them with its variables."""
    folder.mkdir(parents=True, exist_ok=True)
    inventory, book = folder / "inventory.json", folder / "play.yml"
    inventory.write_text(json.dumps({"agents": {"hosts": hosts}}), "utf-8")
    tasks = [{"name": f"Role {n}", "ansible.builtin.include_role": {"name": role} if isinstance(role, str) else dict(role)} for n, role in enumerate(roles)]
    book.write_text(json.dumps([{"name": "Macs", "hosts": "agents", "gather_facts": True, "gather_subset": FACTS, "tasks": tasks}]), "utf-8")
    return run(book, inventory, *words)


def run(book: Path, inventory: Path, *words: str) -> Done:
    """Runs a playbook."""
    environment = {**os.environ, "ANSIBLE_CONFIG": str(PLAYBOOKS / "ansible.cfg"), "ANSIBLE_ROLES_PATH": str(PLAYBOOKS / "roles"), "ANSIBLE_NOCOLOR": "1"}
    command = [str(PROGRAM), "-i", str(inventory), str(book), "-e", f"playbook_dir={PLAYBOOKS}", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PLAYBOOKS, env=environment, stdin=subprocess.DEVNULL)
    return Done(done.returncode, done.stdout + done.stderr)


# -- what is installed


def sha256(path: Path) -> str:
    """A file's hash."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass(frozen=True)
class Material:
    """Files on the operator's machine."""

    folder: Path
    port: int

    def variables(self, mac: Mac, name: str) -> dict[str, Any]:
        """A whole inventory entry."""
        folder = self.folder
        return {
            **mac.variables, "agent_name": name, "agent_controller_url": f"http://{mac.network.near}:{self.port}/",
            "agent_jar_sha256": sha256(folder / "jnlpJars/agent.jar"), "agent_secret": SECRETS["agent"], "toolchains_labels": ["macos", "xcode-15.1"],
            "homebrew_archive": str(folder / "brew.tar.gz"), "homebrew_archive_sha256": sha256(folder / "brew.tar.gz"),
            "homebrew_formulae": ["git", "jq=1.7.1"], "base_timezone": "Europe/Paris",
            "xcode_archives": {"15.1": {"archive": str(folder / "Xcode_15.1.xip"), "sha256": sha256(folder / "Xcode_15.1.xip")}},
            "xcode_runtimes": [{"platform": "iOS", "version": "17.2"}, {"platform": "tvOS", "version": "17.0", "archive": str(folder / "tvOS.dmg")}],
            "signing_keychain_password": SECRETS["keychain"],
            "signing_identities": [{"name": IDENTITY, "file": str(folder / "ci.p12"), "password": SECRETS["p12"]}],
            "signing_certificates": [{"name": "Worldwide Developer Relations", "file": str(folder / "wwdr.cer")}],
            "signing_profiles": [str(folder / "app.mobileprovision")],
            "macos_settings_rosetta": True, "monitoring_node_exporter": True,
            "toolchains_wanted": [{"with": {"packages": ["node@20", "jq"]}}],  # as the role toolchains says
        }


def make_files(folder: Path) -> None:
    """What an operator has of Apple and of Homebrew."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Xcode_15.1.xip").write_text('{"version": "15.1", "build": "15C65"}', "utf-8")
    (folder / "tvOS.dmg").write_text("an image", "utf-8")
    make_identity(folder)
    (folder / "wwdr.cer").write_text("Apple Worldwide Developer Relations Certification Authority", "utf-8")
    (folder / "app.mobileprovision").write_text("a profile", "utf-8")
    with tarfile.open(folder / "brew.tar.gz", "w:gz") as archive:
        content = b'#!/bin/sh\nexec /System/Library/Stubs/brew "$@"\n'
        member = tarfile.TarInfo("brew-4.6.20/bin/brew")
        member.size, member.mode = len(content), 0o755
        archive.addfile(member, io.BytesIO(content))


def make_identity(folder: Path, days: int = 377) -> None:
    """A new key and certificate of the same name, as an archive with a password."""
    (folder / "ci.p12").write_text(json.dumps({"password": SECRETS["p12"], "identity": IDENTITY, "certificate": _certificate(folder, days)}), "utf-8")


def _certificate(folder: Path, days: int) -> str:
    """That of the identity, as PEM."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", str(days), "-keyout", str(folder / "key.pem"), "-subj", f"/CN={IDENTITY}/OU=TEAM123456"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@contextlib.contextmanager
def material(folder: Path) -> Iterator[Material]:
    """Makes the files and serves agent.jar as a controller does."""
    make_files(folder)
    (folder / "jnlpJars").mkdir()
    (folder / "jnlpJars/agent.jar").write_bytes(b"a jar")
    handler = functools.partial(_Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("0.0.0.0", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Material(folder, server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words: object) -> None:
        """Says nothing."""
