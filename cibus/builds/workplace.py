"""The folder in which a bundle is made, and what an interrupted capture had already done there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cibus.errors import UsageError
from cibus.folders import write_whole

PROGRESS = ".progress.json"


@dataclass
class Progress:
    """How far a capture is.

    Arguments:
        origin: the build's URL and the key of the placeholders: another build's beginning is not gone on with
        done: parts that are complete
        missing: what could not be had, and why
        log: the next place of progressiveText, bytes of it that are on the disk, bytes written
        notes: what parts found out for those that come later
    """

    origin: str
    done: list[str] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    log: dict[str, int] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)


class Workplace:
    """A bundle in the making, beside its place.

    Arguments:
        target: the bundle's folder or file
        origin: see :class:`Progress`
        force: what is at the target may be replaced

    Raises:
        UsageError: there is something at the target.
    """

    def __init__(self, target: Path, origin: str, *, force: bool) -> None:
        if target.exists() and not force:
            raise UsageError(f"{target}: is there already; give another place with -o, or --force to replace it")
        self.target = target
        self.folder = target.with_name(f".{target.name}.capturing")
        self.progress = self._resumed(origin)
        self.resumed = bool(self.progress.done or self.progress.log)

    def _resumed(self, origin: str) -> Progress:
        try:
            found = Progress(**json.loads((self.folder / PROGRESS).read_text(encoding="utf-8")))
            if found.origin == origin:
                return found
        except (OSError, ValueError, TypeError):
            pass
        shutil.rmtree(self.folder, ignore_errors=True)
        try:
            self.folder.mkdir(parents=True, mode=0o700)
        except OSError as error:
            raise UsageError(f"{self.target.parent}: cannot be written ({error.strerror}); give another place with -o") from error
        return Progress(origin)

    def save(self) -> None:
        """Notes how far it is."""
        write_whole(self.folder / PROGRESS, json.dumps(vars(self.progress)).encode(), private=True)

    def write(self, name: str, data: bytes) -> None:
        """Writes a file of the bundle."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def write_json(self, name: str, data: Any) -> None:
        """Writes a document of the bundle."""
        self.write(name, (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "replace"))

    def finish(self, source: str, captured: str, missing: Mapping[str, str]) -> None:
        """Writes the manifest and moves the bundle to its place."""
        from cibus.builds.bundle import PACKED, seal
        from cibus.builds.packing import pack

        (self.folder / PROGRESS).unlink(missing_ok=True)
        seal(self.folder, source, captured, missing)
        if self.target.name.endswith(PACKED):
            pack(self.folder, self.target)
            shutil.rmtree(self.folder)
            return
        old = self.target.with_name(f".{self.target.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        if self.target.exists():
            self.target.rename(old)
        self.folder.chmod(0o755)
        self.folder.rename(self.target)
        shutil.rmtree(old, ignore_errors=True)
