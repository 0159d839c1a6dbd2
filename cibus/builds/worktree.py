"""A repository at the commit that a build had."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from cibus.builds.record import Checkout
from cibus.errors import SourceError
from cibus.git import git, try_git


@dataclass(frozen=True)
class Worktree:
    """The files of a build.

    Arguments:
        commit: what is checked out; empty where there is no repository
        notes: what is not as it was, in words
    """

    folder: Path
    commit: str
    notes: tuple[str, ...] = ()


def bring(checkout: Checkout, folder: Path, repo: str, started: float) -> Worktree:
    """Clones a repository, or goes on with the clone of an earlier attempt, and checks the build's commit out.

    Arguments:
        repo: a clone or URL to take the commit from; empty: the build's own
        started: when the build began, in seconds since the epoch: where nobody knows its commit, the branch as it was then

    Raises:
        SourceError: the commit is not to be had, and where else it may be.
    """
    origin = repo or checkout.url
    if not (folder / ".git").is_dir():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        git(folder, "-c", "init.defaultBranch=main", "init", "-q")
        git(folder, "config", "remote.origin.url", checkout.url)
        git(folder, "config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")
    commit, notes = _commit(checkout, folder, origin, started, local=bool(repo))
    branch = checkout.branch or "main"
    git(folder, "-c", "advice.detachedHead=false", "checkout", "-q", "-f", "--detach", commit)
    if try_git(folder, "check-ref-format", "--branch", branch) is not None:
        git(folder, "checkout", "-q", "-f", "-B", branch, commit)
    git(folder, "clean", "-q", "-f", "-d", "-x")
    return Worktree(folder, commit, notes)


def _commit(checkout: Checkout, folder: Path, origin: str, started: float, *, local: bool) -> tuple[str, tuple[str, ...]]:
    """The build's commit, fetched."""
    wanted = checkout.commit
    if wanted and _has(folder, wanted):
        return wanted, ()  # an earlier attempt brought it: works offline
    source = str(Path(origin).expanduser().resolve()) if local and Path(origin).expanduser().is_dir() else origin
    heads = "+refs/heads/*:refs/remotes/origin/*"
    try:
        git(folder, "fetch", "-q", "--no-write-fetch-head", "--force", "--tags", source, heads)
        if local:  # in a clone, what was fetched of the remote is beside the branches
            try_git(folder, "fetch", "-q", "--no-write-fetch-head", "--force", source, "+refs/remotes/*:refs/cibus/remotes/*")
    except SourceError as error:
        raise SourceError(f"{origin} cannot be fetched ({error}); give a clone that is here with --repo") from error
    if wanted and not _has(folder, wanted):
        try_git(folder, "fetch", "-q", "--no-write-fetch-head", source, wanted)
    if wanted and not _has(folder, wanted):
        raise SourceError(f"{origin} has no commit {wanted}: it may have been pushed away or belong to a fork; give a clone that has it with --repo")
    if wanted:
        return wanted, ()
    return _as_it_was(checkout, folder, started)


def _as_it_was(checkout: Checkout, folder: Path, started: float) -> tuple[str, tuple[str, ...]]:
    """Nothing checked the repository out, so its commit was not said: the branch's last commit before the build."""
    branch = checkout.branch or "main"
    before = ("--before", str(int(started))) if started else ()
    commit = try_git(folder, "rev-list", "-1", *before, f"refs/remotes/origin/{branch}") or try_git(folder, "rev-parse", f"refs/remotes/origin/{branch}")
    if not commit:
        raise SourceError(f"{checkout.url} has no branch {branch}, and the build did not say which commit its script was of")
    when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(started))
    return commit, (f"the build did not say the commit of its script: {commit[:10]} is the last one of {branch} before {when} UTC",)


def _has(folder: Path, commit: str) -> bool:
    return try_git(folder, "cat-file", "-e", f"{commit}^{{commit}}") is not None
