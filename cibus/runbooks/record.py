"""The receipt of a runbook that was gone through, and when each was gone through last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from cibus.config import Config
from cibus.receipts import VERSION, append_line, folder, operator, read_lines, scrubbed, versions
from cibus.runbooks.page import Runbook
from cibus.runbooks.walk import Walk

THINGS = ("agent", "job", "credential", "library", "playbook")


def things(book: Runbook, values: Mapping[str, str]) -> list[str]:
    """What a run was about: the runbook, and what its variables name."""
    named = [f"{kind}:{values[kind]}" for kind in THINGS if values.get(kind) and kind in book.variables]
    return [f"runbook:{book.name}", *named, *(["controller"] if "controller" in book.needs else [])]


def receipt(config: Config, book: Runbook, walk: Walk, mode: str, started: str, seconds: float) -> dict[str, Any]:
    """A run as it is kept, without the values of secret variables."""
    secrets = [walk.values[name] for name, each in book.variables.items() if each.secret and walk.values.get(name)]
    data = {
        "schema": VERSION,
        "kind": "runbook",
        "runbook": book.name,
        "page": book.digest,
        "mode": mode,
        "outcome": walk.outcome,
        "operator": operator(config),
        "started": started,
        "seconds": round(seconds, 1),
        "variables": {name: value for name, value in walk.values.items() if not book.variables[name].secret},
        "things": things(book, walk.values),
        "blocks": [
            {"number": each.block.number, "section": each.block.section, "outcome": each.outcome, "exit": each.code, "seconds": round(each.seconds, 1), "words": each.words} for each in walk.done
        ],
        "versions": versions(),
    }
    cleaned: dict[str, Any] = scrubbed(data, secrets)
    return cleaned


def keep(config: Config, data: Mapping[str, Any]) -> Path:
    """Adds a run's receipt to its runbook's file.

    Raises:
        CibusError: it cannot be written.
    """
    return append_line(folder(config) / "runbooks" / f"{data['runbook']}.jsonl", data)


def last_runs(config: Config) -> dict[str, tuple[datetime, str]]:
    """By runbook, when a person last went through it to its end, and who."""
    found: dict[str, tuple[datetime, str]] = {}
    for path in sorted((folder(config) / "runbooks").glob("*.jsonl")):
        for _, line in read_lines(path):
            data = line or {}
            try:
                when, who = datetime.fromisoformat(data["started"]), str(data["operator"]["name"])
                counts = data["mode"] == "run" and data["outcome"] in ("ok", "look") and when.tzinfo is not None
            except (KeyError, TypeError, ValueError):
                continue
            if counts and (path.stem not in found or found[path.stem][0] < when):
                found[path.stem] = (when, who)
    return found
