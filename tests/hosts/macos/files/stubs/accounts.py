# ruff: noqa: PTH111
"""Users, groups and preferences."""

from __future__ import annotations

import hashlib
import os
import plistlib
import re
import shlex
import socket
import sys
from pathlib import Path
from typing import Any

from stubs import Unknown, fail, only, program, root, say, state

FIELDS = ("RealName", "NFSHomeDirectory", "UserShell", "UniqueID", "PrimaryGroupID", "IsHidden", "Password")


def _users() -> dict[str, list[str]]:
    return {row.split(":")[0]: row.split(":") for row in Path("/etc/passwd").read_text("utf-8").splitlines()}


def _save(users: dict[str, list[str]]) -> None:
    Path("/etc/passwd").write_text("".join(":".join(row) + "\n" for row in users.values()), "utf-8")


COLUMNS = {"RealName": 4, "NFSHomeDirectory": 5, "UserShell": 6, "UniqueID": 2, "PrimaryGroupID": 3}

NOBODY = {"65534": "-2"}  # as macOS numbers nobody; so is a record that has no number yet


@program("/usr/bin/dscl")
def dscl(words: list[str]) -> int:
    if words[0] not in (".", "/Local/Default"):
        raise Unknown(words[0])
    if len(words) == 1:
        return max((_interactive(shlex.split(line)) for line in sys.stdin if line.strip()), default=0)
    verb, path, rest = words[1], words[2], words[3:]
    kind, _, name = path.strip("/").partition("/")
    if verb == "-search" and (kind, rest[0]) == ("Groups", "GroupMembership"):
        for group, _, _, members in (row.split(":") for row in Path("/etc/group").read_text("utf-8").splitlines()):
            if rest[1] in members.split(","):
                say(f"{group}\t\tGroupMembership = (\n    {rest[1]}\n)")
        return 0
    users = _users()
    if verb == "-list" and kind == "Users":
        return say(*(f"{user:<24}{NOBODY.get(row[2], row[2])}" for user, row in users.items()))
    if kind != "Users" or not name:
        raise Unknown(path)
    if verb == "-read":
        return _read(users, name, rest)
    root("dscl")
    if verb == "-create":
        return _create(users, name, rest)
    if verb == "-delete" and not rest:
        if users.pop(name, None) is None:
            return fail("delete: Invalid Path\n<dscl_cmd> DS Error: -14009 (eDSUnknownNodeName)", 56)
        _save(users)
        return 0
    raise Unknown(verb)


def _interactive(words: list[str]) -> int:
    """Commands on the input, as dscl(1) takes them without arguments."""
    if words[0] == "auth" and len(words) == 3:
        with state() as now:
            right = now["users"].get(words[1], {}).get("password") == hashlib.sha256(words[2].encode()).hexdigest()
        return 0 if right else say("Authentication for node /Local/Default failed. (-14090, eDSAuthFailed)")
    if words[0] == "passwd" and len(words) == 3 and words[1].startswith("/Users/"):
        root("dscl")
        with state() as now:
            now["users"].setdefault(words[1].removeprefix("/Users/"), {})["password"] = hashlib.sha256(words[2].encode()).hexdigest()
        return 0
    raise Unknown(words[0])


def _read(users: dict[str, list[str]], name: str, rest: list[str]) -> int:
    if name not in users:
        return fail("<dscl_cmd> DS Error: -14136 (eDSRecordNotFound)", 56)
    for field in rest:
        with state() as now:
            value = users[name][COLUMNS[field]] if field in COLUMNS else now["users"].get(name, {}).get(field)
        if value is None:
            say(f"No such key: {field}")
        else:
            say(f"{field}:\n {value}" if " " in value else f"{field}: {value}")
    return 0


def _create(users: dict[str, list[str]], name: str, rest: list[str]) -> int:
    row = users.setdefault(name, [name, "*", "65534", "65534", "", "/var/empty", "/usr/bin/false"])
    if rest:
        field, value = rest
        if field not in FIELDS:
            raise Unknown(field)
        if field in COLUMNS:
            row[COLUMNS[field]] = value
        with state() as now:
            now["users"].setdefault(name, {})[field] = value
    _save(users)
    return 0


@program("/usr/sbin/dseditgroup")
def dseditgroup(words: list[str]) -> int:
    only(words, "-o", "-a", "-d", "-t", "-i", "-L")
    groups = {row.split(":")[0]: row.split(":") for row in Path("/etc/group").read_text("utf-8").splitlines()}
    group, action = words[-1], words[words.index("-o") + 1]
    root("dseditgroup")
    if action == "create":
        groups[group] = [group, "x", words[words.index("-i") + 1] if "-i" in words else str(max(int(g[2]) for g in groups.values() if int(g[2]) < 900) + 1), ""]
    elif group not in groups:
        return fail("Group not found.", 64)
    elif action == "delete":
        del groups[group]
    elif action == "edit":
        option = "-a" if "-a" in words else "-d"
        members = [m for m in groups[group][3].split(",") if m and m != words[words.index(option) + 1]]
        groups[group][3] = ",".join([*members, *([words[words.index("-a") + 1]] if option == "-a" else [])])
    else:
        raise Unknown(action)
    Path("/etc/group").write_text("".join(":".join(row) + "\n" for row in groups.values()), "utf-8")
    return 0


# -- defaults


def _file(domain: str, current_host: bool) -> Path:
    if domain.startswith("/"):
        return Path(domain if domain.endswith(".plist") else f"{domain}.plist")
    name = ".GlobalPreferences" if domain in ("NSGlobalDomain", "-g") else domain
    folder = Path(os.path.expanduser("~/Library/Preferences")) / ("ByHost" if current_host else "")
    return folder / f"{name}{'.' + socket.gethostname() if current_host else ''}.plist"


KINDS: dict[str, Any] = {"bool": bool, "boolean": bool, "int": int, "integer": int, "float": float, "string": str, "array": list}
TYPES = {bool: "boolean", int: "integer", float: "float", str: "string", list: "array"}


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "(\n" + ",\n".join(f"    {item if re.fullmatch(r'[A-Za-z0-9_.]+', str(item)) else chr(34) + str(item) + chr(34)}" for item in value) + "\n)"
    return str(int(value)) if isinstance(value, bool) else str(value)


@program("/usr/bin/defaults")
def defaults(words: list[str]) -> int:
    current_host = words[0] == "-currentHost"
    verb, domain, *rest = words[1:] if current_host else words
    path = _file(domain, current_host)
    values = plistlib.loads(path.read_bytes()) if path.exists() else {}
    missing = f"The domain/default pair of ({domain}, {rest[0] if rest else ''}) does not exist"
    if verb in ("read", "read-type"):
        if not rest:
            return say(_shown(values))
        if rest[0] not in values:
            return fail(missing)
        return say(f"Type is {TYPES[type(values[rest[0]])]}" if verb == "read-type" else _shown(values[rest[0]]))
    if verb == "delete":
        if rest[0] not in values:
            return fail(missing)
        del values[rest[0]]
    elif verb == "write":
        key, kind, *given = rest
        if kind == "-array-add":
            values[key] = [*values.get(key, []), *given]
        elif kind.removeprefix("-") not in KINDS or not kind.startswith("-"):
            raise Unknown(kind)
        else:
            values[key] = _typed(KINDS[kind[1:]], given)
    else:
        raise Unknown(verb)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(plistlib.dumps(values))
    return 0


def _typed(kind: Any, given: list[str]) -> Any:
    if kind is bool:
        return given[0].lower() in ("true", "yes", "1")
    return given if kind is list else kind(given[0])
