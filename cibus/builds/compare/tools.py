"""The versions of tools that a console shows."""

from __future__ import annotations

import re
from pathlib import Path

from cibus.builds.compare.model import Difference
from cibus.errors import CibusError

LOOKED_AT = 2 << 20  # bytes from the beginning: what a build uses it shows early
MOST = 50  # lines that one word leads to
_V = r"v?(\d+(?:\.\d+)+[\w.+-]*)"

TOOLS: tuple[tuple[str, bytes, str], ...] = (
    # tool, a word that is in the line, the line (after its time stamp)
    ("java", b"openjdk version ", r'openjdk version "([^"]+)"'),
    ("java", b"java version ", r'java version "([^"]+)"'),
    ("java", b"openjdk ", r"openjdk (\d[\w.+-]*) \d{4}-"),
    ("javac", b"javac ", r"javac (\d[\w.+-]*)$"),
    ("maven", b"Apache Maven ", rf"Apache Maven {_V}"),
    ("gradle", b"Gradle ", rf"Gradle {_V}"),
    ("ant", b"Apache Ant", rf"Apache Ant\(TM\) version {_V}"),
    ("kotlin", b"Kotlin", rf"(?:info: )?kotlinc-jvm {_V}|Kotlin version {_V}"),
    ("node", b"node ", rf"node {_V}$"),
    ("python", b"Python ", rf"Python {_V}"),
    ("pip", b"pip ", rf"pip {_V} from "),
    ("go", b"go version ", rf"go version go{_V}"),
    ("rustc", b"rustc ", rf"rustc {_V} \("),
    ("cargo", b"cargo ", rf"cargo {_V} \("),
    ("gcc", b"gcc (", rf"gcc \([^)]*\) {_V}"),
    ("g++", b"g++ (", rf"g\+\+ \([^)]*\) {_V}"),
    ("clang", b"clang version ", rf"(?:\w+ )*clang version {_V}"),
    ("make", b"GNU Make ", rf"GNU Make {_V}"),
    ("cmake", b"cmake version ", rf"cmake version {_V}"),
    ("docker", b"Docker version ", rf"Docker version {_V}"),
    ("podman", b"podman version ", rf"podman version {_V}"),
    ("git", b"git version ", rf"git version {_V}"),
    ("xcode", b"Xcode ", rf"Xcode {_V}$"),
    ("swift", b"Swift version ", rf"(?:swift-driver.*)?(?:Apple )?Swift version {_V}"),
    ("ruby", b"ruby ", rf"ruby {_V}(?:p\d+)? \("),
    ("bundler", b"Bundler version ", rf"Bundler version {_V}"),
    ("fastlane", b"fastlane ", rf"(?:\[[\d:]+\]: )?fastlane {_V}$"),
    ("cocoapods", b"CocoaPods ", rf"CocoaPods {_V}"),
    ("dotnet", b".NET SDK", rf"\.NET SDK(?: \([^)]*\))?:? {_V}"),
    ("kubectl", b"Client Version: ", rf"Client Version: {_V}"),
    ("helm", b"version.BuildInfo", rf'version\.BuildInfo\{{Version:"{_V}"'),
    ("terraform", b"Terraform v", rf"Terraform {_V}"),
    ("ansible", b"ansible [core ", rf"ansible \[core {_V}\]"),
    ("php", b"PHP ", rf"PHP {_V} \("),
    ("perl", b"This is perl", rf"This is perl .*\({_V}\)"),
    ("composer", b"Composer version ", rf"Composer version {_V}"),
    ("aws", b"aws-cli/", rf"aws-cli/{_V}"),
    ("bash", b"GNU bash, version ", rf"GNU bash, version {_V}"),
)
"""What tools print when they are asked for their version."""

BARE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("node", ("node --version", "node -v")),
    ("npm", ("npm --version", "npm -v")),
    ("yarn", ("yarn --version", "yarn -v")),
    ("pnpm", ("pnpm --version", "pnpm -v")),
    ("dotnet", ("dotnet --version",)),
    ("gcc", ("gcc -dumpversion",)),
    ("fastlane", ("fastlane --version",)),
    ("cocoapods", ("pod --version",)),
    ("go", ("go env GOVERSION",)),
)
"""Tools that print a bare number: the line behind ``+ node --version``."""

_TRACE = re.compile(r"\+ (?:\S*/)?(\S.*)$")
_NUMBER = re.compile(rf"(?:go)?{_V}$")
_STAMP = re.compile(r"^(?:\[[^\]]*Z\] |\d\d:\d\d:\d\d(?:\.\d+)? {1,2})")
_PATTERNS = tuple((tool, word, re.compile(pattern)) for tool, word, pattern in TOOLS)


def tool_versions(path: Path) -> dict[str, tuple[str, ...]]:
    """The versions of tools that a console shows near its beginning, each in the order in which they appear.

    Raises:
        CibusError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LOOKED_AT)
    except OSError as error:
        raise CibusError(f"{path}: cannot be read: {error.strerror}") from error
    return versions_in(data)


def versions_in(data: bytes) -> dict[str, tuple[str, ...]]:
    """The versions of tools that a text shows."""
    found: dict[str, list[tuple[int, str]]] = {}
    for tool, word, pattern in _PATTERNS:
        for at, line in _lines_with(data, word):
            match = pattern.match(line)
            if match:
                found.setdefault(tool, []).append((at, next(each for each in match.groups() if each)))
    for tool, commands in BARE:
        for command in commands:
            for at, line in _lines_with(data, command.encode()):
                trace = _TRACE.match(line)
                if trace and trace[1] == command and (number := _NUMBER.match(_line_after(data, at))):
                    found.setdefault(tool, []).append((at, number[1]))
    return {tool: tuple(dict.fromkeys(version for _, version in sorted(each))) for tool, each in sorted(found.items())}


def _lines_with(data: bytes, word: bytes) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    at = data.find(word)
    while at >= 0 and len(found) < MOST:
        start = data.rfind(b"\n", 0, at) + 1
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end
        if end - start < 500:
            found.append((start, _STAMP.sub("", data[start:end].decode("utf-8", "replace").rstrip())))
        at = data.find(word, end)
    return found


def _line_after(data: bytes, at: int) -> str:
    start = data.find(b"\n", at) + 1
    end = data.find(b"\n", start)
    line = data[start : end if end >= 0 else start + 200] if start else b""
    return _STAMP.sub("", line[:200].decode("utf-8", "replace").strip())


def compare_tools(a: dict[str, tuple[str, ...]], b: dict[str, tuple[str, ...]]) -> tuple[Difference, ...]:
    """Tools of which both sides show versions, and not the same."""
    both = sorted(a.keys() & b.keys())
    return tuple(Difference(tool, ", ".join(a[tool]), ", ".join(b[tool])) for tool in both if a[tool] != b[tool])
