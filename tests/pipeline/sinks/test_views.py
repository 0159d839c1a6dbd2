"""The views, fed with events: what is drawn fits, whatever the terminal and however many branches."""

from __future__ import annotations

import io
import random
import time

import pytest

from cibus.pipeline.events import (
    BlockStarted,
    Event,
    Output,
    PipelineEnded,
    Remark,
    RunEnded,
    RunStarted,
    StageEnded,
    StageStarted,
    StepEnded,
    StepStarted,
)
from cibus.pipeline.sinks.live import _rendered, view
from cibus.pipeline.sinks.livetree import lines
from cibus.pipeline.sinks.plain import Plain
from cibus.pipeline.sinks.progress import Progress
from cibus.pipeline.sinks.summary import summary

RECORD = {
    "folder": "/state/jobs/app/builds/3",
    "script": "Jenkinsfile",
    "resumable": True,
    "tests": {"total": 9, "failed": 1, "skipped": 2},
    "artifacts": ["a.txt", "b.txt"],
    "fidelity": {
        "steps": {"mail": {"recorded": 2}, "deploy": {"stubbed": 1}, "sh": {"real": 4}},
        "differences": ["mail: recorded, not sent", "label atom gpu is missing on this machine"],
    },
}


def failing() -> list[Event]:
    return [
        RunStarted("app", 3, ("Started by user admin",), "Jenkinsfile"),
        StepStarted(1, 0, "stage", "", 3, block=True),
        StageStarted(1, "Build", 0, ""),
        StepStarted(2, 1, "sh", "", 4, arguments="make all"),
        Output("+ make all\n", 2, ""),
        Output("cc \x1b[31mred\x1b[0m", 2, "", partial=True),
        Output(" end\n", 2, ""),
        StepEnded(2, "sh", "", False, "hudson.AbortException: script returned exit code 2", "real"),
        StageEnded(1, "Build", "FAILED", 2.5),
        StepEnded(1, "stage", "", True, "hudson.AbortException: script returned exit code 2", "real"),
        PipelineEnded(("ERROR: script returned exit code 2",), True),
        RunEnded("FAILURE", 3.0, RECORD),
    ]


def test_plain_lines() -> None:
    out, err = io.StringIO(), io.StringIO()
    plain = Plain(out, err)
    for event in failing():
        plain(event)
    plain(Remark("warning", "mind the gap"))
    assert out.getvalue().split("\n\n")[0].splitlines() == [
        "app #3",
        "stage Build",
        "  sh make all",
        "    + make all",
        "    cc red end",
        "stage Build: FAILED, 2.5 s",
        "ERROR: script returned exit code 2",
    ]
    assert "\x1b" not in out.getvalue()
    assert err.getvalue() == "cibus: warning: mind the gap\n"


def test_the_summary_says_what_failed_where_and_what_to_try() -> None:
    out = io.StringIO()
    plain = Plain(out, io.StringIO())
    for event in failing():
        plain(event)
    text = out.getvalue().partition("\n\n")[2]
    for part in (
        "✗ FAILURE  app #3, 3.0 s",
        "✗ Build",
        "failed: sh make all\n  at Jenkinsfile:4, stage Build\n",
        "  cc red",
        "  script returned exit code 2\n",
        "tests:     9, 1 failed, 2 skipped",
        "artifacts: 2 in /state/jobs/app/builds/3/artifacts",
        "log:       /state/jobs/app/builds/3/log",
        "not as CI: recorded mail ×2; stubbed deploy; label atom gpu",
        "next:      cibus run --resume\n",
        "cibus run --resume --on-failure shell\n",
    ):
        assert part in text
    assert "mail: recorded" not in text


def test_lines_of_branches_are_marked_and_never_mixed() -> None:
    out = io.StringIO()
    plain = Plain(out, io.StringIO())
    for event in (
        StepStarted(1, 0, "parallel", "", 1, block=True),
        BlockStarted(1, "Branch: a", "a"),
        BlockStarted(1, "Branch: b", "b"),
        StepStarted(2, 1, "sh", "a", 2, arguments="one"),
        StepStarted(3, 1, "sh", "b", 3, arguments="two"),
        Output("half", 2, "a", partial=True),
        Output("whole\nmore\n", 3, "b"),
        Output(" rest\n", 2, "a"),
    ):
        plain(event)
    assert out.getvalue().splitlines() == ["[a] sh one", "[b] sh two", "[a]   half", "[b]   whole", "[b]   more", "[a]    rest"]


def test_live_needs_a_terminal() -> None:
    assert isinstance(view("live", io.StringIO(), io.StringIO()), Plain)


def wide(branches: int, done: int = 0) -> Progress:
    progress = Progress()
    progress.take(RunStarted("app", 1, (), "Jenkinsfile"))
    progress.take(StepStarted(1, 0, "stage", "", 1, block=True))
    progress.take(StageStarted(1, "Fan", 0, ""))
    progress.take(StepStarted(2, 1, "parallel", "", 1, block=True))
    for number in range(branches):
        name = f"branch {number}"
        progress.take(BlockStarted(2, f"Branch: {name}", name))
        progress.take(StepStarted(10 + 2 * number, 2, "stage", name, 1, block=True))
        progress.take(StageStarted(10 + 2 * number, name, 1, name))
        if number < done:
            progress.take(StageEnded(10 + 2 * number, name, "FAILED" if number == 3 else "SUCCESS", 1.0))
        else:
            progress.take(StepStarted(11 + 2 * number, 10 + 2 * number, "sh", name, 1, arguments="make " + "x" * 300))
            progress.take(Output("output\n" * 20, 11 + 2 * number, name))
    return progress


@pytest.mark.parametrize("branches", [1, 3, 40, 1000])
@pytest.mark.parametrize(("width", "height"), [(200, 60), (80, 24), (40, 10), (20, 6), (5, 4)])
def test_the_tree_fits(branches: int, width: int, height: int) -> None:
    found = lines(wide(branches, branches // 2), height)
    assert 1 <= len(found) <= max(4, height)
    assert all(_rendered(line, width).cell_len <= max(width, 5) for line in found)


def test_of_a_thousand_branches_the_rest_is_counted() -> None:
    found = lines(wide(1000, 400), 20)
    text = "\n".join(line.text for line in found)
    assert "sh make" in text
    assert "399 done" in text


def test_drawing_a_thousand_branches_is_quick() -> None:
    progress = wide(1000, 400)
    started = time.perf_counter()
    lines(progress, 40)
    assert time.perf_counter() - started < 0.2


def test_a_long_summary_keeps_what_failed() -> None:
    progress = wide(1000, 1000)
    progress.result = "FAILURE"
    text = summary(progress, 1.0, RECORD)
    assert "✗ branch 3 " in text
    assert len(text.splitlines()) < 70


def test_any_order_of_events_is_survived() -> None:
    rng = random.Random(7)
    for _ in range(200):
        events = failing()
        rng.shuffle(events)
        plain = Plain(io.StringIO(), io.StringIO())
        progress = Progress()
        for event in events:
            plain(event)
            progress.take(event)
            lines(progress, 10)
