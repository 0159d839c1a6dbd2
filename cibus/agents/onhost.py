"""Looks at the machine that it runs on and prints what it found as JSON. It only reads.

This file is sent over SSH and run there by the machine's own Python (3.8 or newer, as Ansible needs): it takes nothing else.
Its one argument is JSON: user, folder, service, controller, git, mirror, proofs ([label, command]), patience (seconds).
"""

from __future__ import annotations

import concurrent.futures
import hashlib
import json
import os
import plistlib
import pwd
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, Dict
from urllib.parse import urlsplit
from xml.parsers.expat import ExpatError

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/bin"
Facts = Dict[str, Any]
MOST = 2000  # characters of a command's output
TRIM = "sed 's/^ *\"//; s/\"$//'"
OPENSSL = "openssl x509 -noout -subject -nameopt multiline,utf8,-esc_msb -enddate"


def main(order: Facts) -> Facts:
    """Gives all facts."""
    account = _account(order["user"])
    process = _process(order)
    run = _runner(account, _environ(account, process, order["service"]), order["patience"])
    facts = {
        "system": os.uname().sysname,
        "release": os.uname().release,
        "arch": os.uname().machine,
        "distribution": _distribution(),
        "as_root": os.geteuid() == 0,
        "user": account is not None,
        "boot": _boot(),
        "time": time.time(),
        "folder": _folder(order["folder"], account),
        "disks": {name: _disk(path) for name, path in (("folder", order["folder"]), ("/", "/"), ("/tmp", "/tmp"))},
        "memory": _memory(),
        "process": process,
        "service": _service(order, account),
        "java": _java(order, process, run),
        "jar": _jar(order, process),
        "secret": _secret(process),
    }
    names = {"controller": _fetch, "mirror": _fetch, "git": lambda url, patience: _git(url, run)}
    jobs = {name: (probe, order[name]) for name, probe in names.items() if order.get(name)}
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        asked = {name: pool.submit(probe, url, order["patience"]) for name, (probe, url) in jobs.items()}
        proofs = [pool.submit(run, command) for _, command in order["proofs"]]
        facts["dns"] = _dns(order["controller"]) if order["controller"] else None
        facts.update((name, each.result()) for name, each in asked.items())
        facts["proofs"] = [dict(each.result(), label=label) for (label, _), each in zip(order["proofs"], proofs)]
    if os.uname().sysname == "Darwin":
        facts["mac"] = _mac(run)
    return facts


def _account(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _environ(account: pwd.struct_passwd | None, process: Facts | None, service: str) -> dict[str, str]:
    """What the agent's builds see: the environment of its process, where that can be read; on a Mac, what its job says."""
    home = account.pw_dir if account else "/"
    plain = {"PATH": PATH, "HOME": home, "USER": account.pw_name if account else "", "LANG": "C.UTF-8"}
    if os.uname().sysname == "Darwin":
        return {**plain, "LANG": "en_US.UTF-8", **_job_environ(service, account)}
    try:
        with open(f"/proc/{process['pid'] if process else 0}/environ", "rb") as file:
            pairs = [each.partition(b"=") for each in file.read().split(b"\0") if each]
    except OSError:
        return plain
    own = {os.fsdecode(key): os.fsdecode(value) for key, _, value in pairs}
    return dict(plain, **own)


def _plists(service: str, account: pwd.struct_passwd | None) -> list[tuple[str, str]]:
    """Where a job of this name may be described, as the role agent does: domain of launchd, path."""
    name = f"{_label(service)}.plist"
    mine = [(f"gui/{account.pw_uid}", f"{account.pw_dir}/Library/LaunchAgents/{name}")] if account else []
    return [("system", f"/Library/LaunchDaemons/{name}"), *mine]


def _label(service: str) -> str:
    return service if "." in service else f"org.jenkins-ci.{service}"


def _job_environ(service: str, account: pwd.struct_passwd | None) -> dict[str, str]:
    for _, path in _plists(service, account):
        try:
            with open(path, "rb") as file:
                return dict(plistlib.load(file).get("EnvironmentVariables", {}))
        except (OSError, ValueError, ExpatError):  # not there, or no property list
            continue
    return {}


def _runner(account: pwd.struct_passwd | None, environ: dict[str, str], patience: float) -> Callable[[str], Facts]:
    """Runs a command line as the agent's user."""

    def become() -> None:
        os.setsid()
        if account is not None and os.geteuid() == 0 and account.pw_uid != 0:
            os.initgroups(account.pw_name, account.pw_gid)
            os.setgid(account.pw_gid)
            os.setuid(account.pw_uid)

    def run(command: str) -> Facts:
        start = time.monotonic()
        where = account.pw_dir if account and os.path.isdir(account.pw_dir) else "/"
        try:
            started = subprocess.Popen(["/bin/sh", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environ, cwd=where, preexec_fn=become)
        except (OSError, subprocess.SubprocessError) as error:
            return {"command": command, "status": 126, "output": str(error), "seconds": 0.0}
        try:
            output, status = started.communicate(timeout=patience)[0], started.returncode
        except subprocess.TimeoutExpired:
            os.killpg(started.pid, 9)
            output, status = started.communicate()[0] + f"\n(no answer within {patience} s)".encode(), 124
        return {"command": command, "status": status, "output": output.decode("utf-8", "replace")[-MOST:].strip(), "seconds": round(time.monotonic() - start, 3)}

    return run


def _plain(*argv: str) -> str:
    """What a command prints, or ""."""
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "replace").strip()


def _distribution() -> str:
    try:
        with open("/etc/os-release", encoding="utf-8") as file:
            pairs = dict(line.rstrip().partition("=")[::2] for line in file)
    except OSError:
        return f"macOS {_plain('sw_vers', '-productVersion')}" if os.uname().sysname == "Darwin" else ""
    if os.uname().sysname == "Darwin":
        return f"macOS {_plain('sw_vers', '-productVersion')}"
    return pairs.get("PRETTY_NAME", "").strip('"')


def _boot() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file, open("/proc/1/stat", encoding="ascii") as first:
            return f"{file.read().strip()} {first.read().rpartition(')')[2].split()[19]}"  # a container's first process starts anew
    except OSError:
        return _plain("sysctl", "-n", "kern.bootsessionuuid")  # kern.boottime moves when the clock is set


def _folder(path: str, account: pwd.struct_passwd | None) -> Facts:
    found = {"path": path, "exists": os.path.isdir(path), "owner": ""}
    if found["exists"]:
        uid = os.stat(path).st_uid
        found["owner"] = next((each.pw_name for each in pwd.getpwall() if each.pw_uid == uid), str(uid))
        found["right"] = account is not None and uid == account.pw_uid
    return found


def _disk(path: str) -> Facts:
    while not os.path.exists(path) and path != "/":
        path = os.path.dirname(path)
    found = os.statvfs(path)
    return {"path": path, "total": found.f_frsize * found.f_blocks, "free": found.f_frsize * found.f_bavail, "inodes": found.f_files, "inodes_free": found.f_favail}


def _memory() -> Facts:
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            values = {line.partition(":")[0]: int(line.split()[1]) * 1024 for line in file}
        return {"total": values["MemTotal"], "available": values.get("MemAvailable", values["MemFree"])}
    except (OSError, KeyError):
        pages = dict(re.findall(r"Pages (free|inactive|speculative):\s+(\d+)", _plain("vm_stat")))
        size = int((re.findall(r"page size of (\d+)", _plain("vm_stat")) or ["4096"])[0])
        total = _plain("sysctl", "-n", "hw.memsize")
        return {"total": int(total or 0), "available": sum(map(int, pages.values())) * size}


def _process(order: Facts) -> Facts | None:
    """The agent's process: the Java that runs the agent's jar for this folder, or remoting.jar (started over SSH)."""
    for line in _plain("ps", "-axww", "-o", "pid=,user=,args=").splitlines():
        words = line.split()
        if len(words) < 4 or "-jar" not in words[3:-1]:
            continue
        jar = words[words.index("-jar") + 1]
        folder = words[words.index("-workDir") + 1] if "-workDir" in words[:-1] else ""
        if folder == order["folder"] or (not folder and os.path.basename(jar) in ("agent.jar", "remoting.jar", "slave.jar")):
            return {"pid": int(words[0]), "user": words[1], "argv": words[2:], "jar": jar}
    return None


def _service(order: Facts, account: pwd.struct_passwd | None) -> Facts:
    name = order["service"]
    if os.uname().sysname == "Darwin":
        return _launchd(name, account)
    if not shutil.which("systemctl"):
        return {"manager": "", "active": "unknown"}
    keys = "LoadState,ActiveState,SubState,UnitFileState,MainPID,NRestarts,Result,DropInPaths,FragmentPath"
    said = dict(line.partition("=")[::2] for line in _plain("systemctl", "show", name, "-p", keys).splitlines())
    return {
        "manager": "systemd",
        "loaded": said.get("LoadState", ""),
        "active": said.get("ActiveState", ""),
        "enabled": said.get("UnitFileState", ""),
        "pid": int(said.get("MainPID") or 0),
        "restarts": int(said.get("NRestarts") or 0),
        "result": said.get("Result", ""),
        "file": said.get("FragmentPath", ""),
    }


def _launchd(name: str, account: pwd.struct_passwd | None) -> Facts:
    for domain, path in _plists(name, account):
        printed = _plain("launchctl", "print", f"{domain}/{_label(name)}")
        if printed or os.path.isfile(path):
            return _job(_label(name), domain, path, printed)
    return {"manager": "launchd", "loaded": "not-found", "active": "inactive", "enabled": "", "pid": 0, "restarts": 0, "file": ""}


def _job(label: str, domain: str, path: str, printed: str) -> Facts:
    """A job by what launchctl prints of it; "" where launchd does not have it."""
    found = {key: re.search(rf"\b{key} = (\S+)", printed) for key in ("pid", "runs", "state", "last exit code")}
    said = {key: each.group(1) if each else "" for key, each in found.items()}
    off = re.search(rf'"{re.escape(label)}" => (disabled|true)', _plain("launchctl", "print-disabled", domain))
    return {
        "manager": "launchd",
        "loaded": "loaded",
        "active": "active" if said["state"] == "running" else "inactive" if printed else "not in launchd",
        "enabled": "disabled" if off else "enabled" if os.path.isfile(path) else "without its property list",
        "pid": int(said["pid"] or 0),
        "restarts": max(int(said["runs"] or 1) - 1, 0),
        "result": f"last exit code {said['last exit code']}" if said["last exit code"].isdigit() and said["last exit code"] != "0" else "",
        "file": path,
    }


def _java(order: Facts, process: Facts | None, run: Callable[[str], Facts]) -> Facts:
    """The Java that runs the agent, else the one that its user would find."""
    path = process["argv"][0] if process else order.get("java") or "java"
    said = run(f"{shlex.quote(path)} -version")
    return {"path": path, "status": said["status"], "text": said["output"]}


def _jar(order: Facts, process: Facts | None) -> Facts | None:
    """The jar that runs, else the one that the service would run."""
    name = order["service"]
    for path in ([process["jar"]] if process else []) + [f"/opt/{name}/{name}.jar", os.path.join(order["folder"], "agent.jar")]:
        if os.path.isfile(path):
            with open(path, "rb") as file:
                return {"path": path, "sha256": hashlib.sha256(file.read()).hexdigest()}
    return None


def _secret(process: Facts | None) -> Facts:
    """How the secret is kept: never what it is."""
    words = process["argv"] if process else []
    given = words[words.index("-secret") + 1] if "-secret" in words[:-1] else ""
    found = {"in_arguments": bool(given) and not given.startswith("@"), "path": given[1:] if given.startswith("@") else "", "mode": "", "owner": ""}
    if found["path"] and os.path.exists(found["path"]):
        status = os.stat(found["path"])
        found["mode"] = f"{status.st_mode & 0o7777:04o}"
        found["owner"] = next((each.pw_name for each in pwd.getpwall() if each.pw_uid == status.st_uid), str(status.st_uid))
    return found


def _dns(url: str) -> Facts:
    host = urlsplit(url).hostname
    try:
        return {"host": host, "addresses": sorted({each[4][0] for each in socket.getaddrinfo(host, None)}), "error": ""}
    except OSError as error:
        return {"host": host, "addresses": [], "error": error.strerror or str(error)}


def _fetch(url: str, patience: float) -> Facts:
    """Whether something answers at a URL; any answer below 500 counts: a login is wanted nearly everywhere."""
    start = time.monotonic()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers={"User-Agent": "cibus"}), timeout=patience) as answer:
            status, date, error = answer.getcode(), answer.headers.get("Date", ""), ""
    except urllib.error.HTTPError as answer:
        status, date, error = answer.code, answer.headers.get("Date", ""), ""
    except (OSError, ValueError) as caught:
        status, date, error = 0, "", str(getattr(caught, "reason", caught))
    return {"url": url, "status": status, "date": date, "error": error, "seconds": round(time.monotonic() - start, 3)}


def _git(url: str, run: Callable[[str], Facts]) -> Facts:
    said = run(f"GIT_TERMINAL_PROMPT=0 GIT_SSH_COMMAND='ssh -oBatchMode=yes' git ls-remote --quiet -- {shlex.quote(url)} HEAD")
    return {"url": url, "status": said["status"], "error": said["output"] if said["status"] else ""}


def _mac(run: Callable[[str], Facts]) -> Facts:
    """What signing and simulators need; the commands are those of security(1), xcodebuild(1) and simctl."""
    asked = {
        "keychain": f"security show-keychain-info \"$(security default-keychain | {TRIM})\"",
        "identities": "security find-identity -v -p codesigning",
        "expiries": f"security find-certificate -a -p | awk '/BEGIN/{{f=\"\"}}{{f=f $0 \"\\n\"}}/END CERT/{{print f | \"{OPENSSL}\"; close(\"{OPENSSL}\")}}'",
        "licence": "xcodebuild -license check",
        "xcode": "xcodebuild -version",
        "selected": "xcode-select -p",
        "simulators": "xcrun simctl list devices available --json",
    }
    return {name: run(command) for name, command in asked.items()}


if __name__ == "__main__":
    print("\n" + json.dumps(main(json.loads(sys.argv[1]))))
