"""Small tools: property lists, packages, Java."""

from __future__ import annotations

import hashlib
import os
import plistlib
import signal
import sys
import time
from pathlib import Path

from stubs import Unknown, fail, only, program, root, say, state


@program("/usr/bin/plutil")
def plutil(words: list[str]) -> int:
    if words[0] != "-lint":
        raise Unknown(words[0])
    for path in (word for word in words[1:] if word != "-s"):
        try:
            plistlib.loads(Path(path).read_bytes())
        except Exception as error:
            return fail(f"{path}: {error}")
        if "-s" not in words:
            say(f"{path}: OK")
    return 0


@program("/usr/sbin/pkgutil")
def pkgutil(words: list[str]) -> int:
    if len(words) != 1 or not words[0].startswith("--pkg-info="):
        raise Unknown(" ".join(words))
    name = words[0].partition("=")[2]
    with state() as now:
        present = now["clt"] if name == "com.apple.pkg.CLTools_Executables" else name in now["packages"]
    return say(f"package-id: {name}", "version: 15.3.0.0.1.1708646388") if present else fail(f"No receipt for '{name}' found at '/'.")


@program("/usr/sbin/installer")
def installer(words: list[str]) -> int:
    if words[0] != "-pkg" or words[2:] != ["-target", "/"]:
        raise Unknown(" ".join(words))
    root("installer")
    return say("installer: The install was successful.") if Path(words[1]).exists() else fail("installer: Error the package path specified was invalid")


@program("/usr/sbin/newsyslog")
def newsyslog(words: list[str]) -> int:
    only(words, "-n", "-v", "-nv", "-nvv", "-f", "-F")
    path = Path(words[words.index("-f") + 1]) if "-f" in words else None
    for row in path.read_text("utf-8").splitlines() if path else ():
        fields = row.split()
        if fields and not row.startswith("#") and not (len(fields) >= 6 and fields[0].startswith("/")):
            return fail(f"newsyslog: malformed line: {row}")
    return 0


@program("/usr/bin/shasum")
def shasum(words: list[str]) -> int:
    if words[:2] != ["-a", "256"]:
        raise Unknown(" ".join(words))
    return say(*(f"{hashlib.sha256(Path(path).read_bytes()).hexdigest()}  {path}" for path in words[2:]))


@program("/usr/bin/tmutil")
def tmutil(words: list[str]) -> int:
    if words != ["disable"]:
        raise Unknown(" ".join(words))
    return 0


@program("/usr/bin/sntp")
def sntp(words: list[str]) -> int:
    only(words, "-s", "-S", "-sS")
    return say("+0.001 +/- 0.01")


@program("/usr/bin/killall")
def killall(words: list[str]) -> int:
    only(words, "-q")
    return 0


@program("/System/Library/Stubs/java")
def java(words: list[str]) -> int:
    """Java, as far as an agent needs it: its version, and a process that behaves as remoting does."""
    if words in (["-version"], ["--version"]):
        return fail(f'openjdk version "{os.environ["VERSION"]}" 2024-01-16\nOpenJDK Runtime Environment Homebrew (build {os.environ["VERSION"]}+0)', 0)
    if "-jar" not in words:
        raise Unknown(" ".join(words))
    jar, *rest = words[words.index("-jar") + 1:]
    if not Path(jar).is_file():
        return fail(f"Error: Unable to access jarfile {jar}")
    only(rest, "-url", "-secret", "-name", "-webSocket", "-workDir", "-noReconnect", "-internalDir")
    secret = rest[rest.index("-secret") + 1]
    if not secret.startswith("@") or not Path(secret[1:]).read_text("utf-8").strip():
        return fail("hudson.remoting: the secret is not a file", 255)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(f"INFO: Agent {rest[rest.index('-name') + 1]} is here; files: {os.sysconf('SC_OPEN_MAX')}", flush=True)
    print("INFO: Connected", flush=True)
    while True:
        time.sleep(1)
