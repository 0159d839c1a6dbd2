"""What is in a folder, here and on a host, as signatures that differ where something changed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from cibus.errors import HostError

SKIPPED = "@tmp/durable-"  # the scripts of running steps
KINDS = {stat.S_IFREG: "f", stat.S_IFDIR: "d", stat.S_IFLNK: "l"}


class Entry(NamedTuple):
    """A file, folder or link. ``kind``: f, d, l, or another letter. ``mark`` differs where its content may."""

    kind: str
    mode: int
    mtime: int  # nanoseconds
    mark: str
    target: str = ""

    @property
    def signature(self) -> tuple[str, int, str, str]:
        """What is compared; a folder's times change with what is in it and say nothing."""
        return self.kind, self.mode, "" if self.kind == "d" else self.mark, self.target


Listing = dict[str, Entry]


def local(base: str, tops: Sequence[str]) -> Listing:
    """What is below some folders of ``base`` on this machine."""
    found: Listing = {}
    stack = [top for top in tops if os.path.lexists(os.path.join(base, top))]  # noqa: PTH118 - tens of thousands of them
    for top in stack:
        found[top] = of(os.lstat(os.path.join(base, top)), "")  # noqa: PTH118
    while stack:
        folder = stack.pop()
        try:
            entries = os.scandir(os.path.join(base, folder))  # noqa: PTH118
        except (FileNotFoundError, NotADirectoryError):
            continue
        with entries:
            for each in entries:
                name = f"{folder}/{each.name}"
                if SKIPPED in name:
                    continue
                try:
                    is_link = each.is_symlink()
                    found[name] = of(each.stat(follow_symlinks=False), os.readlink(each.path) if is_link else "")  # noqa: PTH115
                except FileNotFoundError:
                    continue
                if found[name].kind == "d":
                    stack.append(name)
    return found


def of(status: os.stat_result, target: str) -> Entry:
    """An entry of this machine."""
    kind = KINDS.get(stat.S_IFMT(status.st_mode), "?")
    mark = f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"
    return Entry(kind, 0 if kind == "l" else status.st_mode & 0o7777, status.st_mtime_ns, mark, target)


def remote(data: bytes, flavour: str, token: str) -> Listing:
    """What a host says is in its folders.

    Arguments:
        flavour: gnu, stat or bsd: with what it looked
        token: what begins a record, where it is not gnu

    Raises:
        HostError: a name leads out of the folders.
    """
    records = _gnu(data) if flavour == "gnu" else _stat(data, token)
    return {checked(name): entry for name, entry in records if SKIPPED not in name}


def checked(name: str) -> str:
    """A name that stays in its folder; raises HostError for another."""
    if name.startswith("/") or not name or not all(part not in ("", ".", "..") for part in name.split("/")):
        raise HostError(f"the host sent the name {name!r}, which leads out of the workspace; it was refused")
    return name


def _gnu(data: bytes) -> Iterator[tuple[str, Entry]]:
    texts = os.fsdecode(data).split("\0")
    for head, target in zip(texts[::2], texts[1::2], strict=False):
        kind, mode, size, mtime, ctime, inode, name = head.split(" ", 6)
        mark = f"{size} {mtime} {ctime} {inode}"
        yield name.removeprefix("./"), Entry(kind, 0 if kind == "l" else int(mode, 8), nanoseconds(mtime), mark, target)


def _stat(data: bytes, token: str) -> Iterator[tuple[str, Entry]]:
    records = [record.removesuffix("\n") for record in os.fsdecode(data).split(token)[1:]]
    links = [record for record in records if record[:2] in ("@ ", "> ")]
    targets = {name[2:]: target[2:] for name, target in zip(links[::2], links[1::2], strict=True)}
    for record in records:
        if record[:2] in ("@ ", "> "):
            continue
        raw, size, mtime, ctime, inode, name = record.split(" ", 5)
        mode = int(raw, 16)
        kind = KINDS.get(stat.S_IFMT(mode), "?")
        yield name.removeprefix("./"), Entry(kind, 0 if kind == "l" else mode & 0o7777, nanoseconds(mtime), f"{size} {mtime} {ctime} {inode}", targets.get(name, ""))


def nanoseconds(text: str) -> int:
    """A time in seconds with a fraction."""
    whole, _, fraction = text.partition(".")
    return int(whole) * 10**9 + int(fraction[:9].ljust(9, "0") if fraction else 0)


def changed(before: Mapping[str, Entry], now: Mapping[str, Entry]) -> tuple[list[str], list[str]]:
    """The names that are new or differ, and those that are gone, each parents first."""
    fresh = sorted(name for name, entry in now.items() if (old := before.get(name)) is None or (old is not entry and old.signature != entry.signature))
    return fresh, sorted(name for name in before if name not in now)


def topmost(names: Sequence[str]) -> list[str]:
    """Of sorted names those that are not below another one."""
    found: list[str] = []
    above: set[str] = set()
    for name in names:
        at = name.rfind("/")
        inside = False
        while at > 0 and not inside:
            inside = name[:at] in above
            at = name.rfind("/", 0, at)
        if not inside:
            found.append(name)
            above.add(name)
    return found


def safe_target(name: str, target: str, base: str) -> str | None:
    """Where a link leads, as a link on this machine may say it; None where it leads out of its top folder.

    ``..`` is only followed at the beginning: behind a name it may mean another folder where that name is a link.

    Arguments:
        base: the folder on the host that the names are below
    """
    top, *above = name.split("/")[:-1] or [name]
    if target.startswith("/"):
        inside = f"{base}/{top}/"
        if not target.startswith(inside):
            return None
        target = "../" * len(above) + target[len(inside) :]
    parts = [part for part in target.split("/") if part not in ("", ".")]
    ups = next((n for n, part in enumerate(parts) if part != ".."), len(parts))
    if ups > len(above) or ".." in parts[ups:]:
        return None
    return target
