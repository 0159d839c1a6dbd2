# ruff: noqa: PTH111
"""security: keychains with a password, locked or not; also ``security -i``, commands on the input."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from stubs import Unknown, fail, program, say, state

NOT_ALLOWED = "User interaction is not allowed."
WRONG = "The user name or passphrase you entered is not correct."


def _hash(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def _path(name: str) -> str:
    """Where a keychain is: names without a folder are in ~/Library/Keychains, with -db at their end."""
    path = name if "/" in name else os.path.expanduser(f"~/Library/Keychains/{name}")
    return path if Path(path).exists() or path.endswith("-db") else f"{path}-db"


def _chain(path: str) -> dict[str, Any]:
    chain: dict[str, Any] = json.loads(Path(path).read_text("utf-8"))
    with state() as now:
        chain["locked"] = path not in now["unlocked"]
    return chain


def _save(path: str, chain: dict[str, Any]) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(json.dumps({k: v for k, v in chain.items() if k != "locked"}), "utf-8")
    Path(path).chmod(0o600)


def _options(words: list[str], flags: str, valued: str) -> tuple[dict[str, list[str]], list[str]]:
    """Options as getopt takes them."""
    found: dict[str, list[str]] = {}
    words = list(words)
    while words and words[0].startswith("-") and words[0] != "-":
        name, word = words[0][1:2], words.pop(0)
        if name in valued:
            found.setdefault(name, []).append(word[2:] or words.pop(0))
        elif all(letter in flags for letter in word[1:]):
            for letter in word[1:]:
                found.setdefault(letter, []).append("")
        else:
            raise Unknown(word)
    return found, words


def create_keychain(words: list[str]) -> int:
    options, (name,) = _options(words, "P", "p")
    path = _path(name)
    if Path(path).exists():
        return fail(f"security: SecKeychainCreate {name}: A keychain with the same name already exists.", 48)
    _save(path, {"password": _hash(options["p"][0]), "timeout": 300, "on_sleep": True, "identities": [], "certificates": [], "partition": ""})
    with state() as now:
        now["unlocked"].append(path)
    return 0


def unlock_keychain(words: list[str]) -> int:
    options, rest = _options(words, "u", "p")
    path = _path(rest[0])
    if not Path(path).exists():
        return fail(f"security: SecKeychainUnlock {rest[0]}: The specified keychain could not be found.", 50)
    if _chain(path)["password"] != _hash(options["p"][0]):
        return fail(f"security: SecKeychainUnlock {rest[0]}: {WRONG}", 51)
    with state() as now:
        now["unlocked"] = sorted({*now["unlocked"], path})
    return 0


def lock_keychain(words: list[str]) -> int:
    options, rest = _options(words, "a", "")
    with state() as now:
        now["unlocked"] = [] if "a" in options else [each for each in now["unlocked"] if each != _path(rest[0])]
    return 0


def set_keychain_settings(words: list[str]) -> int:
    options, rest = _options(words, "lu", "t")
    path = _path(rest[0])
    chain = _chain(path)
    if chain["locked"]:
        return fail(f"security: SecKeychainSetSettings {rest[0]}: {NOT_ALLOWED}", 36)
    chain.update(timeout=int(options["t"][0]) if "t" in options else None, on_sleep="l" in options)
    _save(path, chain)
    return 0


def show_keychain_info(words: list[str]) -> int:
    path = _path(words[0])
    if not Path(path).exists():
        return fail(f"security: SecKeychainCopySettings {words[0]}: The specified keychain could not be found.", 50)
    chain = _chain(path)
    if chain["locked"]:
        return fail(f"security: SecKeychainCopySettings {words[0]}: {NOT_ALLOWED}", 36)
    lock = "no-timeout" if chain["timeout"] is None else f"timeout={chain['timeout']}s"
    print(f'Keychain "{words[0]}"{" lock-on-sleep" if chain["on_sleep"] else ""} {lock}', file=sys.stderr)
    return 0


def _user() -> str:
    return str(os.geteuid())


def list_keychains(words: list[str]) -> int:
    options, rest = _options(words, "s", "d")
    if options.get("d", ["user"]) != ["user"]:
        raise Unknown(str(options["d"]))
    with state() as now:
        mine = now["search"].setdefault(_user(), [os.path.expanduser("~/Library/Keychains/login.keychain-db")])
        if "s" in options:
            now["search"][_user()] = [_path(each) for each in rest]
            return 0
    everywhere = [] if "d" in options else ["/Library/Keychains/System.keychain"]
    return say(*(f'    "{each}"' for each in [*mine, *everywhere]))


def default_keychain(words: list[str]) -> int:
    options, rest = _options(words, "s", "d")
    with state() as now:
        if "s" in options:
            now["default"][_user()] = _path(rest[0])
            return 0
        found = now["default"].get(_user())
    return say(f'    "{found}"') if found else fail("security: SecKeychainCopyDefault: A default keychain could not be found.", 44)


def import_(words: list[str]) -> int:
    file, *rest = words
    options, more = _options(rest, "Ax", "kPTft")
    if more:
        raise Unknown(str(more))
    path = _path(options["k"][0])
    if _chain(path)["locked"]:
        return fail(f"security: SecKeychainItemImport: {NOT_ALLOWED}", 36)
    chain = _chain(path)
    try:
        content = Path(file).read_text("utf-8")
    except OSError:
        return fail(f"security: SecKeychainItemImport: {file}: No such file or directory")
    if file.endswith(".p12"):
        about = json.loads(content)
        if options.get("P", [""])[0] != about["password"]:
            return fail("security: SecKeychainItemImport: MAC verification failed during PKCS12 import (wrong password?)")
        new = {"name": about["identity"], "certificate": about.get("certificate", "")}
        if new in chain["identities"]:
            return fail("security: SecKeychainItemImport: The specified item already exists in the keychain.")
        chain["identities"].append(new)
        if new["certificate"]:
            chain["certificates"].append(new["certificate"])
        chain["partition"] = ""
        say("1 identity imported.")
    else:
        if content in chain["certificates"]:
            return fail("security: SecKeychainItemImport: The specified item already exists in the keychain.")
        chain["certificates"].append(content)
        say("1 certificate imported.")
    _save(path, chain)
    return 0


def set_key_partition_list(words: list[str]) -> int:
    options, rest = _options(words, "sd", "Sklat")
    path = _path(rest[0])
    chain = _chain(path)
    if chain["password"] != _hash(options["k"][0]):
        return fail(f"security: SecKeychainItemSetAccessWithPassword: {WRONG}", 51)
    chain["partition"] = options["S"][0]
    _save(path, chain)
    return 0


def _asked(names: list[str]) -> list[dict[str, Any]]:
    """These keychains, or those that are searched where none is named."""
    if not names:
        with state() as now:
            names = now["search"].get(_user(), [])
    return [_chain(path) for path in map(_path, names) if Path(path).exists()]


def find_identity(words: list[str]) -> int:
    options, rest = _options(words, "v", "ps")
    if options.get("p", ["codesigning"]) != ["codesigning"]:
        raise Unknown(str(options["p"]))
    identities = [each for chain in _asked(rest) for each in chain["identities"]]
    valid = [each for each in identities if _valid(each["certificate"])]
    if "v" in options:
        return say(*_rows(valid), f"     {len(valid)} valid identities found")
    return say("", "Policy: Code Signing", "  Matching identities", *_rows(identities), f"     {len(identities)} identities found", "", "  Valid identities only", *_rows(valid), f"     {len(valid)} valid identities found")


def _rows(identities: list[dict[str, str]]) -> list[str]:
    return [f'  {n}) {_fingerprint(each["certificate"] or each["name"])} "{each["name"]}"' for n, each in enumerate(identities, 1)]


def _fingerprint(certificate: str) -> str:
    """Its SHA-1, of what PEM says."""
    body = "".join(line for line in certificate.splitlines() if not line.startswith("-----"))
    try:
        data = base64.b64decode(body, validate=True)
    except ValueError:
        data = certificate.encode()
    return hashlib.sha1(data).hexdigest().upper()


def _valid(certificate: str) -> bool:
    """Whether it has not ended; what is no certificate has no end."""
    if "BEGIN CERTIFICATE" not in certificate:
        return True
    return subprocess.run(["openssl", "x509", "-noout", "-checkend", "0"], input=certificate.encode(), capture_output=True, check=False).returncode == 0


def delete_certificate(words: list[str]) -> int:
    """By name or by hash; an identity without its certificate is none any more."""
    options, rest = _options(words, "t", "cZ")
    path = _path(rest[0])
    chain = _chain(path)
    wanted = options.get("Z", [""])[0].upper()
    found = [each for each in chain["certificates"] if (_fingerprint(each) == wanted if wanted else options["c"][0] in _name(chain, each))]
    if len(found) != 1:
        return fail(f"Unable to delete certificate matching \"{wanted or options['c'][0]}\"")
    chain["certificates"] = [each for each in chain["certificates"] if each not in found]
    chain["identities"] = [each for each in chain["identities"] if each["certificate"] not in found]
    _save(path, chain)
    return 0


def _name(chain: dict[str, Any], certificate: str) -> str:
    """What it is for, where it is an identity's; others are named in their text."""
    return next((each["name"] for each in chain["identities"] if each["certificate"] == certificate), certificate)


def find_certificate(words: list[str]) -> int:
    options, rest = _options(words, "apZ", "ce")
    found = [each for chain in _asked(rest) for each in chain["certificates"] if options.get("c", [""])[0] in each]
    if not found:
        return fail("security: SecKeychainSearchCopyNext: The specified item could not be found in the keychain.", 44)
    return say(*(f"SHA-256 hash: {hashlib.sha256(each.encode()).hexdigest().upper()}\nSHA-1 hash: {_fingerprint(each)}" for each in found)) if "Z" in options else say(*found)


def delete_keychain(words: list[str]) -> int:
    path = _path(words[0])
    if not Path(path).exists():
        return fail(f"security: SecKeychainDelete: {words[0]}: The specified keychain could not be found.", 50)
    Path(path).unlink()
    with state() as now:
        now["search"] = {user: [each for each in found if each != path] for user, found in now["search"].items()}
        now["default"] = {user: each for user, each in now["default"].items() if each != path}
    return 0


COMMANDS = {
    "create-keychain": create_keychain, "unlock-keychain": unlock_keychain, "lock-keychain": lock_keychain, "set-keychain-settings": set_keychain_settings,
    "show-keychain-info": show_keychain_info, "list-keychains": list_keychains, "default-keychain": default_keychain, "import": import_,
    "set-key-partition-list": set_key_partition_list, "find-identity": find_identity, "find-certificate": find_certificate, "delete-certificate": delete_certificate, "delete-keychain": delete_keychain,
}


def _one(words: list[str]) -> int:
    if words[0] not in COMMANDS:
        raise Unknown(words[0])
    try:
        return COMMANDS[words[0]](words[1:])
    except (IndexError, KeyError, ValueError) as error:
        raise Unknown(f"{words[0]}: {type(error).__name__} {error}") from error


@program("/usr/bin/security")
def security(words: list[str]) -> int:
    if words != ["-i"]:
        return _one(words)
    status = 0
    for line in sys.stdin:
        if line.strip():
            status = _one(shlex.split(line))
    return status  # that of the last command, as the real one's
