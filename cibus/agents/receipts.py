"""Receipts of agents: who rebuilt or proved which one, from which commit, how long it took and what came of it.

One file of JSON lines per agent. Their form is receipt.schema.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cibus.agents.spec import alias
from cibus.receipts import append_line, read_lines

OUTCOMES = ("ok", "look", "failed")


@dataclass(frozen=True)
class Receipt:
    """A receipt as it is kept, and where: ``file:line``."""

    data: Mapping[str, Any]
    place: str = ""

    @property
    def agent(self) -> str:
        """The agent's name."""
        return str(self.data["agent"])

    @property
    def started(self) -> datetime:
        """When it began."""
        return datetime.fromisoformat(self.data["started"])


def append(place: Path, data: Mapping[str, Any]) -> Path:
    """Adds a receipt to its agent's file.

    Raises:
        CibusError: it cannot be written.
    """
    return append_line(place / f"{alias(data['agent'])}.jsonl", data)


def read(place: Path, agent: str = "") -> tuple[list[Receipt], list[str]]:
    """All receipts, the oldest first, and a line for each that cannot be read.

    Arguments:
        agent: only this one's

    Raises:
        CibusError: a file cannot be read.
    """
    found, torn = [], []
    for path in sorted(place.glob(f"{alias(agent) if agent else '*'}.jsonl")):
        for where, data in read_lines(path):
            try:
                found.append(_checked(Receipt(data or {}, where)))
            except (ValueError, KeyError, TypeError, AttributeError):
                torn.append(f"{where}: is no whole receipt")
    return sorted(found, key=lambda each: each.started), torn


def _checked(receipt: Receipt) -> Receipt:
    """The receipt, where all that is shown of it is there.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it is not.
    """
    data = receipt.data
    if data["outcome"] not in OUTCOMES or receipt.started.tzinfo is None or not isinstance(data["findings"], list):
        raise ValueError("another form")
    summary(receipt)
    data["host"], dict(data["versions"]), [(each["name"], each["seconds"], each["words"]) for each in data["steps"]]
    return receipt


def summary(receipt: Receipt) -> str:
    """A receipt in one line."""
    data = receipt.data
    who = data["operator"]["name"]
    second = data.get("second")
    bad = sum(each["level"] in ("error", "warning") for each in data.get("findings", ()))
    words = [
        f"{receipt.started:%Y-%m-%d %H:%M}  {data['agent']}  {data['kind']}  {data['outcome']}",
        f"{data['seconds']:.0f} s",
        f"by {who}",
        *([f"playbooks {data['playbooks'][:12]}"] if data.get("playbooks") else []),
        *([f"{data['changes']['count']} changes"] if data.get("changes") else []),
        *([f"second pass changed={second['changed']}"] if second else []),
        *([f"{bad} finding{'s' if bad != 1 else ''}"] if bad else []),
        *([f"failed at {data['failed']}: {data['words']}"] if data.get("failed") else []),
    ]
    return "  ".join(words)
