"""What a host's labels promise, from the table of atoms."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

Words = Mapping[str, str]


def filled(value: Any, words: Words) -> Any:
    """The value with {version}, {release} and {arch} replaced in all its strings, those of keys too."""
    if isinstance(value, str):
        for name, word in words.items():
            value = value.replace(f"{{{name}}}", word)
        return str(value)
    if isinstance(value, Mapping):
        return {filled(key, words): filled(each, words) for key, each in value.items()}
    if isinstance(value, Sequence):
        return [filled(each, words) for each in value]
    return value


def _names(facts: Mapping[str, Any]) -> list[str]:
    """What an entry may call this system, the narrowest name first."""
    narrow = f"{facts.get('distribution', '')}-{facts.get('distribution_major_version', '')}"
    return list(dict.fromkeys((narrow, str(facts.get("os_family")), str(facts.get("system")))))


def _word(label: str, name: str, found: Mapping[str, str], key: str) -> str:
    if key not in found:
        raise AnsibleFilterError(f"the label {label}: the entry {name} of the table knows {', '.join(map(str, found))}, not {key}")
    return str(found[key])


def _atom(label: str, name: str, entry: Mapping[str, Any], match: re.Match[str], facts: Mapping[str, Any]) -> dict[str, Any] | None:
    provided = entry.get("with", {})
    system = next((each for each in _names(facts) if each in provided), None)
    if system is None:
        return None
    wanted = {**provided[system]}
    words = {key: text or "" for key, text in match.groupdict().items()}
    if releases := wanted.pop("releases", None):
        words["release"] = _word(label, name, releases, words.get("version", ""))
    if arch := wanted.pop("arch", None):
        words["arch"] = _word(label, name, arch, str(facts.get("architecture")))
    role = wanted.pop("role", entry["role"])
    return {"name": name, "label": label, "role": role, "with": filled(wanted, words)}


def atoms(labels: Sequence[str], table: Mapping[str, Any], facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What has to be there for these labels; labels that no entry knows are left alone."""
    wanted = []
    for label in labels:
        known = [(name, entry, match) for name, entry in table.items() if (match := re.fullmatch(entry["label"], label))]
        found = [atom for name, entry, match in known if (atom := _atom(label, name, entry, match, facts)) is not None]
        if known and not found:
            raise AnsibleFilterError(
                f"the label {label}: no entry of the table provides it on {' or '.join(_names(facts))}; "
                f"add one to atoms.yml (entry {known[0][0]}), or take the label away"
            )
        wanted += found[:1]
    return wanted


class FilterModule:
    """Filters of the role toolchains."""

    def filters(self) -> dict[str, Any]:
        """Their names."""
        return {"toolchains_atoms": atoms}
