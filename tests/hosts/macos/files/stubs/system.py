"""What the system says of itself and its settings."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path

from stubs import PROGRAMS, Unknown, fail, only, program, root, say, state


@program("/usr/bin/sw_vers")
def sw_vers(words: list[str]) -> int:
    with state() as now:
        known = {"-productName": "macOS", "-productVersion": now["macos"], "-buildVersion": now["build"]}
    if not words:
        return say(f"ProductName:\t\tmacOS\nProductVersion:\t\t{known['-productVersion']}\nBuildVersion:\t\t{known['-buildVersion']}")
    only(words, *known)
    return say(*(known[word] for word in words))


@program("/usr/bin/uname")
def uname(words: list[str]) -> int:
    with state() as now:
        parts = {"s": "Darwin", "n": now["names"]["HostName"] or "mac", "r": now["darwin"], "m": now["arch"], "p": "arm" if now["arch"] == "arm64" else "i386", "v": "Darwin Kernel Version"}
    letters = "".join(word.removeprefix("-") for word in words) or "s"
    if set(letters) - {*parts, "a"}:
        raise Unknown(letters)
    return say(" ".join(parts[c] for c in ("snrvm" if "a" in letters else "snrvmp") if c in letters or "a" in letters))


@program("/usr/sbin/sysctl")
def sysctl(words: list[str]) -> int:
    with state() as now:
        arm = now["arch"] == "arm64"
        values = {
            "hw.model": "Mac14,3" if arm else "Macmini8,1", "kern.osversion": now["build"], "kern.osrevision": "199506",
            "machdep.cpu.brand_string": "Apple M2" if arm else "Intel(R) Core(TM) i7-8700B", "machdep.cpu.core_count": "8",
            "hw.logicalcpu": "8", "hw.ncpu": "8", "hw.memsize": str(16 << 30), "hw.pagesize": "16384" if arm else "4096",
            "hw.optional.arm64": "1" if arm else "0", "sysctl.proc_translated": "0", "kern.bootsessionuuid": Path("/var/run/boot").read_text("utf-8"),
        }
    only(words, "-n", "-b", "-a", "-h")
    if words == ["-b", "kern.boottime"]:
        os.write(1, int(time.time() - 3600).to_bytes(8, "little") + bytes(8))
        return 0
    names = [word for word in words if not word.startswith("-")] or list(values)
    for name in names:
        found = [key for key in values if key == name or key.startswith(f"{name}.")]
        if not found:
            return fail(f"sysctl: unknown oid '{name}'")
        for key in found:
            say(values[key] if "-n" in words else f"{key}: {values[key]}")
    return 0


@program("/usr/sbin/system_profiler")
def system_profiler(words: list[str]) -> int:
    if words != ["SPHardwareDataType"]:
        raise Unknown(" ".join(words))
    return say("Hardware:\n\n    Hardware Overview:\n\n      Model Name: Mac mini\n      Processor Name: x\n      Processor Speed: 3 GHz")


@program("/usr/bin/vm_stat")
def vm_stat(words: list[str]) -> int:
    only(words)
    with state() as now:
        size = 16384 if now["arch"] == "arm64" else 4096
    pages = {"free": 100, "active": 400, "inactive": 350, "speculative": 20, "throttled": 0, "wired down": 130, "purgeable": 10}  # of 1000
    return say(f"Mach Virtual Memory Statistics: (page size of {size} bytes)", *(f"{f'Pages {name}:':<40}{(16 << 30) // size * share // 1000:>12}." for name, share in pages.items()))


@program("/usr/bin/arch")
def arch(words: list[str]) -> int:
    with state() as now:
        if not words:
            return say("arm64" if now["arch"] == "arm64" else "i386")
        if words[0] not in ("-x86_64", "-arm64") or len(words) < 2:
            raise Unknown(words[0])
        if words[0] == "-x86_64" and now["arch"] == "arm64" and not now["rosetta"]:
            return fail(f"arch: posix_spawnp: {words[1]}: Bad CPU type in executable")
    return subprocess.run(words[1:], check=False).returncode


SYSTEMSETUP = {"usingnetworktime": "Network Time", "networktimeserver": "Network Time Server", "remotelogin": "Remote Login", "timezone": "Time Zone", "computersleep": "Computer Sleep", "restartfreeze": "Restart After Freeze"}


@program("/usr/sbin/systemsetup")
def systemsetup(words: list[str]) -> int:
    if os.geteuid():
        return say("You need administrator access to run this tool... exiting!")  # with 0, as the real one
    words = [word for word in words if word != "-f"]
    if words == ["-listtimezones"]:
        return say("Time Zones:", " GMT", " Europe/Berlin", " Europe/Paris", " America/New_York")
    verb, name = words[0][1:4], words[0][4:]
    if verb not in ("get", "set") or name not in SYSTEMSETUP or len(words) != (2 if verb == "set" else 1):
        raise Unknown(" ".join(words))
    with state() as now:
        if verb == "set":
            if name in ("usingnetworktime", "remotelogin", "restartfreeze") and words[1] not in ("on", "off"):
                raise Unknown(words[1])
            now["systemsetup"][name] = words[1].capitalize() if words[1] in ("on", "off") else words[1]
        if name == "remotelogin" and verb == "set":
            return say("setremotelogin: Turning Remote Login on or off requires Full Disk Access privileges.")
        return say(f"{SYSTEMSETUP[name]}: {now['systemsetup'][name]}")


PMSET = ("sleep", "disksleep", "displaysleep", "autorestart", "womp", "powernap", "standby", "hibernatemode", "tcpkeepalive", "ttyskeepawake", "networkoversleep", "autopoweroff", "lowpowermode", "proximitywake", "lessbright", "disablesleep", "highstandbythreshold")


@program("/usr/bin/pmset")
def pmset(words: list[str]) -> int:
    with state() as now:
        if words and words[0] == "-g":
            if words[1:] not in (["custom"], [], ["live"]):
                raise Unknown(" ".join(words))
            return say("AC Power:", *(f" {key:<20} {value}" for key, value in now["pmset"].items()))
        root("pmset")
        if not words or words[0] not in ("-a", "-c", "-b", "-u") or len(words) % 2 == 0:
            raise Unknown(" ".join(words))
        for key, value in zip(words[1::2], words[2::2], strict=True):
            if key not in PMSET or not value.isdigit():
                raise Unknown(key)
            now["pmset"][key] = int(value)
    return 0


@program("/usr/sbin/scutil")
def scutil(words: list[str]) -> int:
    if len(words) not in (2, 3) or words[0] not in ("--get", "--set") or words[1] not in ("ComputerName", "HostName", "LocalHostName"):
        raise Unknown(" ".join(words))
    with state() as now:
        if words[0] == "--set":
            root("scutil")
            if words[1] == "LocalHostName" and not re.fullmatch(r"[A-Za-z0-9-]+", words[2]):
                return fail("SCPreferencesSetLocalHostName() failed: Invalid argument")
            now["names"][words[1]] = words[2]
            return 0
        value = now["names"][words[1]]
    return say(value) if value else fail(f"{words[1]}: not set")


CLT = "Command Line Tools for Xcode-15.3"


@program("/usr/sbin/softwareupdate")
def softwareupdate(words: list[str]) -> int:
    only(words, "--schedule", "--install-rosetta", "--agree-to-license", "-l", "--list", "-i", "--install", "--verbose", "--no-scan")
    placeholder = Path("/tmp/.com.apple.dt.CommandLineTools.installondemand.in-progress").exists()
    with state() as now:
        if words[:1] == ["--schedule"]:
            if len(words) > 1:
                root("softwareupdate")
                now["updates"] = words[1] == "on"
            return say(f"Automatic checking for updates is turned {'on' if now['updates'] else 'off'}")
        if "--install-rosetta" in words:
            if "--agree-to-license" not in words:
                return fail("I have read and agree to the terms of the software license agreement. A list of Apple SLAs may be found here", 1)
            if now["arch"] != "arm64":
                return fail("Installing Rosetta 2 on this system is not supported.")
            now["rosetta"] = True
            return say("Install of Rosetta 2 finished successfully")
        if words[0] in ("-l", "--list"):
            offered = placeholder and not now["clt"]
            return say("Software Update Tool\n", "Finding available software", *([f"Software Update found the following new or updated software:\n* Label: {CLT}\n\tTitle: Command Line Tools for Xcode, Version: 15.3, Size: 707501KiB, Recommended: YES, "] if offered else ["No new software available."]))
        if words[0] in ("-i", "--install"):
            root("softwareupdate")
            if words[1] != CLT or not placeholder:
                return fail(f"{words[1]}: No such update\nNo updates are available.")
            now["clt"] = True
            now["developer"] = now["developer"] or "/Library/Developer/CommandLineTools"
            Path("/Library/Developer/CommandLineTools/usr/bin").mkdir(parents=True, exist_ok=True)
            return say(f"Installing {CLT}", "Done.")
    raise Unknown(" ".join(words))


@program("/sbin/shutdown")
def shutdown(words: list[str]) -> int:
    if words != ["-r", "now"]:
        raise Unknown(" ".join(words))
    if os.geteuid():
        return fail("shutdown: NOT super-user")
    print("Shutdown NOW!")
    return PROGRAMS["launchctl"][1](["reboot"])


@program("/usr/bin/mdutil")
def mdutil(words: list[str]) -> int:
    with state() as now:
        if words[0] == "-s" and len(words) == 2:
            return say(f"{words[1]}:", f"\tIndexing {'enabled' if now['spotlight'].get(words[1], True) else 'disabled'}.")
        if words[0] == "-i" and words[1] in ("on", "off") and len(words) == 3:
            root("mdutil")
            now["spotlight"][words[2]] = words[1] == "on"
            return say(f"{words[2]}:", f"\tIndexing {'enabled' if words[1] == 'on' else 'disabled'}.")
    raise Unknown(" ".join(words))


@program("/bin/df")
def df(words: list[str]) -> int:
    only(words, "-k", "-P", "-Pk", "-kP")
    with state() as now:
        free = now["free_gb"] << 20
    return say("Filesystem   1024-blocks      Used Available Capacity  Mounted on", f"/dev/disk3s5   {free + (50 << 20)}  {50 << 20} {free}    20%    /")


@program("/usr/sbin/spctl")
def spctl(words: list[str]) -> int:
    if words != ["--status"]:
        raise Unknown(" ".join(words))
    return say("assessments enabled")


@program("/usr/bin/csrutil")
def csrutil(words: list[str]) -> int:
    if words != ["status"]:
        raise Unknown(" ".join(words))
    return say("System Integrity Protection status: enabled.")


@program("/usr/bin/fdesetup")
def fdesetup(words: list[str]) -> int:
    if words != ["status"]:
        raise Unknown(" ".join(words))
    with state() as now:
        return say(f"FileVault is {'On' if now['filevault'] else 'Off'}.")
