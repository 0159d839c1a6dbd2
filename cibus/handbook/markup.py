"""Text on a page: whatever a value holds, it shows as text. Pure functions.

A page is Markdown whose headings are Markdown's, for the contents and the search, and whose other parts are HTML, each on
a line of its own: there Markdown finds nothing that it could take for its own.
"""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
SPECIAL = re.compile(r"[!-,./:-@\[-`{-~-]")


def plain(value: object) -> str:
    """A value in a line: without control characters, and with single spaces."""
    return CONTROL.sub("\ufffd", " ".join(str(value).split()))


def text(value: object) -> str:
    """A value as it stands in HTML."""
    return html.escape(plain(value))


def lines(value: str) -> str:
    """A value of several lines as it stands in HTML, itself in one line."""
    return html.escape(CONTROL.sub("\ufffd", value.replace("\r\n", "\n").replace("\r", "\n"))).replace("\n", "&#10;")


def in_heading(value: object) -> str:
    """A value as it stands in Markdown: every character that could mean something there is an entity."""
    return SPECIAL.sub(lambda found: f"&#{ord(found.group())};", plain(value))


def heading(level: int, words: object, anchor: str) -> str:
    """A heading with its anchor."""
    return f"{'#' * level} {in_heading(words)} {{#{anchor}}}"


def paragraph(inner: str, kind: str = "") -> str:
    """A paragraph of what is HTML already."""
    return f"<p{_class(kind)}>{inner}</p>"


def code(value: object) -> str:
    """A value as code."""
    return f"<code>{text(value)}</code>"


def commands(given: Iterable[str]) -> str:
    """Commands to be copied."""
    return f'<div class="highlight"><pre><code>{lines(chr(10).join(given) + chr(10))}</code></pre></div>'


def link(words: object, address: str) -> str:
    """A link within the handbook."""
    return f'<a href="{html.escape(address)}">{text(words)}</a>'


def badge(words: object, kind: str = "") -> str:
    """A word with a colour: ``error``, ``warning``, ``fine`` or none."""
    return f'<span class="hb-badge{f" hb-{kind}" if kind else ""}">{text(words)}</span>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, anchors: Sequence[str] = ()) -> str:
    """A table of what is HTML already; ``anchors``: one for each row. The search needs the spaces between cells."""
    named = [f' id="{html.escape(each)}"' for each in anchors]
    body = "".join(f"<tr{named[at] if named else ''}>{' '.join(f'<td>{cell}</td>' for cell in row)}</tr> " for at, row in enumerate(rows))
    return f'<div class="hb-wide" tabindex="0"><table><thead><tr>{" ".join(f"<th>{text(each)}</th>" for each in head)}</tr></thead> <tbody>{body}</tbody></table></div>'


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """A small table of names and what is HTML already; what is empty is left out."""
    body = "".join(f'<tr><th scope="row">{text(name)}</th> <td>{value}</td></tr> ' for name, value in rows if value)
    return f'<div class="hb-wide hb-facts"><table><tbody>{body}</tbody></table></div>' if body else ""


def bullets(items: Iterable[str]) -> str:
    """A list of what is HTML already."""
    body = "".join(f"<li>{each}</li>" for each in items)
    return f"<ul>{body}</ul>" if body else ""


def note(inner: str, kind: str = "note") -> str:
    """A box: ``note``, ``warning`` or ``danger``."""
    return f'<div class="admonition {kind}"><p>{inner}</p></div>'


def unread(problems: Sequence[str]) -> str:
    """A box with what could not be read; nothing where all could."""
    return f'<div class="admonition warning"><p>Could not be read:</p>{bullets(text(each) for each in problems)}</div>' if problems else ""


def folded(summary: str, inner: str) -> str:
    """What opens with a click, and without a script."""
    return f"<details><summary>{summary}</summary>{inner}</details>"


def page(title: str, parts: Iterable[str], *, alone: bool = False) -> str:
    """A page of its parts; those that are empty are left out. ``alone``: no others are beside it in the navigation."""
    front = "---\nhide: [navigation]\n---\n" if alone else ""
    return front + "\n\n".join([f"# {in_heading(title)}", *(each for each in parts if each)]) + "\n"


def day(when: datetime | None) -> str:
    """A date as pages have it; nothing for None."""
    return f"<time>{when:%Y-%m-%d}</time>" if when is not None else ""


def slug(name: str) -> str:
    """A name as part of an address: ``Acme/Ägent 4`` → ``acme-agent-4``."""
    folded_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", folded_name).strip("-")[:80].strip("-")


def slugs(names: Iterable[str], taken: Iterable[str] = ("index",)) -> dict[str, str]:
    """A part of an address for each name, no two alike: where two would be, or nothing is left, a hash tells them apart."""
    given = list(dict.fromkeys(names))
    first = {name: slug(name) for name in given}
    count: dict[str, int] = {}
    for each in first.values():
        count[each] = count.get(each, 0) + 1
    free = {each for each, number in count.items() if number == 1 and each} - set(taken)
    return {name: each if each in free else f"{each or 'x'}-{_hash(name)}" for name, each in first.items()}


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
