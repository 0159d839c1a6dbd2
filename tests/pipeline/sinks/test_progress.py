from __future__ import annotations

import pytest

from cibus.pipeline.events import (
    BlockEnded,
    BlockStarted,
    Output,
    StageEnded,
    StageStarted,
    StepEnded,
    StepStarted,
)
from cibus.pipeline.sinks.progress import LINES, Progress, clean, duration


def started(id: int, name: str, parent: int = 0, branch: str = "", *, block: bool = False) -> StepStarted:
    return StepStarted(id, parent, name, branch, id * 10, "", f"args of {id}", block)


def ended(id: int, name: str, error: str | None = None, branch: str = "") -> StepEnded:
    return StepEnded(id, name, branch, False, error, "real")


def feed(*events: object) -> Progress:
    progress = Progress()
    for event in events:
        progress.take(event)  # type: ignore[arg-type]
    return progress


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("10 %\r50 %\r100 %", "100 %"),
        ("done\r", "done"),
        ("a\x07b\x00c", "abc"),
        ("\x1b]0;title\x07text", "text"),
    ],
)
def test_clean(line: str, shown: str) -> None:
    assert clean(line) == shown


@pytest.mark.parametrize(("seconds", "text"), [(0.04, "0.0 s"), (12.34, "12.3 s"), (99.94, "99.9 s"), (99.96, "1 min 40 s"), (3720, "1 h 02 min")])
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_output_is_bounded() -> None:
    progress = feed(started(1, "sh"))
    for number in range(1000):
        progress.take(Output(f"line {number}\n" * 50, 1, ""))
    progress.take(Output("x" * 10_000_000 + "\n", 1, ""))
    kept = progress.steps[1].output
    assert len(kept) == LINES
    assert sum(map(len, kept)) < 10_000


def test_the_deepest_step_is_the_failure() -> None:
    progress = feed(
        started(1, "stage", block=True),
        StageStarted(1, "Test", 0, ""),
        started(2, "retry", 1, block=True),
        started(3, "sh", 2),
        Output("one\ntwo\n", 3, ""),
        ended(3, "sh", "hudson.AbortException: script returned exit code 2"),
        ended(2, "retry", "hudson.AbortException: script returned exit code 2"),
        ended(1, "stage", "hudson.AbortException: script returned exit code 2"),
    )
    (failure,) = progress.failures
    assert (failure.name, failure.line, failure.stage, failure.output) == ("sh", 30, "Test", ("one", "two"))
    assert failure.error == "script returned exit code 2"


def test_an_error_of_groovy_code_is_found_at_its_block() -> None:
    progress = feed(
        started(1, "stage", block=True),
        StageStarted(1, "Test", 0, ""),
        started(2, "sh", 1),
        ended(2, "sh", "hudson.AbortException: caught"),
        ended(1, "stage", "groovy.lang.MissingPropertyException: No such property: x"),
    )
    assert [failure.name for failure in progress.failures] == ["sh", "stage"]


def test_interruptions_are_no_failures() -> None:
    error = "org.jenkinsci.plugins.workflow.steps.FlowInterruptedException"
    assert feed(started(1, "sh"), ended(1, "sh", error)).failures == []


def test_a_stage_that_was_passed_over_shows_as_skipped() -> None:
    progress = feed(
        started(1, "stage", block=True),
        StageStarted(1, "Test", 0, ""),
        started(2, "sh", 1),
        ended(2, "sh", "hudson.AbortException: x"),
        StageEnded(1, "Test", "FAILED", 1.0),
        ended(1, "stage", "hudson.AbortException: x"),
        started(3, "stage", block=True),
        StageStarted(3, "Deploy", 0, ""),
        StageEnded(3, "Deploy", "FAILED", 0.0),
        ended(3, "stage", "hudson.AbortException: x"),
    )
    assert [(node.name, node.status) for _, node in progress.root.walk()] == [("Test", "FAILED"), ("Deploy", "NOT_EXECUTED")]
    assert len(progress.failures) == 1


def test_branches_of_declarative_are_their_stages() -> None:
    progress = feed(
        started(1, "stage", block=True),
        StageStarted(1, "Tests", 0, ""),
        started(2, "parallel", 1, block=True),
        BlockStarted(2, "Branch: Unit", "Unit"),
        BlockStarted(2, "Branch: bare", "bare"),
        started(3, "stage", 2, "Unit", block=True),
        StageStarted(3, "Unit", 1, "Unit"),
        started(4, "sh", 3, "Unit"),
        started(5, "sh", 2, "bare"),
    )
    assert [(depth, node.name, node.kind) for depth, node in progress.root.walk()] == [(0, "Tests", "stage"), (1, "Unit", "stage"), (1, "bare", "branch")]
    assert progress.place(4, "Unit").name == "Unit"
    assert progress.place(5, "bare").name == "bare"
    progress.take(ended(5, "sh", "hudson.AbortException: x", "bare"))
    progress.take(BlockEnded(2, "bare"))
    assert [node.status for _, node in progress.root.walk()] == [None, None, "FAILED"]
