"""Finding Groovy 2.4.21, the version that Jenkins embeds."""

from __future__ import annotations

import os
from pathlib import Path

from cibus.errors import EngineMissing

VERSION = "2.4.21"
COORDINATE = f"org.codehaus.groovy:groovy-all:{VERSION}"
SHA256 = "de65260cf2070442e99882f2f3d72e7531725c1e6a257446cc0cea525c607bd0"
SYSTEM_JARS = (
    Path("/usr/share/java/groovy-all.jar"),
    Path("/usr/share/groovy/embeddable/groovy-all.jar"),
)


def cache_folder() -> Path:
    """Where cibus keeps what it can make again: CIBUS_CACHE_DIR, else the user's cache folder."""
    if given := os.environ.get("CIBUS_CACHE_DIR"):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cibus"


def find_groovy() -> Path:
    """The jar: CIBUS_GROOVY_JAR, the one fetched earlier, one fetched now, or a system package's.

    Raises:
        EngineMissing: none of them is there; says what to do.
    """
    if given := os.environ.get("CIBUS_GROOVY_JAR"):
        jar = Path(given)
        if not jar.is_file():
            raise EngineMissing(f"CIBUS_GROOVY_JAR: there is no file {jar}; give the path of groovy-all-{VERSION}.jar")
        return jar
    kept = cache_folder() / f"groovy-all-{VERSION}.jar"
    if kept.is_file():
        return kept
    problem = _fetch_alone(kept)
    if problem is None:
        return kept
    for jar in SYSTEM_JARS:
        if jar.is_file():
            return jar
    raise EngineMissing(
        f"no Groovy: {COORDINATE} could not be fetched ({problem}). Connect to the network once, or set "
        "CIBUS_GROOVY_JAR to the path of that jar, or install your system's groovy package"
    )


def _fetch_alone(target: Path) -> str | None:
    """Fetches the jar unless another process does so just now: jgo gives up where two resolve the same one at once."""
    import fcntl

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = target.with_suffix(".lock").open("w")
    except OSError as error:
        return f"{target.parent} cannot be written: {error.strerror}"
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return None if target.is_file() else _fetch(target)


def _fetch(target: Path) -> str | None:
    """Resolves the jar with jgo and keeps it where ``target`` says; gives what went wrong, or None."""
    import hashlib
    import shutil
    import tempfile

    try:
        found = _resolve()
    except Exception as error:  # jgo and what it calls raise many kinds
        return _reason(error)
    if hashlib.sha256(found.read_bytes()).hexdigest() != SHA256:
        return f"its SHA-256 is not {SHA256}"
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as beside:
        with found.open("rb") as source:
            shutil.copyfileobj(source, beside)
        beside.flush()
        os.fsync(beside.fileno())
    Path(beside.name).replace(target)
    return None


def _reason(error: Exception) -> str:
    """Why the jar could not be had, in a few words."""
    from requests.exceptions import ConnectionError as NoConnection
    from requests.exceptions import Timeout

    if isinstance(error, NoConnection | Timeout):
        return "Maven Central cannot be reached from here"
    lines = str(error).strip().splitlines()
    return lines[-1][:200] if lines else type(error).__name__


def _resolve() -> Path:
    import logging

    import jgo

    logging.getLogger("jgo").setLevel(logging.CRITICAL)
    environment = jgo.build(COORDINATE)
    jars = list(Path(environment.path).rglob(f"groovy-all-{VERSION}.jar"))
    if not jars:
        raise FileNotFoundError(f"{COORDINATE} was resolved, but its jar is not there")
    return jars[0]
