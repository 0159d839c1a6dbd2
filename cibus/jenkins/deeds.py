"""What was last done from here with a controller's configuration: exports and comparisons, for the monitor."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

from cibus.folders import state_home, write_whole


def note(url: str, deed: str, **facts: Any) -> None:
    """Notes that something was done now; where that cannot be written the deed itself is not spoilt."""
    path = _path(url)
    known = {**_read(path), deed: {"when": time.time(), **facts}}
    try:
        write_whole(path, json.dumps(known, indent=1).encode())
    except OSError:
        return


def last(url: str, deed: str) -> dict[str, Any] | None:
    """What was noted last, with ``when`` in epoch seconds; None: never done from here."""
    found = _read(_path(url)).get(deed)
    return found if isinstance(found, dict) and isinstance(found.get("when"), (int, float)) else None


def _path(url: str) -> Path:
    return state_home() / "controllers" / f"{hashlib.sha256(url.rstrip('/').encode()).hexdigest()[:16]}.json"


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
