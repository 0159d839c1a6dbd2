"""A captured build as data: what ``build.json`` in a bundle holds."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_HELPER = re.compile(r"\w+::")  # git would run a program of that name


@dataclass(frozen=True)
class Parameter:
    """A parameter's value; that of a secret one is never kept.

    Arguments:
        kind: as a pipeline declares it: string, text, booleanParam, choice, password, file, run, credentials
    """

    name: str
    value: str = ""
    kind: str = "string"
    secret: bool = False


@dataclass(frozen=True)
class Checkout:
    """A repository that the build checked out.

    Arguments:
        branch: as git names it without the remote: main, feature/login, v1.0
        own: the script is from it, too
    """

    url: str
    commit: str
    branch: str = ""
    own: bool = False


@dataclass(frozen=True)
class LibraryUse:
    """A shared library that the build loaded: the version that was asked for, and the commit that it was then."""

    name: str
    version: str = ""
    commit: str = ""
    url: str = ""


@dataclass(frozen=True)
class AgentUse:
    """An agent of the build.

    Arguments:
        workspace: the folder in which the build ran there
        system: operating system and processor as its architecture monitor tells, e.g. ``Linux (amd64)``
        environment: the variables that the node's configuration sets
    """

    name: str
    workspace: str = ""
    labels: tuple[str, ...] = ()
    system: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Script:
    """The script that ran.

    Arguments:
        origin: ``build`` (the replay page tells exactly what ran), ``config`` (the job's configuration as it is
            now), ``scm`` (to be had from the repository at the build's commit), ``builders`` (made of the steps of a
            freestyle or matrix job)
        path: its name in the repository, where it is from one
        replayed: the build replayed another one with an edited script
    """

    origin: str
    path: str = "Jenkinsfile"
    replayed: bool = False


@dataclass(frozen=True)
class Cause:
    """Why the build was started: Jenkins' class and words, and who or what it was."""

    kind: str
    text: str
    detail: str = ""


@dataclass(frozen=True)
class Before:
    """The build before this one: scripts ask for its result."""

    number: int
    result: str


@dataclass(frozen=True)
class CapturedBuild:
    """A build of a controller.

    Arguments:
        controller: the controller's URL, with a slash at its end
        kind: pipeline, freestyle or matrix
        started: seconds since the epoch
        multibranch: the job is one branch of a multibranch job
        environment: what is known of the variables; its origin for each is in ``environment_from``
        jenkins: the controller's version
    """

    url: str
    controller: str
    job: str
    number: int
    kind: str
    result: str
    started: float = 0.0
    seconds: float = 0.0
    display_name: str = ""
    description: str = ""
    multibranch: bool = False
    script: Script = field(default_factory=lambda: Script("scm"))
    parameters: tuple[Parameter, ...] = ()
    causes: tuple[Cause, ...] = ()
    checkouts: tuple[Checkout, ...] = ()
    changes: tuple[Mapping[str, Any], ...] = ()
    libraries: tuple[LibraryUse, ...] = ()
    agents: tuple[AgentUse, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    environment_from: Mapping[str, str] = field(default_factory=dict)
    before: Before | None = None
    jenkins: str = ""

    @property
    def own(self) -> Checkout | None:
        """The checkout that the script is from."""
        return next((each for each in self.checkouts if each.own), None)


def as_data(build: CapturedBuild) -> dict[str, Any]:
    """As plain data, for JSON."""
    return dataclasses.asdict(build)


def from_data(data: Mapping[str, Any]) -> CapturedBuild:
    """From plain data.

    Raises:
        ValueError: something is missing or of the wrong type; the message says what.
    """
    import cattrs

    converter = cattrs.Converter(forbid_extra_keys=True)
    try:
        build = converter.structure(data, CapturedBuild)
    except (cattrs.BaseValidationError, TypeError, ValueError, KeyError) as error:
        problems = cattrs.transform_error(error) if isinstance(error, cattrs.BaseValidationError) else [str(error)]
        raise ValueError("; ".join(problems)) from error
    for problem in _problems(build):
        raise ValueError(problem)
    return build


def _problems(build: CapturedBuild) -> Iterator[str]:
    """What a build's record never says: names and addresses become paths and arguments of git."""
    if build.number < 1 or not build.job or any(part in ("", ".", "..") or any(ord(c) < 32 for c in part) for part in build.job.split("/")):
        yield f"{build.job!r} #{build.number} is no build"
    places = [(each.url, each.commit) for each in build.checkouts] + [(each.url, each.commit) for each in build.libraries]
    for url, commit in places:
        if url.startswith("-") or _HELPER.match(url) or any(ord(c) < 32 for c in url):
            yield f"{url!r} is no address of a repository"
        if commit and not _COMMIT.fullmatch(commit):
            yield f"{commit!r} is no commit"
    for name in [each.branch for each in build.checkouts] + [each.name for each in build.libraries]:
        if name.startswith("-") or any(ord(c) < 32 for c in name):
            yield f"{name!r} is no name of a branch or library"
