"""Prepares a captured build to run here: its files at its commit, its parameters, variables, revisions, and what it lacks."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from cibus.builds.bundle import Bundle
from cibus.builds.clean import has_placeholder
from cibus.builds.record import CapturedBuild, Checkout
from cibus.builds.worktree import Worktree, bring
from cibus.errors import BundleError
from cibus.folders import state_home
from cibus.history import History
from cibus.redaction import PLACEHOLDER

# variables that mean this machine or this run, and never come from the captured build
OWN_VARIABLES = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|PWD|OLDPWD|LANG|LANGUAGE|LC_\w+|TZ|TERM|TMPDIR|TEMP|TMP|HOSTNAME|MAIL|SHLVL|_|DISPLAY"
    r"|(?:BUILD|JOB|RUN|HUDSON|JENKINS|WORKSPACE|NODE|EXECUTOR|GIT|SVN|CHANGE|BRANCH|TAG|STAGE)_\w+|WORKSPACE|CI|CLASSPATH"
    r"|XDG_\w+|SSH_\w+|DBUS_\w+|SYSTEMD_\w+|INVOCATION_ID|JOURNAL_STREAM|XFILESEARCHPATH|NLSPATH|LD_LIBRARY_PATH|library|ROOT_BUILD_CAUSE\w*|BUILD_CAUSE\w*"
)

HARMLESS = ("artifact", "agent", "tests", "plugins", "environment", "stages", "steps", "config")
"""What may be missing from a bundle without any change to what runs."""


@dataclass(frozen=True)
class Reproduction:
    """A build that is ready to run here.

    Arguments:
        home: the folder of this job's reproductions: its files, workspaces and runs
        script: the script's path
        text: its text, where the file at ``script`` is not what ran
        mode: inline, scm or multibranch
        number, job: the captured build's
        parameters: values; those of secret ones are not among them
        secret_parameters: their names
        declared: the parameters as the job has them: kind, name, default
        env: variables that the build had and that mean the same here
        checkouts: (URL, branch) → commit
        libraries: ``name@version`` → commit
        library_urls: name → URL
        agents: name → labels of the agents that the build had
        lost: placeholders of secrets that were taken out, and where they are needed
        notes: what is not as it was, in words
    """

    home: Path
    script: Path
    text: str | None
    mode: str
    job: str
    number: int
    parameters: Mapping[str, str] = field(default_factory=dict)
    secret_parameters: tuple[str, ...] = ()
    declared: tuple[Mapping[str, str], ...] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    checkouts: Mapping[tuple[str, str], str] = field(default_factory=dict)
    libraries: Mapping[str, str] = field(default_factory=dict)
    library_urls: Mapping[str, str] = field(default_factory=dict)
    agents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lost: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def home_of(build: CapturedBuild) -> Path:
    """Where a job's builds are reproduced: the same folder each time, so that a second attempt can resume the first."""
    slug = re.sub(r"[^\w.-]+", "-", build.job).strip("-")[-60:]
    return state_home() / "reproduced" / f"{slug}-{hashlib.sha256(f'{build.controller} {build.job}'.encode()).hexdigest()[:8]}"


def reproduced() -> list[History]:
    """The runs of all builds that were reproduced here."""
    return [History(path) for path in sorted((state_home() / "reproduced").glob("*/state"))]


def prepare(bundle: Bundle, repo: str = "") -> Reproduction:
    """Brings the build's files here and says what runs.

    Arguments:
        repo: a clone, or another URL, to take the build's commit from instead of its own repository

    Raises:
        SourceError: the commit is not to be had.
        BundleError: the bundle does not say which script ran.
    """
    build = bundle.build
    home = home_of(build)
    own = build.own
    notes = [f"{what}: {why}" for what, why in sorted(bundle.manifest.missing.items()) if not what.startswith(HARMLESS)]
    name = _script_path(build)
    if own is None:
        worktree = Worktree(home / "source", "")
        worktree.folder.mkdir(parents=True, exist_ok=True)
    else:
        worktree = bring(own, home / "source", repo, build.started)
        notes += worktree.notes
    script = worktree.folder / name
    text = _text(bundle, script, own)
    if own is None:
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(text or "", encoding="utf-8")
        text = None
    lost = _lost(bundle, text if text is not None else script.read_text(encoding="utf-8-sig", errors="replace"))
    return Reproduction(
        home=home,
        script=script,
        text=text,
        mode="inline" if own is None else "multibranch" if build.multibranch else "scm",
        job=build.job,
        number=build.number,
        parameters={each.name: each.value for each in build.parameters if not each.secret and not has_placeholder(each.value)},
        secret_parameters=tuple(each.name for each in build.parameters if each.secret or has_placeholder(each.value)),
        declared=_declared(build),
        env={key: value for key, value in build.environment.items() if _means_the_same(key, value, build)},
        checkouts=_pinned(build, worktree.commit),
        libraries={f"{each.name}@{each.version}": each.commit for each in build.libraries if each.commit},
        library_urls={each.name: each.url for each in build.libraries if each.url},
        agents={each.name: each.labels for each in build.agents},
        lost=lost,
        notes=tuple(notes),
    )


def _script_path(build: CapturedBuild) -> str:
    path = PurePosixPath(build.script.path)
    if path.is_absolute() or ".." in path.parts or not path.name:
        raise BundleError(f"the bundle says that the script is {build.script.path!r}, which is no path in a repository")
    return str(path)


def _text(bundle: Bundle, script: Path, own: Checkout | None) -> str | None:
    """The script, where the file in the repository is not what ran."""
    text = bundle.script
    there = script.read_text(encoding="utf-8-sig", errors="replace") if own and script.is_file() else None
    if text is None and there is None:
        where = f"{bundle.build.script.path} is not in {own.url} at {own.commit[:10]}" if own else "the controller did not let it be read"
        raise BundleError(f"the script of {bundle.build.job} #{bundle.build.number} is not known: {where}; capture again with Job/ExtendedRead and Run/Replay")
    if text is None or (there is not None and (_same(text, there) or has_placeholder(text))):
        return None  # the repository's file also has what was taken out of the captured one
    return text


def _same(one: str, other: str) -> bool:
    return one.replace("\r\n", "\n").rstrip("\n") == other.replace("\r\n", "\n").rstrip("\n")


def _declared(build: CapturedBuild) -> tuple[Mapping[str, str], ...] | None:
    if not build.parameters:
        return None
    kinds = {each.name: "password" if each.secret else "string" if each.kind == "choice" else each.kind for each in build.parameters}
    return tuple({"kind": kinds[each.name], "name": each.name, "default": each.value} for each in build.parameters)


def _means_the_same(name: str, value: str, build: CapturedBuild) -> bool:
    """Whether a variable is the build's, not its machine's: a path into the agent's own folders is not."""
    if OWN_VARIABLES.fullmatch(name) or has_placeholder(value) or value == "****" or any(each.name == name for each in build.parameters):
        return False
    return not any(each.workspace and each.workspace in value for each in build.agents)


def _pinned(build: CapturedBuild, own_commit: str) -> dict[tuple[str, str], str]:
    found = {(each.url, each.branch): each.commit for each in build.checkouts if each.commit}
    own = build.own
    if own is not None and own_commit:
        found[own.url, own.branch] = own_commit
    return found


def _lost(bundle: Bundle, script: str) -> dict[str, tuple[str, ...]]:
    """Placeholder → where its secret is needed."""
    places: dict[str, list[str]] = {}
    for number, line in enumerate(script.split("\n"), 1):
        for match in PLACEHOLDER.finditer(line):
            places.setdefault(match[0], []).append(f"{bundle.build.script.path}:{number}")
    for name, value in bundle.build.environment.items():
        for match in PLACEHOLDER.finditer(value):
            places.setdefault(match[0], []).append(f"the variable {name}")
    return {stand_in: tuple(where) for stand_in, where in places.items()}
