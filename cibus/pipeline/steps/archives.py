"""zip, unzip, tar, untar."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cibus.pipeline.antglob import match, scan
from cibus.pipeline.steps.context import StepContext
from cibus.pipeline.steps.registry import step
from cibus.pipeline.values import Thrown

if TYPE_CHECKING:
    import tarfile
    import zipfile

UTILITY = "pipeline-utility-steps"
IO = "java.io.IOException"
NOT_FOUND = "java.io.FileNotFoundException"
ILLEGAL = "java.lang.IllegalArgumentException"


def _source(ctx: StepContext, folder: str | None) -> Path:
    if not (folder and folder.strip()):
        return ctx.cwd
    source = ctx.path(folder)
    if not source.exists():
        raise Thrown(IO, f"{source} does not exist.")
    if not source.is_dir():
        raise Thrown(IO, f"{source} is not a directory.")
    return source


def _target(ctx: StepContext, file: str, overwrite: bool) -> Path:
    if not file.strip():
        raise Thrown("hudson.model.Descriptor$FormException", "Can not be empty")
    target = ctx.path(file)
    if target.exists():
        if not overwrite:
            raise Thrown(IO, f"{target} exists.")
        target.unlink()
    return target


def _archive(ctx: StepContext, file: str, target: Path) -> None:
    from cibus.pipeline.steps.artifacts import keep

    ctx.log(f"Archiving {target}")
    keep(ctx.build, target, file.replace("\\", "/"))


def _members(source: Path, glob: str | None, exclude: str | None, target: Path) -> Iterator[tuple[str, Path]]:
    for name in scan(source, glob if glob and glob.strip() else "**/*", exclude or None):
        path = source / name
        if path.resolve() != target:
            yield name, path


@step("zip", plugin=UTILITY, node=True)
def zip_(
    ctx: StepContext,
    zipFile: str,
    dir: str | None = None,
    glob: str | None = None,
    exclude: str | None = None,
    archive: bool = False,
    overwrite: bool = False,
    file: str | None = None,
    defaultExcludes: bool = True,
) -> None:
    """Makes a zip file of the workspace or a folder of it; mirrors pipeline-utility-steps 2.5."""
    import zipfile

    source = _source(ctx, dir)
    target = _target(ctx, zipFile, overwrite)
    filtered = f" filtered by [{glob}]" if glob and glob.strip() else ""
    ctx.log(f"Writing zip file of {source}{filtered} to {target}")
    target.parent.mkdir(parents=True, exist_ok=True)
    with ctx.suspended(), zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as made:
        members = list(_members(source, glob, exclude, target))
        for name, path in members:
            made.write(path, name)
    ctx.log(f"Zipped {len(members)} entries.")
    if archive:
        _archive(ctx, zipFile, target)


@step("tar", plugin=UTILITY, node=True)
def tar(
    ctx: StepContext,
    file: str | None = None,
    dir: str | None = None,
    glob: str | None = None,
    exclude: str | None = None,
    archive: bool = False,
    compress: bool = True,
    overwrite: bool = False,
    defaultExcludes: bool = True,
) -> None:
    """Makes a tar file, by default gzipped; mirrors pipeline-utility-steps 2.13."""
    import tarfile

    source = _source(ctx, dir)
    name = file if file and file.strip() else "archive.tgz"
    target = _target(ctx, name, overwrite)
    filtered = f" filtered by [{glob or 'null'}] - [{exclude or 'null'}]" if glob or exclude else ""
    ctx.log(f"Compress {source}{filtered} to {target}")
    target.parent.mkdir(parents=True, exist_ok=True)
    with ctx.suspended(), tarfile.open(target, "w:gz" if compress else "w") as made:
        members = list(_members(source, glob, exclude, target))
        for entry, path in members:
            made.add(path, entry, recursive=False)
    ctx.log(f"Compressed {len(members)} entries.")
    if archive:
        _archive(ctx, name, target)


def _given_archive(ctx: StepContext, file: str, kind: str) -> Path:
    path = ctx.path(file)
    if not path.exists():
        raise Thrown(IO, f"{path} does not exist.")
    if path.is_dir():
        raise Thrown(IO, f"{path} is a directory.")
    return path


def _destination(ctx: StepContext, folder: str | None) -> Path:
    return ctx.path(folder) if folder and folder.strip() else ctx.cwd


def _inside(destination: Path, name: str) -> Path:
    """Where a member goes; raises for one that would leave the folder."""
    path = destination / name
    if not path.resolve().is_relative_to(destination.resolve()):
        raise Thrown(NOT_FOUND, f"{path} is out of bounds!")
    return path


@step("unzip", plugin=UTILITY, node=True)
def unzip(
    ctx: StepContext,
    zipFile: str,
    dir: str | None = None,
    glob: str | None = None,
    read: bool = False,
    test: bool = False,
    charset: str | None = None,
    quiet: bool = False,
    file: str | None = None,
) -> bool | dict[str, str] | None:
    """Extracts a zip file, gives its files' texts (read), or checks it (test); mirrors pipeline-utility-steps 2.5."""
    import zipfile

    path = _given_archive(ctx, zipFile, "zip")
    if test:
        return _test_zip(ctx, path)
    ctx.log(f"Extracting from {path}")
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise Thrown("java.util.zip.ZipException", _zip_problem(path)) from error
    with archive:
        members = [m for m in archive.infolist() if not (glob and glob.strip()) or match(glob, m.filename)]
        destination = _destination(ctx, dir)
        if read:
            return _read_zip(ctx, archive, members, destination, quiet)
        _extract_zip(ctx, archive, members, destination, quiet)
        return None


def _zip_problem(path: Path) -> str:
    return "zip file is empty" if path.stat().st_size == 0 else "zip END header not found"


def _read_zip(
    ctx: StepContext, archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], destination: Path, quiet: bool
) -> dict[str, str]:
    texts: dict[str, str] = {}
    for member in members:
        _inside(destination, member.filename)
        if member.is_dir():
            continue
        if not quiet:
            ctx.log(f"Reading: {member.filename}")
        texts[member.filename] = archive.read(member).decode("utf-8", "replace")
    ctx.log(f"Read: {len(texts)} files")
    return dict(sorted(texts.items()))


def _extract_zip(
    ctx: StepContext, archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], destination: Path, quiet: bool
) -> None:
    import shutil

    destination.mkdir(parents=True, exist_ok=True)
    count = 0
    for member in members:
        path = _inside(destination, member.filename)
        if member.is_dir():
            path.mkdir(parents=True, exist_ok=True)
            continue
        count += 1
        if not quiet:
            ctx.log(f"Extracting: {member.filename} -> {path}")
        path.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, path.open("wb") as target:
            shutil.copyfileobj(source, target)
    ctx.log(f"Extracted: {count} files")


def _test_zip(ctx: StepContext, path: Path) -> bool:
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            ctx.log(f"Checking {len(archive.namelist())} zipped entries in {path}")
            broken = archive.testzip()
    except (zipfile.BadZipFile, OSError) as error:
        problem = _zip_problem(path) if isinstance(error, zipfile.BadZipFile) else str(error)
        ctx.log(f"ERROR: Error validating zip file: {problem}")
        return False
    if broken:
        ctx.log(f"ERROR: Checksum error in : {path}:{broken}")
    return broken is None


@step("untar", plugin=UTILITY, node=True)
def untar(
    ctx: StepContext,
    file: str,
    dir: str | None = None,
    glob: str | None = None,
    test: bool = False,
    quiet: bool = False,
    keepPermissions: bool = True,
) -> bool | None:
    """Extracts a tar file, gzipped or not, or checks it (test); mirrors pipeline-utility-steps 2.13."""
    import tarfile
    import zlib

    path = _given_archive(ctx, file, "tar")
    try:
        with ctx.suspended(), tarfile.open(path) as archive:
            members = [m for m in archive if not (glob and glob.strip()) or match(glob, m.name)]
            if test:
                return _test_tar(archive, members)
            lines = _extract_tar(archive, members, _destination(ctx, dir), quiet, keepPermissions)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        if test:
            ctx.log(f"ERROR: Error validating tar/tgz file: {error}")
            return False
        raise Thrown(IO, str(error)) from error
    ctx.log("\n".join([f"Extracting from {path}", *lines]))
    return None


def _test_tar(archive: tarfile.TarFile, members: list[tarfile.TarInfo]) -> bool:
    for member in members:
        stream = archive.extractfile(member) if member.isfile() else None
        while stream is not None and stream.read(1 << 20):
            pass
    return True


def _extract_tar(
    archive: tarfile.TarFile, members: list[tarfile.TarInfo], destination: Path, quiet: bool, modes: bool
) -> list[str]:
    """Extracts the members; gives the lines for the log."""
    import shutil

    destination.mkdir(parents=True, exist_ok=True)
    lines: list[str] = []
    count = 0
    for member in members:
        path = _inside(destination, member.name)
        if member.isdir():
            path.mkdir(parents=True, exist_ok=True)
            continue
        count += 1
        if not quiet:
            lines.append(f"Extracting: {member.name} -> {path}")
        path.parent.mkdir(parents=True, exist_ok=True)
        if member.issym():
            _inside(destination, str(Path(member.name).parent / member.linkname))
            path.unlink(missing_ok=True)
            path.symlink_to(member.linkname)
            continue
        source = archive.extractfile(member)
        if source is None:
            continue
        with source, path.open("wb") as target:
            shutil.copyfileobj(source, target)
        if modes:
            path.chmod(stat.S_IMODE(member.mode) & 0o777)
    return [*lines, f"Extracted: {count} files"]
