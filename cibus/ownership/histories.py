"""What git tells of a repository: who created and changed which file, who was there when, and who landed changes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cibus.errors import SourceError
from cibus.git import git, try_git
from cibus.ownership.truckfactor import Authorship

BOT = re.compile(r"\[bot\]|^(dependabot|renovate|jenkins|github-actions|gitlab-bot)\b|\bbot@", re.IGNORECASE)
DEFAULT_FILES = ("**/Jenkinsfile*", "**/*.jenkinsfile", "**/*.groovy")
_COMMIT = "\x01"


@dataclass(frozen=True, order=True)
class Author:
    """Who made a commit, after mailmap."""

    name: str
    mail: str

    @property
    def bot(self) -> bool:
        """Whether no person is behind it."""
        return bool(BOT.search(self.name) or BOT.search(self.mail))


@dataclass(frozen=True)
class RepositoryHistory:
    """A repository's history.

    Arguments:
        files: by path as it is in HEAD
        last: when each author's last commit was
        landed: when each last landed something on the first parent's line: pushed it, or merged it
        shallow: the history is cut off, so that who came first is not known
    """

    folder: Path
    files: Mapping[str, Authorship] = field(default_factory=dict)
    last: Mapping[Author, datetime] = field(default_factory=dict)
    landed: Mapping[Author, datetime] = field(default_factory=dict)
    shallow: bool = False


@dataclass(frozen=True)
class Commit:
    """A commit and what it did to files: status, path, and the former path of a rename."""

    author: Author
    when: datetime
    changes: tuple[tuple[str, str, str], ...] = ()


def history(folder: Path, mailmap: Path | None = None) -> RepositoryHistory:
    """Reads a repository's history from HEAD.

    Arguments:
        folder: a folder in it
        mailmap: further aliases (https://git-scm.com/docs/gitmailmap), beside the repository's own .mailmap

    Raises:
        SourceError: it is no repository, or has no commit.
    """
    top = try_git(folder, "rev-parse", "--show-toplevel") if folder.is_dir() else None
    if top is None:
        raise SourceError(f"{folder} is no git repository")
    if try_git(Path(top), "rev-parse", "--verify", "-q", "HEAD") is None:
        raise SourceError(f"{folder} has no commit")
    aliases = ("-c", f"mailmap.file={mailmap}") if mailmap is not None and mailmap.is_file() else ()
    commits = list(_commits(git(Path(top), *aliases, "-c", "diff.renameLimit=2000", "log", "-z", "--no-merges", "--topo-order", "--reverse", "-M", "--name-status", f"--format={_COMMIT}%aN%x02%aE%x02%at", "HEAD")))
    mainline = list(_commits(git(Path(top), *aliases, "log", "-z", "--first-parent", f"--format={_COMMIT}%aN%x02%aE%x02%at", "HEAD")))
    there = set(git(Path(top), "ls-files", "-z").split("\0"))
    files = {path: each for path, each in authorships(commits).items() if path in there}
    return RepositoryHistory(Path(top), files, _latest(commits), _latest(mainline), git(Path(top), "rev-parse", "--is-shallow-repository") == "true")


def chosen(folder: Path, globs: Sequence[str]) -> list[str]:
    """The files of a repository that globs mean (git's own: ``**`` is any folder, https://git-scm.com/docs/gitglossary)."""
    return sorted(each for each in git(folder, "ls-files", "-z", "--", *(f":(glob,top){glob}" for glob in globs)).split("\0") if each)


def _commits(log: str) -> Iterator[Commit]:
    for part in log.split(_COMMIT)[1:]:
        head, *words = [word.lstrip("\n") for word in part.split("\0")]
        name, mail, when = head.split("\x02")
        yield Commit(Author(name, mail.lower()), datetime.fromtimestamp(int(when), UTC), tuple(_changes([word for word in words if word])))


def _changes(words: list[str]) -> Iterator[tuple[str, str, str]]:
    rest = iter(words)
    for status in rest:
        if status[0] in "RC":
            former = next(rest)
            yield status[0], next(rest), former
        else:
            yield status[0], next(rest), ""


def authorships(commits: Sequence[Commit]) -> dict[str, Authorship]:
    """Each path's history, the oldest commit first; a file keeps its history when it is renamed."""
    first: dict[str, set[str]] = {}
    counts: dict[str, dict[str, int]] = {}
    for commit in commits:
        who = identity(commit.author)
        for status, path, former in commit.changes:
            if status == "D":
                first.pop(path, None), counts.pop(path, None)
                continue
            if status == "R" and former in first:
                first[path], counts[path] = first.pop(former), counts.pop(former)
            if status in "AC" or path not in first:
                first.setdefault(path, set()).add(who)
                counts.setdefault(path, {})
            else:
                counts[path][who] = counts[path].get(who, 0) + 1
    return {path: Authorship(frozenset(first[path]), counts[path]) for path in first}


def identity(author: Author) -> str:
    """An author as a text: the address tells people apart, and the name is read by people."""
    return f"{author.name} <{author.mail}>"


def author_of(text: str) -> Author:
    """The way back from :func:`identity`."""
    name, _, mail = text.rpartition(" <")
    return Author(name, mail.removesuffix(">"))


def _latest(commits: Sequence[Commit]) -> dict[Author, datetime]:
    found: dict[Author, datetime] = {}
    for each in commits:
        found[each.author] = max(each.when, found.get(each.author, each.when))
    return found
