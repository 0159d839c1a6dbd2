"""CODEOWNERS (https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners): read into areas, and written from them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from codeowners import CodeOwners

from cibus.config import Config
from cibus.errors import UsageError
from cibus.ownership.checking import Gap
from cibus.ownership.histories import DEFAULT_FILES, chosen
from cibus.ownership.records import Area, Kind, Person, Registry
from cibus.runbooks.library import own_folder
from cibus.tomltext import bare_key, quoted

PLACES = ("CODEOWNERS", ".github/CODEOWNERS", ".gitlab/CODEOWNERS", "docs/CODEOWNERS")
BEGIN, END = "# begin: written by cibus owners export", "# end: written by cibus owners export"


@dataclass(frozen=True)
class Rule:
    """Files of one set of owners, as globs of git; ``owners`` as CODEOWNERS has them."""

    owners: tuple[str, ...]
    globs: tuple[str, ...]


def found_in(repository: Path) -> Path | None:
    """The CODEOWNERS of a repository, where the forges look for it."""
    return next((repository / each for each in PLACES if (repository / each).is_file()), None)


def parse(text: str, where: str) -> CodeOwners:
    """Reads a CODEOWNERS.

    Raises:
        UsageError: a pattern is wrong.
    """
    try:
        return CodeOwners(text)
    except (ValueError, re.error) as error:
        raise UsageError(f"{where}: {error}") from error


def rules(owned: CodeOwners, files: Sequence[str]) -> list[Rule]:
    """Who owns which of some files; the last line that matches a file wins, as the forges have it."""
    lines: dict[tuple[str, ...], dict[str, list[str]]] = {}
    for path in files:
        owners, _, pattern, _ = owned.matching_line(path)
        if pattern is not None and owners:
            lines.setdefault(tuple(dict.fromkeys(name for _, name in owners)), {}).setdefault(pattern, []).append(path)
    return [Rule(names, tuple(_globs(owned, patterns, files))) for names, patterns in lines.items()]


def _globs(owned: CodeOwners, patterns: dict[str, list[str]], files: Sequence[str]) -> Iterator[str]:
    """A pattern as a glob, or the files themselves where a later line takes some of its files away."""
    for pattern, mine in patterns.items():
        regex = next(regex for regex, text, *_ in owned.paths if text == pattern)
        if [path for path in files if regex.search(path)] == mine:
            yield glob_of(pattern)
        else:
            yield from mine


def glob_of(pattern: str) -> str:
    """A pattern of CODEOWNERS as a glob of git from the top: ``*.groovy`` → ``**/*.groovy``, ``/ci/`` → ``ci/**``."""
    text = pattern.replace("\\ ", " ")
    anchored = "/" in text.rstrip("/")
    glob = text.strip("/") + ("/**" if text.endswith("/") else "")
    return glob if anchored else "**" if glob == "*" else f"**/{glob}"


def pattern_of(glob: str) -> str:
    """The way back: ``**/Jenkinsfile*`` → ``Jenkinsfile*``, ``ci/**`` → ``/ci/``."""
    rest = glob.removeprefix("**/")
    unanchored = glob.startswith("**/") and "/" not in rest
    text = rest if unanchored else f"/{glob}"
    text = text[:-2] if text.endswith("/**") else text
    return text.replace(" ", "\\ ")


def imported(repository: Path, text: str, where: str, registry: Registry, base: Path) -> str:
    """``[people]`` and ``[areas]`` tables for what a CODEOWNERS says of a repository's pipeline files.

    Arguments:
        base: the folder of ownership.toml, from which it names the repository

    Raises:
        UsageError: it says nothing of them, or a pattern is wrong.
    """
    files = chosen(repository, DEFAULT_FILES)
    found = rules(parse(text, where), files)
    if not found:
        raise UsageError(f"{where} names no owner of the {len(files)} Jenkinsfiles and Groovy files of {repository}")
    names = {owner: _id(registry, owner) for rule in found for owner in rule.owners}
    people = [_person(owner, name) for owner, name in names.items() if name not in registry.people]
    name = os.path.relpath(repository.resolve(), base.resolve())
    areas = [_area(name, rule, [names[owner] for owner in rule.owners]) for rule in found]
    return "\n".join([*people, *areas])


def _id(registry: Registry, owner: str) -> str:
    known = next((each.id for each in registry.people.values() if owner.casefold() in (each.handle.casefold(), *each.emails)), "")
    return known or re.sub(r"[^A-Za-z0-9_-]+", "-", owner.removeprefix("@").partition("@")[0]).strip("-")


def _person(owner: str, name: str) -> str:
    about = "# a team: name the people in it, since a team cannot be called at night\n" if owner.startswith("@") and "/" in owner else ""
    return f"{about}[people.{bare_key(name)}]\nhandle = {quoted(owner)}\n"


def _area(repository: str, rule: Rule, owners: list[str]) -> str:
    more = f"# also: {', '.join(owners[2:])}\n" if len(owners) > 2 else ""
    second = f"secondary = {quoted(owners[1])}\n" if len(owners) > 1 else ""
    listed = ", ".join(quoted(each) for each in rule.globs)
    return f"{more}[areas.{bare_key(f'{Path(repository).name}-{owners[0]}')}]\nprimary = {quoted(owners[0])}\n{second}repositories = [{quoted(repository)}]\nfiles = [{listed}]\n"


def exported(config: Config, registry: Registry, repository: Path) -> str:
    """The lines of CODEOWNERS for a repository: its pipeline files, and where ownership.toml is the runbooks and playbooks.

    Raises:
        UsageError: an owner has neither handle nor address; no area has files there.
    """
    lines = [line for area in registry.areas.values() for line in _lines(config, registry, area, repository)]
    if not lines:
        raise UsageError(f"no area of {registry.path} names {repository} in its repositories, or runbooks or playbooks in it")
    return "\n".join([BEGIN, *lines, END]) + "\n"


def _lines(config: Config, registry: Registry, area: Area, repository: Path) -> Iterator[str]:
    patterns = [pattern_of(glob) for folder in area.repositories if folder.resolve() == repository.resolve() for glob in area.files or DEFAULT_FILES]
    inside_it: tuple[tuple[Path | None, Kind, str], ...] = ((own_folder(config.folder), "runbook", ".md"), (config.rebuild.playbooks, "playbook", ""))
    for folder, kind, ending in inside_it:
        if folder is not None and folder.resolve().is_relative_to(repository.resolve()):
            inside = folder.resolve().relative_to(repository.resolve()).as_posix()
            patterns += [pattern_of(f"{inside}/{glob}{ending}") for glob in area.things.get(kind, ())]
    if patterns and area.owners:
        who = " ".join(_handle(registry.people[each]) for each in area.owners)
        yield f"# {area.name}"
        yield from (f"{pattern} {who}" for pattern in patterns)


def _handle(person: Person) -> str:
    if person.handle or person.emails:
        return person.handle or person.emails[0]
    raise UsageError(f"[people.{person.id}] has neither handle nor emails, of which CODEOWNERS needs one")


def stale(config: Config, registry: Registry) -> Iterator[Gap]:
    """The repositories whose CODEOWNERS was written from here and no longer says what ownership.toml says."""
    for folder in sorted({*(folder for area in registry.areas.values() for folder in area.repositories), config.folder}):
        path = found_in(folder)
        text = path.read_text("utf-8", "replace") if path is not None else ""
        if BEGIN not in text:
            continue
        try:
            fresh = merged(text, exported(config, registry, folder)) == text
        except UsageError:
            fresh = False
        if not fresh:
            yield Gap(f"is not what ownership.toml says any more: cibus owners export {folder} --write", file=str(path))


def merged(before: str, block: str) -> str:
    """A CODEOWNERS with the block in the place of the former one, else at its end, where it wins."""
    start, end = before.find(BEGIN), before.find(END)
    if start >= 0 and end > start:
        return before[:start] + block + before[end + len(END) :].removeprefix("\n")
    return f"{before}{chr(10) if before and not before.endswith(chr(10)) else ''}{chr(10) if before else ''}{block}"
