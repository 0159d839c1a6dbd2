"""Words that several modules say."""

from __future__ import annotations


def counted(count: int, what: str) -> str:
    """``1 thing``, ``2 things``."""
    return f"{count:,} {what}{'s' if count != 1 else ''}"
