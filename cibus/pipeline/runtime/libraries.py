"""Shared libraries: finding a library's files for a name and version."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cibus.config import LibraryConfig
from cibus.errors import SourceError
from cibus.git import git, try_git
from cibus.pipeline.engine.groovy import cache_folder
from cibus.pipeline.runtime.environment import JENKINS_HOME
from cibus.pipeline.values import Thrown, abort

if TYPE_CHECKING:
    from cibus.pipeline.runtime.run import Run


@dataclass(frozen=True)
class Library:
    """A library that is loaded: its files are below ``folder``."""

    name: str
    version: str
    folder: Path

    def info(self, shown_root: str) -> dict[str, Any]:
        """What the Groovy side needs: class folders, global variables, and how files are named in errors."""
        variables = {path.stem: str(path) for path in sorted((self.folder / "vars").glob("*.groovy"))}
        shown = {name: f"{shown_root}/libs/{self.name}/vars/{name}.groovy" for name in variables}
        src = self.folder / "src"
        return {"src": [str(src)] if src.is_dir() else [], "vars": variables, "shown": shown}

    def resource(self, name: str) -> Path | None:
        """A file below ``resources/``, or None."""
        path = (self.folder / "resources" / name).resolve()
        inside = path.is_relative_to((self.folder / "resources").resolve())
        return path if inside and path.is_file() else None


class Libraries:
    """The libraries of a run."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.loaded: list[Library] = []

    def implicit(self) -> list[str]:
        """The libraries that are loaded without being asked for."""
        return [name for name, library in self._run.config.libraries.items() if library.implicit]

    def load(self, identifier: str) -> dict[str, Any] | None:
        """Loads ``name`` or ``name@version``; gives its info, or None where it is loaded already.

        Raises:
            Thrown: it is not configured, or cannot be fetched.
        """
        name, _, version = identifier.partition("@")
        known = next((library for library in self.loaded if library.name == name), None)
        if known is not None:
            return None
        config = self._run.config.libraries.get(name)
        if config is None:
            raise abort(f"Could not find any definition of libraries [{identifier}]")
        version = version or config.version
        self._run.main.log(f"Loading library {name}@{version}\n")
        pins = self._run.options.pins
        commit = pins.libraries.get(f"{name}@{version}", "") if pins is not None else ""
        library = Library(name, version, self._folder(config, commit or version))
        if not any((library.folder / part).is_dir() for part in ("vars", "src")):
            raise abort(f"Library {name} expected to contain at least one of src or vars directories ({library.folder})")
        if config.stub:
            self._run.fidelity.differs(f"library {name} is a stand-in from {config.path}")
        self.loaded.append(library)
        root = f"{JENKINS_HOME}/jobs/{self._run.build.job.replace('/', '/jobs/')}/builds/{self._run.build.number}"
        return library.info(root)

    def _folder(self, config: LibraryConfig, version: str) -> Path:
        if config.path is not None:
            if not config.path.is_dir():
                raise abort(f"library {config.name}: there is no folder {config.path}")
            return self._at_version(config.path, version) if version != config.version else config.path
        return fetch(config.git, version or "HEAD")

    def _at_version(self, path: Path, version: str) -> Path:
        """Another version of a local library than the configured one: from its git history, if it has one."""
        if try_git(path, "rev-parse", "--verify", "--quiet", f"{version}^{{commit}}") is None:
            self._run.remark(f"library folder {path} has no version {version}; it was used as it is", "warning")
            self._run.fidelity.differs(f"library folder {path} stands in for version {version}")
            return path
        return fetch(f"file://{path.resolve()}", version)

    def resource(self, name: str) -> Path:
        """A resource of any loaded library; raises what Jenkins throws."""
        for library in self.loaded:
            found = library.resource(name)
            if found is not None:
                return found
        raise abort(f"No such library resource {name} could be found.")


def fetch(url: str, version: str) -> Path:
    """A repository at a version, cached by commit; works offline for a version fetched before.

    Raises:
        Thrown: it cannot be fetched, and is not in the cache.
    """
    key = hashlib.sha256(url.encode()).hexdigest()[:16]
    home = cache_folder() / "libraries" / key
    mirror = home / "mirror.git"
    try:
        if not mirror.is_dir():
            home.mkdir(parents=True, exist_ok=True)
            git(None, "clone", "-q", "--mirror", url, str(mirror))
        else:
            try_git(mirror, "fetch", "-q", "--force", "--prune", "origin")
        commit = git(mirror, "rev-parse", "--verify", f"{version}^{{commit}}")
    except SourceError as error:
        raise Thrown("hudson.AbortException", f"library at {url}: version {version} cannot be fetched: {error}") from error
    folder = home / commit
    if not folder.is_dir():
        beside = home / f".{commit}.{os.getpid()}"
        shutil.rmtree(beside, ignore_errors=True)
        git(None, "clone", "-q", "--no-checkout", str(mirror), str(beside))
        git(beside, "checkout", "-q", "-f", "--detach", commit)
        beside.rename(folder)
    return folder
