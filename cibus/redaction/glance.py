"""A quick look at many lines at once: most hold nothing that any rule for a line could find.

What :meth:`Glance.suspects` leaves out has no secret by the rules of :func:`cibus.redaction.lines.line_spans`; what
it names is for those rules to judge. The lines are taken apart into runs of the characters that names and tokens consist
of: there are few different ones in all configs of a controller, and each is looked at once.
"""

from __future__ import annotations

import re
import string
from collections.abc import Collection, Iterator
from functools import cache

from cibus.redaction.lines import WORDS
from cibus.redaction.shapes import LONG_RUN, decoded_base64, literals

_IN_RUNS = string.ascii_letters + string.digits + "+/=_.~-"
_TO_RUNS = bytes(code if chr(code) in _IN_RUNS else ord(" ") for code in range(256))
_RANDOM = 20  # the shortest run that may be random, which takes digits
_TOKEN = 34  # the shortest token that has neither digits nor a literal
_LOGIN = 12  # the shortest run that is a user with a password in base64
_MANY = 32  # runs beyond which going through the lines once is cheaper than searching for each run
_DIGIT = re.compile(r"\d")
_PARAMETER = re.compile(r"[?&;][A-Za-z][\w.-]*=")
_REMEMBERED = 100_000


def _is_run(text: str) -> bool:
    return all(letter in _IN_RUNS for letter in text)


_WORDS = tuple(word for word in WORDS if _is_run(word))
_OTHER_WORDS = tuple(word for word in WORDS if not _is_run(word))


@cache
def _other_literals() -> tuple[str, ...]:
    return tuple(literal for literal in literals() if not _is_run(literal))


class Glance:
    """Looks at lines, with a memory of the harmless runs."""

    def __init__(self) -> None:
        self._harmless: set[bytes] = set()

    def suspects(self, lines: Collection[str]) -> set[str]:
        """The lines in which a secret may be found; the others have none."""
        found = {line for line in lines if not line.isascii()}  # lower case may be longer: no places in common
        block = "\n".join([line for line in lines if line not in found] if found else lines)
        low = block.lower()
        for word in [word for word in _OTHER_WORDS if word in low]:
            found.update(_lines_with(word, low, block))
        for literal in [literal for literal in _other_literals() if literal in block]:
            found.update(_lines_with(literal, block, block))
        if "-u" in low:
            found.update(line for line in _lines_with("-u", low, block) if ":" in line)
        if "@" in block:
            found.update(line for line in _lines_with("://", block, block) if "@" in line)
        if "?" in block or "&" in block:
            found.update(_line_at(block, match.start()) for match in _PARAMETER.finditer(block))
        unknown = self._unknown(block)
        if len(unknown) > _MANY:
            found.update(_lines_by_run(unknown, block))
        else:
            for run in unknown:
                found.update(_lines_of(run, block))
        return found

    def _unknown(self, block: str) -> list[str]:
        """The runs that are not harmless wherever they stand."""
        fresh = set(block.encode().translate(_TO_RUNS).split()) - self._harmless
        telling = {run for run in fresh if not _is_harmless(run.decode())}
        if len(self._harmless) >= _REMEMBERED:
            self._harmless.clear()
        self._harmless |= fresh - telling
        return [run.decode() for run in telling]


def _is_harmless(run: str) -> bool:
    return len(run) < _RANDOM and not _is_telling(run) and not _has_literal(run)


def _lines_of(run: str, block: str) -> Iterator[str]:
    """The lines in which a run may be a secret, or name one."""
    if _is_telling(run):
        yield from _lines_with(run, block, block)
        return
    if _has_literal(run):
        yield from (line for line in _lines_with(run, block, block) if LONG_RUN.search(line))
    for before in "{$" if len(run) >= _RANDOM else "":  # a ciphertext, or a password's hash
        yield from _lines_with(before + run, block, block)


def _is_telling(run: str) -> bool:
    """Whether it has a secret's name in it, or may be a token without a literal, a random text, or a login in base64."""
    low = run.lower()
    if [word for word in _WORDS if word in low] or len(run) >= _TOKEN or (len(run) >= _RANDOM and _DIGIT.search(run)):
        return True
    if len(run) < _LOGIN:
        return False
    decoded = decoded_base64(run.partition(".")[0])
    return "~" in run or (decoded is not None and (b":" in decoded or b"PRIVATE KEY" in decoded))


def _has_literal(run: str) -> bool:
    return bool([literal for literal in literals() if literal in run])


def _lines_by_run(runs: Collection[str], block: str) -> Iterator[str]:
    """The same lines as of :func:`_lines_of` for each run, and some more, in one pass."""
    wanted = {run.encode() for run in runs}
    for line in block.split("\n"):
        if not wanted.isdisjoint(line.encode().translate(_TO_RUNS).split()):
            yield line


def _lines_with(text: str, where: str, block: str) -> Iterator[str]:
    """The lines of the block that have a text, found in the block or in its lower case."""
    place = where.find(text)
    while place >= 0:
        end = block.find("\n", place)
        end = end if end >= 0 else len(block)
        yield block[block.rfind("\n", 0, place) + 1 : end]
        place = where.find(text, end)


def _line_at(block: str, place: int) -> str:
    end = block.find("\n", place)
    return block[block.rfind("\n", 0, place) + 1 : end if end >= 0 else len(block)]
