"""Homebrew: what its own commands say and do, on a small catalogue."""

from __future__ import annotations

import json
import os
import stat
import time
from pathlib import Path

from stubs import Unknown, fail, program, say, state

FORMULAE = {
    "git": "2.44.0", "git-lfs": "3.4.1", "openjdk@11": "11.0.22", "openjdk@17": "17.0.10", "openjdk@21": "21.0.2", "node@18": "18.19.1", "node@20": "20.11.1",
    "python@3.11": "3.11.8", "python@3.12": "3.12.2", "go": "1.22.1", "go@1.21": "1.21.8", "ruby": "3.3.0", "fastlane": "2.219.0", "cocoapods": "1.15.2",
    "xcodes": "1.4.1", "node_exporter": "1.7.0", "jq": "1.7.1", "maven": "3.9.6", "gradle": "8.6", "cmake": "3.28.3", "swiftlint": "0.54.0", "carthage": "0.39.1",
}
CASKS = {"temurin@17": "17.0.10", "android-commandlinetools": "11076708"}
BINARIES = {"openjdk@11": (), "openjdk@17": (), "openjdk@21": (), "cocoapods": ("pod",), "node@18": ("node", "npm"), "node@20": ("node", "npm"), "python@3.11": ("python3.11",), "python@3.12": ("python3.12", "python3"), "maven": ("mvn",), "go@1.21": ("go",), "ruby": ("ruby", "bundle", "gem")}
KEG_ONLY = ("ruby",)  # and all with a version, but for Python's: not linked into the prefix
SAYS = {"node": "v{}", "npm": "{}", "pod": "{}", "jq": "jq-{}", "python3.11": "Python {}", "python3.12": "Python {}", "ruby": "ruby {}p0 (2024-01-01 revision 0) [arm64-darwin23]", "bundle": "Bundler version 2.5.3", "go": "go version go{} darwin/arm64"}
JDK = "libexec/openjdk.jdk/Contents/Home/bin/java"


def _prefix() -> Path:
    with state() as now:
        return Path("/opt/homebrew" if now["arch"] == "arm64" else "/usr/local")


def _install(name: str, version: str) -> None:
    prefix = _prefix()
    keg = prefix / "Cellar" / name / version
    commands = BINARIES.get(name, (name,))
    files = [keg / "bin" / command for command in commands] if not name.startswith("openjdk") else [keg / JDK, keg / "bin/java"]
    with state() as now:
        real = now["java"] if name == "openjdk@17" else ""
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        if real:
            file.unlink(missing_ok=True)
            file.symlink_to(real)
            continue
        stands_for = "/System/Library/Stubs/java" if file.name == "java" else "/System/Library/Stubs/installed"
        file.write_text(f'#!/bin/sh\nVERSION={version} NAME={file.name} exec {stands_for} "$@"\n', "utf-8")
        file.chmod(0o755)
    (prefix / "opt").mkdir(exist_ok=True)
    (prefix / "opt" / name).unlink(missing_ok=True)
    (prefix / "opt" / name).symlink_to(keg)
    if name not in KEG_ONLY and ("@" not in name or name.startswith("python@")):
        for command in commands:
            link = prefix / "bin" / command
            link.unlink(missing_ok=True)
            link.symlink_to(keg / "bin" / command)


def _owned() -> bool:
    place = _prefix() / ("bin" if _prefix().name == "homebrew" else "Homebrew")
    return place.stat().st_uid == os.geteuid() and bool(place.stat().st_mode & stat.S_IWUSR)


@program("/System/Library/Stubs/brew")
def brew(words: list[str]) -> int:
    if not os.geteuid():
        return fail("Error: Running Homebrew as root is extremely dangerous and no longer supported.\nAs Homebrew does not drop privileges on installation you would be giving all\nbuild scripts full access to your system.")
    if words == ["--version"] or words == ["-v"]:
        return say(f"Homebrew {os.environ.get('HOMEBREW_STUB_VERSION', '4.2.14')}")
    if words == ["--prefix"]:
        return say(_prefix())
    with state() as now:
        brewed, broken = now["brew"], now["brew_broken"]
    verb, *rest = words
    options = {word for word in rest if word.startswith("-")}
    names = [word for word in rest if not word.startswith("-")]
    known = {"info": {"--json=v2", "--formula", "--cask"}, "install": {"--formula", "--cask", "--quiet"}, "list": {"--versions", "--pinned", "--formula", "--cask", "-1"}, "pin": set(), "unpin": set(), "uninstall": {"--formula", "--cask", "--force"}, "tap": set(), "update": set(), "analytics": set(), "cleanup": {"-s", "--prune=30", "--prune=all"}, "outdated": {"--cask"}, "autoremove": set()}
    if verb not in known or options - known[verb]:
        raise Unknown(" ".join(words))
    if verb == "info":
        return _info(names, brewed)
    if verb == "install":
        if broken or not _owned():
            return fail(f"==> Downloading\nError: {broken or 'The following directories are not writable by your user: ' + str(_prefix())}")
        return _get(names, "--cask" in options)
    if verb == "list":
        if "--pinned" in options:
            return say(*(name for name in brewed if brewed[name].get("pinned")))
        absent = [name for name in names if name not in brewed]
        for name in absent:
            fail(f"Error: No such keg: {_prefix()}/Cellar/{name}")
        shown = [name for name in (names or brewed) if name in brewed]
        say(*(f"{name} {brewed[name]['version']}" if "--versions" in options else name for name in shown))
        return 1 if absent else 0
    if verb in ("pin", "unpin"):
        return _pin(names, verb == "pin")
    if verb == "uninstall":
        with state() as now:
            for name in names:
                if now["brew"].pop(name, None) is None:
                    return fail(f"Error: No such keg: {_prefix()}/Cellar/{name}")
        return 0
    if verb == "analytics":
        return say("InfluxDB analytics are disabled.")
    return 0


def _get(names: list[str], cask: bool) -> int:
    for name in names:
        catalogue = CASKS if cask else FORMULAE
        if name not in catalogue:
            return fail(f'Error: No available {"cask" if cask else "formula"} with the name "{name}".')
        _install(name, catalogue[name])
        with state() as now:
            now["brew"][name] = {"version": catalogue[name], "cask": cask}
        say(f"==> Pouring {name}--{catalogue[name]}.arm64_sonoma.bottle.tar.gz")
    return 0


def _info(names: list[str], brewed: dict[str, dict[str, str]]) -> int:
    formulae = []
    for name in names:
        if name not in FORMULAE:
            return fail(f'Error: No available formula with the name "{name}".')
        installed = [{"version": brewed[name]["version"]}] if name in brewed else []
        formulae.append({"name": name, "full_name": name, "tap": "homebrew/core", "aliases": [], "oldnames": [], "installed": installed, "outdated": False, "pinned": bool(brewed.get(name, {}).get("pinned")), "versions": {"stable": FORMULAE[name]}})
    return say(json.dumps({"formulae": formulae, "casks": []}))


def _pin(names: list[str], on: bool) -> int:
    with state() as now:
        for name in names:
            if name not in now["brew"]:
                return fail(f"Error: {name} not installed")
            now["brew"][name]["pinned"] = on
    return 0


@program("/System/Library/Stubs/installed")
def installed(words: list[str]) -> int:
    """Anything that Homebrew installed: it knows its version; the exporter serves."""
    if os.environ["NAME"] == "node_exporter" and len(words) == 1 and words[0].startswith("--web.listen-address="):
        while True:
            time.sleep(60)
    if words and words[0] in ("--version", "version", "-v", "-version"):
        name, version = os.environ["NAME"], os.environ["VERSION"]
        return say(SAYS.get(name, f"{name} version {{}}").format(version))
    raise Unknown(" ".join(words))
