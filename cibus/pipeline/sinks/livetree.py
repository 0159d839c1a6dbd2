"""The live tree as lines: what a person sees of a run that goes on, cut to the height and width of the terminal."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass

from cibus.pipeline.sinks.progress import Node, Progress, Step, duration
from cibus.pipeline.sinks.summary import GLYPHS

SPIN = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
STYLES = {
    "SUCCESS": "green",
    "UNSTABLE": "yellow",
    "FAILED": "red",
    "ABORTED": "magenta",
    "NOT_EXECUTED": "dim",
    None: "cyan",
}
BAD = ("FAILED", "UNSTABLE", "ABORTED")


@dataclass(frozen=True)
class Line:
    """One line: the mark and its style, the text and its style, what stands at the right."""

    indent: int
    mark: str
    style: str
    text: str
    right: str = ""
    text_style: str = ""


def lines(progress: Progress, height: int, now: float | None = None) -> list[Line]:
    """At most ``height`` lines: a head, the stages that matter, the steps that run with their last output."""
    now = time.time() if now is None else now
    head = Line(
        0,
        SPIN[int(now * 10) % len(SPIN)],
        "cyan",
        f"{progress.job} #{progress.number}",
        duration(now - progress.started),
        "bold",
    )
    room = max(3, height - 1)
    running = sum(len(node.steps) for node in _all(progress.root))
    tail = max(1, min(6, (room - 4) // max(1, min(running, 6))))
    body: list[Line] = []
    for most, last in ((room, tail), (24, tail), (12, tail), (6, tail), (6, 0), (3, 1), (3, 0), (2, 0), (1, 0)):
        if most <= room:
            body = _below(progress.root, 0, now, most, last)
            if len(body) <= room:
                return [head, *body]
    return [head, *_squeezed(body, room)]


def _all(root: Node) -> list[Node]:
    found = [root]
    for node in found:
        if node.running or node is root:
            found.extend(child for child in node.children if child.running)
    return found


def _below(node: Node, depth: int, now: float, most: int, tail: int) -> list[Line]:
    """The lines of what is in a node; of many children those that failed or run, the others counted."""
    children = node.shown()
    kept, rest = _choose(children, most)
    found: list[Line] = []
    if rest and not any(each.running for each in rest):
        found.append(Line(depth, "…", "dim", _counted(rest), "", "dim"))
    for child in kept:
        found.append(_line(child, depth, now))
        if child.running:
            found += _below(child, depth + 1, now, most, tail)
    if rest and any(each.running for each in rest):
        found.append(Line(depth, "…", "dim", _counted(rest), "", "dim"))
    steps = list(node.steps.values())
    for step in steps[:most]:
        found += _step(step, depth, now, tail)
    if len(steps) > most:
        found.append(Line(depth, "…", "dim", f"{len(steps) - most:,} more steps", "", "dim"))
    return found


def _choose(children: list[Node], most: int) -> tuple[list[Node], list[Node]]:
    """The children to draw, in their order, and the others."""
    if len(children) <= most:
        return children, []
    ranked = sorted(range(len(children)), key=lambda i: (_rank(children[i]), -i if not children[i].running else i))
    chosen = set(ranked[:most])
    return [c for i, c in enumerate(children) if i in chosen], [c for i, c in enumerate(children) if i not in chosen]


def _rank(node: Node) -> int:
    if node.running and (node.steps or node.children):
        return 0
    return 1 if node.status in BAD else 2 if node.running else 3


def _counted(nodes: list[Node]) -> str:
    words = {"SUCCESS": "done", "NOT_EXECUTED": "skipped", None: "running"}
    counts = Counter(words.get(node.status, str(node.status).lower()) for node in nodes)
    return ", ".join(f"{count:,} {word}" for word, count in counts.most_common())


def _line(node: Node, depth: int, now: float) -> Line:
    seconds = now - node.started if node.running else node.seconds
    right = "skipped" if node.status == "NOT_EXECUTED" else duration(max(0.0, seconds))
    mark = SPIN[int(now * 10) % len(SPIN)] if node.running else GLYPHS.get(node.status, "•")
    return Line(
        depth,
        mark,
        STYLES.get(node.status, ""),
        node.name,
        right,
        "bold" if node.running else "dim" if node.status == "NOT_EXECUTED" else "",
    )


def _step(step: Step, depth: int, now: float, tail: int) -> list[Line]:
    found = [Line(depth, "▸", "cyan", f"{step.name} {step.arguments}".rstrip(), duration(max(0.0, now - step.started)))]
    last = [line for line in list(step.output) if line.strip()][-tail:] if tail else []
    return [*found, *(Line(depth + 1, "", "", line, "", "dim") for line in last)]


def _squeezed(body: list[Line], room: int) -> list[Line]:
    """The first lines and the last ones, where nothing else helps."""
    if room < 4:
        return body[-room:]
    half = room // 2
    left = len(body) - room + 1
    return [
        *body[: half - 1],
        Line(0, "…", "dim", f"{left:,} more lines", "", "dim"),
        *body[len(body) - (room - half) :],
    ]
