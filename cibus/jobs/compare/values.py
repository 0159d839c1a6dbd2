"""Two texts in the same place: the same, changed, or a secret that changed."""

from __future__ import annotations

from cibus.jobs.compare.model import Change, Kind
from cibus.redaction.placeholder import PLACEHOLDER

_NUMBERS_AND_SWITCHES = ("true", "false")


def compare_texts(old: str, new: str, what: str, path: str) -> Change | None:
    """The change from one text to another, or None.

    A clear secret that became a ciphertext in the same place is what Jenkins does at its next save; that its value
    changed at this very moment cannot be seen, and is not claimed. A masked value says nothing about the other side.
    """
    if old == new or (PLACEHOLDER.search(old) and PLACEHOLDER.search(new) and _only_encrypted(old, new)):
        return None
    secret = PLACEHOLDER.sub("", old) == PLACEHOLDER.sub("", new)
    return Change(_kind(old, new), what, path, old, new, secret)


def _only_encrypted(old: str, new: str) -> bool:
    """Whether the texts differ by nothing but secrets that were encrypted, or are masked on one side."""
    before, after = list(PLACEHOLDER.finditer(old)), list(PLACEHOLDER.finditer(new))
    if len(before) != len(after) or PLACEHOLDER.sub("\0", old) != PLACEHOLDER.sub("\0", new):
        return False
    return all(
        a[0] == b[0] or "masked" in (a["kind"], b["kind"]) or (a["kind"] != "encrypted" and b["kind"] == "encrypted")
        for a, b in zip(before, after, strict=True)
    )


def _kind(old: str, new: str) -> Kind:
    if old and new:
        return "changed"
    text = old or new
    if text in _NUMBERS_AND_SWITCHES or text.lstrip("-").replace(".", "", 1).isdigit():
        return "changed"
    return "added" if new else "removed"
