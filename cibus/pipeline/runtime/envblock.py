"""Working out an ``environment`` block: references in any order, each value once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cibus.pipeline.model.records import EnvEntry
from cibus.pipeline.values import Thrown

if TYPE_CHECKING:
    from cibus.pipeline.runtime.declarative import Declarative


def java_order(names: list[str]) -> list[str]:
    """The order in which ``java.util.HashMap`` goes through these keys, which Declarative inherits."""
    size = 16
    while len(names) > size * 0.75:
        size *= 2

    def bucket(name: str) -> int:
        code = 0
        for character in name:
            code = (31 * code + ord(character)) & 0xFFFFFFFF
        return (code ^ (code >> 16)) & (size - 1)

    return sorted(names, key=bucket)


class EnvBlock:
    """The entries of one block that are not credentials, resolved as they are asked for."""

    def __init__(self, d: Declarative, entries: tuple[EnvEntry, ...]) -> None:
        self._d = d
        self._entries = {entry.name: entry for entry in entries if not entry.credentials}
        self._values: dict[str, str] = {}
        self._open: list[str] = []

    def resolve(self) -> dict[str, str]:
        """All values, by name, in Jenkins' order.

        Raises:
            Thrown: IllegalArgumentException naming the variables whose values cannot be worked out.
        """
        d = self._d
        outer = d.branch.scope
        d.branch.scope = outer.inside(resolve=self.lookup)
        bad = []
        try:
            for name in java_order(list(self._entries)):
                try:
                    self.value(name)
                except Thrown as error:
                    if error.is_interruption:
                        raise
                    bad.append(name)
                    d.run.remark(f"environment: {name} (line {self._entries[name].pos.line}): {error.text}", "error")
        finally:
            d.branch.scope = outer
        if bad:
            raise Thrown("java.lang.IllegalArgumentException", f"One or more variables have some issues with their values: {', '.join(bad)}")
        return {name: self._values[name] for name in java_order(list(self._entries))}

    def lookup(self, name: str) -> Any:
        """What a name means inside the block: another entry, or None for the environment outside."""
        if name not in self._entries or name in self._open:
            return None
        return self.value(name)

    def value(self, name: str) -> str:
        """The value of one entry as text."""
        if name not in self._values:
            self._open.append(name)
            try:
                found = self._d.value(self._entries[name].value)
            finally:
                self._open.pop()
            self._values[name] = _text(found)
        return self._values[name]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(getattr(value, "text", "") or value)
