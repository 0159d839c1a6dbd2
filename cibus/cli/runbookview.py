"""What a person sees of a runbook that they go through, and what they are asked."""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.text import Text

from cibus.errors import UsageError
from cibus.runbooks.execute import Ran, environment, hidden, run_block
from cibus.runbooks.page import Block, Runbook, Variable
from cibus.runbooks.walk import Answer, Done, Walk, missing, unfit

STYLES = {"passed": "green", "failed": "bold red", "skipped": "yellow", "done by hand": "green"}


class Guide:
    """Shows the blocks, asks for them, runs them and says what came of each.

    Arguments:
        where: the folder that blocks run in
        ask: whether the person is asked before each block
        dangerous_too: whether dangerous ones run without the word being typed
        hand: the program that does what is by hand
        quiet: print nothing
    """

    def __init__(self, where: Path, book: Runbook, *, ask: bool, dangerous_too: bool, hand: Path | None, quiet: bool) -> None:
        self.where, self.book = where, book
        self._asks, self._dangerous_too, self._hand = ask, dangerous_too, hand
        self._console = Console(soft_wrap=True, highlight=False, quiet=quiet)
        self._done: list[Done] = []
        self._section = ""
        self._secrets: list[str] = []

    def values(self, given: Mapping[str, str]) -> dict[str, str]:
        """The variables' values: given, from the environment where secret, asked for, or by default.

        Raises:
            UsageError: one is missing and there is nobody to ask, or a value does not fit.
        """
        secrets = {each.name: os.environ[each.environment] for each in self.book.variables.values() if each.secret and os.environ.get(each.environment)}
        known = {**{each.name: each.default for each in self.book.variables.values() if each.default}, **secrets, **given}
        for each in missing(self.book, known):
            known[each.name] = self._asked(each)
        for name, value in known.items():
            if wrong := unfit(self.book.variables[name], value):
                raise UsageError(f"the variable {name} ({self.book.variables[name].what}) {wrong}")
        self._secrets = [value for name, value in known.items() if self.book.variables[name].secret]
        return known

    def _asked(self, variable: Variable) -> str:
        if not sys.stdin.isatty():
            how = f"in the environment as {variable.environment}" if variable.secret else f"as --var {variable.name}=…"
            raise UsageError(f"{self.book.name} needs {variable.name}, {variable.what}: give it {how}")
        question = f"{variable.name} ({variable.what}): "
        return (getpass.getpass(question) if variable.secret else input(question)).strip()

    def ask(self, block: Block, values: Mapping[str, str]) -> Answer:
        """Shows a block and asks whether it is run."""
        self._show(block, values)
        if block.dangerous and not self._dangerous_too:
            return self._typed(block, values)
        if block.by_hand and not self._dangerous_too:
            return self._answer("Done (Enter), skip (s) or quit (q)? ")
        if not self._asks:
            return Answer.RUN
        return self._answer("Run (Enter), skip (s) or quit (q)? ")

    def _typed(self, block: Block, values: Mapping[str, str]) -> Answer:
        from cibus.runbooks.expect import filled

        word = filled(block.dangerous, values)
        self._print("bold red", f"  This cannot be undone. Type {word} to run it; anything else skips it.")
        return Answer.RUN if self._line("> ") == word else Answer.SKIP

    def _answer(self, question: str) -> Answer:
        while True:
            answer = self._line(question).lower()
            for meant in Answer:
                if meant.value.startswith(answer):  # an empty line is the first one: run
                    return meant

    def _line(self, question: str) -> str:
        if not sys.stdin.isatty():
            raise UsageError("there is no terminal to ask on: give --check-only, or --yes where no block is dangerous or by hand")
        try:
            return input(question).strip()
        except EOFError:
            return "quit"

    def run(self, block: Block, values: Mapping[str, str]) -> Ran:
        """Runs a block, its output indented below it."""
        environ = environment(self.book.variables, values)
        return run_block(block, self.where, environ, values, lambda line: self._print("dim", f"  │ {hidden(line.rstrip(), self._secrets)}"))

    def hand(self, block: Block, values: Mapping[str, str]) -> str:
        """Has the program of ``--hand`` do it; words where it did not."""
        return self._program(block, values) if self._dangerous_too else ""  # the person said so when asked

    def _program(self, block: Block, values: Mapping[str, str]) -> str:
        if self._hand is None:
            return "is to be done by hand: give --hand PROGRAM"
        try:
            done = subprocess.run([str(self._hand), self.book.name, str(block.number)], input=block.script, text=True, capture_output=True, errors="replace", check=False, cwd=self.where, env=environment(self.book.variables, values), timeout=block.timeout)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"{self._hand}: {error}"
        return "" if done.returncode == 0 else f"{self._hand} ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-300:]}"

    def tell(self, done: Done) -> None:
        """Says what became of a block."""
        self._done.append(done)
        self._print(STYLES[done.outcome], f"  {done.outcome}{f': {hidden(done.words, self._secrets)}' if done.words else ''}")

    def interrupted(self, values: Mapping[str, str]) -> Walk:
        """What was done until Ctrl-C."""
        return Walk(tuple(self._done), values, True)

    def end(self, walk: Walk, receipt: Path) -> None:
        """Says how it ended, and where the receipt is."""
        counts = {name: sum(each.outcome == name for each in walk.done) for name in STYLES}
        words = ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing done"
        self._print("bold", f"{self.book.name}: {words}{'; stopped' if walk.quit else ''}. Receipt: {receipt}")
        if walk.outcome == "failed":
            self._print("", f"\nIf that fails:\n{self.book.sections['If that fails']}")

    def _show(self, block: Block, values: Mapping[str, str]) -> None:
        if block.section != self._section:
            self._section = block.section
            self._print("bold", f"\n{self.book.title}: {block.section}")
        self._print("cyan", "\n".join(f"  {'☞' if block.by_hand else '$'} {line}" for line in block.script.splitlines()))
        used = {each.environment: values[name] for name, each in self.book.variables.items() if name in values and not each.secret and f"${each.environment}" in block.script}
        if used:
            self._print("dim", "  with " + ", ".join(f"{name}={value}" for name, value in used.items()))

    def _print(self, style: str, text: str) -> None:
        self._console.print(Text(text, style=style))
