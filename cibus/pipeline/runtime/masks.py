"""Masking secrets in the log, as credentials-binding does."""

from __future__ import annotations

import base64
import functools
import re

MASK = "****"


@functools.lru_cache(maxsize=256)
def _pattern(secrets: tuple[str, ...]) -> re.Pattern[str] | None:
    forms: set[str] = set()
    for secret in secrets:
        forms.update(_forms(secret))
    if not forms:
        return None
    return re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)))


def _forms(secret: str) -> set[str]:
    """The texts in which a secret shows: itself, its lines, and as a shell's trace quotes it."""
    forms = {secret}
    lines = [line for line in secret.splitlines() if line.strip()]
    if len(lines) > 1:
        forms.update(line for line in lines if len(line) >= 4)
    elif lines:
        forms.add(lines[0])
    if "'" in secret:
        forms.add(secret.replace("'", "'\\''"))
        forms.add(secret.replace("'", "'\"'\"'"))
    return {form for form in forms if form}


def mask(text: str, secrets: tuple[str, ...]) -> str:
    """The text with every secret replaced by ``****``."""
    if not secrets:
        return text
    pattern = _pattern(secrets)
    return pattern.sub(MASK, text) if pattern else text


def basic_auth(user: str, password: str) -> str:
    """What an HTTP basic Authorization header holds for a user name and password."""
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def encoded(secret: str) -> set[str]:
    """How a secret shows within base64 text, for each of the three offsets it can have.

    Source: Base64SecretPatternFactory of credentials-binding, versions after the one that the strict mode mirrors.
    """
    forms = set()
    data = secret.encode()
    for offset in range(3):
        text = base64.b64encode(b"\0" * offset + data).decode().rstrip("=")
        start = (0, 2, 3)[offset]
        whole = text[start : len(text) - (1 if (offset + len(data)) % 3 else 0)]
        if len(whole) >= 8:
            forms.add(whole)
    return forms
