"""What all drills share: where they are done, what is remembered between begin and proof, and what a proof is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from cibus.config import Config, ControllerConfig
from cibus.errors import CibusError, UsageError
from cibus.folders import state_home, write_whole
from cibus.jenkins.client import Client
from cibus.jenkins.settings import choose
from cibus.ownership.records import Kind, Person, Registry

WORK = "practice"  # beside cibus.toml; git leaves it out
PREFIX = "cibus-practice"


T = TypeVar("T")


def for_practice(known: Mapping[str, T], asked: str, kind: str, how: str) -> T:
    """The one to practise on.

    Arguments:
        known: those that are for practice, by name
        kind: what they are, which is also the option that names one
        how: how one gets one

    Raises:
        UsageError: there is none, several, or the one that is asked for is none.
    """
    if asked and asked not in known:
        raise UsageError(f"{asked} is no {kind} to practise on: {how}")
    if not known:
        raise UsageError(f"there is no {kind} to practise on: {how}")
    if not asked and len(known) > 1:
        raise UsageError(f"which {kind}? Give --{kind} with one of {', '.join(known)}")
    return known[asked or next(iter(known))]


@dataclass(frozen=True)
class Setting:
    """Where somebody practises.

    Arguments:
        folder: for the files of this drill
        asked: the name of the practice controller that was asked for, or ""
        agent: the name of the practice agent that was asked for, or ""
        answers: what the person says, by question
    """

    config: Config
    registry: Registry
    person: Person
    folder: Path
    asked: str = ""
    agent: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)

    @property
    def practice(self) -> ControllerConfig:
        """The controller to practise on.

        Raises:
            UsageError: there is none, several, or the one that is named is none.
        """
        known = {name: each for name, each in self.config.controllers.items() if each.practice}
        where = self.config.path or "cibus.toml"
        return for_practice(known, self.asked, "controller", f"say practice = true in [controllers.NAME] of {where} if it may be changed; drills make, delete and change things there")

    @contextmanager
    def client(self) -> Iterator[Client]:
        """The practice controller, with this person's login."""
        with Client(choose(self.config, self.practice.name)) as client:
            yield client

    @property
    def shell(self) -> str:
        """What a person types first where cibus.toml names several controllers, or ""."""
        return f"export CIBUS_CONTROLLER={self.practice.name}" if len(self.config.controllers) > 1 else ""


@dataclass(frozen=True)
class Begun:
    """A drill under way. ``facts`` is what the drill must know to prove it; nobody else reads it."""

    drill: str
    person: str
    areas: tuple[str, ...]
    started: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def when(self) -> datetime:
        """When it began."""
        return datetime.fromisoformat(self.started)


@dataclass(frozen=True)
class Proof:
    """Something that had to be so, whether it is, and what was seen."""

    what: str
    holds: bool
    words: str = ""


@dataclass(frozen=True)
class Drill:
    """A drill.

    Arguments:
        title: what is practised
        kinds: the kinds of things for which it is practice; empty: all
        pages: runbooks whose receipts count as this drill, too
        begin: stages it, and gives the facts
        tell: what the person has to do, line by line
        verify: looks whether it was done
        tidy: takes away what was staged, but the files in the setting's folder
    """

    name: str
    title: str
    kinds: tuple[Kind, ...]
    pages: tuple[str, ...]
    begin: Callable[[Setting], Mapping[str, Any]]
    tell: Callable[[Setting, Begun], Sequence[str]]
    verify: Callable[[Setting, Begun], Sequence[Proof]]
    tidy: Callable[[Setting, Begun], None]


def work_folder(config: Config, person: str, drill: str) -> Path:
    """Where the files of a drill are: ``practice/PERSON-DRILL`` beside cibus.toml, which git leaves out."""
    top = config.folder / WORK
    ignore = top / ".gitignore"
    if not ignore.is_file():
        write_whole(ignore, b"*\n")
    folder = top / f"{person}-{drill}"
    folder.mkdir(exist_ok=True)
    return folder


def nothing(setting: Setting, begun: Begun) -> None:
    """For a drill that stages nothing but files."""


def clear(folder: Path) -> None:
    """Takes a drill's files away."""
    shutil.rmtree(folder, ignore_errors=True)


def remember(begun: Begun) -> None:
    """Keeps what a drill must know, readable by this user only."""
    write_whole(_path(begun.person, begun.drill), json.dumps(asdict(begun), indent=1).encode(), private=True)


def recall(person: str, drill: str) -> Begun | None:
    """What was kept of a drill that is under way here.

    Raises:
        CibusError: the file is damaged.
    """
    path = _path(person, drill)
    try:
        data = json.loads(path.read_text("utf-8"))
        return Begun(**{**data, "areas": tuple(data["areas"])})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CibusError(f"{path}: what was kept of the drill cannot be read; begin it again (--again)") from error


def forget(begun: Begun) -> None:
    """The drill is over."""
    _path(begun.person, begun.drill).unlink(missing_ok=True)


def _path(person: str, drill: str) -> Path:
    return state_home() / "drills" / f"{person}-{drill}.json"


