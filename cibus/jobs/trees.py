"""A snapshot as a set of files that can be read: a folder, or a revision in git."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection, Iterator
from functools import cached_property
from pathlib import Path
from typing import Protocol

from cibus.canonical import Canonical
from cibus.errors import SnapshotError, UsageError
from cibus.jobs.layout import ALLOW, CONFIG, MANIFEST, OWNED, Key, folder_of, key_of
from cibus.jobs.manifest import Manifest, read_manifest


class Tree(Protocol):
    """Files by their path within the snapshot, with slashes; ``label`` is what a person calls it."""

    label: str

    @property
    def files(self) -> Collection[str]:
        """The paths of all files."""
        ...

    def read(self, path: str) -> bytes:
        """A file's bytes."""
        ...


class Snapshot:
    """A tree read as a snapshot."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.label = tree.label

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest.

        Raises:
            UsageError: there is none.
            SnapshotError: it cannot be read.
        """
        where = f"{self.label}/{MANIFEST}"
        if MANIFEST not in self.tree.files:
            raise UsageError(f"{self.label} is no snapshot: it has no {MANIFEST} (cibus jobs export makes one)")
        return read_manifest(self.tree.read(MANIFEST).decode("utf-8", "replace"), where)

    @cached_property
    def entries(self) -> dict[Key, tuple[str, ...]]:
        """The configs, each with its files' names."""
        inside: dict[str, list[str]] = {}
        for path in self.tree.files:
            folder, _, name = path.rpartition("/")
            inside.setdefault(folder, []).append(name)
        found = ((key_of(folder), tuple(sorted(names))) for folder, names in inside.items() if CONFIG in names)
        return {key: names for key, names in found if key is not None}

    @cached_property
    def documents(self) -> tuple[str, ...]:
        """The other files that an export writes."""
        return tuple(
            sorted(path for path in self.tree.files if path.partition("/")[0] in OWNED and self._of_no_config(path))
        )

    def config(self, key: Key) -> Canonical:
        """A config with its scripts and plugin versions."""
        folder = folder_of(key)
        names = self.entries[key]
        scripts = {name: self._text(f"{folder}/{name}") for name in names if name != CONFIG}
        return Canonical(self._text(f"{folder}/{CONFIG}"), self.manifest.versions.get(folder, {}), scripts)

    def text(self, path: str) -> str:
        """A document."""
        return self._text(path)

    def _text(self, path: str) -> str:
        try:
            return self.tree.read(path).decode("utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            raise SnapshotError(f"{self.label}/{path} is not UTF-8 text (byte {error.start})") from error

    def _of_no_config(self, path: str) -> bool:
        return path.partition("/")[0] not in ("jobs", "views", "nodes")


class FolderTree:
    """A folder on the disk."""

    def __init__(self, folder: Path, label: str = "") -> None:
        self.folder = folder
        self.label = label or str(folder)
        if not folder.is_dir():
            raise UsageError(f"{folder} is not a folder")

    @cached_property
    def files(self) -> frozenset[str]:
        """See :class:`Tree`."""
        tops = [name for name in (*OWNED, MANIFEST, ALLOW) if (self.folder / name).exists()]
        return frozenset(path for name in tops for path in _walk(str(self.folder), name))

    def read(self, path: str) -> bytes:
        """See :class:`Tree`."""
        with open(f"{self.folder}/{path}", "rb") as file:  # noqa: PTH123 # 40,000 of them are read: Path is slow
            return file.read()


class GitTree:
    """A folder as it was in a revision of the git repository that it is in.

    Arguments:
        repository: a folder of the repository
        revision: a commit, branch or tag
        inside: the snapshot's folder, relative to ``repository``
    """

    def __init__(self, repository: Path, revision: str, inside: str) -> None:
        self.label = f"{revision}:{inside}"
        self._repository = repository
        prefix = git(repository, "rev-parse", "--show-prefix").strip()
        self._root = os.path.normpath(f"{prefix}{inside}").replace(os.sep, "/")
        self._root = "" if self._root == "." else f"{self._root}/"
        self._revision = git(
            repository,
            "rev-parse",
            "--verify",
            "--quiet",
            f"{revision}^{{commit}}",
            wrong=f"{revision!r} is no revision of the repository at {repository}",
        ).strip()

    @cached_property
    def _blobs(self) -> dict[str, str]:
        where = ("--", self._root) if self._root else ()
        listed = git(self._repository, "ls-tree", "-r", "-z", "--full-tree", self._revision, *where)
        blobs = {}
        for line in listed.split("\0")[:-1]:
            head, _, path = line.partition("\t")
            if path.startswith(self._root):
                blobs[path[len(self._root) :]] = head.split()[2]
        if not blobs:
            raise UsageError(f"{self.label} is not there")
        return blobs

    @property
    def files(self) -> Collection[str]:
        """See :class:`Tree`."""
        return self._blobs.keys()

    @cached_property
    def _reader(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["git", "cat-file", "--batch"], cwd=self._repository, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def read(self, path: str) -> bytes:
        """See :class:`Tree`."""
        process = self._reader
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(f"{self._blobs[path]}\n".encode())
        process.stdin.flush()
        size = int(process.stdout.readline().split()[2])
        return process.stdout.read(size + 1)[:size]

    def close(self) -> None:
        """Ends git."""
        if "_reader" in self.__dict__:
            self._reader.communicate()


def git(folder: Path, *args: str, wrong: str = "") -> str:
    """Runs git and gives its output.

    Raises:
        UsageError: with ``wrong``, or git's own last words.
    """
    try:
        done = subprocess.run(["git", *args], cwd=folder, capture_output=True, check=False)
    except OSError as error:
        raise UsageError(f"git did not start in {folder}: {error.strerror}") from error
    if done.returncode != 0:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or [f"git {args[0]} failed"]
        raise UsageError(wrong or last[0])
    return done.stdout.decode("utf-8", "surrogateescape")


def _walk(root: str, path: str) -> Iterator[str]:
    """The files below a path, relative to the root, with slashes."""
    try:
        found = os.scandir(f"{root}/{path}")
    except NotADirectoryError:
        yield path
        return
    with found as listed:
        for each in listed:
            below = f"{path}/{each.name}"
            if each.is_dir(follow_symlinks=False):
                yield from _walk(root, below)
            else:
                yield below
