"""stash and unstash."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from cibus.pipeline.antglob import scan
from cibus.pipeline.steps.context import StepContext
from cibus.pipeline.steps.registry import step
from cibus.pipeline.values import Thrown

if TYPE_CHECKING:
    import tarfile

_UNSAFE = "?*/\\%!@#$^&|<>[]:;"


def _check_name(name: str) -> None:
    """``jenkins.model.Jenkins.checkGoodName``."""
    problem = None
    if not name:
        problem = "No name is specified"
    elif name in (".", ".."):
        problem = f"‘{name}’ is not an allowed name" if name == "." else "A name cannot end with ‘.’"
    else:
        for c in name:
            if ord(c) < 32:
                problem = f"No control code is allowed: {''.join(c if ord(c) >= 32 else '?' for c in name)}"
                break
            if c in _UNSAFE:
                problem = f"‘{c}’ is an unsafe character"
                break
    if problem:
        raise Thrown("hudson.model.Failure", problem)


def _storage(ctx: StepContext, name: str) -> Path:
    _check_name(name)
    return ctx.build.stashes_dir / f"{name}.tar.gz"


@step("stash", plugin="workflow-basic-steps", node=True)
def stash(
    ctx: StepContext,
    name: str,
    includes: str | None = None,
    excludes: str | None = None,
    useDefaultExcludes: bool = True,
    allowEmpty: bool = False,
) -> None:
    """Keeps files for later in this build; mirrors workflow-basic-steps 2.22."""
    import tarfile

    storage = _storage(ctx, name)
    if storage.is_file():
        ctx.log(f"Warning: overwriting stash ‘{name}’")
    root = ctx.cwd
    names = scan(root, includes or "**", excludes, useDefaultExcludes)
    storage.parent.mkdir(parents=True, exist_ok=True)
    with ctx.suspended():
        temporary = storage.with_suffix(".part")
        with tarfile.open(temporary, "w:gz", compresslevel=1) as tar:
            for entry in names:
                tar.add(root / entry, entry, recursive=False)
        temporary.replace(storage)
    if not names and not allowEmpty:
        raise ctx.fail(f"No files included in stash ‘{name}’")
    ctx.log(f"Stashed {len(names)} file(s)")


@step("unstash", plugin="workflow-basic-steps", node=True)
def unstash(ctx: StepContext, name: str) -> None:
    """Puts the files of a stash below the current folder; mirrors workflow-basic-steps 2.22."""
    import tarfile

    storage = _storage(ctx, name)
    if not storage.is_file():
        raise ctx.fail(f"No such saved stash ‘{name}’")
    root = ctx.cwd
    root.mkdir(parents=True, exist_ok=True)
    with ctx.suspended(), tarfile.open(storage) as tar:
        tar.extraction_filter = _as_it_was
        for member in tar:
            target = root / member.name
            if target.is_symlink() or target.is_file():
                target.unlink()
            member.uid, member.gid, member.uname, member.gname = os.getuid(), os.getgid(), "", ""
            tar.extract(member, root)


def _as_it_was(member: tarfile.TarInfo, root: str) -> tarfile.TarInfo:
    """No filter: the build wrote this archive itself, and modes are to stay."""
    return member
