"""Xcode and what unpacks it. An archive of the stand-in is a text file: {"version": …, "build": …}."""

from __future__ import annotations

import json
import os
import plistlib
import shutil
import uuid
from pathlib import Path

from stubs import Unknown, fail, only, program, root, say, state


def _expand(archive: str, into: Path) -> int:
    try:
        about = json.loads(Path(archive).read_text("utf-8"))
    except OSError:
        return fail(f"xip: error: The file “{archive}” couldn’t be opened because there is no such file.")
    except ValueError:
        return fail(f"xip: error: The archive “{Path(archive).name}” is damaged and can’t be expanded.")
    contents = into / "Contents"
    (contents / "Developer/usr/bin").mkdir(parents=True)
    for name in ("version", "Info"):
        (contents / f"{name}.plist").write_bytes(plistlib.dumps({"CFBundleShortVersionString": about["version"], "ProductBuildVersion": about["build"]}))
    return 0


@program("/usr/bin/xip")
def xip(words: list[str]) -> int:
    if len(words) != 2 or words[0] not in ("--expand", "-x"):
        raise Unknown(" ".join(words))
    status = _expand(words[1], Path.cwd() / "Xcode.app")
    return status or say("xip: expanded items from", words[1])


@program("/System/Library/Stubs/xcodes")
def xcodes(words: list[str]) -> int:
    only(words, "--path", "--directory", "--no-superuser", "--experimental-unxip", "--empty-trash", "--no-color", "--version")
    if words[0] != "install" or "--path" not in words:
        raise Unknown(" ".join(words))
    folder = Path(words[words.index("--directory") + 1] if "--directory" in words else "/Applications")
    return _expand(words[words.index("--path") + 1], folder / f"Xcode-{words[1]}.app")


@program("/usr/bin/xcode-select")
def xcode_select(words: list[str]) -> int:
    with state() as now:
        if words in (["-p"], ["--print-path"]):
            if not now["developer"]:
                return fail("xcode-select: error: unable to get active developer directory, use `sudo xcode-select --switch path/to/Xcode.app` to set one (or see `man xcode-select`)", 2)
            return say(now["developer"])
        if words[0] in ("-s", "--switch") and len(words) == 2:
            root("xcode-select")
            place = Path(words[1])
            if not (place / "Contents/Developer").is_dir() and place.name not in ("Developer", "CommandLineTools"):
                return fail(f"xcode-select: error: invalid developer directory '{place}'")
            now["developer"] = str(place / "Contents/Developer" if place.suffix == ".app" else place)
            return 0
    raise Unknown(" ".join(words))


def _developer() -> Path:
    with state() as now:
        return Path(os.environ.get("DEVELOPER_DIR") or now["developer"] or "/none")


def _version() -> str:
    path = _developer().parent / "version.plist"
    return str(plistlib.loads(path.read_bytes())["CFBundleShortVersionString"]) if path.exists() else ""


@program("/usr/bin/xcodebuild")
def xcodebuild(words: list[str]) -> int:
    version = _version()
    if not version:
        return fail("xcode-select: error: tool 'xcodebuild' requires Xcode, but active developer directory '/Library/Developer/CommandLineTools' is a command line tools instance")
    with state() as now:
        known = now["xcodes"].setdefault(version, {"license": False, "first": False})
        if words == ["-version"]:
            return say(f"Xcode {version}", "Build version 15C65")
        if words == ["-license", "accept"]:
            root("xcodebuild")
            known["license"] = True
            plist = Path("/Library/Preferences/com.apple.dt.Xcode.plist")
            plist.parent.mkdir(parents=True, exist_ok=True)
            plist.write_bytes(plistlib.dumps({"IDEXcodeVersionForAgreedToGMLicense": version}))
            return 0
        if words == ["-license", "check"]:
            return 0 if known["license"] else fail("You have not agreed to the Xcode license agreements. Please run 'sudo xcodebuild -license' from within a Terminal window to review and agree to the Xcode and Apple SDKs license.", 69)
        if words == ["-checkFirstLaunchStatus"]:
            return 0 if known["first"] else 69
        if words == ["-runFirstLaunch"]:
            root("xcodebuild")
            if not known["license"]:
                return fail("You have not agreed to the Xcode license agreements.", 69)
            known["first"] = True
            return say("Install Started", "Install Succeeded")
        if words[0] == "-downloadPlatform" and words[1] in ("iOS", "watchOS", "tvOS", "visionOS"):
            number = words[3] if words[2:3] == ["-buildVersion"] else "17.2"
            now["runtimes"].append(f"{words[1]} {number}")
            return say(f"Finding content...\nDownloading {words[1]} {number} Simulator: Done.")
        if words[0] == "-importPlatform" and len(words) == 2:
            if not Path(words[1]).exists():
                return fail(f"xcodebuild: error: no such file: {words[1]}", 66)
            now["runtimes"].append(Path(words[1]).stem.replace("_Simulator_Runtime", "").replace("_", " "))
            return 0
    raise Unknown(" ".join(words))


def _device(runtime: str) -> dict[str, object]:
    """The one that a runtime brings along."""
    return {"udid": str(uuid.uuid5(uuid.NAMESPACE_DNS, runtime)).upper(), "isAvailable": True, "state": "Shutdown", "name": f"A device of {runtime}"}


@program("/usr/bin/xcrun")
def xcrun(words: list[str]) -> int:
    if words[:1] == ["simctl"]:
        with state() as now:
            if words[1:] == ["list", "runtimes", "--json"]:
                return say(json.dumps({"runtimes": [{"name": name, "version": name.split()[1], "platform": name.split()[0], "isAvailable": True} for name in now["runtimes"]]}))
            if words[1:] == ["list", "devices", "available", "--json"]:
                return say(json.dumps({"devices": {f"com.apple.CoreSimulator.SimRuntime.{name.replace(' ', '-').replace('.', '-')}": [_device(name)] for name in now["runtimes"]}}, indent=2))
            if words[1:] == ["delete", "unavailable"]:
                now["simulators_deleted"] = True
                return 0
            if words[1:] == ["list", "devices", "unavailable", "--json"]:
                return say('{"devices": {}}')
    if words == ["--show-sdk-version", "--sdk", "iphoneos"] and _version():
        return say("17.2")
    raise Unknown(" ".join(words))


@program("/usr/bin/ditto")
def ditto(words: list[str]) -> int:
    only(words)
    if len(words) != 2:
        raise Unknown(" ".join(words))
    shutil.copytree(words[0], words[1], dirs_exist_ok=True, symlinks=True)
    return 0
