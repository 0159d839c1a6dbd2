"""Made-up repositories and teams: commits by whom and when one wants, files in a folder, receipts of deeds."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fake_jenkins import FakeJenkins

ADA, BEN, CLEO, DAN = "ada", "ben", "cleo", "dan"
PEOPLE = "".join(f'[people.{each}]\nname = "{each.capitalize()} Example"\nemails = ["{each}@example.org"]\nhandle = "@{each}"\nreach = "phone {number}"\n' for number, each in enumerate((ADA, BEN, CLEO, DAN), 1))


def git(folder: Path, *words: str, who: str = ADA, days_ago: float = 0, name: str = "", mail: str = "") -> str:
    """Runs git as somebody, some days ago."""
    when = f"{int((datetime.now(UTC) - timedelta(days=days_ago)).timestamp())} +0000"
    name, mail = name or f"{who.capitalize()} Example", mail or f"{who}@example.org"
    known = {"GIT_AUTHOR_NAME": name, "GIT_COMMITTER_NAME": name, "GIT_AUTHOR_EMAIL": mail, "GIT_COMMITTER_EMAIL": mail, "GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    return subprocess.run(["git", *words], cwd=folder, check=True, env={**os.environ, **known}, capture_output=True, text=True).stdout


class Repository:
    """A repository in which commits are made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        git(folder, "init", "-q", "-b", "main")
        self._count = 0

    def commit(self, who: str, *paths: str, days_ago: float = 10, text: str = "", name: str = "", mail: str = "") -> None:
        """Somebody creates or changes files."""
        for path in paths:
            self._count += 1
            place = self.folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            before = place.read_text() if place.is_file() else ""
            place.write_text(text or f"{before}line {self._count} by {who} in {path}\n")
        git(self.folder, "add", "-A")
        git(self.folder, "commit", "-q", "-m", f"by {who}", who=who, days_ago=days_ago, name=name, mail=mail)

    def rename(self, who: str, old: str, new: str, days_ago: float = 5) -> None:
        """Somebody renames a file."""
        (self.folder / new).parent.mkdir(parents=True, exist_ok=True)
        git(self.folder, "mv", old, new)
        git(self.folder, "commit", "-q", "-m", "rename", who=who, days_ago=days_ago)


Make = Callable[[str], Repository]  # makes a repository of a name


def table(fake: FakeJenkins, *, practice: bool = True) -> str:
    """The table of a controller."""
    return f'[controllers.default]\nurl = "{fake.url}"\nuser = "{fake.user}"\ntoken = {{ value = "{fake.token}" }}\n' + ("practice = true\n" if practice else "")


def receipt(folder: Path, name: str, data: Mapping[str, Any], *, who: str = ADA, days_ago: float = 10) -> None:
    """Adds a receipt of a deed to a file in a team's receipts."""
    path = folder / "receipts" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    started = (datetime.now(UTC) - timedelta(days=days_ago)).isoformat(timespec="seconds")
    operator = {"name": f"{who.capitalize()} Example", "email": f"{who}@example.org"}
    with path.open("a") as file:
        file.write(json.dumps({"schema": 1, "outcome": "ok", "operator": operator, "started": started, "seconds": 5.0, **data}) + "\n")


def rebuilt(folder: Path, agent: str, **more: Any) -> None:
    """Somebody rebuilt an agent."""
    receipt(folder, f"{agent}.jsonl", {"kind": "rebuild", "agent": agent}, **more)


def went_through(folder: Path, page: str, *things: str, mode: str = "run", outcome: str = "ok", **more: Any) -> None:
    """Somebody went through a runbook."""
    receipt(folder, f"runbooks/{page}.jsonl", {"kind": "runbook", "runbook": page, "mode": mode, "outcome": outcome, "things": [f"runbook:{page}", *things]}, **more)
