"""A bundle: a captured build in a folder or in one ``.tar.zst``, with a manifest that vouches for every byte.

::

    manifest.json    form, schema, cibus' version, source, what is missing and why, size and SHA-256 of every file
    build.json       :class:`~cibus.builds.record.CapturedBuild`
    Jenkinsfile      the script that ran, or what a freestyle job's builders become
    console.txt      the log; console.steps: which step each line belongs to
    config.xml       the job's configuration
    stages.json      the stage view     tests.json      the test report
    plugins.json     plugin → version   artifacts.json  path, size, SHA-256 of each artifact
    artifacts/       the artifacts, where they were asked for
    runs/            matrix jobs: a folder for each combination, with console.txt and build.json
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from cibus.builds.record import CapturedBuild, from_data
from cibus.errors import BundleError
from cibus.folders import write_whole

FORM = "cibus-bundle"
SCHEMA = 1
MANIFEST = "manifest.json"
BUILD = "build.json"
SCRIPT = "Jenkinsfile"
CONSOLE = "console.txt"
STEPS = "console.steps"
CONFIG = "config.xml"
STAGES = "stages.json"
TESTS = "tests.json"
PLUGINS = "plugins.json"
ARTIFACTS = "artifacts.json"
PACKED = ".tar.zst"
CHUNK = 1 << 20
LARGEST_JSON = 256 << 20  # bytes; a larger document of a bundle is not read into memory
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Manifest:
    """What a bundle says of itself.

    Arguments:
        source: the build's URL
        captured: when, as ISO 8601 in UTC
        missing: what could not be had, and why
        files: path → (size in bytes, SHA-256 in hexadecimal)
    """

    source: str
    captured: str
    cibus: str = ""
    missing: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, tuple[int, str]] = field(default_factory=dict)

    def text(self) -> str:
        """The file."""
        files = {path: {"size": size, "sha256": digest} for path, (size, digest) in sorted(self.files.items())}
        data = {
            "form": FORM,
            "schema": SCHEMA,
            "cibus": self.cibus,
            "source": self.source,
            "captured": self.captured,
            "missing": dict(sorted(self.missing.items())),
            "files": files,
        }
        return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class Bundle:
    """A bundle that was checked: every file is there, whole and unchanged."""

    folder: Path
    manifest: Manifest
    build: CapturedBuild

    @property
    def console(self) -> Path:
        """The log."""
        return self.folder / CONSOLE

    @property
    def script(self) -> str | None:
        """The script's text, or None where it is only to be had from the repository."""
        path = self.folder / SCRIPT
        return path.read_text(encoding="utf-8") if path.is_file() else None

    def json(self, name: str) -> Any:
        """One of the documents, or None where the bundle has none.

        Raises:
            BundleError: it is no JSON.
        """
        path = self.folder / name
        return _json(path, name) if path.is_file() else None


def read_bundle(folder: Path) -> Bundle:
    """Opens a bundle's folder and checks every file of it.

    Raises:
        BundleError: it is no bundle, one of another version, or a file is missing, cut off or edited: which one.
    """
    manifest = _manifest(folder)
    _check(folder, manifest)
    data = _json(folder / BUILD, BUILD)
    try:
        build = from_data(data)
    except ValueError as error:
        raise BundleError(f"{folder / BUILD}: not the record of a build: {error}") from error
    return Bundle(folder, manifest, build)


def seal(folder: Path, source: str, captured: str, missing: Mapping[str, str]) -> Manifest:
    """Writes the manifest of a folder that is complete."""
    from cibus import __version__

    files = {path: digest_of(folder / path) for path in sorted(_files(folder)) if path != MANIFEST}
    manifest = Manifest(source, captured, __version__, dict(missing), files)
    write_whole(folder / MANIFEST, manifest.text().encode("utf-8", "surrogatepass"))
    return manifest


def digest_of(path: Path) -> tuple[int, str]:
    """A file's size and SHA-256."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), digest


def safe_path(name: str) -> bool:
    """Whether a path of a manifest or an archive stays inside: relative, without ``..``, one way to write it."""
    path = PurePosixPath(name)
    return bool(name) and "\0" not in name and "\\" not in name and not path.is_absolute() and ".." not in path.parts and str(path) == name != "."


def _files(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_dir():
            yield path.relative_to(folder).as_posix()


def _manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    if not path.is_file():
        raise BundleError(f"{folder} is not a bundle: it has no {MANIFEST}")
    data = _json(path, MANIFEST)
    if not isinstance(data, dict) or data.get("form") != FORM:
        raise BundleError(f"{path}: not the manifest of a bundle")
    if data.get("schema") != SCHEMA:
        raise BundleError(f"{path}: the bundle has form {data.get('schema')}, and this cibus reads form {SCHEMA}: use the version that made it ({data.get('cibus') or 'unknown'})")
    try:
        files = {str(name): (int(each["size"]), str(each["sha256"])) for name, each in data["files"].items()}
        missing = {str(what): str(why) for what, why in data["missing"].items()}
        manifest = Manifest(str(data["source"]), str(data["captured"]), str(data["cibus"]), missing, files)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BundleError(f"{path}: the manifest is damaged ({type(error).__name__}: {error}): capture the build again") from error
    for name, (_, digest) in files.items():
        if not safe_path(name) or not _HASH.fullmatch(digest):
            raise BundleError(f"{path}: names {name!r}, which is no file of a bundle: it was edited, do not use it")
    if BUILD not in files or CONSOLE not in files:
        raise BundleError(f"{path}: lists no {BUILD if BUILD not in files else CONSOLE}: capture the build again")
    return manifest


def _check(folder: Path, manifest: Manifest) -> None:
    """Every file of the manifest is there as it was written, and no other."""
    for name, (size, digest) in manifest.files.items():
        path = folder / name
        if any(part.is_symlink() for part in (path, *path.parents) if part.is_relative_to(folder) and part != folder):
            raise BundleError(f"{path}: is a link, and a bundle has none: do not use it")
        if not path.is_file():
            raise BundleError(f"{path}: is missing from the bundle: capture the build again")
        if path.stat().st_size != size:
            raise BundleError(f"{path}: has {path.stat().st_size} bytes instead of {size}: the bundle is cut off or was edited")
        if digest_of(path)[1] != digest:
            raise BundleError(f"{path}: is not what was captured (its SHA-256 differs): the bundle was edited or damaged")
    others = set(_files(folder)) - set(manifest.files) - {MANIFEST}
    if others:
        raise BundleError(f"{folder / min(others)}: does not belong to the bundle ({len(others)} such): it was added later, do not use it")


def _json(path: Path, name: str) -> Any:
    try:
        if path.stat().st_size > LARGEST_JSON:
            raise BundleError(f"{path}: is too large for {name} of a bundle")
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path}: is no JSON ({error}): the bundle is cut off or was edited") from error
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror}") from error
