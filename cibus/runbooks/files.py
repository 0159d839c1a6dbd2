"""Where the runbooks are, and what they say."""

from __future__ import annotations

import re
from pathlib import Path

NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


def folder() -> Path:
    """The runbooks that come with cibus: in its package, or beside it in its repository."""
    package = Path(__file__).parents[1]
    packed = package / "runbooks" / "pages"
    return packed if packed.is_dir() else package.parent / "runbooks"


def text(name: str) -> str | None:
    """A runbook's Markdown, or None where there is none of this name."""
    path = folder() / f"{name}.md"
    return path.read_text("utf-8") if NAME.fullmatch(name) and path.is_file() else None


def title(markdown: str, name: str) -> str:
    """A page's first heading."""
    return next((line[2:].strip() for line in markdown.splitlines() if line.startswith("# ")), name)
