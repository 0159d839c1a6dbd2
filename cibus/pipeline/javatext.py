"""Texts and orders as Java gives them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

_MACRO = re.compile(r"\$([A-Za-z0-9_]+|\{[A-Za-z0-9_.]+\}|\$)")


def expand(text: str, variables: Mapping[str, str]) -> str:
    """``$NAME`` and ``${NAME}`` replaced as ``hudson.EnvVars.expand`` does; unknown names stay."""

    def value(found: re.Match[str]) -> str:
        name = found.group(1)
        if name == "$":
            return "$"
        return variables.get(name.strip("{}"), found.group(0))

    return _MACRO.sub(value, text)


def double(v: float) -> str:
    """What ``Double.toString`` gives."""
    if v != v or v in (float("inf"), float("-inf")):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[repr(v)]
    if v == 0 or 1e-3 <= abs(v) < 1e7:
        text = format(Decimal(repr(v)), "f")
        return text if "." in text else text + ".0"
    sign, digits, exponent = Decimal(repr(v)).normalize().as_tuple()
    fraction = "".join(map(str, digits[1:])) or "0"
    return f"{'-' if sign else ''}{digits[0]}.{fraction}E{int(exponent) + len(digits) - 1}"


def string_hash(text: str) -> int:
    """``String.hashCode`` as an unsigned number."""
    h = 0
    units = text.encode("utf-16-be")
    for i in range(0, len(units), 2):
        h = (31 * h + (units[i] << 8 | units[i + 1])) & 0xFFFFFFFF
    return h


def hash_map_order(keys: Iterable[str]) -> list[str]:
    """The order in which a ``java.util.HashMap`` gives keys that were put in that order."""
    unique = list(dict.fromkeys(keys))
    size = 16
    while len(unique) > size * 0.75:
        size *= 2

    def bucket(key: str) -> int:
        h = string_hash(key)
        return (h ^ (h >> 16)) & (size - 1)

    return sorted(unique, key=bucket)


def time_span(seconds: float) -> str:
    """``hudson.Util.getTimeSpanString``: the two greatest units."""
    millis = int(seconds * 1000)
    years, rest = divmod(millis, 365 * 86_400_000)
    months, rest = divmod(rest, 30 * 86_400_000)
    days, rest = divmod(rest, 86_400_000)
    hours, rest = divmod(rest, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    whole, fraction = divmod(rest, 1000)
    if years:
        return f"{years} yr {months} mo"
    if months:
        return f"{months} mo {days} {'day' if days == 1 else 'days'}"
    if days:
        return f"{days} {'day' if days == 1 else 'days'} {hours} hr"
    if hours:
        return f"{hours} hr {minutes} min"
    if minutes:
        return f"{minutes} min {whole} sec"
    if whole >= 10:
        return f"{whole} sec"
    if whole >= 1:
        tenths = fraction // 100
        return f"{whole}.{tenths} sec" if tenths else f"{whole} sec"
    return f"{fraction / 1000:.2g} sec" if fraction >= 100 else f"{fraction} ms"
