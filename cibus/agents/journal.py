"""How far a rebuild got: kept until it ends well, so that the next one goes on there."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cibus.agents.spec import alias
from cibus.folders import state_home, write_whole

FRESH = 24 * 3600  # seconds; what was done longer ago is done again


@dataclass(frozen=True)
class Journal:
    """An agent's steps that are done: by name, what came of them.

    Arguments:
        plan: a digest of what was to be done; another plan begins anew
        begun: when, in seconds since 1970
    """

    agent: str
    plan: str
    begun: float
    done: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def with_step(self, name: str, data: Mapping[str, Any]) -> Journal:
        """The journal with one more step, written down."""
        more = replace(self, done={**self.done, name: dict(data)})
        more.write()
        return more

    def without_step(self, name: str) -> Journal:
        """The journal as if a step had not been done."""
        return replace(self, done={key: value for key, value in self.done.items() if key != name})

    def write(self) -> None:
        """Writes it down."""
        data = {"agent": self.agent, "plan": self.plan, "begun": self.begun, "done": self.done}
        write_whole(_path(self.agent), json.dumps(data, indent=1).encode(), private=True)

    def close(self) -> None:
        """All is done."""
        _path(self.agent).unlink(missing_ok=True)


def opened(agent: str, plan: str) -> Journal:
    """The journal of an unfinished rebuild with the same plan, or a new one."""
    path = _path(agent)
    try:
        data = json.loads(path.read_bytes())
        found = Journal(data["agent"], data["plan"], float(data["begun"]), data["done"])
    except (OSError, ValueError, KeyError, TypeError):
        found = None
    if found is None or found.plan != plan or time.time() - found.begun > FRESH:
        return Journal(agent, plan, time.time())
    return found


def digest(*parts: object) -> str:
    """A digest of a plan."""
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()[:16]


def _path(agent: str) -> Path:
    return state_home() / "agents" / f"{alias(agent)}.rebuild.json"
