"""What differs between any two builds without meaning anything, and how a line reads without it.

The two tables are those by which recorded builds of a real Jenkins are compared with local ones
(``tests/tools/golden.py``); where they differ, the reason stands there. All else is compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from cibus.redaction.placeholder import PLACEHOLDER

PREFIX = r"(?:\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)\] |\d\d:\d\d:\d\d(?:\.\d+)? {1,2})"
"""What timestamper puts before a line: ISO times in brackets, or ``HH:mm:ss`` (its default format)."""
_STAMP = re.compile(PREFIX)
_STAMP_BYTES = re.compile(PREFIX.encode())
_STAMPED = frozenset(b"%c" % character for character in b"[0123456789")
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

_TABLE: tuple[tuple[tuple[bytes, ...], str, str], ...] = (
    # words of which a line has one where the pattern can apply (most lines have none, and are done with), pattern, replacement
    ((b"{cibus:",), PLACEHOLDER.pattern, "****"),  # a secret that was taken out when the build was captured; a run here masks it
    ((b"durable-",), r"/[^\s'\"]*@tmp/durable-[0-9a-f]+", "<DURABLE>"),
    ((b"durable-",), r"durable-[0-9a-f]{6,}", "durable-X"),
    ((b"/jenkins",), r"/[^\s'\"]*/jenkins\d+\.(sh|bat|ps1|py)\b", r"<SCRIPT>.\1"),  # a freestyle builder's file: hudson.tasks.CommandInterpreter
    ((b"Running on ",), r"Running on .+? in ", "Running on NODE in "),
    ((b"+ kill ",), r"^(\+ kill(?: -\w+)*) \d+$", r"\1 <PID>"),  # the shell shows the number, not the $! or $$ of the script
    ((), r"\b[0-9a-f]{40}\b", "<SHA1>"),
    ((), r"\b[0-9a-f]{32}\b", "<MD5>"),
    ((b":",), r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?", "<DATE>"),
    ((b":",), r"\b\d\d:\d\d:\d\d(\.\d+)?\b", "<TIME>"),
    ((b" ms", b" sec", b" min", b" hr"), r"\b\d+(\.\d+)? (ms|sec|min|hr|seconds?|minutes?)( and counting)?\b", "<DURATION>"),
    ((b"script.sh",), r"(script\.sh|script\.sh\.copy): (line )?\d+: ", "script.sh: "),
    ((b"@",), r"@[0-9a-f]{5,8}\b", "@<ID>"),
    ((b"PID ", b"pid "), r"\bPID \d+|\bpid \d+", "<PID>"),
    ((b"No such DSL",), r"(No such DSL method '[^']*' found among steps) .*", r"\1 [...]"),
    ((b"Script", b"MethodAccessor"), r"\b(Script|GeneratedMethodAccessor)\d+", r"\1N"),
    ((b"://127.0.0.1:", b"://jenkins.example", b"://localhost"), r"https?://(127\.0\.0\.1:\d+|jenkins\.example(:\d+)?|localhost(:\d+)?)/", "JENKINS_URL/"),
)
_ROWS = tuple((word, re.compile(pattern), to) for words, pattern, to in _TABLE for word in words if word != b":")
_TIMES = tuple((re.compile(pattern), to) for words, pattern, to in _TABLE if words == (b":",))
_HASHES = tuple((re.compile(pattern), to) for words, pattern, to in _TABLE if not words)
_OTHER_WORKSPACE = re.compile(r"(<W(?:ORKSPACE|S)>)@(?!tmp\b|script\b|libs\b)[\w.-]+")
"""A job's workspace at an agent here, or of one of two builds at once: ``app@linux``, ``app@2``."""
_HASH = re.compile(rb"[0-9a-f]{32}")


def _drops(*tables: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(each for table in tables for each in table))


DROP = _drops(_ANYWHERE)
_FIRST = ("", "A", "C", "F", " ", "\t", "\r", "\v", "\f")  # what lines begin with that may be dropped; Unicode's spaces are no frame's
DROP_OF_JENKINS = _drops(_ANYWHERE, _PREAMBLE, _CHATTER)
"""Where Jenkins and its git client speak. In a script's own output ``Removing x`` or ``warning: y`` is compared."""


class Noise:
    """How the lines of one build read without what differs anyway.

    Arguments:
        roots: folders and addresses, each with a word for it, the longest first
        words: what else this build's own names are called: its tag, its URL, its agent
    """

    def __init__(self, roots: Iterable[tuple[str, str]] = (), words: Iterable[tuple[str, str]] = ()) -> None:
        self._roots = tuple((root.encode(), root, word) for root, word in roots if root)
        self._rooted = tuple((here, word.encode()) for here, _, word in self._roots)
        self._words = tuple((value.encode(), re.compile(rf"(?<!\w){re.escape(value)}(?!\w)"), word) for value, word in words if value)

    def bare(self, line: bytes) -> bytes:
        """A line without its time stamp and its roots: what most lines differ by, had fast."""
        if line[:1] in _STAMPED and (stamp := _STAMP_BYTES.match(line)):
            line = line[stamp.end() :]
        for here, word in self._rooted:
            if here in line:
                line = line.replace(here, word)
        return line

    def key(self, line: bytes, jenkins: bool) -> str | None:
        """A line as it is compared; None where it is not.

        Arguments:
            jenkins: the line is one of a step that speaks for Jenkins: checkout, a library, the build's first lines
        """
        text = self._plain(line)
        if jenkins:
            return None if DROP_OF_JENKINS.match(text) else text
        return None if text[:1] in _FIRST and DROP.match(text) else text

    def plain(self, text: str) -> str:
        """A text with a word in place of each thing that differs anyway."""
        return self._plain(text.encode("utf-8", "replace"))

    def _plain(self, line: bytes) -> str:
        text = line.decode("utf-8", "replace")
        if b"\x1b" in line:
            text = _ANSI.sub("", text)
        text = text.rstrip()
        for here, root, word in self._roots:
            if here in line:
                text = text.replace(root, word)
                text = _OTHER_WORKSPACE.sub(r"\1", text)
        timed = line.count(b":") > 1
        if timed and (stamp := _STAMP.match(text)):
            text = text[stamp.end() :]
        for here, pattern, word in self._words:
            if here in line:
                text = pattern.sub(word, text)
        if len(line) > 31 and _HASH.search(line):
            for pattern, to in _HASHES:
                text = pattern.sub(to, text)
        if timed:
            for pattern, to in _TIMES:
                text = pattern.sub(to, text)
        for here, pattern, to in _ROWS:
            if here in line:
                text = pattern.sub(to, text)
        return text


def own_words(environment: dict[str, str]) -> list[tuple[str, str]]:
    """The names that a build gave itself, as far as its environment tells them; a bare build number is not among them."""
    number = environment.get("BUILD_NUMBER", "")
    found = [(environment.get(name, ""), f"<{name}>") for name in ("BUILD_URL", "BUILD_TAG", "RUN_DISPLAY_URL", "JENKINS_URL")]
    return [*((value, word) for value, word in found if len(value) > 3), *([(f"#{number}", "#<BUILD_NUMBER>")] if number else [])]
