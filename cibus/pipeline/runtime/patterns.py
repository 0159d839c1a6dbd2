"""How ``when`` compares names: Ant paths, globs, regular expressions."""

from __future__ import annotations

import functools
import re


@functools.lru_cache(maxsize=512)
def ant_regex(pattern: str, case_sensitive: bool) -> re.Pattern[str]:
    """An Ant path pattern as a regular expression: ``**`` crosses folders, ``*`` and ``?`` do not."""
    if pattern.endswith("/"):
        pattern += "**"
    out = []
    for part in pattern.replace("\\", "/").split("/"):
        if part == "**":
            out.append("(?:[^/]+/)*")
        else:
            text = "".join({"*": "[^/]*", "?": "[^/]"}.get(c, re.escape(c)) for c in part)
            out.append(text + "/")
    return re.compile("".join(out), 0 if case_sensitive else re.IGNORECASE)


def ant_match(pattern: str, path: str, *, case_sensitive: bool = False) -> bool:
    """Whether a path fits an Ant pattern."""
    return ant_regex(pattern, case_sensitive).fullmatch(path.replace("\\", "/") + "/") is not None


def java_regex_matches(pattern: str, text: str) -> bool:
    """``Pattern.matches``: the whole text fits."""
    try:
        return re.fullmatch(pattern, text) is not None
    except re.error:
        return False


def compare(comparator: str | None, pattern: str, actual: str | None, *, default: str = "GLOB") -> bool:
    """The comparators of branch, tag and changeRequest: EQUALS, GLOB (Ant, ignoring case), REGEXP."""
    if actual is None:
        return False
    kind = (comparator or default).upper()
    if kind == "REGEXP":
        return java_regex_matches(pattern, actual)
    if kind == "EQUALS":
        return pattern == actual
    return ant_match(pattern, actual)
