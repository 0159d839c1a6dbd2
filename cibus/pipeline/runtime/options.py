"""What a run is asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cibus.pipeline.runtime.build import Cause
from cibus.pipeline.runtime.skipping import Selection


@dataclass(frozen=True)
class Pins:
    """What a build of a controller had, to be had again instead of what its names mean by now.

    Arguments:
        libraries: ``name@version`` → commit
        checkouts: (URL, branch) → commit; the branch "" stands for any
        changes: the commits since the build before, as in the state folder's records; None: those found in git
        before: number and result of the build before; None: the builds in the state folder count
        declared: the job's parameters: kind, name, default; None: the build had none
        build: the build's URL
        bundle: where it is captured
        secrets: values that no log may show, besides those of credentials and password parameters
        lacks: labels that the build's agents had and nothing here has
    """

    libraries: Mapping[str, str] = field(default_factory=dict)
    checkouts: Mapping[tuple[str, str], str] = field(default_factory=dict)
    changes: tuple[Mapping[str, Any], ...] | None = None
    before: tuple[int, str] | None = None
    declared: tuple[Mapping[str, Any], ...] | None = None
    build: str = ""
    bundle: str = ""
    lacks: tuple[str, ...] = ()
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def checkout(self, url: str, branch: str) -> str | None:
        """The commit of a branch of a repository, where it is pinned."""
        return self.checkouts.get((url, branch)) or self.checkouts.get((url, ""))


@dataclass(frozen=True)
class RunOptions:
    """The arguments of ``cibus run``, apart from how its output looks.

    ``mode``: scm, inline or multibranch. ``number``: None for the next one. ``answers``: ``--input``, by id.
    ``causes``: ``--cause``. ``on_failure``: stop, or shell. ``resume``: start at the stage that failed last time.
    ``on``: where all ``node`` blocks run: ``ssh://HOST``, a host, ``container:IMAGE``, or an agent of cibus.toml.
    ``strict_credentials``: nothing runs where a credential that the script names is not to be had.
    """

    script: Path
    mode: str = "scm"
    job: str = ""
    number: int | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    workspace_root: Path | None = None
    state_dir: Path | None = None
    answers: Mapping[str, str] = field(default_factory=dict)
    causes: tuple[str | Cause, ...] = ("user",)
    restart_from: str | None = None
    selection: Selection = field(default_factory=Selection)
    resume: bool = False
    clean: bool = False
    in_place: bool = False
    dry_run: bool = False
    on_failure: str = "stop"
    interactive: bool = False
    strict_credentials: bool = False
    on: str = ""
    host_deadline: float = 20.0  # seconds without an answer after which a machine counts as lost
    script_text: str | None = None  # where it is not read from ``script``
    pins: Pins | None = None

    def again(self, secret: frozenset[str]) -> list[str]:
        """The words behind ``cibus`` that run the same script, job and parameters; without secret parameters."""
        if self.pins is not None and self.pins.bundle:
            return ["reproduce", self.pins.bundle]
        return ["run", *self._names(secret)]

    def _names(self, secret: frozenset[str]) -> list[str]:
        words = [] if str(self.script) == "Jenkinsfile" else [str(self.script)]
        flags = {"--inline": self.mode == "inline", "--multibranch": self.mode == "multibranch", "--clean": self.clean, "--in-place": self.in_place}
        words += [flag for flag, given in flags.items() if given]
        values = {"--on": self.on, "--job": self.job, "--state-dir": self.state_dir, "--workspace-root": self.workspace_root}
        words += [word for name, value in values.items() if value for word in (name, str(value))]
        return words + [word for name, value in self.parameters.items() if name not in secret for word in ("-p", f"{name}={value}")]
