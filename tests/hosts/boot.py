"""Booted hosts: an overlay of the base, systemd as the first process, a real sshd."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from hosts import base
from hosts.network import HERE, Network, made, must, quiet

PREFIX = "cibt"
PATIENCE = 60.0  # seconds for a host to answer
_NUMBERS = itertools.count()


class Host:
    """A booted host with sshd.

    ``key`` is accepted for ``user`` (not root) and ``admin`` (who has sudo), ``root_key`` for root; ``known_hosts`` has
    the host's key. ``home`` is a home folder for clients: with ``.ssh/config``, so that plain ``ssh://ADDRESS`` works
    when HOME is set to it. ``here`` is the address at which the host reaches this machine, the same for all hosts.
    """

    port = 22
    user = base.USER
    admin = base.ADMIN
    here = HERE
    homes = "home"

    def __init__(self, like: Host | None = None, *, online: bool = False, bound: tuple[Path, ...] = ()) -> None:
        self.name = f"{PREFIX}{os.getpid()}n{next(_NUMBERS)}"
        self.network = Network(self.name, 0)
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.name}-"))
        self.root = self.folder / "root"
        self.home = self.folder / "home"
        self.key = self.home / ".ssh" / "id_ed25519"
        self.root_key = self.home / ".ssh" / "id_root"
        self.known_hosts = self.home / ".ssh" / "known_hosts"
        self._like = like
        self._online = online
        self._bound = bound if like is None else like._bound  # folders of this machine that it sees and cannot change
        self._layers = [base.build()] if like is None else like.frozen()  # of its file system, the uppermost first
        self._nspawn: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return self.network.address

    @property
    def url(self) -> str:
        """Where cibus finds it, as the plain user."""
        return f"ssh://{self.user}@{self.address}"

    # -- making it

    def make(self) -> None:
        """Mounts, keys and network; ends with a host that answers."""
        self._mount()
        if self._like is None:
            self._prepare()
        self.network = made(self.name)
        if self._online:
            self.network.go_online()
            shutil.copyfile("/etc/resolv.conf", self.root / "etc/resolv.conf")
            os.utime(self.root / "var/lib/apt/lists")  # they are as fresh as the packages that lie in the cache
        if self._like is None:
            self._keys()
        else:
            shutil.copytree(self._like.key.parent, self.key.parent)
        self._meet()
        self.boot()

    def _prepare(self) -> None:
        """What is changed in the files before anything else."""

    def _first_process(self) -> list[str]:
        """What nspawn is told to start."""
        return ["--boot", "-D", str(self.root)]

    def _mount(self) -> None:
        upper, work = self.folder / "upper", self.folder / "work"
        for place in (upper, work, self.root):
            place.mkdir(exist_ok=True)
        lower = ":".join(str(layer) for layer in self._layers)
        must("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={lower},upperdir={upper},workdir={work}", str(self.root))

    def frozen(self) -> list[Path]:
        """The layers of its file system for hosts that begin as copies of it; it is off from then on, see ``restore``."""
        if self._nspawn is not None:
            self.run("sync", user="root")
            self._end()
            must("umount", str(self.root))
            layer = self.folder / f"layer{len(self._layers)}"
            (self.folder / "upper").rename(layer)
            shutil.rmtree(self.folder / "work")
            self._layers = [layer, *self._layers]
            self._mount()
        return self._layers

    def _keys(self) -> None:
        ssh = self.root / "etc/ssh"
        for old in ssh.glob("ssh_host_*"):
            old.unlink()
        self.key.parent.mkdir(parents=True, mode=0o700)
        for path in (ssh / "ssh_host_ed25519_key", self.key, self.root_key):
            must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", self.name, "-f", str(path))
        for home, key in ((f"{self.homes}/{self.user}", self.key), (f"{self.homes}/{self.admin}", self.key), ("root", self.root_key)):
            owner = (self.root / home).stat()
            uid, gid = owner.st_uid, owner.st_gid
            folder = self.root / home / ".ssh"
            folder.mkdir(mode=0o700, exist_ok=True)
            accepted = folder / "authorized_keys"
            shutil.copy(f"{key}.pub", accepted)
            for path in (folder, accepted):
                os.chown(path, uid, gid)

    def _meet(self) -> None:
        """It gets its name, and clients get to know it."""
        public = (self.root / "etc/ssh/ssh_host_ed25519_key.pub").read_text("utf-8").split()[:2]
        self.known_hosts.write_text(f"{self.address} {' '.join(public)}\n", "utf-8")
        config = f"Host {self.address}\n  User {self.user}\n  IdentityFile {self.key}\n  UserKnownHostsFile {self.known_hosts}\n"
        (self.key.parent / "config").write_text(config, "utf-8")
        (self.root / "etc/hostname").write_text(f"{self.name}\n", "utf-8")
        (self.root / "etc/hosts").write_text(f"127.0.0.1 localhost\n127.0.1.1 {self.name}\n", "utf-8")  # or sudo asks a name server

    def boot(self) -> None:
        """Starts it and waits until it answers."""
        groups = []
        for kind in ("systemd", "unified"):
            group = Path("/sys/fs/cgroup") / kind / self.name
            with contextlib.suppress(OSError):
                group.mkdir(exist_ok=True)
                groups.append(group)
        enter = "".join(f"echo $$ >{group}/cgroup.procs 2>/dev/null; " for group in groups)
        nspawn = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", f"--machine={self.name}", f"--network-namespace-path=/run/netns/{self.name}", *(f"--bind-ro={place}" for place in self._bound), *self._first_process()]
        log = (self.folder / "console").open("ab")
        with log:
            # nspawn ends with 133 where the host asks for a reboot
            script = f'{enter}while :; do "$@"; [ $? = 133 ] || exit; done'
            self._nspawn = subprocess.Popen(["sh", "-c", script, "nspawn", *nspawn], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.wait()

    def wait(self) -> None:
        """Waits until sshd answers."""
        end = time.monotonic() + PATIENCE
        while self._ssh("true", check=False).returncode:
            assert self._nspawn is not None
            if self._nspawn.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the host {self.name} did not boot: {(self.folder / 'console').read_text('utf-8', 'replace')[-2000:]}")
            time.sleep(0.1)

    # -- using it

    def _ssh(self, command: str, *, user: str = "root", check: bool = True, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        key = self.root_key if user == "root" else self.key
        options = ["-F", "none", "-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={self.known_hosts}", "-o", "ConnectTimeout=5", "-o", "IdentitiesOnly=yes"]
        done = subprocess.run(["ssh", *options, "-i", str(key), f"{user}@{self.address}", command], capture_output=True, check=False, input=stdin if stdin is not None else b"")
        if check and done.returncode:
            raise AssertionError(f"{command}: {done.returncode}: {done.stderr.decode('utf-8', 'replace')}")
        return done

    def run(self, command: str, *, user: str = "", check: bool = True, stdin: bytes | None = None) -> str:
        """Runs a command on the host and gives its output."""
        return self._ssh(command, user=user or self.user, check=check, stdin=stdin).stdout.decode("utf-8", "replace")

    def variables(self, user: str = "root") -> dict[str, object]:
        """What Ansible needs to know about it, to log in as root or as ``admin``."""
        return {
            "ansible_host": self.address,
            "ansible_port": self.port,
            "ansible_user": user,
            "ansible_become": user != "root",
            "ansible_ssh_private_key_file": str(self.root_key if user == "root" else self.key),
            "ansible_ssh_common_args": f"-F none -o UserKnownHostsFile={self.known_hosts} -o IdentitiesOnly=yes",
        }

    def count(self, words: str) -> int:
        """How many processes on the host have these words in their command lines."""
        listed = self.run("/bin/ps -axww -o args=", user="root")
        return sum(1 for line in listed.splitlines() if words in line and "/bin/ps -axww" not in line)

    def cut(self) -> None:
        """Drops the link silently: no packet passes, nobody gets a reset."""
        self.network.cut()

    def power_off(self) -> None:
        """As if somebody pulled the plug: no goodbye on the network."""
        self.cut()
        self._end()

    def restore(self) -> None:
        """The link is back, and so is the host where it was off."""
        self.network.restore()
        if self._nspawn is None:
            self.boot()

    def _end(self) -> None:
        """Ends the container by its own first process, so that nspawn puts everything back."""
        shell, self._nspawn = self._nspawn, None
        if shell is None:
            return
        with contextlib.suppress(OSError):
            os.kill(shell.pid, signal.SIGSTOP)  # it must not start it again
        for nspawn in _children(shell.pid):
            for init in _children(nspawn):
                with contextlib.suppress(OSError):
                    os.kill(init, signal.SIGKILL)
            end = time.monotonic() + 5
            while time.monotonic() < end and Path(f"/proc/{nspawn}/exe").exists():
                time.sleep(0.02)
            with contextlib.suppress(OSError):
                os.kill(nspawn, signal.SIGKILL)
        shell.kill()
        shell.wait()

    def remove(self) -> None:
        """Leaves nothing behind."""
        self._end()
        self.network.remove()
        quiet("umount", "-l", str(self.root))
        shutil.rmtree(self.folder, ignore_errors=True)
        _remove_groups(self.name)


def _children(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False).stdout
    return [int(word) for word in found.split()]


def _remove_groups(name: str) -> None:
    for kind in ("systemd", "unified"):
        top = Path("/sys/fs/cgroup") / kind / name
        for group in sorted((p for p in top.rglob("*") if p.is_dir()), reverse=True) if top.is_dir() else ():
            with contextlib.suppress(OSError):
                group.rmdir()
        with contextlib.suppress(OSError):
            top.rmdir()


def _end_left(name: str) -> None:
    """Ends the container of a test run that was killed: its shell stands still, its first process goes, nspawn puts things back."""
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (place / "cmdline").read_bytes().split(b"\0")
            if f"--machine={name}".encode() in words and words[0] == b"sh":
                os.kill(int(place.name), signal.SIGSTOP)
                for init in (init for nspawn in _children(int(place.name)) for init in _children(nspawn)):
                    os.kill(init, signal.SIGKILL)
                time.sleep(0.2)
                os.kill(int(place.name), signal.SIGKILL)


def sweep() -> None:
    """Takes away what test runs left that were killed."""
    for entry in Path("/run/netns").glob(f"{PREFIX}*") if Path("/run/netns").is_dir() else ():
        pid = entry.name.removeprefix(PREFIX).partition("n")[0]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            _end_left(entry.name)
            for place in Path(tempfile.gettempdir()).glob(f"{entry.name}-*"):
                quiet("umount", "-l", str(place / "root"))
                shutil.rmtree(place, ignore_errors=True)
            Network(entry.name, 0).remove()
            _remove_groups(entry.name)


@contextlib.contextmanager
def booted(like: Host | None = None, *, online: bool = False, bound: tuple[Path, ...] = ()) -> Iterator[Host]:
    """A fresh host, or one that is a copy of another, for as long as the block runs; online ones reach package mirrors.

    ``bound``: folders of this machine that a fresh one and its copies see and cannot change.
    """
    host = Host(like, online=online, bound=bound)
    try:
        host.make()
        yield host
    finally:
        host.remove()
