"""What can be said about the playbooks without a host."""

from __future__ import annotations

import importlib.metadata
import re
import string
from pathlib import Path
from typing import Any

import pytest
import yaml

from playbooks.plays import PLAYBOOKS, run

ROLES = sorted(path for path in (PLAYBOOKS / "roles").iterdir() if path.is_dir())
TABLE: dict[str, dict[str, Any]] = yaml.safe_load((PLAYBOOKS / "atoms.yml").read_text("utf-8"))
LABELS = {
    "git": {"git"},
    "jdk-21": {"jdk"},
    "node-18": {"node", "node-of-debian-12"},
    "go-1.22": {"go"},
    "gcc": {"build-essential"},
    "maven-3.9": {"maven-release"},
    "gitt": set(),
    "jdk-": set(),
    "linux": set(),
}


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8")) if path.exists() else None


@pytest.mark.parametrize("name", ["agent.yml", "bare.yml"])
def test_playbooks_are_read_by_ansible(name: str, tmp_path: Path) -> None:
    done = run(tmp_path, "ansible-playbook", "--syntax-check", "-i", "localhost,", str(PLAYBOOKS / name))
    assert done.returncode == 0, done.stderr


def test_collections_are_those_of_the_pinned_ansible() -> None:
    bundled = Path(str(importlib.metadata.distribution("ansible").locate_file("ansible_collections")))
    for each in read(PLAYBOOKS / "requirements.yml")["collections"]:
        manifest = read(bundled / each["name"].replace(".", "/") / "MANIFEST.json")
        assert manifest["collection_info"]["version"] == each["version"]


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_roles_say_what_they_take(role: Path) -> None:
    specs = read(role / "meta/argument_specs.yml")["argument_specs"]["main"]
    options, defaults = specs["options"], read(role / "defaults/main.yml") or {}
    assert set(defaults) <= set(options)
    for name, option in options.items():
        assert name.startswith(f"{role.name}_"), name
        assert option["description"], name
        assert option.get("required") or name in defaults, name
        if "default" in option:
            assert option["default"] == defaults[name], name
    assert f"role: {role.name}" in (role / "README.md").read_text("utf-8")


@pytest.mark.parametrize("name", TABLE)
def test_atoms_have_the_form_that_the_table_tells(name: str) -> None:
    entry = TABLE[name]
    assert set(entry) <= {"label", "role", "with", "prove", "expect", "systems"}
    pattern = re.compile(entry["label"])
    assert set(pattern.groupindex) <= {"version"}
    assert entry["prove"]
    re.compile(entry.get("expect", ""))
    roles = {entry["role"], *(each["role"] for each in entry["with"].values() if "role" in each)}
    assert roles <= {role.name for role in ROLES} | {"homebrew", "xcode"}
    said = [entry["prove"], entry.get("expect", "")]
    used = {field for text in said for _, field, _, _ in string.Formatter().parse(text) if field}
    assert used <= set(pattern.groupindex), "what proves it may only use the version"


@pytest.mark.parametrize("label", LABELS)
def test_labels_are_known_as_a_whole(label: str) -> None:
    assert {name for name, entry in TABLE.items() if re.fullmatch(entry["label"], label)} == LABELS[label]


def test_downloads_are_checked() -> None:
    for name, entry in TABLE.items():
        for system, provided in entry["with"].items():
            if "url" in provided:
                assert provided["url"].startswith("https://"), (name, system)
                assert re.fullmatch(r"sha(256|512):([0-9a-f]{64,128}|https://.*)", provided["checksum"]), (name, system)
