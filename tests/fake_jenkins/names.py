"""Names of items, views and nodes: what is refused, how they stand in an URL."""

from __future__ import annotations

from urllib.parse import quote

UNSAFE = "?*/\\%!@#$^&|<>[]:;"


class BadName(ValueError):
    """A name that Jenkins refuses; the message is what X-Error says (typographic quotes are lost in a header)."""


def check_good_name(name: str) -> None:
    """Hudson's checkGoodName."""
    if not name:
        raise BadName("No name is specified")
    if name in (".", ".."):
        raise BadName(f"‘{name}’ is not an allowed name")
    for char in name:
        if ord(char) < 32 or 0x7F <= ord(char) < 0xA0:
            shown = "".join(f"\\u{ord(each)};" if ord(each) < 32 or 0x7F <= ord(each) < 0xA0 else each for each in name)
            raise BadName(f"No control code is allowed: {shown}")
        if char in UNSAFE:
            raise BadName(f"‘{char}’ is an unsafe character")


def header_text(message: str) -> str:
    """What is left of a message in a header: typographic quotes turn to spaces."""
    return "".join(char if ord(char) < 256 else " " for char in message)


def encode_segment(name: str) -> str:
    """Util.rawEncode."""
    return quote(name, safe="!$&'()*+,-.:;=@_").replace("~", "%7E")
