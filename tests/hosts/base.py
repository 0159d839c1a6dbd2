"""The root file system that all test hosts begin with, built once per machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGES = ("systemd", "systemd-sysv", "dbus", "openssh-server", "procps", "sudo", "ca-certificates", "iproute2", "git", "python3")
SUITE = "bookworm"
VERSION = 103  # of what is in it
USER = "jenkins"
TOOLS = ("mmdebstrap", "systemd-nspawn", "ip", "iptables", "ssh-keygen", "mount")


def missing() -> str:
    """Why hosts cannot be booted here, or ""."""
    if sys.platform != "linux":
        return "hosts are booted on Linux only"
    if os.getuid() != 0:
        return "booting hosts needs root"
    absent = [tool for tool in TOOLS if not shutil.which(tool)]
    if absent:
        return f"{', '.join(absent)} not installed (tests/hosts/packages.sh installs what is needed)"
    return ""


def refused() -> str:
    """What the system does not let even root do here, as in most containers, or ""."""
    name = f"cibt{os.getpid()}probe"
    with tempfile.TemporaryDirectory() as place:
        for each in ("lower", "upper", "work", "root"):
            (Path(place) / each).mkdir()
        options = f"lowerdir={place}/lower,upperdir={place}/upper,workdir={place}/work"
        for do, undo in (
            (["mount", "-t", "overlay", "overlay", "-o", options, f"{place}/root"], ["umount", f"{place}/root"]),
            (["ip", "netns", "add", name], ["ip", "netns", "del", name]),
        ):
            done = subprocess.run(do, capture_output=True, text=True, check=False)
            if done.returncode:
                return f"{' '.join(do[:3])} is refused here: {done.stderr.strip()}"
            subprocess.run(undo, capture_output=True, check=False)
    return ""


def folder() -> Path:
    """Where the base is kept: the user's cache."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "cibus-tests" / f"host-{SUITE}-{VERSION}"


def build() -> Path:
    """The base, built with mmdebstrap where it is not there yet (about 40 seconds)."""
    done = folder()
    if done.is_dir():
        return done
    done.parent.mkdir(parents=True, exist_ok=True)
    part = done.with_name(f"{done.name}.{os.getpid()}")
    user = f'chroot "$1" useradd -m -s /bin/bash {USER}'
    units = 'chroot "$1" systemctl mask systemd-resolved.service systemd-networkd-wait-online.service apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer'
    command = ["mmdebstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", f"--customize-hook={user}", f"--customize-hook={units}", SUITE, str(part)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        shutil.rmtree(part, ignore_errors=True)
        raise RuntimeError(f"mmdebstrap failed: {made.stderr[-2000:]}")
    try:
        part.rename(done)
    except OSError:  # another run was faster
        shutil.rmtree(part, ignore_errors=True)
    return done
