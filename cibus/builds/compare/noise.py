"""What differs between any two builds without meaning anything, and how a line reads without it.

The two tables are those by which recorded builds of a real Jenkins are compared with local ones
(``tests/tools/golden.py``); where they differ, the reason stands there. All else is compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

PREFIX = r"(?:\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)\] |\d\d:\d\d:\d\d(?:\.\d+)? {1,2})"
"""What timestamper puts before a line: ISO times in brackets, or ``HH:mm:ss`` (its default format)."""
_STAMP = re.compile(PREFIX)
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))")

_ANYWHERE = (
    r"Also:", r"\s+at ", r"\s*\.\.\. \d+ more", r"Caused: ", r"Caused by: ",  # stack frames: of Jenkins' threads, or of here
    r"Finished: ",  # the result is compared as such
    r"\s*$",
)
_PREAMBLE = (
    r"Started by ", r"Running in Durability level", r"Running as ", r"Obtained .* from ", r"Resume disabled", r"Branch indexing",
    r"Push event", r"Rebuilds build", r"Replayed #", r"originally caused by:", r" Started by ", r"Building (?:on|remotely on) ",
)
_CHATTER = (
    r" > ", r"Cloning the remote", r"Cloning repository", r"Cloning with configured", r"Fetching ", r"Checking out Revision",
    r"Commit message:", r"First time build", r"Avoid second fetch", r"using credential", r"No credentials specified",
    r"The recommended git tool", r"using GIT_", r"Selected Git installation", r"Using shallow", r"Honoring refspec", r"Wiping out",
    r"Seen branch", r"Seen \d", r"Multiple candidate", r"Opening connection", r"Setting origin", r"Loading library ",
    r"Attempting to resolve ", r"Found match: ", r"Library .*(?:already|cached)", r"Creating git repository", r"Examining ",
    r"Resolved .*version", r"Resolving ", r"Checking for ", r"warning: ", r"hint: ", r"Updating [0-9a-f]", r"Removing ",
    r"HEAD is now at", r"Note: ",
)  # fmt: skip
REVISION = re.compile(r"Checking out Revision ([0-9a-f]{40})")

_TABLE: tuple[tuple[str, str], ...] = (
    (r"/[^\s'\"]*@tmp/durable-[0-9a-f]+", "<DURABLE>"),
    (r"durable-[0-9a-f]{6,}", "durable-X"),
    (r"/[^\s'\"]*/jenkins\d+\.(sh|bat|ps1|py)\b", r"<SCRIPT>.\1"),  # the file of a freestyle builder: hudson.tasks.CommandInterpreter
    (r"Running on .+? in ", "Running on NODE in "),
    (r"\b[0-9a-f]{40}\b", "<SHA1>"),
    (r"\b[0-9a-f]{32}\b", "<MD5>"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?", "<DATE>"),
    (r"\b\d\d:\d\d:\d\d(\.\d+)?\b", "<TIME>"),
    (r"\b\d+(\.\d+)? (ms|sec|min|hr|seconds?|minutes?)( and counting)?\b", "<DURATION>"),
    (r"(script\.sh|script\.sh\.copy): (line )?\d+: ", "script.sh: "),
    (r"@[0-9a-f]{5,8}\b", "@<ID>"),
    (r"\bPID \d+|\bpid \d+", "<PID>"),
    (r"(No such DSL method '[^']*' found among steps) .*", r"\1 [...]"),
    (r"\b(Script|GeneratedMethodAccessor)\d+", r"\1N"),
    (r"https?://(127\.0\.0\.1:\d+|jenkins\.example(:\d+)?|localhost(:\d+)?)/", "JENKINS_URL/"),
)
_SUBSTITUTES = tuple((re.compile(pattern), to) for pattern, to in _TABLE)
_HINT = "|".join(
    (
        r"\d\d:\d\d:\d\d", r"durable-[0-9a-f]{6}", r"/jenkins\d", r"Running on ", r"[0-9a-f]{32}", r"\d (?:ms|sec|min|hr)", r"script\.sh",
        r"@[0-9a-f]{5}", r"[pP][iI][dD] \d", r"No such DSL", r"(?:Script|Accessor)\d", r"https?://", r"\x1b", r"[\s]$",
    )
)  # fmt: skip
"""What a line has in it where one of the table's rows can apply: most lines have none, and are done with."""


def _drops(*tables: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(each for table in tables for each in table))


DROP = _drops(_ANYWHERE)
DROP_OF_JENKINS = _drops(_ANYWHERE, _PREAMBLE, _CHATTER)
"""Where Jenkins and its git client speak. In a script's own output ``Removing x`` or ``warning: y`` is compared."""


class Noise:
    """How the lines of one build read without what differs anyway.

    Arguments:
        roots: folders and addresses, each with a word for it, the longest first
        words: what else this build's own names are called: its tag, its URL, its agent
    """

    def __init__(self, roots: Iterable[tuple[str, str]] = (), words: Iterable[tuple[str, str]] = ()) -> None:
        self._roots = tuple((root, word) for root, word in roots if root)
        self._words = tuple((re.compile(rf"(?<!\w){re.escape(value)}(?!\w)"), word) for value, word in words if value)
        hints = [_HINT, *(re.escape(root) for root, _ in self._roots), *(each.pattern for each, _ in self._words)]
        self._hint = re.compile("|".join(hints))

    def key(self, line: bytes, jenkins: bool) -> str | None:
        """A line as it is compared; None where it is not.

        Arguments:
            jenkins: the line is one of a step that speaks for Jenkins: checkout, a library, the build's first lines
        """
        text = line.decode("utf-8", "replace")
        if self._hint.search(text):
            text = self.plain(text)
        if (DROP_OF_JENKINS if jenkins else DROP).match(text):
            return None
        return text

    def plain(self, text: str) -> str:
        """A text with a word in place of each thing that differs anyway."""
        text = _ANSI.sub("", text).rstrip()
        for root, word in self._roots:
            text = text.replace(root, word)
        text = _STAMP.sub("", text, count=1) if _STAMP.match(text) else text
        for pattern, to in self._words:
            text = pattern.sub(to, text)
        for pattern, to in _SUBSTITUTES:
            text = pattern.sub(to, text)
        return text


def own_words(environment: dict[str, str]) -> list[tuple[str, str]]:
    """The names that a build gave itself, as far as its environment tells them; a bare build number is not among them."""
    number = environment.get("BUILD_NUMBER", "")
    found = [(environment.get(name, ""), f"<{name}>") for name in ("BUILD_URL", "BUILD_TAG", "RUN_DISPLAY_URL", "JENKINS_URL")]
    return [*((value, word) for value, word in found if len(value) > 3), *([(f"#{number}", "#<BUILD_NUMBER>")] if number else [])]
