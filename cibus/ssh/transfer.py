"""Files as tar streams: to a host, and from a host that is not trusted."""

from __future__ import annotations

import contextlib
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from cibus.errors import HostError
from cibus.ssh.listing import Entry

CHUNK = 1 << 18
TYPES = {"f": tarfile.REGTYPE, "d": tarfile.DIRTYPE, "l": tarfile.SYMTYPE}


def packed(base: Path, names: Sequence[str], entries: Mapping[str, Entry]) -> Iterator[bytes]:
    """A tar stream of files, links and folders below ``base``, in pieces; what vanished meanwhile is left out."""
    waiting = bytearray()
    for name in names:
        for piece in _member(base, name, entries[name]):
            waiting += piece
            if len(waiting) >= CHUNK:
                yield bytes(waiting)
                waiting.clear()
    yield bytes(waiting) + b"\0" * (2 * tarfile.BLOCKSIZE)


def _member(base: Path, name: str, entry: Entry) -> Iterator[bytes]:
    """Header and content of one entry."""
    info = tarfile.TarInfo(f"./{name}")
    info.type, info.mode, info.mtime, info.linkname = TYPES[entry.kind], entry.mode or 0o777, entry.mtime // 10**9, entry.target
    if entry.kind != "f":
        yield info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
        return
    try:
        file = (base / name).open("rb")
    except FileNotFoundError:
        return
    with file:
        info.size = left = os.fstat(file.fileno()).st_size
        yield info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
        while left > 0:
            data = file.read(min(CHUNK, left)) or b"\0" * min(CHUNK, left)  # it became shorter meanwhile
            left -= len(data)
            yield data
        yield b"\0" * (-info.size % tarfile.BLOCKSIZE)


class Place:
    """A folder of this machine that a host fills: nothing that it sends gets out of it."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self._checked: set[str] = set()

    def target(self, name: str) -> Path:
        """Where an entry goes; its folders are there and are no links.

        Raises:
            HostError: a link is on the way.
        """
        folder = name.rpartition("/")[0]
        if folder and folder not in self._checked:
            path = self.target(folder)
            if path.is_symlink():
                raise HostError(f"the host sent {name!r}, which goes through the link {folder!r}; it was refused")
            if not path.is_dir():
                path.unlink(missing_ok=True)
                path.mkdir()
            self._checked.add(folder)
        return self.base / name

    def remove(self, name: str) -> None:
        """Takes an entry away, with all below it."""
        path = self.target(name)
        self._checked.clear()
        if path.is_dir() and not path.is_symlink():
            _remove_tree(path)
        else:
            path.unlink(missing_ok=True)

    def folder(self, name: str, mode: int) -> None:
        """Makes a folder, in which this user can always work."""
        path = self.target(name)
        if path.is_symlink() or not path.is_dir():
            self.remove(name)
            path.mkdir()
        path.chmod(mode | 0o700)

    def link(self, name: str, target: str) -> None:
        """Makes a symbolic link."""
        self.remove(name)
        (self.base / name).symlink_to(target)

    def file(self, name: str, entry: Entry, content: IO[bytes]) -> None:
        """Writes a file."""
        path = self.target(name)
        if path.is_symlink() or path.exists():
            self.remove(name)
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(number, "wb") as file:
            while data := content.read(CHUNK):
                file.write(data)
            os.fchmod(number, (entry.mode & 0o777) | 0o400)
        os.utime(path, ns=(entry.mtime, entry.mtime))


def _remove_tree(path: Path) -> None:
    def retry(function: Callable[[str], object], name: str, problem: object) -> None:
        parent = Path(name).parent
        with contextlib.suppress(OSError):
            parent.chmod(parent.stat().st_mode | 0o700)
            function(name)

    shutil.rmtree(path, onerror=retry)


def unpack(stream: IO[bytes], place: Place, wanted: Mapping[str, Entry], arrived: Callable[[str], None], *, several: bool = False) -> None:
    """Writes the files of a tar stream that were asked for; tells each that has arrived.

    Arguments:
        several: the stream may be more than one archive

    Raises:
        HostError: it has what was not asked for: other names, devices, links, paths out of the folder.
    """
    try:
        with tarfile.open(fileobj=stream, mode="r|", bufsize=CHUNK, errors="surrogateescape", encoding="utf-8", ignore_zeros=several) as tar:
            for member in tar:
                name = member.name.removeprefix("./")
                if name not in wanted:
                    raise HostError(f"the host sent {member.name!r}, which was not asked for; it was refused")
                if member.islnk():
                    _hard_link(place, name, member.linkname.removeprefix("./"), wanted)
                elif member.isreg():
                    content = tar.extractfile(member)
                    assert content is not None
                    place.file(name, wanted[name], content)
                elif member.isdir() or member.issym():
                    continue  # it has become something else since it was listed: the next listing says so
                else:
                    raise HostError(f"the host sent {member.name!r}, which is a device; it was refused")
                arrived(name)
    except tarfile.ReadError as error:
        if "empty file" not in str(error):
            raise HostError(f"what the host sent is not whole: {error}") from error


def _hard_link(place: Place, name: str, first: str, wanted: Mapping[str, Entry]) -> None:
    """A second name of a file that came before."""
    if first not in wanted:
        raise HostError(f"the host sent {name!r} as a name of {first!r}, which was not asked for; it was refused")
    source = place.target(first)
    if source.is_file() and not source.is_symlink():
        with source.open("rb") as content:
            place.file(name, wanted[name], content)
