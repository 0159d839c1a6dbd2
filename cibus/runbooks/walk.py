"""Going through a runbook block by block. What is shown, asked and run comes from the caller; what came of it goes back."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from cibus.runbooks.execute import Ran, first_line
from cibus.runbooks.page import Block, Runbook, Variable

Outcome = Literal["passed", "failed", "skipped", "done by hand"]
Whole = Literal["ok", "look", "failed", "aborted"]


class Answer(enum.Enum):
    """What the person says of a block."""

    RUN = "run"
    SKIP = "skip"
    QUIT = "quit"


@dataclass(frozen=True)
class Done:
    """What became of a block; ``code`` None: it was not run."""

    block: Block
    outcome: Outcome
    code: int | None = None
    seconds: float = 0.0
    words: str = ""


@dataclass(frozen=True)
class Walk:
    """A runbook gone through; ``quit`` where the person stopped."""

    done: tuple[Done, ...]
    values: Mapping[str, str]
    quit: bool = False
    check_only: bool = False

    @property
    def outcome(self) -> Whole:
        """``ok`` where all passed; ``look`` where something was skipped, or a check found another state than the page's."""
        failed = any(each.outcome == "failed" for each in self.done)
        if self.quit:
            return "aborted"
        if failed and not self.check_only:
            return "failed"
        return "look" if failed or any(each.outcome == "skipped" for each in self.done) else "ok"


Ask = Callable[[Block, Mapping[str, str]], Answer]
Run = Callable[[Block, Mapping[str, str]], Ran]
Hand = Callable[[Block, Mapping[str, str]], str]
Tell = Callable[[Done], None]


def walk(book: Runbook, values: Mapping[str, str], *, ask: Ask, run: Run, hand: Hand, tell: Tell, check_only: bool = False, go_on: bool = False) -> Walk:
    """Goes through all blocks, or with ``check_only`` through the safe ones.

    Arguments:
        ask: whether a block is run
        hand: has the person do what is by hand; gives words where it was not done
        tell: is told what became of each block
        go_on: whether the blocks after a failed one are asked for, too
    """
    known = dict(values)
    done: list[Done] = []
    for block in book.blocks:
        if check_only and not block.safe:
            continue
        answer = ask(block, known)
        if answer is Answer.QUIT:
            return Walk(tuple(done), known, True, check_only)
        each = Done(block, "skipped") if answer is Answer.SKIP else _did(block, known, book.variables, run, hand)
        done.append(each)
        tell(each)
        if each.outcome == "failed" and not (go_on or check_only):
            break
    return Walk(tuple(done), known, False, check_only)


def _did(block: Block, known: dict[str, str], variables: Mapping[str, Variable], run: Run, hand: Hand) -> Done:
    if block.by_hand:
        words = hand(block, known)
        return Done(block, "failed" if words else "done by hand", words=words)
    ran = run(block, known)
    done = Done(block, "passed" if ran.passed else "failed", ran.code, ran.seconds, "; ".join(ran.words))
    if block.sets and ran.passed:
        value = first_line(ran.out)
        if wrong := unfit(variables[block.sets], value):
            return replace(done, outcome="failed", words=f"{block.sets} {wrong}")
        known[block.sets] = value
    return done


def unfit(variable: Variable, value: str) -> str:
    """Why this is no value of the variable, in words, or ""."""
    if not value:
        return "is empty"
    if "\n" in value or "\0" in value:
        return "has more than one line"
    if not variable.secret and not re.fullmatch(variable.pattern, value):
        return f"is {value!r}, which does not match {variable.pattern}"
    return ""


def missing(book: Runbook, values: Mapping[str, str]) -> Iterator[Variable]:
    """The variables that are neither given nor set by a block, the first needed first."""
    set_by = {block.sets for block in book.blocks}
    return (each for each in book.variables.values() if each.name not in values and not each.default and each.name not in set_by)
