"""ownership.toml, beside cibus.toml: read into records; what is wrong is said with file, line and key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from cibus.config import Config
from cibus.ownership.records import Access, Area, Kind, Person, Registry
from cibus.tomltables import Key, TableReader, hint, line_of, read_toml, schema_of

FILE_NAME = "ownership.toml"
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")  # it names files, and stands in command lines
PLURALS: dict[str, Kind] = {"jobs": "job", "agents": "agent", "credentials": "credential", "libraries": "library", "playbooks": "playbook", "runbooks": "runbook", "controllers": "controller"}
TABLES: dict[str, dict[str, Key]] = {
    "people": {
        "name": Key("str", help="as git and receipts have it"),
        "emails": Key("strings", help="all addresses that git and receipts have"),
        "jenkins": Key("str", help="the user's id on the controller (default: the person's id)"),
        "handle": Key("str", help="as CODEOWNERS has them: @jo, or a mail address", pattern="@"),
        "reach": Key("str", help="how to reach them"),
        "left": Key("any", help="the day from which on they are not there any more: 2026-12-31"),
    },
    "areas": {
        "what": Key("str", help="what it is, in a line"),
        "primary": Key("str", help="the person who owns it"),
        "secondary": Key("str", help="the person who could, were the first one away"),
        "reach": Key("str", help="how to reach the owners"),
        "jobs": Key("strings", help="globs of full names: mobile/*"),
        "agents": Key("strings", help="globs of agents' names"),
        "credentials": Key("strings", help="globs of credentials' ids; those in a folder's store as FOLDER/ID"),
        "libraries": Key("strings", help="globs of libraries' names"),
        "playbooks": Key("strings", help="globs of playbooks and roles: agent.yml, roles/macos_*"),
        "runbooks": Key("strings", help="globs of pages' names"),
        "controllers": Key("strings", help="globs of names of [controllers.NAME]"),
        "repositories": Key("strings", help="folders of clones with its Jenkinsfiles"),
        "files": Key("strings", help="globs in these: what of them is CI (default: Jenkinsfiles and Groovy)"),
    },
    "access": {
        "controllers": Key("strings", help="controllers that this person may administer, as globs"),
        "agents": Key("strings", help="agents whose machines this person can log in to, as globs"),
        "repositories": Key("strings", help="repositories that this person may push to, as globs of folder names"),
    },
}  # fmt: skip


def path_of(config: Config) -> Path:
    """Where ownership.toml is, or would be."""
    return config.folder / FILE_NAME


def load(config: Config) -> Registry:
    """Reads ownership.toml; an empty registry where there is none.

    Raises:
        ConfigError: it is wrong: file, line and key.
    """
    path = path_of(config)
    if not path.is_file():
        return Registry(path)
    text, data = read_toml(path)
    return _Reader(path, text, TABLES).read(data)


class _Reader(TableReader):
    def read(self, data: dict[str, Any]) -> Registry:
        for name in data:
            if name not in TABLES:
                raise self.wrong((name,), f"unknown key {name!r}{hint(name, TABLES)}")
            if not isinstance(data[name], dict):
                raise self.wrong((name,), f"[{name}] must be a table")
        people = self.named(data, "people", self.person)
        areas = self.named(data, "areas", self.area)
        access = self.named(data, "access", lambda name, entry: Access(name, **{key: tuple(value) for key, value in entry.items()}))
        for where, person in _named(areas, access):
            if person not in people:
                raise self.wrong(where, f"{person} is nobody of [people]{hint(person, people) if people else ''}: add [people.{person}]")
        self._alone(people)
        return Registry(self.path, people, areas, access)

    def person(self, name: str, entry: dict[str, Any]) -> Person:
        self._plain("people", name)
        left = entry.get("left")
        if left is not None and type(left) is not date:
            raise self.wrong(("people", name, "left"), f"left in [people.{name}] must be a day: 2026-12-31")
        return Person(name, **{**entry, "emails": tuple(each.lower() for each in entry.get("emails", ())), "jenkins": entry.get("jenkins", name)})

    def area(self, name: str, entry: dict[str, Any]) -> Area:
        self._plain("areas", name)
        if entry.get("primary") and entry.get("primary") == entry.get("secondary"):
            raise self.wrong(("areas", name, "secondary"), f"secondary in [areas.{name}] is its primary: name another person, or nobody")
        if "files" in entry and not entry.get("repositories"):
            raise self.wrong(("areas", name, "files"), f"files in [areas.{name}] need repositories, in which they are")
        things = {kind: tuple(entry[plural]) for plural, kind in PLURALS.items() if entry.get(plural)}
        plain = {key: entry[key] for key in ("what", "primary", "secondary", "reach") if key in entry}
        folders = tuple(self.folder / Path(each).expanduser() for each in entry.get("repositories", ()))
        return Area(name, **plain, things=things, repositories=folders, files=tuple(entry.get("files", ())), line=line_of(self.text, ("areas", name)))

    def _plain(self, table: str, name: str) -> None:
        if not ID.fullmatch(name):
            raise self.wrong((table, name), f"{name!r} in [{table}] is no plain name: letters, digits, and _ . - between them")

    def _alone(self, people: Mapping[str, Person]) -> None:
        """An address, a name and a user are those of one person."""
        seen: dict[tuple[str, str], str] = {}
        for each in people.values():
            for what, value in (*(("emails", mail) for mail in each.emails), ("name", each.name), ("jenkins", each.jenkins), ("handle", each.handle)):
                if value and seen.setdefault((what, value.casefold()), each.id) != each.id:
                    raise self.wrong(("people", each.id, what), f"{value} is also that of [people.{seen[(what, value.casefold())]}]")


def _named(areas: Mapping[str, Area], access: Mapping[str, Access]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Everybody who is named, and where."""
    for area in areas.values():
        yield from ((("areas", area.name, role), person) for role, person in (("primary", area.primary), ("secondary", area.secondary)) if person)
    yield from ((("access", person), person) for person in access)


def present(person: Person, today: date) -> bool:
    """Whether they are still there on a day."""
    return person.left is None or person.left > today


def named_person(registry: Registry, text: str) -> Person | None:
    """The person of this id, name, address, user or handle."""
    known = registry.people
    if text in known:
        return known[text]
    wanted = text.casefold()
    return next((each for each in known.values() if wanted in (*each.emails, each.name.casefold(), each.jenkins.casefold(), each.handle.casefold())), None)


def json_schema() -> dict[str, Any]:
    """The JSON schema of ownership.toml, made from the tables that the reader uses."""
    tables = {name: {"type": "object", "additionalProperties": schema_of(keys)} for name, keys in TABLES.items()}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": FILE_NAME, "type": "object", "additionalProperties": False, "properties": tables}
