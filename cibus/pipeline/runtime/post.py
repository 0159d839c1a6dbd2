"""``post``: which conditions hold, in which order (pipeline-model-definition 1.7.2)."""

from __future__ import annotations

from collections.abc import Callable

from cibus.pipeline.runtime import results
from cibus.pipeline.values import Thrown

ORDER = ("always", "changed", "fixed", "regression", "aborted", "success", "unsuccessful", "unstable", "failure", "notBuilt", "cleanup")


def result_of(error: Thrown | None) -> str | None:
    """The build result that an exception brings."""
    if error is None:
        return None
    return error.result or "ABORTED" if error.is_interruption else "FAILURE"


def satisfied(condition: str, current: str, previous: str | None) -> bool:
    """Whether a condition holds for this result and that of the previous build (None: there is none)."""
    return _TESTS[condition](current, previous)


_TESTS: dict[str, Callable[[str, str | None], bool]] = {
    "always": lambda now, before: True,
    "cleanup": lambda now, before: True,
    "changed": lambda now, before: before != now,
    "fixed": lambda now, before: now == "SUCCESS" and before in ("FAILURE", "UNSTABLE"),
    "regression": lambda now, before: (
        before is not None and now in ("UNSTABLE", "FAILURE", "ABORTED") and now != before and results.is_worse_or_equal(now, before)
    ),
    "aborted": lambda now, before: now == "ABORTED",
    "success": lambda now, before: now == "SUCCESS",
    "unsuccessful": lambda now, before: now != "SUCCESS",
    "unstable": lambda now, before: now == "UNSTABLE",
    "failure": lambda now, before: now == "FAILURE",
    "notBuilt": lambda now, before: now == "NOT_BUILT",
}
