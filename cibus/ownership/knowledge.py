"""Knowledge: who wrote an area's Jenkinsfiles, libraries, playbooks and pages, and still works on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cibus.config import Config
from cibus.errors import SourceError
from cibus.git import try_git
from cibus.globs import matches
from cibus.ownership.histories import DEFAULT_FILES, Author, RepositoryHistory, author_of, chosen, history
from cibus.ownership.records import Area, Evidence, Part, Registry
from cibus.ownership.registry import present
from cibus.ownership.truckfactor import Authorship, truck_factor
from cibus.ownership.truckfactor import authors as authors_of
from cibus.runbooks.library import own_folder
from cibus.wording import counted

ACTIVE = timedelta(days=365)  # who did nothing for longer does not work on it any more
SHOWN = 3  # files that are named


@dataclass(frozen=True)
class Histories:
    """The histories of all repositories that areas have files in, and why one could not be read."""

    read: Mapping[Path, RepositoryHistory] = field(default_factory=dict)
    wrong: Mapping[Path, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """A folder in a repository, and the globs of an area's files, from its top."""

    folder: Path
    globs: tuple[str, ...]


def sources(config: Config, area: Area) -> Iterator[Source]:
    """Where an area's files are."""
    yield from (Source(each, area.files or DEFAULT_FILES) for each in area.repositories)
    for name, library in config.libraries.items():
        if library.path is not None and matches(name, area.things.get("library", ())):
            yield Source(library.path, (_below(library.path, "**"),))
    if config.rebuild.playbooks is not None and (globs := area.things.get("playbook")):
        folder = config.rebuild.playbooks
        yield Source(folder, tuple(_below(folder, each) for glob in globs for each in (glob, f"{glob}/**")))
    own = own_folder(config.folder)
    if own.is_dir() and (globs := area.things.get("runbook")):
        yield Source(own, tuple(_below(own, f"{glob}.md") for glob in globs))


def _below(folder: Path, glob: str) -> str:
    """A glob of a folder's files, from the top of the repository that it is in."""
    prefix = try_git(folder, "rev-parse", "--show-prefix") if folder.is_dir() else ""
    return f"{prefix or ''}{glob}"


def histories(config: Config, areas: Iterable[Area]) -> Histories:
    """Reads each repository once; aliases are those of its .mailmap and of the one beside ownership.toml."""
    read: dict[Path, RepositoryHistory] = {}
    wrong: dict[Path, str] = {}
    for folder in dict.fromkeys(each.folder for area in areas for each in sources(config, area)):
        try:
            read[folder] = history(folder, config.folder / ".mailmap")
        except SourceError as error:
            wrong[folder] = str(error)
    return Histories(read, wrong)


class People:
    """Authors as people: those of ``[people]`` by their addresses and names, others by what git calls them."""

    def __init__(self, registry: Registry) -> None:
        self._mails = {mail: each.id for each in registry.people.values() for mail in each.emails}
        self._names = {each.name.casefold(): each.id for each in registry.people.values() if each.name}

    def key(self, author: Author) -> str:
        """The person's id, or ``Name <mail>``."""
        return self._mails.get(author.mail) or self._names.get(author.name.casefold()) or f"{author.name} <{author.mail}>"

    def authors(self, file: Authorship) -> frozenset[str]:
        """The people who are authors of a file; what robots did to it does not count."""
        changes: dict[str, int] = {}
        for who, count in file.changes.items():
            if not (author := author_of(who)).bot:
                changes[self.key(author)] = changes.get(self.key(author), 0) + count
        return authors_of(Authorship(frozenset(self.key(author) for who in file.first if not (author := author_of(who)).bot), changes))


Authors = Mapping[Path, Mapping[str, frozenset[str]]]


def authors(registry: Registry, found: Histories) -> Authors:
    """By repository and file, the people who are its authors."""
    people = People(registry)
    return {folder: {path: people.authors(file) for path, file in read.files.items()} for folder, read in found.read.items()}


def last_seen(found: Histories, people: People) -> dict[str, datetime]:
    """When each person last committed anything to any of the repositories."""
    seen: dict[str, datetime] = {}
    for each in found.read.values():
        for author, when in each.last.items():
            key = people.key(author)
            seen[key] = max(when, seen.get(key, when))
    return seen


def knowledge(config: Config, registry: Registry, area: Area, found: Histories, known: Authors, now: datetime) -> Part:
    """The truck factor of an area's files among those who still work on CI."""
    files: dict[str, frozenset[str]] = {}
    troubles = []
    for source in sources(config, area):
        if source.folder in found.wrong:
            troubles.append(found.wrong[source.folder])
            continue
        read = found.read[source.folder]
        if read.shallow:
            troubles.append(f"{source.folder} is a shallow clone, so that who came first is not known: git fetch --unshallow")
            continue
        files.update({f"{read.folder.name}/{path}": known[source.folder][path] for path in chosen(read.folder, source.globs) if path in read.files})
    if not files:
        return Part("knowledge", None, "; ".join(troubles) or "no files in git: name repositories, libraries, playbooks or runbooks", raised_by=tuple(troubles) or (f"name the repositories of [areas.{area.name}] in {registry.path.name}",))
    seen = last_seen(found, People(registry))
    everybody = {name for each in files.values() for name in each}
    absent = {name for name in everybody if not _there(registry, name, seen.get(name), now)}
    factor, classic = truck_factor(list(files.values()), absent), truck_factor(list(files.values()))
    words = counted(len(files), "file") + (f"; with all who ever worked on them it would be {classic.number}" if absent else "")
    counting = [name for name, _ in factor.leaving]
    evidence = [_evidence(name, files, name in counting, seen.get(name), absent) for name in sorted(everybody, key=lambda name: (name not in counting, -sum(name in each for each in files.values()), name))]
    return Part("knowledge", factor.number, "; ".join([words, *troubles]), tuple(evidence), tuple(_raising(area, files, absent)))


def _there(registry: Registry, name: str, seen: datetime | None, now: datetime) -> bool:
    """Whether somebody still works on CI: has not left, and committed within a year."""
    person = registry.people.get(name)
    if person is not None and not present(person, now.date()):
        return False
    return seen is not None and now - seen <= ACTIVE


def _evidence(name: str, files: Mapping[str, frozenset[str]], counts: bool, seen: datetime | None, absent: set[str]) -> Evidence:
    mine = sum(name in each for each in files.values())
    words = f"author of {mine} of {len(files)} files; last commit {seen:%Y-%m-%d}" if seen else f"author of {mine} of {len(files)} files"
    return Evidence(name, counts, f"{words}; does not work on it any more" if name in absent else words)


def _raising(area: Area, files: Mapping[str, frozenset[str]], absent: set[str]) -> Iterator[str]:
    """Files that one person knows, or nobody: that another one works on them raises it."""
    by: dict[str, list[str]] = {}
    for path, names in sorted(files.items()):
        there = names - absent
        if len(there) < 2:
            by.setdefault(next(iter(there), ""), []).append(path)
    for name, paths in sorted(by.items(), key=lambda each: (each[0] != "", -len(each[1]))):
        shown = ", ".join(paths[:SHOWN]) + (f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else "")
        others = [each for each in area.owners if each != name]
        yield f"{shown}: known to {f'{name} alone' if name else 'nobody who is still here'}; let {others[0] if others else 'somebody else'} make the next changes"
