"""Files of any commit of a repository, through one git process."""

from __future__ import annotations

import subprocess
from pathlib import Path

from cibus.errors import SourceError
from cibus.git import git


class Blobs:
    """Reads what folders of commits hold.

    Arguments:
        folder: within the repository; paths are relative to it

    Raises:
        SourceError: it is in no repository, or git does not start.
    """

    def __init__(self, folder: Path) -> None:
        self._prefix = git(folder, "rev-parse", "--show-prefix")
        self._width = 32 if git(folder, "rev-parse", "--show-object-format") == "sha256" else 20
        try:
            self._process = subprocess.Popen(["git", "cat-file", "--batch"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        except OSError as error:
            raise SourceError(f"git did not start in {folder}: {error.strerror}") from error

    def files(self, commit: str, folder: str) -> dict[str, str]:
        """The names of the files in a folder of a commit, each with the id of its content; none where it is not there."""
        path = f"{self._prefix}{folder}".rstrip("/")
        return {name: found for name, found, is_file in _entries(self._read(f"{commit}:{path}", "tree"), self._width) if is_file}

    def content(self, name: str) -> bytes:
        """A file's content by its id, or by ``commit:path``; empty where it is not there."""
        return self._read(name, "blob")

    def at(self, commit: str, path: str) -> bytes:
        """A file of a commit; empty where it is not there."""
        return self.content(f"{commit}:{self._prefix}{path}")

    def _read(self, name: str, wanted: str) -> bytes:
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(name.encode("utf-8", "surrogateescape") + b"\n")
        process.stdin.flush()
        head = process.stdout.readline().split()
        if len(head) != 3 or not head[2].isdigit():
            return b""  # missing
        content = process.stdout.read(int(head[2]) + 1)[:-1]
        return content if head[1].decode() == wanted else b""

    def close(self) -> None:
        """Ends git."""
        self._process.communicate()


def _entries(tree: bytes, width: int) -> list[tuple[str, str, bool]]:
    """What a tree object lists: name, id of ``width`` bytes, whether it is a file."""
    found: list[tuple[str, str, bool]] = []
    at = 0
    while at < len(tree):
        end = tree.index(b"\0", at)
        mode, _, name = tree[at:end].partition(b" ")
        found.append((name.decode("utf-8", "surrogateescape"), tree[end + 1 : end + 1 + width].hex(), mode.startswith(b"100")))
        at = end + 1 + width
    return found
