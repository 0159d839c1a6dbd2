"""Ant's file patterns and directory scan, as Jenkins uses them (``hudson.Util.createFileSet``, Ant 1.10)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

DEFAULT_EXCLUDES = (
    "**/*~",
    "**/#*#",
    "**/.#*",
    "**/%*%",
    "**/._*",
    "**/CVS",
    "**/CVS/**",
    "**/.cvsignore",
    "**/SCCS",
    "**/SCCS/**",
    "**/vssver.scc",
    "**/.svn",
    "**/.svn/**",
    "**/.git",
    "**/.git/**",
    "**/.gitattributes",
    "**/.gitignore",
    "**/.gitmodules",
    "**/.hg",
    "**/.hg/**",
    "**/.hgignore",
    "**/.hgsub",
    "**/.hgsubstate",
    "**/.hgtags",
    "**/.bzr",
    "**/.bzr/**",
    "**/.bzrignore",
    "**/.DS_Store",
)

_Matcher = Callable[[str], "re.Match[str] | None"]

MAX_SYMLINK_LEVELS = 5  # Ant follows a link into a folder of the same name this often before it looks for a loop


def split(patterns: str | None) -> list[str]:
    """The patterns of a list as Jenkins reads it: separated by commas, trimmed; spaces belong to the names."""
    return [token.strip() for token in (patterns or "").split(",") if token]


@dataclass(frozen=True)
class Pattern:
    """One Ant pattern; ``text`` as written."""

    text: str
    case_sensitive: bool = True

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        """The parts between slashes; a trailing slash means everything below."""
        text = self.text.replace("\\", "/")
        if text.endswith("/"):
            text += "**"
        return tuple(token for token in text.split("/") if token)

    @cached_property
    def absolute(self) -> bool:
        """It starts with a slash, so it matches no relative path."""
        return self.text.startswith(("/", "\\"))

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        return re.compile(_regex(self.tokens), 0 if self.case_sensitive else re.IGNORECASE)

    @cached_property
    def _leading(self) -> tuple[re.Pattern[str], ...]:
        flags = 0 if self.case_sensitive else re.IGNORECASE
        fixed = self.tokens[: self.tokens.index("**")] if "**" in self.tokens else self.tokens
        return tuple(re.compile(_token(token), flags) for token in fixed)

    def matches(self, path: str) -> bool:
        """Whether a relative posix path (without a trailing slash) matches."""
        return path.startswith("/") == self.absolute and self._regex.fullmatch(path.strip("/")) is not None

    def may_match_below(self, folder: str) -> bool:
        """Whether something below that folder could match."""
        if self.absolute:
            return False
        names = folder.split("/") if folder else []
        if "**" not in self.tokens and len(names) >= len(self.tokens):
            return False
        return all(regex.fullmatch(name) for name, regex in zip(names, self._leading, strict=False))

    def covers_below(self, folder: str) -> bool:
        """Whether everything below that folder matches."""
        return self.tokens[-1:] == ("**",) and self.matches(folder)


def _token(token: str) -> str:
    if not token.strip("*"):
        return "[^/]+"
    return "".join("[^/]*" if c == "*" else "[^/]" if c == "?" else re.escape(c) for c in re.sub(r"\*+", "*", token))


def _regex(tokens: Sequence[str]) -> str:
    out = ""
    pending = ""  # the slash that goes before the next name
    for i, token in enumerate(tokens):
        last = i == len(tokens) - 1
        if token != "**":
            out += pending + _token(token)
            pending = "/"
        elif i and tokens[i - 1] == "**":
            continue
        elif all(rest == "**" for rest in tokens[i:]):
            return out + ("(?:/.*)?" if out and pending else ".*")
        elif not last:
            out += pending + "(?:[^/]+/)*"
            pending = ""
    return out


def match(pattern: str, path: str, case_sensitive: bool = True) -> bool:
    """Whether a relative posix path matches an Ant pattern."""
    return Pattern(pattern, case_sensitive).matches(path)


@dataclass(frozen=True)
class Scan:
    """What a scan found: relative posix paths; the scanned folder itself is the empty path.

    ``links``: absolute paths of the symbolic links that were not followed.
    """

    files: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)


def scan(
    root: Path,
    includes: str | Iterable[str] | None,
    excludes: str | Iterable[str] | None = None,
    default_excludes: bool = True,
    case_sensitive: bool = True,
    follow_symlinks: bool = True,
) -> list[str]:
    """The files below ``root`` that the patterns select, as relative posix paths.

    Ant gives them in the order of the file system; here a folder's entries come in the order of their names.
    """
    return scan_all(root, includes, excludes, default_excludes, case_sensitive, follow_symlinks).files


def scan_all(
    root: Path,
    includes: str | Iterable[str] | None,
    excludes: str | Iterable[str] | None = None,
    default_excludes: bool = True,
    case_sensitive: bool = True,
    follow_symlinks: bool = True,
) -> Scan:
    """Files and folders that the patterns select; no include pattern at all means everything."""
    wanted = _patterns(includes, case_sensitive) or [Pattern("**")]
    unwanted = _patterns(excludes, case_sensitive)
    if default_excludes:
        unwanted += [Pattern(text, case_sensitive) for text in DEFAULT_EXCLUDES]
    found = Scan()
    scanner = _Scanner(wanted, unwanted, follow_symlinks, found)
    if root.is_dir():
        if scanner.selects(""):
            found.folders.append("")
        scanner.folder(str(root), "", [])
    return found


def _patterns(given: str | Iterable[str] | None, case_sensitive: bool) -> list[Pattern]:
    texts = split(given) if given is None or isinstance(given, str) else list(given)
    return [Pattern(text, case_sensitive) for text in texts]


class _Scanner:
    def __init__(self, wanted: list[Pattern], unwanted: list[Pattern], follow: bool, found: Scan) -> None:
        self._wanted = wanted
        self._unwanted = unwanted
        self._follow = follow
        self._found = found
        self._is_wanted = _any(wanted)
        self._is_unwanted = _any(unwanted)

    def selects(self, path: str) -> bool:
        return self._is_wanted(path) is not None and self._is_unwanted(path) is None

    def folder(self, folder: str, path: str, followed: list[str]) -> None:
        try:
            with os.scandir(folder) as listed:
                entries = sorted(listed, key=lambda entry: entry.name)
        except OSError:
            return
        prefix = path + "/" if path else ""
        for entry in entries:
            self._entry(entry, prefix + entry.name, followed)

    def _entry(self, entry: os.DirEntry[str], path: str, followed: list[str]) -> None:
        if not self._follow and entry.is_symlink():
            self._found.links.append(entry.path)
            return
        try:
            is_folder = entry.is_dir()
        except OSError:
            return
        if not is_folder:
            if self.selects(path) and entry.is_file():
                self._found.files.append(path)
            return
        if entry.is_symlink() and followed.count(entry.name) >= MAX_SYMLINK_LEVELS:
            self._found.links.append(entry.path)
            return
        if self.selects(path):
            self._found.folders.append(path)
        if self._worth_a_look(path):
            self.folder(entry.path, path, [*followed, entry.name])

    def _worth_a_look(self, path: str) -> bool:
        return any(p.may_match_below(path) for p in self._wanted) and not any(
            p.covers_below(path) for p in self._unwanted
        )


def _any(patterns: list[Pattern]) -> _Matcher:
    """One regular expression for all patterns: much faster than one each."""
    relative = [p for p in patterns if not p.absolute]
    if not relative:
        return lambda path: None
    flags = 0 if relative[0].case_sensitive else re.IGNORECASE
    return re.compile("|".join(f"(?:{_regex(p.tokens)})" for p in relative), flags).fullmatch
