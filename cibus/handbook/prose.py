"""A runbook's Markdown as HTML, section by section: CommonMark, as everywhere in cibus. HTML in it shows as text."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from cibus.handbook.markup import code, lines, plain, slugs, text
from cibus.runbooks.expect import PLACE
from cibus.runbooks.files import body
from cibus.runbooks.page import Block

PICTURE = re.compile(r"[\w][\w.-]*\.(png|jpe?g|gif|svg|webp)", re.IGNORECASE)
OUTSIDE = re.compile(r"(https?://|mailto:)", re.IGNORECASE)


@dataclass(frozen=True)
class Section:
    """A part of a page: its heading (level 0: none, it comes first), and what is below it as HTML in one line."""

    level: int
    title: str
    anchor: str
    html: str


@dataclass(frozen=True)
class Prose:
    """A page; ``pictures`` are the files beside it that it shows, ``lost`` the addresses that lead nowhere here."""

    sections: tuple[Section, ...]
    pictures: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


def prose(markdown: str, pages: Collection[str], pictures: Collection[str] = (), blocks: Sequence[Block] = (), caption: Callable[[Block], str] = lambda _: "") -> Prose:
    """A page as HTML.

    Arguments:
        pages: the names of all runbooks, which links may lead to
        pictures: the names of the files beside the page
        blocks: its blocks that run
        caption: what is shown below such a block, as HTML
    """
    inner = body(markdown)
    before = markdown.count("\n") - inner.count("\n")
    maker = MarkdownIt("commonmark", {"html": False}).enable("table")
    by_line = {block.line: block for block in blocks}
    maker.add_render_rule("fence", lambda _, tokens, at, options, env: _fence(tokens[at], by_line.get(before + (tokens[at].map or [0])[0] + 1), caption))
    tokens = maker.parse(inner)
    parts = _split(tokens)
    anchors = slugs([title for _, title, _ in parts if title], taken=())
    links = _Links(pages, pictures, frozenset(anchors.values()))
    for _, _, part in parts:
        for token in part:
            if token.children is not None:
                token.children = links.mended(token.children)
    made = tuple(Section(level, title, anchors.get(title, ""), _one_line(maker.renderer.render(part, maker.options, {}))) for level, title, part in parts)
    return Prose(made, tuple(dict.fromkeys(links.shown)), tuple(dict.fromkeys(links.lost)))


def title_of(markdown: str, name: str) -> str:
    """A page's first heading, as it is read; its name where there is none."""
    tokens = MarkdownIt("commonmark", {"html": False}).parse(body(markdown))
    return next((_words(tokens[at + 1]) for at, token in enumerate(tokens) if token.type == "heading_open" and token.tag == "h1"), "") or name


def _split(tokens: Sequence[Token]) -> list[tuple[int, str, list[Token]]]:
    """The page by its headings, without the first one, which is its title."""
    parts: list[tuple[int, str, list[Token]]] = [(0, "", [])]
    titled = False
    skipped = 0
    for at, token in enumerate(tokens):
        if skipped:
            skipped -= 1
        elif token.type == "heading_open" and token.level == 0:
            level, words = int(token.tag[1:]), _words(tokens[at + 1])
            skipped = 2
            if level == 1 and not titled:
                titled = True
                continue
            parts.append((max(level, 2), words, []))
        else:
            parts[-1][2].append(token)
    return [each for each in parts if each[1] or each[2]]


def _words(inline: Token) -> str:
    return plain("".join(each.content if each.type in ("text", "code_inline", "image") else " " if each.type.endswith("break") else "" for each in inline.children or ()))


class _Links:
    """Has links lead to pages of the handbook; what leads nowhere in it becomes text."""

    def __init__(self, pages: Collection[str], pictures: Collection[str], anchors: Collection[str]) -> None:
        self._pages, self._pictures, self._anchors = pages, pictures, anchors
        self.shown: list[str] = []
        self.lost: list[str] = []

    def mended(self, tokens: Sequence[Token]) -> list[Token]:
        """The parts of a line, with their links as they are to be."""
        made: list[Token] = []
        dropped: list[bool] = []
        for token in tokens:
            if token.type == "link_open":
                address = self._address(str(token.attrs.get("href", "")))
                dropped.append(not address)
                token.attrs = {"href": address}
            keep = not (token.type in ("link_open", "link_close") and dropped[-1])
            if token.type == "link_close":
                dropped.pop()
            if keep:
                made.append(self._picture(token) if token.type == "image" else token)
        return made

    def _address(self, target: str) -> str:
        """Where a link leads to here; '' for one that leads nowhere."""
        if OUTSIDE.match(target):
            return target
        path, _, anchor = target.partition("#")
        name = path.removesuffix(".md").removeprefix("./")
        if path.endswith(".md") and name in self._pages:
            return f"{name}.html{f'#{anchor}' if anchor else ''}"
        if not path and anchor in self._anchors:
            return target
        self.lost.append(target)
        return ""

    def _picture(self, token: Token) -> Token:
        """A picture that is beside the page; of others, which would have to be fetched from elsewhere, the words."""
        source = str(token.attrs.get("src", ""))
        name = source.removeprefix("./")
        if PICTURE.fullmatch(name) and name in self._pictures:
            self.shown.append(name)
            token.attrs = {"src": f"pictures/{name}", "alt": "", "loading": "lazy"}
            return token
        self.lost.append(source)
        return Token("text", "", 0, content=f"{_words(token) or 'picture'} ({source})")


def _one_line(made: str) -> str:
    return made.replace("\n", "&#10;")


def _fence(token: Token, block: Block | None, caption: Callable[[Block], str]) -> str:
    language = token.info.strip().partition(" ")[0]
    shown = f'<div class="highlight"><pre><code>{highlighted(token.content, language)}</code></pre></div>'
    if block is None:
        return shown
    kind = " hb-danger" if block.dangerous else " hb-hand" if block.by_hand else ""
    return f'<div class="hb-block{kind}">{shown}{caption(block)}</div>'


def highlighted(content: str, language: str) -> str:
    """Code as HTML, in colours where its language is known."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer: Any = get_lexer_by_name(language, stripnl=False, ensurenl=False) if language not in ("", "hand") else None
    except ClassNotFound:
        lexer = None
    if lexer is None:
        return lines(content)
    return str(highlight(content, lexer, HtmlFormatter(nowrap=True)))


def expectation(block: Block) -> str:
    """What a block has to say, below it, as HTML."""
    if block.by_hand:
        return '<p class="hb-note">By hand: a person does this.</p>'
    expect = block.expect
    named: Mapping[str, Sequence[str]] = {
        "says": expect.text, "does not say": expect.no_text, "matches": expect.regex, "has in its JSON": expect.json, "has not in its JSON": expect.no_json,
    }  # fmt: skip
    words = [f"exit {' or '.join(map(str, expect.exits))}" if expect.exits else "any exit code"]
    words += [f"{name} {_asserted(value)}" for name, values in named.items() for value in values]
    more = f" Its first line becomes <code>{text(block.sets.upper())}</code>." if block.sets else ""
    danger = f" It cannot be undone: <code>cibus runbook run</code> has {_asserted(block.dangerous)} typed first." if block.dangerous else ""
    return f'<p class="hb-note">Expected: {"; ".join(words)}.{more}{danger}</p>'


def _asserted(value: str) -> str:
    """A value in which variables stand, as their environment has them."""
    return code(PLACE.sub(lambda found: f"${found[1].upper()}", value))
