"""Answers to ``input``: from the command line, or from the person at the terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cibus.errors import UsageError

if TYPE_CHECKING:
    from cibus.pipeline.steps.context import StepContext


def parse_answer(text: str, id: str) -> dict[str, Any] | None:
    """``proceed``, ``abort`` (gives None) or a JSON object of parameter values.

    Raises:
        UsageError: it is none of them.
    """
    if text == "proceed":
        return {}
    if text == "abort":
        return None
    try:
        values = json.loads(text)
    except ValueError as error:
        raise UsageError(f"--input {id}={text}: give proceed, abort, or a JSON object such as {{\"NAME\": \"value\"}} ({error})") from error
    if not isinstance(values, dict):
        raise UsageError(f"--input {id}={text}: the JSON must be an object of parameter values")
    return values


class Answers:
    """Answers each input once: ``--input ID=...``, ``--input '*=proceed'`` for all, else the terminal."""

    def __init__(self, given: Mapping[str, str], *, interactive: bool) -> None:
        self._given = {id: parse_answer(text, id) for id, text in given.items()}
        self._interactive = interactive

    def get(self, ctx: StepContext, id: str, message: str, ok: str, definitions: list[dict[str, Any]]) -> dict[str, Any] | None:
        """The values, {} for a plain yes, None for no."""
        for key in (id, "*"):
            if key in self._given:
                return self._given[key]
        if self._interactive:
            with ctx.run.terminal():
                return _ask(message, ok, definitions)
        ctx.remark(f"input ‘{id}’ (line {ctx.line}) has no answer: give --input '{id}=proceed' (or =abort, or JSON values); without one it counts as rejected", "error")
        return None


def _ask(message: str, ok: str, definitions: list[dict[str, Any]]) -> dict[str, Any] | None:
    sys.stderr.write(f"\n{message}\n")
    values: dict[str, Any] = {}
    try:
        for each in definitions:
            hint = f" ({'/'.join(each['choices'])})" if each.get("choices") else ""
            sys.stderr.write(f"  {each['name']}{hint} [{each['default']}]: ")
            sys.stderr.flush()
            values[each["name"]] = sys.stdin.readline().rstrip("\n") or each["default"]
        sys.stderr.write(f"{ok}? [y/N] ")
        sys.stderr.flush()
        return values if sys.stdin.readline().strip().lower() in ("y", "yes", ok.lower()) else None
    except (EOFError, OSError):
        return None
