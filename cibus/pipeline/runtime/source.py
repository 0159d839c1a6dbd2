"""The repository that is built: its state, and putting it into a workspace."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cibus.errors import SourceError
from cibus.git import git, try_git

COPIED = "cibus-copied"  # in a workspace's .git: the uncommitted files that a run brought there


@dataclass(frozen=True)
class Source:
    """Where the script and the files come from.

    ``mode``: inline (no SCM), scm or multibranch. ``root``: the top of the working copy, None where there is no SCM.
    ``commit``: None where the folder is not a git repository. ``branch``: the branch, or the tag for a tag build.
    ``clean``: the commit alone, without uncommitted changes.
    """

    mode: str
    root: Path | None = None
    commit: str | None = None
    branch: str = ""
    url: str = ""
    clean: bool = False
    dirty: tuple[str, ...] = ()
    tag: str = ""

    @property
    def is_git(self) -> bool:
        """Whether there is a commit to check out."""
        return self.commit is not None


def open_source(script: Path, mode: str, *, clean: bool) -> Source:
    """Looks at the repository that the script is in.

    Raises:
        SourceError: ``--clean`` or ``--multibranch`` without a commit.
    """
    if mode == "inline":
        return Source("inline")
    folder = script.resolve().parent
    top = try_git(folder, "rev-parse", "--show-toplevel")
    commit = try_git(folder, "rev-parse", "--verify", "HEAD^{commit}") if top else None
    if top is None or commit is None:
        if clean or mode == "multibranch":
            wanted = "--clean" if clean else "--multibranch"
            raise SourceError(f"{wanted} needs a git repository with a commit, and {folder} is not in one")
        return Source(mode, root=Path(top) if top else folder)
    root = Path(top)
    branch = try_git(root, "symbolic-ref", "--quiet", "--short", "HEAD") or ""
    tag = try_git(root, "describe", "--exact-match", "--tags", "HEAD") or "" if not branch else ""
    url = try_git(root, "config", "--get", "remote.origin.url") or f"file://{root}"
    dirty = () if clean else tuple(changed_files(root))
    return Source(mode, root, commit, branch or tag or "HEAD", url, clean, dirty, tag)


def changed_files(root: Path) -> list[str]:
    """The files that differ from the commit, untracked ones included, ignored ones not; relative to the top."""
    out = git(root, "status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames")
    return [entry[3:] for entry in out.split("\0") if len(entry) > 3]


def populate(source: Source, target: Path, *, whole: bool = False) -> None:
    """Makes ``target`` hold what is built; files that earlier builds left stay, as in Jenkins.

    Arguments:
        whole: with all objects of the repository, for a folder that is used on another machine

    Raises:
        SourceError: git failed.
    """
    target.mkdir(parents=True, exist_ok=True)
    assert source.root is not None
    if not source.is_git:
        copy_tree(source.root, target)
        return
    assert source.commit is not None
    if whole:
        disarm(target)
    known = (target / ".git").is_dir()
    if whole or not known:
        _clone(source, target, whole=whole)
    else:
        _refresh(source, target)
    if known:
        _remove_copied(target)
    git(target, "-c", "advice.detachedHead=false", "checkout", "-q", "-f", "--detach", source.commit)
    if source.dirty:
        (target / ".git" / COPIED).write_text("\0".join(source.dirty), encoding="utf-8", errors="surrogateescape")
    for name in source.dirty:
        _copy_changed(source.root / name, target / name)


ARMS = ("config", "config.worktree", "commondir", "gitdir", "hooks", "info", "modules", "worktrees", "objects/info")
"""What of a repository makes git run programs or look elsewhere."""


def disarm(target: Path) -> None:
    """Takes from a repository that another machine may have changed what git here would obey; ``git init`` brings it back."""
    repository = target / ".git"
    if repository.is_symlink() or repository.is_file():
        repository.unlink()
    for name in ARMS:
        place = repository / name
        if (repository / "objects").is_symlink():
            (repository / "objects").unlink()
        if place.is_symlink() or place.is_file():
            place.unlink()
        elif place.is_dir():
            shutil.rmtree(place)


def _remove_copied(target: Path) -> None:
    """Uncommitted files that an earlier run brought here do not stay; what is committed comes back with the checkout."""
    note = target / ".git" / COPIED
    if not note.is_file():
        return
    for name in note.read_text(encoding="utf-8", errors="surrogateescape").split("\0"):
        place = target / name
        if ".." in Path(name).parts or not place.is_relative_to(target):
            continue
        if place.is_symlink() or place.is_file():
            place.unlink()
    note.unlink()


def _clone(source: Source, target: Path, *, whole: bool) -> None:
    git(target, "-c", "init.defaultBranch=main", "init", "-q")
    git(target, "config", "remote.origin.url", source.url)
    git(target, "config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")
    if not whole:
        objects = git(source.root, "rev-parse", "--path-format=absolute", "--git-path", "objects")
        # the objects are borrowed, not copied: nothing is ever written to the user's repository
        (target / ".git" / "objects" / "info" / "alternates").write_text(objects + "\n", encoding="utf-8")
    _refresh(source, target)


def _refresh(source: Source, target: Path) -> None:
    git(target, "fetch", "-q", "--no-write-fetch-head", "--force", "--tags", str(source.root), "+refs/heads/*:refs/remotes/origin/*", *(["HEAD"] if source.commit else []))


def _copy_changed(source: Path, target: Path) -> None:
    if source.is_symlink() or source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)
        # a new time, as a checkout gives it: steps such as junit tell old files from new ones by it
        shutil.copy(source, target, follow_symlinks=False)
    elif not source.exists():
        target.unlink(missing_ok=True)


def copy_tree(source: Path, target: Path) -> None:
    """Copies a folder that is no repository, without .git and cibus' own state."""
    shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".git", ".cibus"))


def changes_between(root: Path, old: str | None, new: str) -> list[dict[str, Any]]:
    """The commits since an earlier build, newest last, as currentBuild.changeSets gives them."""
    if not old or old == new or try_git(root, "cat-file", "-e", f"{old}^{{commit}}") is None:
        return []
    out = git(root, "log", "--reverse", "--no-merges", "--name-status", "--no-renames", "--format=%x1e%H%x1f%an%x1f%ae%x1f%ct%x1f%s%x1f%B%x1f", f"{old}..{new}")
    return [_change(entry) for entry in out.split("\x1e") if entry.strip()]


def _change(entry: str) -> dict[str, Any]:
    commit, author, mail, when, subject, body, files = entry.split("\x1f", 6)
    paths = [line.split("\t", 1) for line in files.strip().splitlines() if "\t" in line]
    return {
        "commitId": commit,
        "author": author,
        "mail": mail,
        "timestamp": int(when) * 1000,
        "msg": subject,
        "comment": body.rstrip("\n") + "\n",
        "paths": [{"editType": {"A": "add", "D": "delete"}.get(kind, "edit"), "path": path} for kind, path in paths],
    }


def author_id(author: str, mail: str) -> str:
    """How the git plugin names an author's user: the part of the address before the at sign."""
    return mail.partition("@")[0] or author


def shown_command(args: Sequence[str]) -> str:
    """A git command as the git plugin prints it."""
    return " > git " + " ".join(args) + " # timeout=10"
