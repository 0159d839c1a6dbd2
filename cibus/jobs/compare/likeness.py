"""How alike two configs are, to recognise what was renamed or moved."""

from __future__ import annotations

from collections import Counter

from cibus.jobs.compare.model import ConfigText


def similarity(a: ConfigText, b: ConfigText) -> float:
    """1.0 for the same texts, 0.0 for nothing in common; counts the lines that both have."""
    if a.xml == b.xml and a.scripts == b.scripts:
        return 1.0
    one, other = _lines(a), _lines(b)
    total = one.total() + other.total()
    shared = 2 * (one & other).total() / total if total else 0.0
    return min(shared, 0.999)  # 1.0 is for the same only


def _lines(config: ConfigText) -> Counter[str]:
    text = "\n".join([config.xml, *config.scripts.values()])
    return Counter(stripped for line in text.split("\n") if (stripped := line.strip()))
