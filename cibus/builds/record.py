"""A captured build as data: what ``build.json`` in a bundle holds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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
        return converter.structure(data, CapturedBuild)
    except (cattrs.BaseValidationError, TypeError, ValueError, KeyError) as error:
        problems = cattrs.transform_error(error) if isinstance(error, cattrs.BaseValidationError) else [str(error)]
        raise ValueError("; ".join(problems)) from error
