"""The records of a file of marks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Opened:
    """A step began.

    Arguments:
        id: of the step, unique in the build
        inside: the id of the body that it is in, or "" at the top
        at: the number of its ``[Pipeline]`` line, from 0; None where it has none
        stage: the innermost enclosing stage, or ""
        branch: the innermost enclosing parallel branch, or ""
        line: its line in the script, 0 where nobody knows
        text: its arguments in short, masked
    """

    id: str
    inside: str
    name: str
    at: int | None
    stage: str = ""
    branch: str = ""
    line: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Entered:
    """A body of a step began; ``title`` is what stands in parentheses behind ``[Pipeline] {``."""

    id: str
    of: str
    title: str
    at: int | None


@dataclass(frozen=True, slots=True)
class Ended:
    """A step or a body ended; ``error`` is what it ended with."""

    id: str
    at: int | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Lines:
    """``count`` lines from ``first`` belong to a step or a body."""

    id: str
    first: int
    count: int


Mark = Opened | Entered | Ended | Lines
