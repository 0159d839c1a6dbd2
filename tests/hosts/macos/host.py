"""The stand-in host: the base, made over to look like a Mac, with our launchd as its first process."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import plistlib
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from hosts import base
from hosts.boot import Host
from hosts.network import must

FILES = Path(__file__).parent / "files"
STATE: dict[str, Any] = {
    "arch": "arm64", "macos": "14.3", "build": "23D56", "darwin": "23.3.0", "rosetta": False, "clt": False, "developer": "", "filevault": False,
    "names": {"ComputerName": "Mac", "HostName": "", "LocalHostName": "Mac"}, "logged_in": [], "free_gb": 200, "updates": True, "users": {},
    "systemsetup": {"usingnetworktime": "Off", "networktimeserver": "time.apple.com", "remotelogin": "On", "timezone": "America/Cupertino", "computersleep": "10", "restartfreeze": "Off"},
    "pmset": {"sleep": 1, "disksleep": 10, "displaysleep": 10, "autorestart": 0, "womp": 0, "powernap": 1},
    "java": "", "spotlight": {}, "brew": {}, "brew_broken": "", "xcodes": {}, "runtimes": [], "packages": [], "unlocked": [], "search": {}, "default": {},
}
HIDDEN = ("usr/bin/apt", "usr/bin/apt-get", "usr/bin/dpkg", "usr/bin/systemctl", "usr/bin/timedatectl", "usr/bin/hostnamectl", "usr/sbin/useradd", "usr/sbin/usermod", "usr/sbin/groupadd", "sbin/init", "usr/bin/setfacl", "etc/os-release", "etc/debian_version")
Arch = Literal["arm64", "x86_64"]


class Mac(Host):
    """A host that says it is a Mac. ``user`` is an administrator with sudo, as Ansible finds one; root has a key too."""

    user = "admin"
    homes = "Users"

    def __init__(self, arch: Arch = "arm64", *, like: Mac | None = None, real_java: bool = False, **state: Any) -> None:
        super().__init__(like)
        self.state = like.state if like else {**copy.deepcopy(STATE), "arch": arch, **state}
        if real_java and like is None:
            layer = java_layer()
            self._layers = [layer, *self._layers]
            self.state["java"] = f"/{next(layer.glob('usr/lib/jvm/*/bin/java')).relative_to(layer)}"

    @property
    def variables(self) -> dict[str, Any]:
        """What an inventory says of it."""
        options = f"-F none -o UserKnownHostsFile={self.known_hosts} -o IdentitiesOnly=yes"
        return {"ansible_host": self.address, "ansible_user": self.user, "ansible_ssh_private_key_file": str(self.key), "ansible_ssh_common_args": options}

    @property
    def prefix(self) -> str:
        """Homebrew's folder."""
        return "/opt/homebrew" if self.state["arch"] == "arm64" else "/usr/local"

    def now(self) -> dict[str, Any]:
        """The state of the stand-in."""
        return dict(json.loads((self.root / "var/db/stubs/state.json").read_text("utf-8")))

    def set(self, **values: Any) -> None:
        """Changes the state of the stand-in: what Apple, a person or time would do."""
        path = self.root / "var/db/stubs/state.json"
        path.write_text(json.dumps({**self.now(), **values}), "utf-8")

    def calls(self) -> list[list[Any]]:
        """Every call of a stubbed program: user id, name, arguments."""
        return [json.loads(row) for row in (self.root / "var/db/stubs/calls").read_text("utf-8").splitlines()]

    # -- making it

    def _prepare(self) -> None:
        root = self.root
        stubs = root / "System/Library/Stubs"
        (stubs / "lib").mkdir(parents=True)
        shutil.copytree(FILES / "stubs", stubs / "lib/stubs", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(FILES / "run", stubs / "run")
        shutil.copy(FILES / "launchd.py", root / "sbin/launchd")
        for path in (stubs / "run", root / "sbin/launchd"):
            path.chmod(0o755)
        for name in HIDDEN:
            (root / name).unlink(missing_ok=True)
        self._python()
        self._accounts()
        self._folders()
        must("chroot", str(root), "/usr/bin/python3", "-S", "/System/Library/Stubs/run")

    def _python(self) -> None:
        for place in (self.root / "etc").glob("python3*"):
            shutil.copy(FILES / "sitecustomize.py", place / "sitecustomize.py")
        version = self.root / "System/Library/CoreServices/SystemVersion.plist"
        version.parent.mkdir(parents=True)
        version.write_bytes(plistlib.dumps({"ProductName": "macOS", "ProductVersion": self.state["macos"], "ProductBuildVersion": self.state["build"]}))

    def _accounts(self) -> None:
        etc = self.root / "etc"
        users = [row for row in (etc / "passwd").read_text("utf-8").splitlines() if row.split(":")[0] not in (base.USER, base.ADMIN)]
        (etc / "passwd").write_text("\n".join([*users, "admin:*:501:20:Administrator:/Users/admin:/bin/bash"]) + "\n", "utf-8")
        groups = [row for row in (etc / "group").read_text("utf-8").splitlines() if row.split(":")[0] not in ("root", "staff", "dialout", base.USER, base.ADMIN)]
        (etc / "group").write_text("\n".join(["wheel:x:0:root", *groups, "staff:x:20:root", "admin:x:80:root,admin", "com.apple.access_ssh:x:399:"]) + "\n", "utf-8")
        shutil.rmtree(self.root / "home", ignore_errors=True)
        # a locked password in there would lock the account: this sshd asks no PAM
        shadow = [row for row in (etc / "shadow").read_text("utf-8").splitlines() if row.split(":")[0] not in (base.USER, base.ADMIN)]
        (etc / "shadow").write_text("\n".join(shadow) + "\n", "utf-8")
        home = self.root / "Users/admin"
        home.mkdir(parents=True)
        os.chown(home, 501, 20)
        sudo = etc / "sudoers.d/admin"
        sudo.write_text("admin ALL=(ALL) NOPASSWD: ALL\n", "utf-8")
        sudo.chmod(0o440)

    def _folders(self) -> None:
        for name in ("Library/LaunchDaemons", "Library/LaunchAgents", "Library/Preferences", "Applications", "etc/newsyslog.d", "Users/Shared", "var/db/stubs/compiled", "var/root"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        state = self.root / "var/db/stubs"
        (state / "state.json").write_text(json.dumps(self.state), "utf-8")
        (state / "calls").touch()
        (state / "lock").touch()
        for path in (state, *state.iterdir()):
            path.chmod(0o777 if path.is_dir() else 0o666)
        (self.root / "etc/hosts").write_text(f"127.0.0.1 localhost {self.name}\n", "utf-8")
        config = self.root / "etc/ssh/sshd_config"
        config.write_text(re.sub(r"(?m)^(UsePAM|Subsystem).*\n", "", config.read_text("utf-8")) + "UsePAM no\nSubsystem sftp internal-sftp\nSetEnv PATH=/usr/bin:/bin:/usr/sbin:/sbin\n", "utf-8")

    def _first_process(self) -> list[str]:
        return ["-D", str(self.root), "/sbin/launchd"]

    def _ssh(self, command: str, *, user: str = "root", check: bool = True, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        """As root through sudo: nobody logs in as root on a Mac."""
        if user == "root":
            user, command = self.user, f"sudo -n /bin/sh -c {shlex.quote(command)}"
        return super()._ssh(command, user=user, check=check, stdin=stdin)

    def log_in(self, user: str) -> None:
        """As if this user had logged in at the screen: its gui domain is there."""
        uid = int(self.run(f"id -u {user}"))
        self.set(logged_in=[*self.now()["logged_in"], uid])


def java_layer() -> Path:
    """A real Java 17, unpacked from the packages that lie in the base's cache: what ``brew install openjdk@17`` gives then."""
    cached = next((base.build() / "var/cache/apt/archives").glob("openjdk-17-jre-headless_*.deb"))
    done = base.folder().with_name(cached.stem)
    if not done.is_dir():
        part = done.with_name(f"{done.name}.{os.getpid()}")
        must("dpkg-deb", "-x", str(cached), str(part))
        try:
            part.rename(done)
        except OSError:  # another run was faster
            shutil.rmtree(part, ignore_errors=True)
    return done


@contextlib.contextmanager
def booted(arch: Arch = "arm64", *, like: Mac | None = None, real_java: bool = False, **state: Any) -> Iterator[Mac]:
    """A fresh stand-in, or a copy of another (which is off from then on), for as long as the block runs.

    With ``real_java`` Homebrew's openjdk@17 is one.
    """
    mac = Mac(arch, like=like, real_java=real_java, **state)
    try:
        mac.make()
        yield mac
    finally:
        mac.remove()
