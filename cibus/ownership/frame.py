"""A first ownership.toml: the people whom git knows, and an area for each kind of thing that there is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cibus.config import Config
from cibus.git import try_git
from cibus.ownership.checking import NAMES
from cibus.ownership.records import KINDS, Thing
from cibus.tomltext import bare_key, quoted

MOST = 10  # people who are proposed


@dataclass
class _Somebody:
    name: str
    mails: list[str] = field(default_factory=list)
    commits: int = 0


def frame(config: Config, things: Sequence[Thing]) -> str:
    """The text of the file."""
    people = _people(config)
    return "\n".join(["# Who owns what: see cibus owners --help.", "", *_tables(people), *_areas(things)]) + "\n"


def _people(config: Config) -> list[tuple[str, _Somebody]]:
    """Those with most commits where cibus.toml is."""
    by_name: dict[str, _Somebody] = {}
    for line in (try_git(config.folder, "log", "--no-merges", "--format=%aN\x02%aE") or "").splitlines():
        name, _, mail = line.partition("\x02")
        each = by_name.setdefault(name.casefold(), _Somebody(name))
        each.commits += 1
        if mail.lower() not in each.mails:
            each.mails.append(mail.lower())
    ids: dict[str, _Somebody] = {}
    taken: set[str] = set()
    for each in sorted(by_name.values(), key=lambda each: -each.commits)[:MOST]:
        each.mails = [mail for mail in each.mails if mail not in taken]
        taken.update(each.mails)
        ids.setdefault(re.sub(r"[^a-z0-9]+", "-", each.name.lower()).strip("-") or f"person-{len(ids) + 1}", each)
    return list(ids.items())


def _tables(people: Sequence[tuple[str, _Somebody]]) -> Iterator[str]:
    if not people:
        yield "[people.somebody]\nname = \"\"          # as git and receipts have it\nemails = []\nreach = \"\"\n"
    for name, each in people:
        yield f"[people.{bare_key(name)}]\nname = {quoted(each.name)}\nemails = [{', '.join(map(quoted, each.mails))}]\nreach = \"\"          # how to reach them\n"


def _areas(things: Sequence[Thing]) -> Iterator[str]:
    for kind in KINDS:
        if any(each.kind == kind for each in things):
            yield f"[areas.{NAMES[kind]}]\nprimary = \"\"\nsecondary = \"\"\n{NAMES[kind]} = [\"*\"]\n"
