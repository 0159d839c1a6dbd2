from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.pipeline.steps.conftest import Steps

GOOD = '<testsuite name="a" tests="1"><testcase classname="a.B" name="c"/></testsuite>'
BAD = '<testsuite name="b"><testcase classname="b.B" name="d"><failure message="m"/></testcase></testsuite>'
CHECKS = "[Checks API] No suitable checks publisher found."


def test_passing(steps: Steps) -> None:
    steps.write("t.xml", text=GOOD)
    summary = steps("junit", "t.xml")
    assert steps.log == ["Recording test results", CHECKS]
    assert [summary.get(n) for n in ("totalCount", "failCount", "skipCount", "passCount")] == [1, 0, 0, 1]
    assert summary.invoke(None, "getTotalCount", []) == 1
    assert (steps.ctx.build.result, steps.ctx.marks) == (None, [])


def test_failures_accumulate(steps: Steps) -> None:
    steps.write("a/t.xml", text=GOOD)
    steps.write("b.xml", text=BAD)
    steps("junit", testResults="a/*.xml", skipPublishingChecks=True)
    summary = steps("junit", testResults="**/b.xml")
    assert steps.log == ["Recording test results", "Recording test results", CHECKS]
    assert summary.get("totalCount") == 1
    assert steps.ctx.build.tests.as_json() == {"total": 2, "failed": 1, "skipped": 0}
    assert (steps.ctx.build.result, steps.ctx.marks) == ("UNSTABLE", ["UNSTABLE"])
    merged = json.loads((steps.ctx.build.reports_dir / "tests.json").read_text())
    assert [(c["class"], c["name"], c["status"]) for c in merged] == [("a.B", "c", "passed"), ("b.B", "d", "failed")]


def test_stage_only(steps: Steps) -> None:
    steps.write("b.xml", text=BAD)
    steps("junit", testResults="b.xml", skipMarkingBuildUnstable=True)
    assert (steps.ctx.build.result, steps.ctx.marks) == (None, ["UNSTABLE"])


def test_no_files(steps: Steps) -> None:
    failed = steps.fails("junit", "absent.xml")
    assert failed.is_abort_exception
    assert failed.message == "No test report files were found. Configuration error?"
    assert steps.log == ["Recording test results", failed.message]
    steps("junit", testResults="absent.xml", allowEmptyResults=True)
    assert steps.log == ["Recording test results", "None of the test reports contained any result", CHECKS]


def test_no_results(steps: Steps) -> None:
    steps.write("t.xml", text="<testsuite/>")
    failed = steps.fails("junit", "t.xml")
    assert failed.message == "None of the test reports contained any result"


def test_old_files(steps: Steps) -> None:
    steps.write("t.xml", text=GOOD)
    old = time.time() - 3700
    os.utime(steps.root / "t.xml", (old, old))
    failed = steps.fails("junit", "t.xml")
    assert failed.message == (
        "Test reports were found but none of them are new. Did leafNodes run? \n"
        f"For example, {steps.root}/t.xml is 1 hr 1 min old\n"
    )
    steps("junit", testResults="t.xml", skipOldReports=True, allowEmptyResults=True)


def test_not_a_report(steps: Steps) -> None:
    steps.write("t.txt", text="no xml")
    failed = steps.fails("junit", "t.txt")
    assert failed.class_name == "java.io.IOException"
    assert failed.message == (
        f"Failed to read {steps.root}/t.txt\n"
        "Is this really a JUnit report file? Your configuration must be matching too many files"
    )
