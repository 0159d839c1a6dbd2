"""Which Java an agent needs. Pure functions.

Two sources say it: the Java support policy (https://www.jenkins.io/doc/book/platform-information/support-policy-java/)
by the controller's version, and the classes of its agent.jar themselves.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
from dataclasses import dataclass

from cibus.errors import ControllerError, UsageError

# from this version on: the major versions of Java that Jenkins is tested with; LTS lines count by their baseline
POLICY = (
    ((2, 463), (17, 21)),
    ((2, 419), (11, 17, 21)),
    ((2, 357), (11, 17)),
    ((2, 340), (8, 11, 17)),
    ((2, 164), (8, 11)),
    ((0, 0), (8,)),
)
MAIN = "hudson/remoting/Launcher.class"
LATEST = POLICY[0][1]


@dataclass(frozen=True)
class JavaNeed:
    """What runs this controller's agents: at least ``minimum``; ``tested`` are the versions that Jenkins is tested with."""

    minimum: int
    tested: tuple[int, ...]
    newest_policy: bool = False

    def chosen(self, wanted: int) -> int:
        """The version to install: the wanted one, else the newest tested one up to 17, else the lowest.

        Raises:
            UsageError: the wanted version is too old.
        """
        if wanted and wanted < self.minimum:
            raise UsageError(f"java = {wanted}: this controller's agent.jar needs Java {self.minimum} or newer; its tested versions are {shown(self.tested)}")
        return wanted or max((each for each in self.tested if each <= 17), default=self.minimum)

    def problem(self, version: int) -> str:
        """What is wrong with a Java of this major version, or ""."""
        if version < self.minimum:
            return f"Java {version} is too old: this controller's agent.jar needs {self.minimum} or newer"
        if version not in self.tested and not (self.newest_policy and version > max(self.tested)):
            return f"Java {version} is none that this version of Jenkins is tested with ({shown(self.tested)})"
        return ""


def need(version: str, jar: bytes) -> JavaNeed:
    """What the agents of a controller need.

    Arguments:
        version: the controller's, e.g. 2.479.1
        jar: its agent.jar

    Raises:
        ControllerError: the jar is none.
    """
    tested = policy(version)
    minimum = max(tested[0], class_version(jar))
    return JavaNeed(minimum, tuple(each for each in tested if each >= minimum) or (minimum,), tested == LATEST)


def policy(version: str) -> tuple[int, ...]:
    """The major versions of Java that a version of Jenkins is tested with."""
    numbers = [int(each) for each in re.findall(r"\d+", version)[:2]]
    key = (numbers[0], numbers[1]) if len(numbers) == 2 else (2, 9999)
    return next(tested for since, tested in POLICY if key >= since)


def class_version(jar: bytes) -> int:
    """The major version of Java that the classes of an agent.jar are made for (the class file's version less 44, JVMS 4.1)."""
    try:
        with zipfile.ZipFile(io.BytesIO(jar)) as opened:
            names = opened.namelist()
            name = MAIN if MAIN in names else next(each for each in names if each.endswith(".class") and not each.startswith("META-INF"))
            head = opened.read(name)[:8]
        return int(struct.unpack(">IHH", head)[2]) - 44
    except (zipfile.BadZipFile, StopIteration, struct.error, OSError) as error:
        raise ControllerError("the controller's jnlpJars/agent.jar is no jar with classes: does a proxy answer in its place?") from error


def remoting_version(jar: bytes) -> str:
    """What an agent.jar says of its version, or ""."""
    with zipfile.ZipFile(io.BytesIO(jar)) as opened:
        try:
            manifest = opened.read("META-INF/MANIFEST.MF").decode("utf-8", "replace")
        except KeyError:
            return ""
    found = re.search(r"(?m)^(?:Version|Implementation-Version):\s*(\S+)", manifest)
    return found[1] if found else ""


def java_major(text: str) -> int:
    """The major version in what ``java -version`` prints, or 0: 1.8.0_392 is 8."""
    found = re.search(r'version "(?:1\.)?(\d+)', text)
    return int(found[1]) if found else 0


def shown(versions: tuple[int, ...]) -> str:
    """``(17, 21)`` → ``17 and 21``."""
    *most, last = map(str, versions)
    return f"{', '.join(most)} and {last}" if most else last
