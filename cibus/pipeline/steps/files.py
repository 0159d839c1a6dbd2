"""Steps on files of the workspace: find, hash, touch, clean."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cibus.pipeline.antglob import scan, scan_all
from cibus.pipeline.engine.codec import JavaArray
from cibus.pipeline.javatext import expand
from cibus.pipeline.steps.context import StepContext
from cibus.pipeline.steps.registry import step
from cibus.pipeline.values import Long, NewObject, Thrown

UTILITY = "pipeline-utility-steps"


@step("touch", plugin=UTILITY, node=True)
def touch(ctx: StepContext, file: str, timestamp: int | None = None) -> Any:
    """Makes a file, or gives it a new time; mirrors pipeline-utility-steps 2.5."""
    path = ctx.path(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    if timestamp is not None:
        os.utime(path, (timestamp / 1000, timestamp / 1000))
    return wrapper(file, path)


@step("findFiles", plugin=UTILITY, node=True)
def find_files(ctx: StepContext, glob: str | None = None, excludes: str | None = None) -> JavaArray:
    """Lists files by Ant pattern; without one, the folder's own entries; mirrors pipeline-utility-steps 2.5."""
    root = ctx.cwd
    if glob and glob.strip():
        found = scan(root, glob, excludes)
    else:
        found = sorted(entry.name for entry in root.iterdir()) if root.is_dir() else []
    return JavaArray("FileWrapper", [wrapper(name, root / name) for name in found])


def wrapper(name: str, path: Path) -> NewObject:
    """The object that findFiles and touch give for a file."""
    stat = path.stat()
    is_folder = path.is_dir()
    return NewObject(
        "FileWrapper",
        {
            "name": path.name,
            "path": name + "/" if is_folder and not name.endswith("/") else name,
            "directory": is_folder,
            "length": Long(stat.st_size),
            "lastModified": Long(int(stat.st_mtime * 1000)),
        },
    )


def digest(path: Path, algorithm: str) -> str | None:
    """The file's hash in lower-case hexadecimal; None where there is no such file."""
    import hashlib

    if not path.is_file():
        return None
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def _file(file: str) -> str:
    if not file.strip():
        raise Thrown("hudson.model.Descriptor$FormException", "can't be blank")
    return file


@step("sha1", plugin=UTILITY, node=True)
def sha1(ctx: StepContext, file: str) -> str | None:
    """The SHA-1 of a file, null where there is none; mirrors pipeline-utility-steps 2.5."""
    return digest(ctx.path(_file(file)), "sha1")


@step("sha256", plugin=UTILITY, node=True)
def sha256(ctx: StepContext, file: str) -> str | None:
    """The SHA-256 of a file, null where there is none; mirrors pipeline-utility-steps 2.13."""
    return digest(ctx.path(_file(file)), "sha256")


@step("md5", plugin=UTILITY, node=True)
def md5(ctx: StepContext, file: str) -> str | None:
    """The MD5 of a file, null where there is none; mirrors pipeline-utility-steps 2.16."""
    return digest(ctx.path(_file(file)), "md5")


def _verify(ctx: StepContext, file: str, hash_: str, name: str) -> None:
    actual = digest(ctx.path(_file(file)), name.replace("-", "").lower())
    if actual is None:
        raise Thrown("java.io.FileNotFoundException", f"File not found: {file}")
    if actual.lower() != hash_.lower():
        raise ctx.fail(f"{name} hash mismatch: expected: '{hash_}', actual: '{actual}'")


@step("verifySha1", plugin=UTILITY, node=True)
def verify_sha1(ctx: StepContext, file: str, hash: str) -> None:
    """Fails where a file's SHA-1 is another; mirrors pipeline-utility-steps 2.13."""
    _verify(ctx, file, hash, "SHA-1")


@step("verifySha256", plugin=UTILITY, node=True)
def verify_sha256(ctx: StepContext, file: str, hash: str) -> None:
    """Fails where a file's SHA-256 is another; mirrors pipeline-utility-steps 2.13."""
    _verify(ctx, file, hash, "SHA-256")


@step("verifyMd5", plugin=UTILITY, node=True)
def verify_md5(ctx: StepContext, file: str, hash: str) -> None:
    """Fails where a file's MD5 is another; mirrors pipeline-utility-steps 2.16."""
    _verify(ctx, file, hash, "MD5")


# -- cleanWs

PREFIX = "[WS-CLEANUP] "


@step("cleanWs", plugin="ws-cleanup", node=True)
def clean_ws(
    ctx: StepContext,
    patterns: list[Any] | None = None,
    deleteDirs: bool = False,
    skipWhenFailed: bool = False,
    cleanWhenSuccess: bool = True,
    cleanWhenUnstable: bool = True,
    cleanWhenFailure: bool = True,
    cleanWhenNotBuilt: bool = True,
    cleanWhenAborted: bool = True,
    notFailBuild: bool = False,
    cleanupMatrixParent: bool = False,
    externalDelete: str = "",
    disableDeferredWipeout: bool = False,
) -> None:
    """Deletes the workspace, or what its patterns select; mirrors ws-cleanup 0.38."""
    root = ctx.cwd
    if not root.exists():
        return
    ctx.log(PREFIX + "Deleting project workspace...")
    when = {
        "SUCCESS": cleanWhenSuccess,
        "UNSTABLE": cleanWhenUnstable,
        "FAILURE": cleanWhenFailure,
        "NOT_BUILT": cleanWhenNotBuilt,
        "ABORTED": cleanWhenAborted,
    }
    result = ctx.build.result
    if result is not None and not when.get(result, True):
        ctx.log(PREFIX + f"Skipped based on build state {result}")
        return
    if disableDeferredWipeout:
        ctx.log(PREFIX + "Deferred wipeout is disabled by the job configuration...")
    try:
        if not patterns and not externalDelete.strip() and not disableDeferredWipeout:
            ctx.log(PREFIX + "Deferred wipeout is used...")
            _wipe(root)
        else:
            _delete(root, *_selected(ctx, patterns or ()), deleteDirs, _deleter(ctx, externalDelete))
    except OSError as error:
        if notFailBuild:
            ctx.log(f"Cannot delete workspace: {error}\nOption not to fail the build is turned on, so let's continue")
            return
        ctx.log(f"Cannot delete workspace :{error}")
        raise ctx.fail(f"Cannot delete workspace: {error}") from error
    ctx.log(PREFIX + "done")


def _selected(ctx: StepContext, patterns: Sequence[Any]) -> tuple[list[str], list[str]]:
    includes: list[str] = []
    excludes: list[str] = []
    environ = ctx.environ()
    for given in patterns:
        entry: Mapping[str, Any] = given if isinstance(given, Mapping) else {"pattern": str(given)}
        kind = str(entry.get("type") or "INCLUDE")
        if kind not in ("INCLUDE", "EXCLUDE"):
            raise Thrown(
                "java.lang.IllegalArgumentException",
                f"No enum constant hudson.plugins.ws_cleanup.Pattern.PatternType.{kind}",
            )
        (includes if kind == "INCLUDE" else excludes).append(expand(str(entry.get("pattern", "")), environ))
    return includes or ["**/*"], excludes


def _deleter(ctx: StepContext, command: str) -> Any:
    """What deletes one path: the command that was given, or cibus."""
    if not command.strip():
        return _remove
    import shlex

    template = expand(command, ctx.environ())

    def run(path: Path) -> None:
        line = template.replace("%s", shlex.quote(str(path))) if "%s" in template else f"{template} {path}"
        argv = shlex.split(line)
        code = ctx.execute(argv)
        if code:
            ctx.log(f"ERROR: Cleanup command '{' '.join(argv)}' failed with code {code}:")

    return run


def _delete(root: Path, includes: list[str], excludes: list[str], folders: bool, remove: Any) -> None:
    found = scan_all(root, includes, excludes, default_excludes=False, follow_symlinks=False)
    for name in [*found.files, *(found.folders if folders else ())]:
        path = root / name
        if path.exists() or path.is_symlink():
            remove(path)
    for link in found.links:
        if Path(link).is_symlink():
            remove(Path(link))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _wipe(root: Path) -> None:
    """Everything below the folder; the folder stays, since a process may have it open."""
    for entry in root.iterdir():
        _remove(entry)
