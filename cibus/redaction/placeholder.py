"""What stands in a snapshot where a secret was: ``{cibus:KIND:FINGERPRINT}``."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping

PLACEHOLDER = re.compile(r"\{cibus:(?P<kind>[a-z][a-z-]*):(?P<fingerprint>[0-9a-f]{16}|-)\}")
MASKED = "{cibus:masked:-}"

_XML_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}
)


def fingerprint(key: bytes, value: str) -> str:
    """What tells two values apart without showing either: 16 hex digits of a keyed hash."""
    return hmac.new(key, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:16]


def placeholder(kind: str, mark: str) -> str:
    """The text that replaces a secret."""
    return f"{{cibus:{kind}:{mark}}}"


def restore_values(text: str, values: Mapping[str, str], *, xml: bool = False) -> tuple[str, list[str]]:
    """Puts values in the place of their placeholders.

    Arguments:
        text: what has placeholders
        values: the values, by placeholder
        xml: the text is XML: the values are escaped for it

    Returns: the text, and the placeholders for which there is no value (each once, in order; they stay in the text)
    """
    missing: dict[str, None] = {}

    def value(match: re.Match[str]) -> str:
        found = values.get(match[0])
        if found is None:
            missing[match[0]] = None
            return match[0]
        return found.translate(_XML_ESCAPES) if xml else found

    return PLACEHOLDER.sub(value, text), list(missing)
