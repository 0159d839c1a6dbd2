"""snapshot.toml: what a snapshot holds. Its long lists are text blocks, which TOML readers take at once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cibus.errors import SnapshotError
from cibus.jobs.layout import MANIFEST
from cibus.tomltext import quoted

FORM = 1  # of the snapshot: raised when an older cibus could misread it


@dataclass(frozen=True)
class Manifest:
    """The manifest of a snapshot.

    Arguments:
        jenkins: the controller's version
        url: the controller's URL
        key: identifies the key of the secrets' fingerprints, without telling it
        counts: how many there are of each kind
        missing: what could not be read, and why
        versions: plugin versions that a config names, by the config's folder
        digests: SHA-256 by file
    """

    jenkins: str = ""
    url: str = ""
    key: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """The file: sorted, without times, so that the same controller gives the same text."""
        lines = [
            "# Written by cibus jobs export. It changes when the controller's configuration does.",
            f"form = {FORM}",
            f"jenkins = {quoted(self.jenkins)}",
            f"url = {quoted(self.url)}",
            f"key = {quoted(self.key)}",
            "",
            "[counts]",
            *(f"{quoted(name)} = {count}" for name, count in sorted(self.counts.items())),
            "",
            "# What could not be read, and why",
            "[missing]",
            *(f"{quoted(name)} = {quoted(why)}" for name, why in sorted(self.missing.items())),
            "",
            "[blocks]",
            "# The plugin versions that each config names",
            *_block(
                "versions",
                (
                    f"{folder}: {' '.join(f'{n}@{v}' for n, v in sorted(v.items()))}"
                    for folder, v in sorted(self.versions.items())
                    if v
                ),
            ),
            "# As for sha256sum --check",
            *_block("digests", (f"{digest}  {path}" for path, digest in sorted(self.digests.items()))),
        ]
        return "\n".join(lines) + "\n"


def read_manifest(text: str, where: str = MANIFEST) -> Manifest:
    """Reads a snapshot.toml.

    Raises:
        SnapshotError: it is none, or of a later form.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SnapshotError(f"{where}: {error} (is it torn by a merge? take either side of it, then export again)") from error
    if not isinstance(data.get("form"), int):
        raise SnapshotError(f"{where} is not the manifest of a snapshot: it has no form")
    if data["form"] > FORM:
        raise SnapshotError(f"{where} has form {data['form']}, and this cibus knows {FORM}: use a newer cibus")
    blocks: dict[str, Any] = data.get("blocks", {})
    return Manifest(
        data.get("jenkins", ""),
        data.get("url", ""),
        data.get("key", ""),
        data.get("counts", {}),
        data.get("missing", {}),
        dict(_versions(blocks.get("versions", ""))),
        {path: digest for digest, path in (line.split("  ", 1) for line in blocks.get("digests", "").splitlines())},
    )


def _versions(block: str) -> Iterable[tuple[str, dict[str, str]]]:
    for line in block.splitlines():
        folder, _, plugins = line.rpartition(": ")
        yield folder, dict(each.split("@", 1) for each in plugins.split())


def _block(name: str, lines: Iterable[str]) -> list[str]:
    return [f"{name} = '''", *lines, "'''"]
