"""What a side of a comparison is: a snapshot's folder, a revision of one, or a controller."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cibus.config import Config
from cibus.errors import UsageError
from cibus.jenkins.client import Client
from cibus.jenkins.settings import choose
from cibus.jobs.collect import Filter
from cibus.jobs.export import Progress, export
from cibus.jobs.layout import ALLOW, MANIFEST
from cibus.jobs.store import settle_what_was_left
from cibus.jobs.trees import FolderTree, GitTree, Snapshot
from cibus.redaction.fingerprints import fingerprint_key

LIVE = "live"


def is_live(text: str, config: Config) -> bool:
    """Whether a side is a controller."""
    return text == LIVE or text in config.controllers or text.startswith(("http://", "https://"))


@contextlib.contextmanager
def pair(
    old: str, new: str, config: Config, chosen: Filter, *, controller: str = "", progress: Progress = lambda *_: None
) -> Iterator[tuple[Snapshot, Snapshot]]:
    """Opens two sides; what is on the disk first, for its allow.toml counts for a controller too."""
    opened: dict[int, Snapshot] = {}
    with contextlib.ExitStack() as stack:
        for at, text in sorted(enumerate((old, new)), key=lambda each: is_live(each[1], config)):
            allow = allow_of(*opened.values())
            opened[at] = stack.enter_context(side(text, config, chosen, controller=controller, allow=allow, progress=progress))
        yield opened[0], opened[1]


@contextlib.contextmanager
def side(
    text: str, config: Config, chosen: Filter, *, controller: str = "", allow: str = "", progress: Progress = lambda *_: None
) -> Iterator[Snapshot]:
    """Opens a side; a controller is read into a folder that is gone afterwards.

    Arguments:
        text: a folder, ``REVISION:FOLDER``, ``live``, the name of a controller in cibus.toml, or a controller's URL
        controller: which controller ``live`` is
        allow: an allow.toml's text, for a controller's secrets

    Raises:
        UsageError: it is none of these.
    """
    if is_live(text, config):
        with live_snapshot(config, controller if text == LIVE else text, chosen, allow=allow, progress=progress) as snapshot:
            yield snapshot
        return
    if Path(text).is_dir():
        yield folder_snapshot(Path(text))
        return
    revision, colon, inside = text.partition(":")
    if not colon:
        raise UsageError(f"{text} is no folder, no REVISION:FOLDER, and no controller in cibus.toml")
    with contextlib.closing(GitTree(Path(), revision, inside or ".")) as tree:
        yield Snapshot(tree)


def allow_of(*snapshots: Snapshot) -> str:
    """The first allow.toml of some snapshots; '' where none has one."""
    return next((each.text(ALLOW) for each in snapshots if ALLOW in each.tree.files), "")


def folder_snapshot(folder: Path) -> Snapshot:
    """A snapshot in a folder; an export that was killed while it took its place is finished first.

    Raises:
        UsageError: the folder is not there, or holds no snapshot.
        SnapshotError: its manifest cannot be read.
    """
    if folder.is_dir():
        settle_what_was_left(folder)
    snapshot = Snapshot(FolderTree(folder))
    assert snapshot.manifest is not None
    return snapshot


@contextlib.contextmanager
def live_snapshot(
    config: Config, controller: str, chosen: Filter, *, allow: str = "", progress: Progress = lambda *_: None
) -> Iterator[Snapshot]:
    """What a controller has now."""
    settings = choose(config, controller)
    with Client(settings) as client, live_of(client, config, chosen, allow=allow, progress=progress) as snapshot:
        yield snapshot


@contextlib.contextmanager
def live_of(
    client: Client, config: Config, chosen: Filter, *, allow: str = "", names_too: bool = False, progress: Progress = lambda *_: None
) -> Iterator[Snapshot]:
    """What the controller of a client has now."""
    with tempfile.TemporaryDirectory(prefix="cibus-live-") as name:
        folder = Path(name)
        export(client, folder, fingerprint_key(config.snapshot), chosen, allow=allow, names_too=names_too, lasting=False, progress=progress)
        yield Snapshot(FolderTree(folder, f"{client.settings.name} (live)"))


def default_folder() -> str:
    """The current folder, if it holds a snapshot, or the only folder in it that does.

    Raises:
        UsageError: neither does.
    """
    if Path(MANIFEST).exists():
        return "."
    found = sorted(path.parent for path in Path().glob(f"*/{MANIFEST}"))
    if len(found) != 1:
        raise UsageError("which snapshot? Give its folder (the current one holds none)" if not found else f"which snapshot? {', '.join(map(str, found))}")
    return str(found[0])
