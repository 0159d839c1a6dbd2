"""A build's console in one pass, in bounded memory: its steps, and the lines in them that tell a cause."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cibus.monitor.causetable import Pattern, Table

LONGEST = 8 << 10  # bytes of a line that are looked at
STEPS = 600  # the last steps that are kept
HITS = 40  # lines kept of a step
HEAD, TAIL = 8 << 20, 32 << 20  # bytes of a log that are looked at; what is between is only counted
PIECE = 1 << 16

_PREFIX = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|\x1b\]8;;[^\x07\x1b]*(?:\x07|\x1b\\)|\x00|\r")
_TIME = re.compile(r"^(?:\[\d{4}-\d\d-\d\dT[\d:.]+Z\] ?|\d\d:\d\d:\d\d(?:\.\d+)?  ?)")
_HARMLESS = re.compile(r"(?i)^\s*(?:npm )?[\[(]?(?:warn|warning|w|info|debug|note|ok \d+|pass|passed)\b|^\s*[✓✔√]|\bPASSED$|^\s*\S{0,300}: warning:")
_STEP = re.compile(r"^\[Pipeline\] (?P<what>.+)$")
_SHELL_START = re.compile(r"^\[[^\]]{1,200}\] \$ ")
_MARKED = re.compile(r"^Build step '.{1,200}' marked build as failure")
_FINISHED = re.compile(r"^Finished: (SUCCESS|UNSTABLE|FAILURE|NOT_BUILT|ABORTED)$")
_TIDY = re.compile(r"^\+ (?:exit|true|:|\[|test|rm|rmdir|set|trap|echo|cat|kill|popd|cd|docker (?:rm|stop|kill|compose down|logs)|docker-compose (?:down|logs)|deactivate|cleanup)\b")
STRUCTURE = (b"[pipeline] ", b"+ ", b"] $ ", b"finished: ", b"marked build as failure", b"skipped due to earlier failure", b"post stage", b"error: ", b"retrying")


@dataclass(frozen=True)
class Hit:
    """A line that tells a cause; ``number`` from 1."""

    pattern: Pattern
    number: int
    text: str


@dataclass
class Step:
    """A step's part of the log: from its line to that of the next one.

    Arguments:
        post: it ran after the failure: post conditions, publishers
        caught: its error was caught or tried again
        parallel: the parallel block around it, 0 none
        traced: the number of the last line that shows a command
        tidy: that command only tidies up or leaves
        commands: whether another command than such was shown
    """

    name: str
    first: int
    post: bool = False
    caught: bool = False
    parallel: int = 0
    traced: int = 0
    tidy: bool = False
    commands: bool = False
    closed: bool = False
    hits: list[Hit] = field(default_factory=list)


@dataclass
class Console:
    """What one pass over a log found."""

    steps: deque[Step] = field(default_factory=lambda: deque([Step("", 1)], maxlen=STEPS))
    final: Step | None = None
    result: str = ""
    pipeline: bool = False
    failed: bool = False  # from here on only post conditions run
    marked: bool = False
    lines: int = 0
    skipped: int = 0  # bytes in the middle that were only counted
    _parallels: list[int] = field(default_factory=list)
    _stage_post: bool = False

    @property
    def step(self) -> Step:
        """The step that the current line is of."""
        return self.final or self.steps[-1]

    def structure(self, text: str, number: int) -> None:
        """Takes a line that may be one of Jenkins' own."""
        if found := _STEP.match(text):
            self._of_pipeline(found["what"], number)
        elif text.startswith("+ "):
            self.step.traced, self.step.tidy = number, _TIDY.match(text) is not None
            self.step.commands |= not self.step.tidy
        elif (found := _FINISHED.match(text)) is not None:
            self.result = found[1]
        elif not self.pipeline and _SHELL_START.match(text):
            self.steps.append(Step("shell", number, post=self.marked))
        elif not self.pipeline and _MARKED.match(text):
            self.marked = True
            self.steps.append(Step("publisher", number, post=True))
        elif self.pipeline and text.startswith('Stage "') and text.endswith("skipped due to earlier failure(s)"):
            self.failed = True
        elif self.pipeline and text == "Post stage":
            self._stage_post = True
        elif self.final is None and self.step.closed and (text.startswith("ERROR: ") or text == "Retrying"):
            self.step.caught = True

    def _of_pipeline(self, what: str, number: int) -> None:
        self.pipeline = True
        if what == "End of Pipeline":
            self.final = Step("end", number)
        elif what == "}" or what.startswith("// "):
            self.step.closed = True
            if what == "// stage":
                self._stage_post = False
            elif what == "// parallel" and self._parallels:
                self._parallels.pop()
        elif what.startswith("{"):
            self.failed |= what == "{ (Declarative: Post Actions)"
        elif self.final is None:
            if what == "parallel":
                self._parallels.append(number)
            around = self._parallels[0] if self._parallels else 0
            self.steps.append(Step(what.split(" ", 1)[0], number, post=self.failed or self._stage_post, parallel=around))


def read_console(pieces: Iterable[bytes], table: Table) -> Console:
    """Reads a log.

    Arguments:
        pieces: the log's bytes, in pieces of any size
    """
    console = Console()
    for piece, first in _numbered(pieces, console):
        _look(piece, first, table, console)
    return console


def clean_line(line: bytes) -> str:
    """A line as text: cut, without colours, timestamps and control characters."""
    text = _PREFIX.sub("", line[:LONGEST].decode("utf-8", "replace"))
    return _TIME.sub("", text, count=1)


def _look(piece: bytes, first: int, table: Table, console: Console) -> None:
    """Looks at whole lines, of which only those with a word of the table cost."""
    low = piece.lower()
    wanted: dict[int, set[Pattern]] = {}
    for word in STRUCTURE:
        for start in _starts(low, word):
            wanted.setdefault(start, set())
    for word, patterns in table.by_word.items():
        for start in _starts(low, word):
            wanted.setdefault(start, set()).update(patterns)
    at, number = 0, first
    for start in sorted(wanted):
        number += piece.count(b"\n", at, start)
        at = start
        end = piece.find(b"\n", start)
        text = clean_line(piece[start : end if end >= 0 else len(piece)])
        console.structure(text, number)
        if wanted[start] and not text.startswith("+"):
            _match(text, number, wanted[start], console.step)


def _match(text: str, number: int, patterns: set[Pattern], step: Step) -> None:
    harmless = _HARMLESS.match(text) is not None or text.endswith(" PASSED")
    for pattern in patterns:
        if harmless and not pattern.warnings and pattern.place != "said":
            continue
        if pattern.found(text):
            if len(step.hits) >= HITS:
                step.hits[:] = _thinned(step.hits)
            step.hits.append(Hit(pattern, number, text))


def _thinned(hits: list[Hit]) -> list[Hit]:
    """The first and the last hit of each pattern, the later of which count where only a last command's do."""
    first = {hit.pattern: hit for hit in reversed(hits)}
    last = {hit.pattern: hit for hit in hits}
    return sorted({*first.values(), *last.values()}, key=lambda hit: hit.number)


def _starts(low: bytes, word: bytes) -> Iterator[int]:
    """Where the lines begin that have a word."""
    at = low.find(word)
    while at >= 0:
        start = low.rfind(b"\n", 0, at) + 1
        if at - start < LONGEST:
            yield start
        end = low.find(b"\n", at)
        if end < 0:
            return
        at = low.find(word, end)


def _numbered(pieces: Iterable[bytes], console: Console) -> Iterator[tuple[bytes, int]]:
    """Pieces of whole lines with the number of their first one; of a very large log its head and its tail."""
    taken = held = 0
    first = 1
    tail: deque[bytes] = deque()
    for piece in _whole(pieces):
        if taken < HEAD:
            taken += len(piece)
            yield piece, first
            first += piece.count(b"\n")
            continue
        tail.append(piece)
        held += len(piece)
        while held - len(tail[0]) > TAIL:
            gone = tail.popleft()
            held -= len(gone)
            console.skipped += len(gone)
            first += gone.count(b"\n")
    while tail:
        piece = tail.popleft()
        yield piece, first
        first += piece.count(b"\n")
    console.lines = first - 1


def _whole(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces that end with a line; of a line that is too long only the beginning."""
    held = b""
    for piece in pieces:
        for at in range(0, len(piece), PIECE):
            held += piece[at : at + PIECE]
            cut = held.rfind(b"\n") + 1
            if cut and len(held) >= PIECE:
                yield held[:cut]
                held = held[cut:]
            elif not cut and len(held) > 2 * LONGEST:
                held = held[:LONGEST]
    if held:
        yield held if held.endswith(b"\n") else held + b"\n"
