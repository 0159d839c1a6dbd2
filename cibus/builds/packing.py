"""A bundle in one file: ``.tar.zst``. What others give is not trusted."""

from __future__ import annotations

import contextlib
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from cibus.builds.bundle import MANIFEST, PACKED, Bundle, read_bundle, safe_path
from cibus.errors import BundleError, UsageError

LARGEST = 64 << 30  # bytes of a bundle that is unpacked
MOST_FILES = 100_000
MOST_TIMES = 2_000  # how many times the packed size the content may have, beyond FREE: logs shrink a lot, bombs more
FREE = 1 << 30
LARGEST_HEADER = 1 << 20


def pack(folder: Path, target: Path) -> None:
    """Packs a bundle's folder into one file, written beside its place and moved there."""
    import zstandard

    beside = target.with_name(f".{target.name}.part")
    try:
        with (
            beside.open("wb") as raw,
            zstandard.ZstdCompressor(level=6, threads=-1).stream_writer(raw) as packed,
            tarfile.open(fileobj=cast(IO[bytes], packed), mode="w|", format=tarfile.PAX_FORMAT) as tar,
        ):
            names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
            for name in sorted(names, key=lambda name: name != MANIFEST):  # first, so that a look at it is quick
                tar.add(folder / name, name, recursive=False, filter=_nobody)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def _nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o644
    return member


class _Member(tarfile.TarInfo):
    """A member whose headers are not read into memory whatever size they claim."""

    def _proc_member(self, tar: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type not in tarfile.REGULAR_TYPES and self.size > LARGEST_HEADER:
            raise tarfile.ReadError(f"a header of {self.size} bytes")
        return cast(tarfile.TarInfo, super()._proc_member(tar))  # type: ignore[misc]


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Bundle]:
    """A bundle, from its folder or from its file, which is unpacked for as long as it is used.

    Raises:
        UsageError: there is no such file.
        BundleError: it is no bundle, or is not to be trusted.
    """
    if path.is_dir():
        yield read_bundle(path)
        return
    if not path.is_file():
        raise UsageError(f"{path}: there is no such bundle")
    with tempfile.TemporaryDirectory(prefix="cibus-bundle-") as place:
        folder = Path(place)
        unpack(path, folder)
        yield read_bundle(folder)


def unpack(path: Path, folder: Path) -> None:
    """Unpacks a bundle's file; nothing is written outside of the folder, whatever the archive says.

    Raises:
        BundleError: it is cut off, no archive, too large, or has members that no bundle has.
    """
    import zstandard

    limit = min(LARGEST, FREE + MOST_TIMES * path.stat().st_size)
    limit = min(limit, max(shutil.disk_usage(folder).free - FREE, 0))
    try:
        with path.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True) as plain:
            with tarfile.open(fileobj=cast(IO[bytes], plain), mode="r|", tarinfo=_Member) as tar:
                _members(tar, path, folder, limit)
            if plain.read(1 << 16).strip(b"\0"):
                raise BundleError(f"{path}: has something behind the end of the bundle: do not use it")
    except (tarfile.TarError, zstandard.ZstdError, EOFError) as error:
        raise BundleError(f"{path}: cannot be unpacked ({error}): it is cut off, damaged, or no {PACKED}") from error


def _members(tar: tarfile.TarFile, path: Path, folder: Path, limit: int) -> None:
    seen: set[str] = set()
    total = 0
    for member in tar:
        name = member.name
        if not member.isfile() or member.issparse() or not safe_path(name):
            raise BundleError(f"{path}: has the member {name!r}, which no bundle has (a link, a device, or a path that leads outside): do not use it")
        if name in seen or len(seen) >= MOST_FILES:
            raise BundleError(f"{path}: has {name!r} twice, or more than {MOST_FILES} files: do not use it")
        seen.add(name)
        total += member.size
        if total > limit:
            raise BundleError(f"{path}: would unpack to more than {limit >> 20} MiB: refused (a bomb, or the disk is too small)")
        source = tar.extractfile(member)
        assert source is not None
        target = folder / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as out:
                shutil.copyfileobj(source, out, 1 << 20)
        except (FileExistsError, NotADirectoryError) as error:
            raise BundleError(f"{path}: has {name!r} both as a file and as a folder: do not use it") from error
        if target.stat().st_size != member.size:
            raise BundleError(f"{path}: {name} is cut off")
