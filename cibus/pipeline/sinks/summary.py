"""What stays on the screen when a run has ended."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cibus.pipeline.sinks.progress import Failure, Node, Progress, duration

GLYPHS = {
    "SUCCESS": "✓",
    "UNSTABLE": "!",
    "FAILED": "✗",
    "FAILURE": "✗",
    "ABORTED": "■",
    "NOT_EXECUTED": "–",
    "NOT_BUILT": "–",
    None: "•",
}
COLOURS = {
    "SUCCESS": "32",
    "UNSTABLE": "33",
    "FAILED": "31",
    "FAILURE": "31",
    "ABORTED": "35",
    "NOT_EXECUTED": "2",
    "NOT_BUILT": "2",
    None: "36",
}
MOST_STAGES = 40
MOST_FAILURES = 5
WIDTH = 100


@dataclass(frozen=True)
class Paint:
    """Colours a text, or leaves it alone."""

    colour: bool

    def status(self, status: str | None, text: str) -> str:
        """In the colour of a status."""
        return self.code(COLOURS.get(status, "0"), text)

    def code(self, code: str, text: str) -> str:
        """In the colour of a code."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text


def summary(
    progress: Progress,
    seconds: float,
    record: Mapping[str, Any],
    *,
    colour: bool = False,
    width: int = WIDTH,
    most: int = MOST_STAGES,
    epilogue: bool = True,
) -> str:
    """Result, stages, what failed where, tests, artifacts, the log, fidelity, and what to try next.

    ``most``: how many stages. ``epilogue``: show how the script ended where no step failed; not where it was printed already.
    """
    paint = Paint(colour)
    result = progress.result or "FAILURE"
    head = f"{GLYPHS.get(result, '•')} {result}"
    lines = ["", paint.status(result, head) + f"  {progress.job} #{progress.number}, {duration(seconds)}"]
    lines += _stages(progress.root, paint, width, most)
    if result != "SUCCESS":
        lines += _failures(progress, paint, width, epilogue=epilogue)
    lines += _facts(record, width)
    lines += _next(record, result, progress)
    return "\n".join(lines) + "\n"


def _stages(root: Node, paint: Paint, width: int, most: int) -> list[str]:
    nodes = [(depth, node) for depth, node in root.walk()]
    left = len(nodes) - most
    if left > 0:
        nodes, dropped = _most_telling(nodes, most)
    lines = []
    longest = min(max([len(node.name) + 2 * depth for depth, node in nodes], default=0), max(10, width - 24))
    for depth, node in nodes:
        name = _cut(node.name, longest - 2 * depth)
        time = "" if node.status == "NOT_EXECUTED" else duration(node.seconds)
        mark = paint.status(node.status, GLYPHS.get(node.status, "•"))
        word = "" if node.status in ("SUCCESS", None) else paint.status(node.status, " " + _word(node.status))
        lines.append(f"  {'  ' * depth}{mark} {name:{longest - 2 * depth}}  {time:>8}{word}".rstrip())
    if left > 0:
        lines.append(f"  … and {_counted(dropped)}")
    return lines


def _most_telling(nodes: list[tuple[int, Node]], most: int) -> tuple[list[tuple[int, Node]], list[Node]]:
    """The ones that did not go well, then the outer ones, in their order."""
    ranked = sorted(
        range(len(nodes)), key=lambda i: (nodes[i][1].status in ("SUCCESS", "NOT_EXECUTED"), nodes[i][0], i)
    )
    kept = set(ranked[:most])
    return [each for i, each in enumerate(nodes) if i in kept], [
        node for i, (_, node) in enumerate(nodes) if i not in kept
    ]


def _counted(nodes: list[Node]) -> str:
    from collections import Counter

    counts = Counter(_word(node.status) for node in nodes)
    return ", ".join(f"{count:,} {word}" for word, count in counts.most_common())


def _word(status: str | None) -> str:
    return {"NOT_EXECUTED": "skipped", "SUCCESS": "fine", None: "not ended"}.get(status, str(status).lower())


def _failures(progress: Progress, paint: Paint, width: int, *, epilogue: bool) -> list[str]:
    lines: list[str] = []
    shown = progress.failures[-MOST_FAILURES:]
    for failure in shown:
        lines += ["", *_failure(failure, progress.script, paint, width)]
    if len(progress.failures) > len(shown):
        lines.append(f"… {len(progress.failures) - len(shown)} earlier failures are in the log")
    if epilogue and not shown and progress.epilogue:
        lines += ["", *(_cut(line, width) for line in progress.epilogue)]
    return lines


def _failure(failure: Failure, script: str, paint: Paint, width: int) -> list[str]:
    where = f"{script}:{failure.line}" if failure.line else script
    stage = f", stage {failure.stage}" if failure.stage else ""
    what = f"{failure.name} {failure.arguments}".strip()
    head = f"{paint.status('FAILED', 'failed:')} {_cut(what, max(20, width - 10))}"
    body = [f"  {line}" for line in failure.output if line.strip() and line.strip() != failure.error]
    return [
        head,
        f"  at {where}{stage}",
        *(paint.code("2", _cut(line, width)) for line in body),
        *textwrap.wrap(failure.error, width, initial_indent="  ", subsequent_indent="  ")[:3],
    ]


def _facts(record: Mapping[str, Any], width: int) -> list[str]:
    lines = [""]
    tests = record.get("tests")
    if tests:
        lines.append(f"tests:     {tests['total']}, {tests['failed']} failed, {tests['skipped']} skipped")
    folder = str(record.get("folder", ""))
    artifacts = record.get("artifacts") or []
    if artifacts:
        lines.append(f"artifacts: {len(artifacts)} in {folder}/artifacts")
    lines.append(f"log:       {folder}/log")
    fidelity = fidelity_words(record.get("fidelity") or {})
    if fidelity:
        lines += textwrap.wrap(
            fidelity,
            max(40, width),
            initial_indent="not as CI: ",
            subsequent_indent="  ",
            max_lines=2,
            placeholder=" … (--report FILE has all)",
        )
    return lines


def fidelity_words(fidelity: Mapping[str, Any]) -> str:
    """What was not real, in words."""
    parts = []
    steps: Mapping[str, Mapping[str, int]] = fidelity.get("steps") or {}
    for kind in ("recorded", "stubbed", "skipped"):
        names = [
            f"{name} ×{kinds[kind]}" if kinds[kind] > 1 else name for name, kinds in steps.items() if kinds.get(kind)
        ]
        if names:
            parts.append(f"{kind} {', '.join(names)}")
    told = {name for name, kinds in steps.items() if kinds.get("recorded")}
    differences = [each for each in fidelity.get("differences") or [] if each.partition(":")[0] not in told]
    return "; ".join([*parts, *differences])


def _next(record: Mapping[str, Any], result: str, progress: Progress) -> list[str]:
    if result not in ("FAILURE", "ABORTED") or not record.get("resumable"):
        return []
    command = shlex.join(["cibus", *(record.get("again") or ("run",))])
    lines = [f"next:      {command} --resume"]
    if progress.failures:
        lines.append(f"           {command} --resume --on-failure shell")
    return lines


def _cut(text: str, width: int) -> str:
    text = " ".join(text.split()) if "\n" in text else text
    return text if len(text) <= width else text[: max(1, width - 1)] + "…"
