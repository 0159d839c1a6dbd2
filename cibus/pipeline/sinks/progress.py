"""Where a run stands: its stages and branches, the steps that run, what failed. Fed by events, read by the views."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from cibus.pipeline.events import (
    BlockEnded,
    BlockStarted,
    Event,
    Output,
    PipelineEnded,
    RunEnded,
    RunStarted,
    StageEnded,
    StageStarted,
    StepEnded,
    StepStarted,
)

LINES = 8  # of a step's last output that are kept
WIDEST = 500  # characters of a line that are kept
MOST_FAILURES = 20
BRANCH = "Branch: "
ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]"
)


@dataclass
class Step:
    """A step that runs, with the end of what it printed."""

    id: int
    name: str
    arguments: str
    line: int
    branch: str
    node: Node
    block: bool
    started: float
    output: deque[str] = field(default_factory=lambda: deque(maxlen=LINES))
    parent: int = 0
    inside: str | None = None  # the error that the last failed step within it ended with


@dataclass
class Node:
    """A stage, or a branch of ``parallel``; the root stands for the whole run."""

    name: str
    kind: str  # run, stage or branch
    parent: Node | None = None
    started: float = 0.0
    status: str | None = None
    seconds: float = 0.0
    children: list[Node] = field(default_factory=list)
    steps: dict[int, Step] = field(default_factory=dict)
    failed: bool = False
    entered: bool = False  # a step ran in it

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.status is None

    def shown(self) -> list[Node]:
        """Its children as they are drawn: a branch that holds nothing but the stage of its name is that stage."""
        return [_merged(child) for child in self.children]

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Node]]:
        """What is drawn below it, with its depth."""
        for child in self.shown():
            yield depth, child
            yield from child.walk(depth + 1)


def _merged(node: Node) -> Node:
    if node.kind == "branch" and len(node.children) == 1 and node.children[0].name == node.name:
        return node.children[0]
    return node


@dataclass(frozen=True)
class Failure:
    """A step that failed where nothing within it had: what, where, and the end of what it printed."""

    name: str
    arguments: str
    line: int
    stage: str
    error: str
    output: tuple[str, ...]


class Progress:
    """Keeps what the views show. Memory is bounded by the number of stages, branches and running steps."""

    def __init__(self) -> None:
        self.root = Node("", "run")
        self.job = ""
        self.number = 0
        self.script = ""
        self.started = 0.0
        self.result: str | None = None
        self.failures: list[Failure] = []
        self.epilogue: tuple[str, ...] = ()
        self.steps: dict[int, Step] = {}
        self.ended: Node | None = None  # the stage that ended last
        self._stages: dict[int, Node] = {}
        self._branches: dict[tuple[int, str], Node] = {}
        self._inner: dict[str, list[Node]] = {}  # the open stages of a branch, innermost last

    def take(self, event: Event) -> None:
        """Takes an event."""
        if isinstance(event, Output):
            self._output(event)
        elif isinstance(event, StepStarted):
            self._step_started(event)
        elif isinstance(event, StepEnded):
            self._step_ended(event)
        elif isinstance(event, StageStarted):
            self._stage_started(event)
        elif isinstance(event, StageEnded):
            self._stage_ended(event)
        elif isinstance(event, BlockStarted):
            self._block_started(event)
        elif isinstance(event, BlockEnded):
            self._block_ended(event)
        elif isinstance(event, RunStarted):
            self.job, self.number, self.script, self.started = event.job, event.number, event.script, event.at
        elif isinstance(event, PipelineEnded):
            self.epilogue = event.epilogue[:LINES]
        elif isinstance(event, RunEnded):
            self.result = event.result

    def node_of(self, step: int, branch: str) -> Node:
        """The stage or branch that a step is in."""
        found = self._branches.get((step, branch)) or self._stages.get(step)
        if found is not None:
            return found
        enclosing = self.steps.get(step)
        return enclosing.node if enclosing is not None else self.root

    def _step_started(self, event: StepStarted) -> None:
        node = self.node_of(event.parent, event.branch)
        step = Step(
            event.id,
            event.name,
            event.label or event.arguments,
            event.line,
            event.branch,
            node,
            event.block,
            event.at,
            parent=event.parent,
        )
        self.steps[event.id] = step
        if event.name != "stage":
            node.entered = True
        if not event.block:
            node.steps[event.id] = step

    def _step_ended(self, event: StepEnded) -> None:
        step = self.steps.pop(event.id, None)
        if step is None:
            return
        step.node.steps.pop(event.id, None)
        step.node.failed = event.error is not None
        if event.error is None:
            return
        if step.inside != event.error:
            self._failure(step, event.error)
        enclosing = self.steps.get(step.parent)
        if enclosing is not None:
            enclosing.inside = event.error

    def _failure(self, step: Step, error: str) -> None:
        """Notes where an error came from; a block that only throws an earlier one again is not where."""
        first = _first_line(error)
        again = step.block and any(each.error == first for each in self.failures)
        if again or "FlowInterruptedException" in error or len(self.failures) >= MOST_FAILURES:
            return
        failure = Failure(step.name, step.arguments, step.line, step.node.name, first, tuple(step.output))
        if failure not in self.failures:
            self.failures.append(failure)

    def place(self, step: int, branch: str) -> Node:
        """Where a piece of output belongs: its step's node, else the innermost open stage of its branch."""
        found = self.steps.get(step)
        if found is not None:
            return found.node
        inner = self._inner.get(branch)
        return inner[-1] if inner else self.root

    def _output(self, event: Output) -> None:
        step = self.steps.get(event.step)
        if step is None:
            return
        # only the end of a long text is looked at: a step may print gigabytes
        tail = event.text[-LINES * WIDEST :].rstrip("\n").split("\n")[-LINES:]
        step.output.extend(clean(line)[:WIDEST] for line in tail)

    def _stage_started(self, event: StageStarted) -> None:
        step = self.steps.get(event.id)
        parent = step.node if step is not None else self.root
        node = Node(event.name, "stage", parent, event.at)
        parent.children.append(node)
        self._stages[event.id] = node
        self._inner.setdefault(event.branch, []).append(node)

    def _stage_ended(self, event: StageEnded) -> None:
        node = self._stages.pop(event.id, None)
        if node is None:
            return
        self.ended = node
        passed_over = event.status == "FAILED" and not node.entered and not node.children and bool(self.failures)
        node.status, node.seconds = "NOT_EXECUTED" if passed_over else event.status, event.seconds
        for inner in self._inner.values():
            if inner and inner[-1] is node:
                inner.pop()

    def _block_started(self, event: BlockStarted) -> None:
        if not event.title.startswith(BRANCH):
            return
        parent = self.node_of(event.step, "")
        node = Node(event.title.removeprefix(BRANCH), "branch", parent, event.at)
        parent.children.append(node)
        self._branches[event.step, event.branch] = node

    def _block_ended(self, event: BlockEnded) -> None:
        node = self._branches.pop((event.step, event.branch), None)
        if node is not None:
            node.status, node.seconds = "FAILED" if node.failed else "SUCCESS", event.at - node.started


def clean(line: str) -> str:
    """A line as it can be drawn: what a carriage return would have overwritten, escapes and control characters are gone."""
    line = line.rstrip("\r").rpartition("\r")[2]
    return ESCAPES.sub("", line).expandtabs(4) if not line.isprintable() else line


def _first_line(error: str) -> str:
    text = error.removeprefix("hudson.AbortException: ").strip()
    return text.split("\n")[0] if text else error


def duration(seconds: float) -> str:
    """A duration in a few characters: 0.4 s, 12.3 s, 4 min 05 s, 1 h 02 min."""
    if seconds < 99.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"
