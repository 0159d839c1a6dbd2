"""Texts and keys as TOML writes them (https://toml.io/en/v1.0.0)."""

from __future__ import annotations


def quoted(text: str) -> str:
    """A basic string."""
    made = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(f"\\u{ord(c):04x}" if ord(c) < 32 or ord(c) == 127 else c for c in made) + '"'


def bare_key(name: str) -> str:
    """A key: as it is where that may be, otherwise quoted."""
    return name if name and all(char.isascii() and (char.isalnum() or char in "-_") for char in name) else quoted(name)
