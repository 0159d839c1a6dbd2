"""The harness: compiled once, kept by the hash of what it depends on, with a start-up cache trained afterwards."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cibus.errors import EngineError
from cibus.pipeline.engine.groovy import cache_folder, find_groovy
from cibus.pipeline.engine.java import Java, find_java
from cibus.pipeline.engine.spawn import fingerprint

SOURCES = Path(__file__).parent / "harness"
FLAGS = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xss4m", "-Xlog:disable", "-Xlog:all=error:stderr")
TARGET = "-Dgroovy.target.bytecode=1.8"  # older class files cannot be put into a start-up cache
KEEP = 4  # harnesses of other versions that stay in the cache


@dataclass(frozen=True)
class Harness:
    """Everything that is needed to start the JVM."""

    java: Java
    groovy: Path
    folder: Path

    @property
    def jar(self) -> Path:
        """The compiled harness."""
        return self.folder / "harness.jar"

    @property
    def archive(self) -> Path:
        """The start-up cache, once it has been trained."""
        return self.folder / ("start.aot" if self.java.major >= 24 else "start.jsa")

    @property
    def flags(self) -> list[str]:
        """The JVM's flags without those of the start-up cache."""
        flags = list(FLAGS)
        if self.java.major >= 24:
            flags.append("--sun-misc-unsafe-memory-access=allow")
        return flags

    @property
    def class_path(self) -> str:
        """The two jars."""
        return f"{self.jar}{os.pathsep}{self.groovy}"

    def command(self) -> list[str]:
        """The start of the command line, up to the main class."""
        cached: list[str] = []
        if self.archive.is_file():
            cached = [f"-XX:AOTCache={self.archive}"] if self.java.major >= 24 else [f"-XX:SharedArchiveFile={self.archive}"]
        return [str(self.java.program), *self.flags, *cached, "-cp", self.class_path, "cibus.Host"]

    def training(self, target: Path) -> list[str]:
        """The command that makes the start-up cache."""
        option = f"-XX:AOTCacheOutput={target}" if self.java.major >= 24 else f"-XX:ArchiveClassesAtExit={target}"
        return [str(self.java.program), *self.flags, option, "-cp", self.class_path, "cibus.Host", "train"]


def harness() -> Harness:
    """The harness, compiled if this is the first time.

    Raises:
        EngineMissing: no Java or no Groovy.
        EngineError: it could not be compiled.
    """
    java, groovy = find_java(), find_groovy()
    made = Harness(java, groovy, cache_folder() / f"engine-{_key(java, groovy)}")
    if not made.jar.is_file():
        with _locked(made.folder):
            if not made.jar.is_file():
                _compile(made)
                _forget_old(made.folder)
    return made


def remember(made: Harness) -> None:
    """Notes the command, so that the next start need not look for anything."""
    lines = [str(made.groovy), fingerprint(str(SOURCES), str(made.groovy)), str(made.folder), *made.command()]
    beside = stamp().with_name(f".{os.getpid()}.stamp")
    with contextlib.suppress(OSError):
        beside.write_text("\n".join(lines), encoding="utf-8")
        beside.replace(stamp())


def stamp() -> Path:
    """Where the command of the last start is noted."""
    return cache_folder() / "start.stamp"


def _key(java: Java, groovy: Path) -> str:
    import hashlib

    digest = hashlib.sha256()
    for source in sorted(SOURCES.rglob("*.groovy")):
        digest.update(source.read_bytes())
    stat = groovy.stat()
    digest.update(f"{java.program}{java.version}{groovy}{stat.st_size}{stat.st_mtime_ns}{FLAGS}{TARGET}".encode())
    return digest.hexdigest()[:16]


def _compile(made: Harness) -> None:
    import subprocess
    import tempfile
    import zipfile

    with tempfile.TemporaryDirectory(dir=made.folder) as work:
        classes = Path(work) / "classes"
        classes.mkdir()
        sources = [str(source) for source in sorted(SOURCES.rglob("*.groovy"))]
        done = subprocess.run(
            [str(made.java.program), *made.flags, TARGET, "-cp", str(made.groovy), "org.codehaus.groovy.tools.FileSystemCompiler", "-d", str(classes), *sources],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise EngineError(f"the harness could not be compiled with {made.java.program}: {done.stderr.strip()[-2000:] or done.stdout[-2000:]}")
        beside = Path(work) / "harness.jar"
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_STORED) as jar:
            for each in sorted(classes.rglob("*.class")):
                jar.write(each, each.relative_to(classes).as_posix())
        beside.replace(made.jar)


def train_in_background(made: Harness) -> None:
    """Starts the making of the start-up cache, detached, unless it is there or being made."""
    if made.archive.is_file():
        return
    import subprocess

    beside = made.folder / f".training{made.archive.suffix}"
    script = 'exec 9>"$1.lock"; flock -n 9 || exit 0; shift; target=$1; shift; final=$1; shift; "$@" >/dev/null 2>&1 </dev/null; [ -s "$target" ] && mv "$target" "$final"'
    with contextlib.suppress(OSError):
        # the shell puts the work in the background and ends, so that nobody has to wait for it
        subprocess.run(
            ["sh", "-c", f"({script}) &", "train", str(beside), str(beside), str(made.archive), *made.training(beside)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            check=False,
        )


def _forget_old(current: Path) -> None:
    import shutil

    others = [folder for folder in current.parent.glob("engine-*") if folder.is_dir() and folder != current]
    for old in sorted(others, key=lambda folder: folder.stat().st_mtime, reverse=True)[KEEP:]:
        shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    import fcntl

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except PermissionError as error:
        raise EngineError(f"the cache folder {folder.parent} cannot be written ({error.strerror}); set CIBUS_CACHE_DIR to one that can") from error
    except OSError as error:
        raise EngineError(f"the cache folder {folder.parent} cannot be used ({error.strerror}); set CIBUS_CACHE_DIR to another") from error
