"""junit and its kin: test results."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cibus.pipeline.antglob import scan
from cibus.pipeline.javatext import expand, time_span
from cibus.pipeline.steps.context import StepContext
from cibus.pipeline.steps.registry import step
from cibus.pipeline.values import Thrown

if TYPE_CHECKING:
    from cibus.pipeline.formats.junitxml import Results

NO_FILES = "No test report files were found. Configuration error?"
NO_RESULT = "None of the test reports contained any result"
MARGIN = 3.0  # seconds; file systems and clocks are not exact
STDIO = 1000  # characters of a passed test's output that are kept without keepLongStdio


class Summary:
    """What junit gives: ``totalCount``, ``failCount``, ``skipCount``, ``passCount``."""

    remote_id: int

    def __init__(self, total: int, failed: int, skipped: int) -> None:
        self._values = {
            "totalCount": total,
            "failCount": failed,
            "skipCount": skipped,
            "passCount": total - failed - skipped,
        }

    def get(self, name: str) -> Any:
        """A count."""
        if name not in self._values:
            raise Thrown(
                "groovy.lang.MissingPropertyException",
                f"No such property: {name} for class: hudson.tasks.junit.TestResultSummary",
            )
        return self._values[name]

    def set(self, name: str, value: Any) -> None:
        """Counts cannot be set."""
        raise Thrown(
            "groovy.lang.ReadOnlyPropertyException",
            f"Cannot set readonly property: {name} for class: hudson.tasks.junit.TestResultSummary",
        )

    def invoke(self, call: Any, name: str, args: list[Any]) -> Any:
        """The getters."""
        if name.startswith("get") and len(name) > 3 and not args:
            return self.get(name[3].lower() + name[4:])
        if name == "toString":
            return str(self)
        raise Thrown(
            "groovy.lang.MissingMethodException",
            f"No signature of method: hudson.tasks.junit.TestResultSummary.{name}() is applicable for argument types: "
            f"() values: {args}",
        )

    def __str__(self) -> str:
        return "hudson.tasks.junit.TestResultSummary@1"


@step("junit", plugin="junit", node=True)
def junit(
    ctx: StepContext,
    testResults: str,
    allowEmptyResults: bool = False,
    keepLongStdio: bool = False,
    keepProperties: bool = False,
    keepTestNames: bool = False,
    healthScaleFactor: float = 1.0,
    testDataPublishers: list[Any] | None = None,
    skipPublishingChecks: bool = False,
    checksName: str | None = None,
    skipMarkingBuildUnstable: bool = False,
    skipOldReports: bool = False,
    stdioRetention: str = "",
) -> Any:
    """Reads JUnit reports; failed tests make stage and build UNSTABLE; mirrors junit 1.44."""
    try:
        results = _recorded(ctx, testResults, allowEmptyResults, skipOldReports)
    except Thrown as problem:
        ctx.log(problem.message or "null")
        raise
    if not skipPublishingChecks:
        ctx.log("[Checks API] No suitable checks publisher found.")
    failed, skipped = results.count("failed"), results.count("skipped")
    ctx.build.add_tests(results.total, failed, skipped)
    _write(ctx, results, keepLongStdio or stdioRetention.lower() == "all")
    if failed:
        ctx.mark_stage("UNSTABLE")
        if not skipMarkingBuildUnstable:
            ctx.build.set_result("UNSTABLE")
    return ctx.run.remote(Summary(results.total, failed, skipped))


def _recorded(ctx: StepContext, masks: str, allow_empty: bool, skip_old: bool) -> Results:
    from cibus.pipeline.formats.junitxml import Results, read

    root = ctx.cwd
    root.mkdir(parents=True, exist_ok=True)
    ctx.log("Recording test results")
    names = scan(root, expand(masks, ctx.environ()))
    results = Results()
    if not names and not allow_empty:
        raise ctx.fail(NO_FILES)
    with ctx.suspended():
        try:
            for path in _fresh(ctx, root, names, skip_old):
                read(path, results)
        except OSError as error:
            raise Thrown("java.io.IOException", str(error)) from error
    if not results.total and ctx.build.result != "FAILURE":
        if not allow_empty:
            raise ctx.fail(NO_RESULT)
        ctx.log(NO_RESULT)
    return results


def _fresh(ctx: StepContext, root: Path, names: list[str], skip_old: bool) -> list[Path]:
    """The reports written during this build; raises where there are only old ones."""
    started = ctx.build.started
    fresh = [root / name for name in names if (root / name).stat().st_mtime >= started - MARGIN]
    if fresh or not names or skip_old:
        return fresh
    if time.time() < started - 1:
        raise ctx.fail(
            "Clock on this slave is out of sync with the master, and therefore \n"
            "I can't figure out what test results are new and what are old.\n"
            "Please keep the slave clock in sync with the master."
        )
    first = root / names[0]
    age = time_span(started - first.stat().st_mtime)
    raise ctx.fail(
        f"Test reports were found but none of them are new. Did leafNodes run? \nFor example, {first} is {age} old\n"
    )


def _write(ctx: StepContext, results: Results, keep_output: bool) -> None:
    """Adds the cases to the build's ``reports/tests.json``."""
    path = ctx.build.reports_dir / "tests.json"
    cases = json.loads(path.read_text("utf-8")) if path.exists() else []
    for suite in results.suites:
        for case in suite.cases:
            cut = keep_output or case.status == "failed" or len(case.output) <= STDIO
            cases.append(
                {
                    "suite": suite.name,
                    "class": case.class_name,
                    "name": case.name,
                    "status": case.status,
                    "seconds": case.seconds,
                    "message": case.message,
                    "trace": case.trace,
                    "output": case.output if cut else case.output[:STDIO],
                    "stage": ctx.scope.stage_name,
                }
            )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(cases, ensure_ascii=False), "utf-8")
