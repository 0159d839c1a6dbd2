"""Where the runbooks are, and what they say."""

from __future__ import annotations

import re
from pathlib import Path

NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
FRONT = re.compile(r"---\n(.*?\n)---\n", re.DOTALL)


def folder() -> Path:
    """The runbooks that come with cibus: in its package, or beside it in its repository."""
    package = Path(__file__).parents[1]
    packed = package / "runbooks" / "pages"
    return packed if packed.is_dir() else package.parent / "runbooks"


def text(name: str) -> str | None:
    """A runbook's Markdown without its front matter, or None where there is none of this name."""
    path = folder() / f"{name}.md"
    return body(path.read_text("utf-8")) if NAME.fullmatch(name) and path.is_file() else None


def title(markdown: str, name: str) -> str:
    """A page's first heading."""
    return next((line[2:].strip() for line in markdown.splitlines() if line.startswith("# ")), name)


def body(markdown: str) -> str:
    """A page without its front matter."""
    front = FRONT.match(markdown)
    return markdown[front.end() :] if front else markdown


def address(base: str, name: str) -> str:
    """Where a runbook is to be read: on the team's pages, where ``base`` says their URL, or in the repository."""
    return f"{base.rstrip('/')}/{name}" if base else f"runbooks/{name}.md"
