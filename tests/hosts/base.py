"""The root file system that all test hosts begin with, built once per machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("systemd", "systemd-sysv", "dbus", "openssh-server", "procps", "sudo", "ca-certificates", "iproute2", "git", "python3", "python3-apt")
# not installed, only lying in apt's cache, so that hosts install them in seconds
CACHED = ("openjdk-17-jre-headless", "openjdk-17-jdk-headless", "git-lfs", "jq", "curl", "tzdata", "logrotate", "unzip", "xz-utils", "prometheus-node-exporter", "nodejs", "python3.11-venv")
SUITE = "bookworm"
VERSION = 3  # of what is in it
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
USER = "jenkins"
ADMIN = "admin"  # may become root with sudo, without a password
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")  # the user's, before a test gets a HOME of its own
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
    return CACHE / "cibus-tests" / f"host-{SUITE}-{VERSION}"


def _hooks() -> Iterator[str]:
    """What is done to the base beyond its packages, as commands of a shell where $1 is its root."""
    for user in (USER, ADMIN):
        yield f'chroot "$1" useradd -m -s /bin/bash {user}'
    yield f"""printf '%s\\n' '{ADMIN} ALL=(ALL) NOPASSWD:ALL' >"$1/etc/sudoers.d/{ADMIN}" """
    units = "systemd-resolved.service systemd-networkd-wait-online.service apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer"
    yield f'chroot "$1" systemctl mask {units}'
    yield """printf 'force-unsafe-io\\n' >"$1/etc/dpkg/dpkg.cfg.d/test-host" """  # nobody needs the disk to be safe
    # certificates of the machine, where packages come through something that has its own
    yield f'for f in {BUNDLE}; do [ ! -e "$f" ] || cp "$f" "$1$f"; done'
    yield f'chroot "$1" sh -c "apt-get clean && apt-get update -q && apt-get install -qy --no-install-recommends --download-only {" ".join(CACHED)}"'


def build() -> Path:
    """The base, built with mmdebstrap where it is not there yet (about a minute)."""
    done = folder()
    if done.is_dir():
        return done
    done.parent.mkdir(parents=True, exist_ok=True)
    part = done.with_name(f"{done.name}.{os.getpid()}")
    command = ["mmdebstrap", "--variant=minbase", "--skip=cleanup/apt", f"--include={','.join(PACKAGES)}", *(f"--customize-hook={each}" for each in _hooks()), SUITE, str(part)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        shutil.rmtree(part, ignore_errors=True)
        raise RuntimeError(f"mmdebstrap failed: {made.stderr[-2000:]}")
    try:
        part.rename(done)
    except OSError:  # another run was faster
        shutil.rmtree(part, ignore_errors=True)
    return done
