"""The artifacts of a build: listed with size and hash, and brought here where they are asked for."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cibus.builds.bundle import safe_path
from cibus.builds.clean import Cleaner
from cibus.builds.workplace import Workplace
from cibus.errors import BundleError, ControllerError, Forbidden, NotFound
from cibus.jenkins.client import Client
from cibus.jenkins.session import Session

HASHED = 64 << 20  # bytes in all that are read only for their hashes
LARGEST_TEXT = 32 << 20  # bytes of a text file that is looked through for secrets
FOLDER = "artifacts"


@dataclass(frozen=True)
class Artifact:
    """An artifact: its size in bytes (None: not known), its SHA-256 ("": not read), the MD5 of Jenkins' fingerprint.

    ``redacted``: secrets were taken out of the file in the bundle; the hash is that of the real one.
    """

    path: str
    size: int | None = None
    sha256: str = ""
    md5: str = ""
    redacted: bool = False


def list_artifacts(
    client: Client, build: str, data: Mapping[str, Any], place: Workplace, cleaner: Cleaner, *, files: bool, tell: Callable[[int], None]
) -> list[Artifact]:
    """Every artifact. Without ``files`` they are read for their hashes only, up to 64 MB in all, the smaller ones first.

    Arguments:
        build: the build's path below the controller's URL
        data: the build's JSON
        files: keep them in the bundle, texts without secrets
    """
    names = [str(each["relativePath"]) for each in data.get("artifacts") or ()]
    sizes = _sizes(client.session, build) if names else {}
    prints = {each.get("fileName"): each.get("hash") for each in data.get("fingerprint") or () if each}
    listed = [Artifact(name, sizes.get(name), md5=prints.get(name.rpartition("/")[2]) or "") for name in names]
    spent, found = 0, {}
    for each in sorted(listed, key=lambda each: each.size if each.size is not None else 1 << 62):
        if files or spent + (each.size or 0) <= HASHED:
            target = _place_of(place, each.path) if files else None
            try:
                size, digest = _read(client.session, f"{build}artifact/{quote(each.path)}", target, None if files else HASHED - spent)
            except (NotFound, Forbidden) as error:
                place.progress.missing[f"artifact {each.path}"] = str(error)
                continue
            spent += size
            found[each.path] = replace(each, size=size, sha256=digest, redacted=target is not None and _redact(target, cleaner)) if digest else each
            tell(spent)
    return [found.get(each.path, each) for each in listed]


def _sizes(session: Session, build: str) -> dict[str, int]:
    """Sizes as the stage view knows them; a freestyle build has none."""
    try:
        return {each["path"]: int(each["size"]) for each in session.json(f"{build}wfapi/artifacts") if "size" in each}
    except ControllerError:
        return {}


def _place_of(place: Workplace, name: str) -> Path:
    if not safe_path(f"{FOLDER}/{name}"):
        raise BundleError(f"the artifact {name!r} has a path that leads outside of the bundle: capture without --artifacts")
    target = place.folder / FOLDER / name
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _read(session: Session, url: str, target: Path | None, limit: int | None) -> tuple[int, str]:
    """Reads one; gives the bytes read and the hash, or "" where it is larger than the limit."""
    digest, size = hashlib.sha256(), 0
    with contextlib.ExitStack() as stack:
        out = stack.enter_context(target.open("wb")) if target is not None else None
        for piece in session.opened(url)[1]:
            digest.update(piece)
            size += len(piece)
            if out is not None:
                out.write(piece)
            if limit is not None and size > limit:
                return size, ""
    return size, digest.hexdigest()


def _redact(path: Path, cleaner: Cleaner) -> bool:
    """Takes secrets out of a text file; True where there were any."""
    if path.stat().st_size > LARGEST_TEXT:
        return False
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    if "\0" in text:
        return False
    clean = cleaner.text(text, f"{FOLDER}/{path.name}")
    if clean == text:
        return False
    path.write_text(clean, encoding="utf-8", newline="")
    return True
