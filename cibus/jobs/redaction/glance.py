"""A quick look at many lines at once: most hold nothing that any rule for a line could find.

What :func:`suspects` leaves out has no secret by the rules of :func:`cibus.jobs.redaction.lines.line_spans`; what it
names is for those rules to judge. It looks for fixed texts in all lines together, which costs a tenth of looking at each.
"""

from __future__ import annotations

import re
import string
from collections.abc import Collection, Iterator

from cibus.jobs.redaction.lines import WORDS
from cibus.jobs.redaction.shapes import decoded_base64, literals

_RUN = (string.ascii_letters + string.digits + "+/=_.~-").encode()  # what tokens, ciphertexts and random texts consist of
_TO_RUNS = bytes(code if code in _RUN else ord(" ") for code in range(256))
_RANDOM = 20  # the shortest run that may be random, which takes digits
_TOKEN = 34  # the shortest token that has neither digits nor a literal
_ANY_TOKEN = 16  # a line without such a run has no token (LONG_RUN)
_LOGIN = 12  # the shortest run that is a user with a password in base64
_DIGIT = re.compile(rb"\d")
_LOW = (*WORDS, "-u")  # looked for in lower case; "-u" is curl's option
_PARAMETER = re.compile(r"[?&;][A-Za-z][\w.-]*=")


def suspects(lines: Collection[str]) -> set[str]:
    """The lines in which a secret may be found; the others have none."""
    found = {line for line in lines if not line.isascii()}  # lower case may be longer: no places in common
    block = "\n".join(lines if not found else [line for line in lines if line not in found])
    low = block.lower()
    for word in [word for word in _LOW if word in low]:
        found.update(_lines_with(word, low, block))
    if "@" in block:
        found.update(line for line in _lines_with("://", block, block) if "@" in line)
    if "?" in block or "&" in block:
        found.update(_line_at(block, match.start()) for match in _PARAMETER.finditer(block))
    return found | _with_telling_runs(block)


def _with_telling_runs(block: str) -> set[str]:
    runs = [run for run in set(block.encode().translate(_TO_RUNS).split()) if len(run) >= _LOGIN]
    telling = {line for run in runs if _is_telling(run, block) for line in _lines_with(run.decode(), block, block)}
    long = {line for run in runs if len(run) >= _ANY_TOKEN for line in _lines_with(run.decode(), block, block)} - telling
    rest = "\n".join(long)
    for literal in [literal for literal in literals() if literal in rest]:
        telling.update(_lines_with(literal, rest, rest))
    return telling


def _is_telling(run: bytes, block: str) -> bool:
    """Whether it may be a token without a literal, a random text, a ciphertext or a login in base64."""
    if len(run) >= _TOKEN or b"~" in run:
        return True
    if len(run) >= _RANDOM and (_DIGIT.search(run) or f"{{{run.decode()}" in block):
        return True
    decoded = decoded_base64(run.partition(b".")[0])
    return decoded is not None and (b":" in decoded or b"PRIVATE KEY" in decoded)


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
