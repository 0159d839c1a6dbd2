"""What is wrong with runbooks: their form, their links, the commands they show, and alerts without page or page without alert."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from cibus.runbooks.files import body, folder
from cibus.runbooks.library import page_text
from cibus.runbooks.page import PageError, Runbook, parsed

UNFINISHED = re.compile(r"\b(TODO|FIXME|TBD|XXX)\b|\b(?i:to be (written|done)|lorem ipsum)\b")
ENDS = re.compile(r"^(&&|\|\|?|;|&|\d?>{1,2}.*|<.*|\)|then|do|done|fi)$")
Parses = Callable[[list[str]], str]  # a command line without "cibus" → why it does not parse, or ""


@dataclass(frozen=True)
class Problem:
    """What is wrong, and where."""

    page: str
    line: int
    words: str

    def __str__(self) -> str:
        return f"{self.page}.md:{self.line}: {self.words}"


def lint(pages: Mapping[str, Path], alerts: Mapping[str, str], parses: Parses) -> list[Problem]:
    """All that is wrong with the pages.

    Arguments:
        alerts: by the name of an alert, the page it leads to
        parses: tells why a command line of cibus does not parse
    """
    found: list[Problem] = []
    books = []
    for name, path in sorted(pages.items()):
        text = page_text(path)
        found += _unfinished(name, text)
        try:
            books.append(parsed(name, text))
        except PageError as error:
            found += [Problem(name, line, words) for line, words in error.problems]
            continue
        found += [*_links(books[-1], pages, path.parent), *_commands(books[-1], parses), *_used(books[-1])]
    return sorted([*found, *_alerts(books, pages, alerts)], key=lambda each: (each.page, each.line))


def _unfinished(name: str, text: str) -> Iterator[Problem]:
    for number, line in enumerate(text.splitlines(), 1):
        if found := UNFINISHED.search(line):
            yield Problem(name, number, f"is not finished: {found[0]}")


def _body(book: Runbook) -> tuple[list[Token], int]:
    """The page's blocks of Markdown, and how many lines are before them."""
    text = body(book.text)
    return MarkdownIt("commonmark").parse(text), book.text.count("\n") - text.count("\n")


def _inline(book: Runbook) -> Iterator[tuple[int, Token]]:
    """The parts of its prose, each with its line."""
    tokens, before = _body(book)
    for token in tokens:
        if token.type == "inline" and token.map:
            yield from ((before + token.map[0] + 1, child) for child in token.children or ())


def _links(book: Runbook, pages: Mapping[str, Path], beside: Path) -> Iterator[Problem]:
    for line, token in _inline(book):
        target = str(token.attrs.get("href", "")) if token.type == "link_open" else ""
        if not target or re.match(r"https?://|mailto:", target):
            continue
        path, _, anchor = target.partition("#")
        if path.endswith(".md") and path.removesuffix(".md") not in pages:
            yield Problem(book.name, line, f"links to {path}, which is no runbook")
        elif path and not path.endswith(".md") and not (beside / path).exists() and not (folder() / path).exists():
            yield Problem(book.name, line, f"links to {path}, which is not there")
        elif anchor and not path and anchor not in {_anchor(each) for each in book.sections}:
            yield Problem(book.name, line, f"links to #{anchor}, which is no section of it")


def _anchor(section: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", section.lower()).strip("-")


def _commands(book: Runbook, parses: Parses) -> Iterator[Problem]:
    shown = [(block.line + 1 + at, line) for block in book.blocks if not block.by_hand for at, line in _lines(block.script)]
    shown += [(line, token.content) for line, token in _inline(book) if token.type == "code_inline"]
    for line, text in shown:
        for words in commands(text):
            if why := parses(words):
                yield Problem(book.name, line, f"cibus {' '.join(words)}: {why}")


def _lines(script: str) -> Iterator[tuple[int, str]]:
    """The script's lines, those that go on in the next one joined."""
    start, held = 0, ""
    for at, line in enumerate(script.splitlines()):
        start = start if held else at
        held += line
        if held.endswith("\\"):
            held = held[:-1]
            continue
        yield start, held
        held = ""


def commands(text: str) -> Iterator[list[str]]:
    """The commands of cibus in a line of shell, each without the word ``cibus``."""
    if not re.search(r"(^|[|;&(`\s])cibus\s", text):
        return
    lexer = shlex.shlex(text, posix=True, punctuation_chars="|&;()<>")
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:
        words = text.split()
    at = 0
    while at < len(words):
        if words[at] != "cibus" or (at and words[at - 1].endswith("/")):
            at += 1
            continue
        end = at + 1
        while end < len(words) and not (ENDS.match(words[end]) or set(words[end]) <= set("|&;()<>")):
            end += 1
        found = words[at + 1 : end]
        if end < len(words) and set(words[end]) <= set("<>") and found and found[-1].isdigit():
            found = found[:-1]  # the 2 of 2>
        if found:
            yield found
        at = end


def _used(book: Runbook) -> Iterator[Problem]:
    """Variables that nothing uses."""
    scripts = [(block.line, block.script) for block in book.blocks]
    for each in book.variables.values():
        use = re.compile(rf"\$({each.environment}\b|\{{{each.environment}\b)")
        asserted = any(f"{{{each.name}}}" in value for block in book.blocks for value in (block.dangerous, *block.expect.texts))
        if not asserted and not any(use.search(script) for _, script in scripts):
            yield Problem(book.name, 1, f"the variable {each.name} is used by no block")


def _alerts(books: list[Runbook], pages: Mapping[str, Path], alerts: Mapping[str, str]) -> Iterator[Problem]:
    """Each alert has its page, and each page names just the alerts that lead to it."""
    for alert, page in alerts.items():
        if page not in pages:
            yield Problem(page, 1, f"is not there, and the alert {alert} leads to it")
    for book in books:
        leading = {alert for alert, page in alerts.items() if page == book.name}
        for alert in sorted(leading - set(book.alerts)):
            yield Problem(book.name, 1, f"does not name the alert {alert}, which leads to it")
        for alert in sorted(set(book.alerts) - leading):
            yield Problem(book.name, 1, f"names the alert {alert}, {'which leads to ' + alerts[alert] if alert in alerts else 'for which there is no rule'}")
