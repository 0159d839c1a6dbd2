"""Globs on names with slashes, as those of jobs."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase


def matches(name: str, globs: Iterable[str]) -> bool:
    """Whether a name, or a folder that it is in, matches a glob; ``*`` also matches slashes."""
    parts = name.split("/")
    names = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
    return any(fnmatchcase(each, glob) for each in names for glob in globs)
