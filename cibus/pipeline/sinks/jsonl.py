"""Events as JSON lines."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any, TextIO

from cibus.pipeline.events import Event


def as_json(event: Event) -> dict[str, Any]:
    """An event as plain data; ``event`` is its kind, e.g. ``step-started``."""
    kind = re.sub(r"(?<!^)(?=[A-Z])", "-", type(event).__name__).lower()
    return {"event": kind, **dataclasses.asdict(event)}


class JsonLines:
    """Writes each event as one line of JSON."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, event: Event) -> None:
        """Takes an event."""
        self._stream.write(json.dumps(as_json(event), ensure_ascii=False, default=str) + "\n")
        self._stream.flush()
