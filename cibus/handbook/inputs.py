"""The files that a handbook is made from, to be watched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cibus.config import FILE_NAME, Config
from cibus.git import try_git
from cibus.receipts import folder as receipts_folder
from cibus.runbooks.library import own_folder

OWNERSHIP = "ownership.toml"


@dataclass(frozen=True)
class Inputs:
    """What is watched.

    Arguments:
        flat: folders of which only what is directly in them counts
        deep: folders with all that is below them
        names: the names that count in the flat ones
    """

    flat: tuple[Path, ...]
    deep: tuple[Path, ...]
    names: frozenset[str]

    def counts(self, path: Path) -> bool:
        """Whether the handbook is another one when this changed."""
        return (path.parent in self.flat and path.name in self.names) or any(path.is_relative_to(each) for each in self.deep)


def inputs(config: Config) -> Inputs:
    """What the handbook of a configuration is made from, as far as it is there; what appears later is seen, too."""
    folders = [own_folder(config.folder), receipts_folder(config), *([config.monitor.snapshot] if config.monitor.snapshot else [])]
    files = [config.folder / FILE_NAME, config.folder / OWNERSHIP, *([config.rebuild.inventory] if config.rebuild.inventory else []), *_heads(folders)]
    watched = [*files, *folders]
    return Inputs(_there(each.parent for each in watched), _there(folders), frozenset(each.name for each in watched))


def _heads(folders: Iterable[Path]) -> list[Path]:
    """Git's own log of each repository, which a commit changes."""
    logs = [(each, try_git(each, "rev-parse", "--git-path", "logs/HEAD")) for each in folders if each.is_dir()]
    return [folder / log for folder, log in logs if log]


def _there(folders: Iterable[Path]) -> tuple[Path, ...]:
    return tuple(sorted({each.resolve() for each in folders if each.is_dir()}))
