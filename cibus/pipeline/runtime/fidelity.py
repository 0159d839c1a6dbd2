"""What was real in a run and what was not."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any


class FidelityReport:
    """Collects, per step, how it ran, and what differs from CI."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._steps: dict[str, Counter[str]] = {}
        self._recorded: list[dict[str, Any]] = []
        self._differences: list[str] = []

    def step(self, name: str, kind: str, differences: list[str]) -> None:
        """A step ended: ``kind`` is real, recorded, stubbed, skipped or accepted."""
        with self._lock:
            self._steps.setdefault(name, Counter())[kind] += 1
        for difference in differences:
            self.differs(f"{name}: {difference}")

    def record(self, effect: str, line: int, details: dict[str, Any]) -> None:
        """An effect outside that was recorded instead of done."""
        with self._lock:
            self._recorded.append({"effect": effect, "line": line, **{k: _plain(v) for k, v in details.items()}})

    def differs(self, text: str) -> None:
        """Something that differs from CI; said once."""
        with self._lock:
            if text not in self._differences:
                self._differences.append(text)

    def as_json(self) -> dict[str, Any]:
        """The report's part of ``--report``."""
        with self._lock:
            return {
                "steps": {name: dict(kinds) for name, kinds in sorted(self._steps.items())},
                "recorded": list(self._recorded),
                "differences": list(self._differences),
            }


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool, type(None), list, dict)) else str(value)
