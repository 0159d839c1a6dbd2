"""Build results, from best to worst, as ``hudson.model.Result`` orders them."""

from __future__ import annotations

ORDER = ("SUCCESS", "UNSTABLE", "FAILURE", "NOT_BUILT", "ABORTED")
EXIT_CODES = {"SUCCESS": 0, "UNSTABLE": 3, "FAILURE": 1, "NOT_BUILT": 5, "ABORTED": 4}


def parse(name: object) -> str:
    """The result of that name; anything unknown is FAILURE, as ``Result.fromString`` has it."""
    text = str(name).upper()
    return text if text in ORDER else "FAILURE"


def worse(a: str | None, b: str | None) -> str | None:
    """The worse of two results; None is better than all."""
    if a is None:
        return b
    if b is None:
        return a
    return max(a, b, key=ORDER.index)


def is_worse_or_equal(a: str, b: str) -> bool:
    """Whether ``a`` is at least as bad as ``b``."""
    return ORDER.index(a) >= ORDER.index(b)
