"""What a log tells of a build: its agents, libraries, the script's origin, and variables that it printed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

CHUNK = 1 << 19
LONGEST = 1 << 16  # characters of a line that is looked at
_LINE = re.compile(
    r"^(?:"
    r"Running on (?P<node>.+?) in (?P<workspace>/.+|[A-Za-z]:\\.+)"
    r"|Building (?:remotely )?on (?P<built>.+?)(?: \(.*\))? in workspace (?P<folder>.+)"
    r"|Building in workspace (?P<own_folder>.+)"
    r"|Obtained (?P<path>.+?) from (?:git (?P<url>\S+)|(?P<commit>[0-9a-f]{40}))"
    r"|Loading library (?P<library>[^@\s]+)(?:@(?P<version>.+))?"
    r"|Found match: .* revision (?P<found>[0-9a-f]{40})"
    r"|Checking out Revision (?P<revision>[0-9a-f]{40}) \((?P<branch>.*)\)"
    r"|Cloning repository (?P<cloned>\S+)"
    r"|Fetching upstream changes from (?P<fetched>\S+)"
    r"|(?P<listing>\+ (?:env|printenv|/usr/bin/env)(?: \| sort)?)"
    r"|(?P<start>\[Pipeline\] Start of Pipeline)"
    r")\r?$",
    re.MULTILINE,
)
_STAMP = re.compile(r"^(?:\[\d{4}-\d\d-\d\dT[\d:.]+Z\] |\d\d:\d\d:\d\d(?:\.\d+)? {1,2})", re.MULTILINE)
_VARIABLE = re.compile(r"([A-Za-z_]\w*)=(.*)")


@dataclass
class LogFacts:
    """What was found.

    Arguments:
        agents: name → workspace, in the order of their first use
        script: the script's path in its repository, its repository's URL, its commit, as far as they were said
        libraries: (name, version, commit, url), in the order of loading
        checkouts: (url, commit, branch) of what steps checked out, libraries not among them
        variables: those that a step printed with ``env`` or ``printenv``
    """

    agents: dict[str, str] = field(default_factory=dict)
    script: tuple[str, str, str] | None = None
    libraries: list[tuple[str, str, str, str]] = field(default_factory=list)
    checkouts: list[tuple[str, str, str]] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)


def read_log(path: Path) -> LogFacts:
    """Looks through a log of any size."""
    reader = _Reader()
    for text in _pieces(path):
        reader.feed(_STAMP.sub("", text))
    return reader.facts


def _pieces(path: Path) -> Iterator[str]:
    """The log in pieces of whole lines."""
    rest = b""
    with path.open("rb") as file:
        while data := file.read(CHUNK):
            cut = data.rfind(b"\n") + 1
            if cut:
                yield (rest + data[:cut]).decode("utf-8", "replace")
                rest = data[cut:]
            elif len(rest) < LONGEST:
                rest += data[:LONGEST]
    yield rest.decode("utf-8", "replace")


class _Reader:
    def __init__(self) -> None:
        self.facts = LogFacts()
        self._library: tuple[str, str] | None = None  # loading now: what git says belongs to it
        self._url = ""
        self._open_listing = False

    def feed(self, text: str) -> None:
        at = self._variables(text, 0) if self._open_listing else 0
        for match in _LINE.finditer(text, at):
            if match.start() < at:
                continue
            self._take(match)
            if match["listing"]:
                self._open_listing = True
                at = self._variables(text, match.end() + 1)

    def _take(self, match: re.Match[str]) -> None:
        facts = self.facts
        if match["node"]:
            facts.agents.setdefault(match["node"], match["workspace"].rstrip("\r"))
        elif match["built"]:
            facts.agents.setdefault(match["built"], match["folder"].rstrip("\r"))
        elif match["own_folder"]:
            facts.agents.setdefault("built-in", match["own_folder"].rstrip("\r"))
        elif match["path"]:
            facts.script = facts.script or (match["path"], match["url"] or "", match["commit"] or "")
        elif match["library"]:
            self._library = (match["library"], (match["version"] or "").rstrip("\r"))
            facts.libraries.append((*self._library, "", ""))
        elif match["cloned"] or match["fetched"]:
            self._url = match["cloned"] or match["fetched"]
        elif match["found"] and self._library:
            self._located(match["found"])
        elif match["revision"]:
            self._checked_out(match["revision"], match["branch"])

    def _checked_out(self, commit: str, branch: str) -> None:
        if self._library is not None:
            self._located(commit)
            self._library = None
        elif self._url:
            name = re.sub(r"^(?:refs/)?(?:remotes/)?origin/", "", branch)
            entry = (self._url, commit, "" if name == "detached" else name)
            if entry not in self.facts.checkouts:
                self.facts.checkouts.append(entry)
        self._url = ""

    def _located(self, commit: str) -> None:
        name, version, _, url = self.facts.libraries[-1]
        self.facts.libraries[-1] = (name, version, commit, self._url or url)

    def _variables(self, text: str, at: int) -> int:
        """Takes NAME=VALUE lines from a place on; gives the place behind them."""
        while at < len(text):
            end = text.find("\n", at)
            end = end if end >= 0 else len(text)
            found = _VARIABLE.fullmatch(text[at : min(end, at + LONGEST)].rstrip("\r"))
            if found is None:
                self._open_listing = False
                return at
            self.facts.variables[found[1]] = found[2]
            at = end + 1
        return at
