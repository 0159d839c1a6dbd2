"""The files that a handbook is made from, and whether they changed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from cibus.config import FILE_NAME, Config
from cibus.git import try_git
from cibus.ownership.registry import path_of as ownership_path
from cibus.receipts import folder as receipts_folder
from cibus.runbooks.library import own_folder

State = dict[str, tuple[int, int, int]]  # by path: when it was written, its size, its inode


class Inputs:
    """What the handbook of a configuration is made from, there or not yet."""

    def __init__(self, config: Config) -> None:
        self._folders = [own_folder(config.folder), receipts_folder(config), *([config.monitor.snapshot] if config.monitor.snapshot else [])]
        inventory = [config.rebuild.inventory] if config.rebuild.inventory else []
        self._files = [config.path or config.folder / FILE_NAME, ownership_path(config), *inventory, *_logs([config.folder, *self._folders])]

    def state(self) -> State:
        """How all of it is now; another state is another handbook."""
        return dict(_states([*map(str, self._files), *map(str, self._folders)]))


def _logs(folders: Iterable[Path]) -> list[Path]:
    """Git's own log of each repository, which a commit changes."""
    logs = [(each, try_git(each, "rev-parse", "--git-path", "logs/HEAD")) for each in folders if each.is_dir()]
    return list(dict.fromkeys((folder / log).resolve() for folder, log in logs if log))


def _states(paths: Iterable[str]) -> Iterator[tuple[str, tuple[int, int, int]]]:
    for path in paths:
        try:
            found = os.stat(path)  # noqa: PTH116 # 40,000 of them are looked at: Path is slow
        except OSError:
            continue
        yield path, (found.st_mtime_ns, found.st_size, found.st_ino)
        if stat.S_ISDIR(found.st_mode):
            yield from _states(_below(path))


def _below(path: str) -> list[str]:
    try:
        with os.scandir(path) as listed:
            return [each.path for each in listed if each.name != ".git"]
    except OSError:
        return []
