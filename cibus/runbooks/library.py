"""All runbooks that there are: those of cibus, and a team's own in ``runbooks`` beside its cibus.toml."""

from __future__ import annotations

import difflib
from pathlib import Path

from cibus.errors import UsageError
from cibus.runbooks.files import NAME, folder
from cibus.runbooks.page import Runbook, parsed


def own_folder(base: Path) -> Path:
    """Where a team's own runbooks are, ``base`` being cibus.toml's folder."""
    return base / "runbooks"


def library(base: Path) -> dict[str, Path]:
    """The pages by name; a team's own come before those of cibus of the same name."""
    pages = [*folder().glob("*.md"), *own_folder(base).glob("*.md")]
    return {path.stem: path for path in sorted(pages, key=lambda each: each.parent == own_folder(base)) if NAME.fullmatch(path.stem)}


def page_text(path: Path) -> str:
    """A page's Markdown; bytes that are no UTF-8 are shown as such.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error


def found(base: Path, name: str) -> Path:
    """The page of this name; ``.md`` and an alert's name will do.

    Raises:
        UsageError: there is none.
    """
    pages = library(base)
    plain = name.removesuffix(".md")
    if plain not in pages:
        near = difflib.get_close_matches(plain, pages, 1)
        raise UsageError(f"there is no runbook {name}{f'; did you mean {near[0]}?' if near else ''}; cibus runbook list shows all")
    return pages[plain]


def read(base: Path, name: str) -> Runbook:
    """A runbook, read.

    Raises:
        UsageError: there is none, or it is not of the form.
    """
    path = found(base, name)
    return parsed(path.stem, page_text(path))
