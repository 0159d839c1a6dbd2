"""The user's folders for what cibus keeps, and writing that is whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def state_home() -> Path:
    """CIBUS_STATE_DIR, else the user's state folder."""
    if given := os.environ.get("CIBUS_STATE_DIR"):
        return Path(given)
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "cibus"


def config_home() -> Path:
    """The user's configuration folder."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "cibus"


def write_whole(path: Path, data: bytes, *, private: bool = False) -> None:
    """Writes a file beside its place, on the disk, and moves it there.

    Arguments:
        private: readable by the user only
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if not private:
            umask = os.umask(0)
            os.umask(umask)
            Path(name).chmod(0o666 & ~umask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
