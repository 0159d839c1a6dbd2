"""What can be seen in the macOS roles without a host: their commands are documented, their data is whole."""

from __future__ import annotations

import base64
import importlib.util
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from playbooks.macos import PLAYBOOKS, PROGRAM

ROLES = PLAYBOOKS / "roles"
OWN = ("macos_settings", "homebrew", "xcode", "signing")
NAMED = {"{{ java_executable }}": "java", "{{ xcode_tool }}": "xcodes", "{{ item.verify }}": ""}
WORDS = re.compile(r"/(?:usr/)?s?bin/([a-z_-]+)")


def task_files() -> list[Path]:
    """The files with tasks for Macs."""
    own = [path for role in OWN for path in sorted((ROLES / role).glob("[th]*/*.yml"))]
    return [*own, *sorted(ROLES.glob("*/tasks/darwin*.yml"))]


def tasks(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """All tasks, those in blocks too."""
    for row in rows:
        yield row
        for part in ("block", "rescue", "always"):
            yield from tasks(row.get(part) or [])


ALL = [(path.relative_to(ROLES), task) for path in task_files() for task in tasks(yaml.safe_load(path.read_text("utf-8")) or [])]


def first(command: Any) -> str:
    """The program of a command task."""
    if isinstance(command, dict):
        command = command.get("cmd") or command["argv"]
    if isinstance(command, list):
        command = command[0]
    if command in NAMED:
        return NAMED[command]
    if command.startswith("{{ ["):  # an expression that makes the list: its first text
        command = re.findall(r"'([^']+)'", command)[0]
    return Path(re.sub(r"{{.*?}}", "", command).split()[0]).name


def programs() -> dict[str, str]:
    """The programs that tasks and templates run, and where."""
    found: dict[str, str] = {}
    for path, task in ALL:
        for key, value in task.items():
            if key == "ansible.builtin.command":
                found[first(value)] = str(path)
            elif isinstance(value, dict) and "validate" in value:
                found[Path(value["validate"].split()[0]).name] = str(path)
    templates = [path for role in OWN for path in (ROLES / role).glob("templates/*")] + list(ROLES.glob("*/templates/*darwin*"))
    for path in templates:
        for word in WORDS.findall(path.read_text("utf-8")):
            found[word] = str(path.relative_to(ROLES))
    for step in yaml.safe_load((PLAYBOOKS / "manual-steps.yml").read_text("utf-8"))["steps"]:
        if "verify" in step:
            found[step["verify"].split()[0]] = "manual-steps.yml"
    found.pop("", None)
    return found


def documented() -> set[str]:
    return set(re.findall(r"(?m)^\| `([^`]+)` \|", (PLAYBOOKS / "macos-commands.md").read_text("utf-8")))


def test_every_command_is_documented() -> None:
    used = programs()
    assert len(used) > 25
    assert {name: place for name, place in used.items() if name not in documented()} == {}


def test_no_command_is_documented_that_is_not_used() -> None:
    inside = {"awk", "df", "echo", "exec", "find", "rm", "java", "node_exporter", "xcrun", "sudo"}  # in shell lines of templates
    assert documented() - set(programs()) - inside == set()


@pytest.mark.parametrize(("path", "task"), ALL, ids=[f"{path}:{task.get('name')}" for path, task in ALL])
def test_tasks_are_named_and_say_when_they_change(path: Path, task: dict[str, Any]) -> None:
    assert task.get("name"), path
    assert not {"ansible.builtin.shell", "ansible.builtin.raw", "shell", "command"} & set(task)
    command = task.get("ansible.builtin.command")
    if command is not None:
        assert "changed_when" in task or (isinstance(command, dict) and {"creates", "removes"} & set(command))


@pytest.mark.parametrize("task", [task for _, task in ALL if "password" in str(task) and "ansible.builtin.command" in task], ids=lambda task: str(task["name"]))
def test_passwords_go_to_the_input_and_are_not_shown(task: dict[str, Any]) -> None:
    command = task["ansible.builtin.command"]
    given = {key: value for key, value in command.items() if key != "stdin"} if isinstance(command, dict) else command
    assert "_password" not in str(given) and ".password" not in str(given)
    if isinstance(command, dict) and "password" in str(command.get("stdin", "")):
        assert task["no_log"] is True


def test_manual_steps_are_whole() -> None:
    steps = yaml.safe_load((PLAYBOOKS / "manual-steps.yml").read_text("utf-8"))["steps"]
    assert len({step["id"] for step in steps}) == len(steps) >= 8
    for step in steps:
        assert {"id", "what", "why", "how"} <= set(step) <= {"id", "what", "why", "how", "verify", "expect"}
        assert not step["what"].endswith(".")


def test_xcode_table_is_sorted() -> None:
    table = yaml.safe_load((ROLES / "xcode/vars/main.yml").read_text("utf-8"))["xcode_table"]
    for key in ("from", "macos"):
        numbers = [tuple(int(part) for part in row[key].split(".")) for row in table]
        assert numbers == sorted(numbers, reverse=True)


@pytest.mark.parametrize("role", [*OWN])
def test_roles_are_documented(role: str) -> None:
    defaults = yaml.safe_load((ROLES / role / "defaults/main.yml").read_text("utf-8"))
    options = yaml.safe_load((ROLES / role / "meta/argument_specs.yml").read_text("utf-8"))["argument_specs"]["main"]["options"]
    assert set(defaults) <= set(options)
    assert all(name.startswith(f"{role}_") for name in defaults)
    assert (ROLES / role / "README.md").is_file()


@pytest.mark.parametrize(("password", "length"), [("", 12), ("a", 12), ("elevenchars", 12), ("twelve-chars", 24), ("pässwörter", 24)])
def test_kcpassword(password: str, length: int) -> None:
    spec = importlib.util.spec_from_file_location("kcpassword", ROLES / "macos_settings/filter_plugins/kcpassword.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    stored = base64.b64decode(module.kcpassword(password))
    assert len(stored) == length
    plain = bytes(byte ^ module.KEY[at % 11] for at, byte in enumerate(stored))
    assert plain.rstrip(b"\0").decode() == password
    assert password or stored.hex() == "7d895223d2bcddeaa3b91f7d"


@pytest.mark.skipif(not PROGRAM.exists(), reason="Ansible is not installed (the extra: agents)")
@pytest.mark.parametrize("role", [*OWN])
def test_syntax(role: str, tmp_path: Path) -> None:
    book = tmp_path / "play.yml"
    book.write_text(f"- hosts: all\n  roles: [{ROLES / role}]\n", "utf-8")
    done = subprocess.run([str(PROGRAM), "-i", "localhost,", "--syntax-check", str(book)], capture_output=True, text=True, check=False, cwd=PLAYBOOKS)
    assert done.returncode == 0, done.stderr
