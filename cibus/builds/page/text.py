"""Log text as HTML: whatever it holds, it is shown and does nothing."""

from __future__ import annotations

import html
import re

LONGEST = 2000  # characters of a line that are shown
_SGR = re.compile(r"\x1b\[([\d;]*)m")
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_ODD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Characters that are not seen, or that turn the order of others around."""
_COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")


def escaped(text: str) -> str:
    """A piece of a line as HTML, without colours."""
    return _ODD.sub(lambda match: f'<i class="odd">{_name(match[0])}</i>', html.escape(text, quote=True))


def _name(character: str) -> str:
    return chr(0x2400 + ord(character)) if ord(character) < 0x20 else f"U+{ord(character):04X}"


def line_html(text: str, marked: tuple[int, int] | None = None) -> str:
    """A line as HTML: ANSI colours as classes, other control sequences left out.

    Arguments:
        marked: a range of the line, without its control sequences, that is shown as what differs
    """
    pieces, plain = _coloured(text)
    more = len(plain) - LONGEST
    out, at = [], 0
    for classes, piece in pieces:
        piece = piece[: max(0, LONGEST - at)]
        if not piece:
            continue
        inner = _marked(piece, at, marked)
        out.append(f'<b class="{classes}">{inner}</b>' if classes else inner)
        at += len(piece)
    if more > 0:
        out.append(f'<i class="odd">… {more:,} more characters</i>')
    return "".join(out)


def _marked(piece: str, at: int, marked: tuple[int, int] | None) -> str:
    if marked is None:
        return escaped(piece)
    start, end = (min(max(0, border - at), len(piece)) for border in marked)
    if start >= end:
        return escaped(piece)
    return f"{escaped(piece[:start])}<mark>{escaped(piece[start:end])}</mark>{escaped(piece[end:])}"


def without_escapes(text: str) -> str:
    """A line without its control sequences."""
    return _ESCAPE.sub("", text) if "\x1b" in text else text


def _coloured(text: str) -> tuple[list[tuple[str, str]], str]:
    """The pieces of a line with the classes of their colours, and the line without control sequences."""
    if "\x1b" not in text:
        return [("", text)], text
    pieces, at, colour, bold = [], 0, "", False
    for match in _SGR.finditer(text):
        pieces.append((_classes(colour, bold), without_escapes(text[at : match.start()])))
        colour, bold = _after(match[1], colour, bold)
        at = match.end()
    pieces.append((_classes(colour, bold), without_escapes(text[at:])))
    return pieces, "".join(piece for _, piece in pieces)


def _after(codes: str, colour: str, bold: bool) -> tuple[str, bool]:
    for word in codes.split(";") if codes else ["0"]:
        code = int(word[:4] or 0)
        if code == 0:
            colour, bold = "", False
        elif code == 1:
            bold = True
        elif code == 22:
            bold = False
        elif code == 39:
            colour = ""
        elif 30 <= code <= 37 or 90 <= code <= 97:
            colour = _COLOURS[code % 10]
        elif code in (38, 48):
            break  # a colour of many: what follows is its number
    return colour, bold


def _classes(colour: str, bold: bool) -> str:
    return " ".join([*([f"a-{colour}"] if colour else []), *(["a-bold"] if bold else [])])


def differing(one: str, other: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """The ranges of two lines (without control sequences) between what they begin and end with in common."""
    start, most = 0, min(len(one), len(other))
    while start < most and one[start] == other[start]:
        start += 1
    while 0 < start < most and one[start - 1].isalnum() and (one[start].isalnum() or other[start].isalnum()):
        start -= 1  # whole words
    end = 0
    while end < most - start and one[-1 - end] == other[-1 - end]:
        end += 1
    while end and one[-end].isalnum() and (one[-end - 1 : -end or None].isalnum() or other[-end - 1 : -end or None].isalnum()):
        end -= 1
    return (start, len(one) - end), (start, len(other) - end)
