"""Why a file mask matches nothing: the hints of ``hudson.FilePath.validateAntFileMask``."""

from __future__ import annotations

from pathlib import Path

from cibus.pipeline.antglob import scan, scan_all


def explain(root: Path, masks: str, case_sensitive: bool = True) -> str | None:
    """The message for the first of the masks that matches nothing below ``root``, or None."""
    if masks.startswith("~"):
        return "‘~’ is only supported in a Unix shell and nowhere else."
    for token in masks.split(","):
        mask = token.strip()
        if token and not _has_match(root, mask, case_sensitive):
            return _hint(root, mask, case_sensitive)
    return None


def _has_match(root: Path, mask: str, case_sensitive: bool) -> bool:
    found = scan_all(root, [mask], default_excludes=False, case_sensitive=case_sensitive)
    return bool(found.files or found.folders)


def _hint(root: Path, mask: str, case_sensitive: bool) -> str:
    if case_sensitive and _has_match(root, mask, False):
        return (
            f"‘{mask}’ doesn’t match anything because it is treated case sensitively. "
            "You can deactivate case sensitivity to get matches"
        )
    if " " in mask and all(_has_match(root, part, case_sensitive) for part in mask.split()):
        return "Whitespace can no longer be used as the separator. Please Use ‘,’ as the separator instead."
    other = _without_leading(root, mask, case_sensitive) or _with_leading(root, mask, case_sensitive)
    if other:
        return f"‘{mask}’ doesn’t match anything, but ‘{other}’ does. Perhaps that’s what you mean?"
    return _leading_part(root, mask, case_sensitive)


def _separator(mask: str) -> int:
    found = [i for i in (mask.find("/"), mask.find("\\")) if i >= 0]
    return min(found, default=-1)


def _without_leading(root: Path, mask: str, case_sensitive: bool) -> str | None:
    """The user gave aa/bb/cc where bb/cc is right."""
    rest = mask
    while (i := _separator(rest)) >= 0:
        rest = rest[i + 1 :]
        if _has_match(root, rest, case_sensitive):
            return rest
    return None


def _with_leading(root: Path, mask: str, case_sensitive: bool) -> str | None:
    """The user gave bb/cc where aa/bb/cc is right."""
    for name in sorted(scan(root, ["**/" + mask], case_sensitive=case_sensitive), key=len):
        parts = name.split("/")
        for i in range(1, len(parts)):
            candidate = "/".join(parts[:i]) + "/" + mask
            if _has_match(root, candidate, case_sensitive):
                return candidate
    return None


def _leading_part(root: Path, mask: str, case_sensitive: bool) -> str:
    previous = None
    part = mask
    while not _has_match(root, part, case_sensitive):
        i = _separator(part)
        if i < 0:
            if part == mask:
                return f"‘{mask}’ doesn’t match anything"
            return f"‘{mask}’ doesn’t match anything: even ‘{part}’ doesn’t exist"
        previous, part = part, part[:i]
    if previous is None:
        return f"‘{mask}’ doesn’t match anything, although ‘{part}’ exists"
    return f"‘{mask}’ doesn’t match anything: ‘{part}’ exists but not ‘{previous}’"
