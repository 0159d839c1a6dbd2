"""``post``: its conditions in their order, their results, errors in them."""

from __future__ import annotations

from typing import Any

import pytest

ORDER = ("always", "changed", "fixed", "regression", "aborted", "unsuccessful", "unstable", "failure", "success", "cleanup")
POST = "post {\n" + "\n".join(f"{name} {{ echo '> %s{name}' }}" for name in reversed(ORDER)) + "\n}"
DO = {
    "SUCCESS": "echo 'fine'",
    "UNSTABLE": "unstable 'meh'",
    "FAILURE": "error 'broken'",
    "ABORTED": "script { currentBuild.result = 'ABORTED' }",
    "NOT_BUILT": "script { currentBuild.result = 'NOT_BUILT' }",
}
ROWS = [
    (None, "SUCCESS", "always changed success cleanup"),
    (None, "FAILURE", "always changed unsuccessful failure cleanup"),
    ("SUCCESS", "SUCCESS", "always success cleanup"),
    ("SUCCESS", "UNSTABLE", "always changed regression unsuccessful unstable cleanup"),
    ("SUCCESS", "FAILURE", "always changed regression unsuccessful failure cleanup"),
    ("SUCCESS", "ABORTED", "always changed regression aborted unsuccessful cleanup"),
    ("SUCCESS", "NOT_BUILT", "always changed unsuccessful cleanup"),
    ("UNSTABLE", "FAILURE", "always changed regression unsuccessful failure cleanup"),
    ("UNSTABLE", "UNSTABLE", "always unsuccessful unstable cleanup"),
    ("FAILURE", "SUCCESS", "always changed fixed success cleanup"),
    ("UNSTABLE", "SUCCESS", "always changed fixed success cleanup"),
    ("ABORTED", "SUCCESS", "always changed success cleanup"),
]


def text(result: str) -> str:
    return f"pipeline {{ agent none\nstages {{ stage('A') {{\nsteps {{ {DO[result]} }}\n{POST % (('A ',) * len(ORDER))}\n}} }}\n{POST % (('',) * len(ORDER))}\n}}"


@pytest.mark.parametrize(("before", "now", "expected"), ROWS, ids=[f"{b}-{n}" for b, n, _ in ROWS])
def test_conditions_in_order(pipeline: Any, before: str | None, now: str, expected: str) -> None:
    if before is not None:
        # a past build's record is all that the next build looks at
        first = pipeline.root / "state/jobs/app/builds/1"
        first.mkdir(parents=True)
        (first / "build.json").write_text(f'{{"job": "app", "number": 1, "result": "{before}", "seconds": 1, "started": 1}}')
    out = pipeline(text(now))
    assert out.result == now
    assert [line for line in out.said if not line.startswith("A ")] == expected.split()
    assert [line[2:] for line in out.said if line.startswith("A ")] == expected.split()


def test_errors_in_post(pipeline: Any) -> None:
    out = pipeline(
        """
        pipeline {
          agent none
          stages {
            stage('A') {
              steps { echo '> ran' }
              post { always { error 'in stage post' }; cleanup { echo "> cleanup ${currentBuild.currentResult}" } }
            }
            stage('B') { steps { echo 'no' } }
          }
          post {
            always { error 'in always' }
            failure { echo "> failure ${currentBuild.currentResult}" }
            success { echo '> success' }
            cleanup { script { throw new IllegalStateException('in cleanup') } }
          }
        }
        """
    )
    assert out.result == "FAILURE"
    assert out.said == ["ran", "cleanup FAILURE", "failure FAILURE"]
    out.has("Error when executing always post condition:", "in stage post", 'Stage "B" skipped', "Error when executing always post condition:", "in always", "Error when executing cleanup post condition:", "in cleanup", "ERROR: in stage post")


def test_post_can_change_the_result(pipeline: Any) -> None:
    out = pipeline(
        """
        pipeline {
          agent any
          stages { stage('A') { steps { catchError(buildResult: 'SUCCESS', stageResult: 'UNSTABLE') { error 'caught' } } } }
          post {
            always { unstable 'from post'; echo "> ${currentBuild.result} ${currentBuild.currentResult}" }
            unstable { echo '> unstable'; sh 'echo "> node here"' }
            success { echo '> success' }
          }
        }
        """
    )
    assert (out.result, out.stages["A"]) == ("UNSTABLE", "UNSTABLE")
    assert out.said == ["UNSTABLE UNSTABLE", "unstable", "node here"]


def test_post_of_groups_parallel_and_cells(pipeline: Any) -> None:
    out = pipeline(
        """
        pipeline {
          agent none
          stages {
            stage('group') {
              stages { stage('g1') { steps { echo '> g1' } }; stage('g2') { steps { catchError { error 'x' } } } }
              post { failure { echo '> group failure' }; success { echo '> group success' } }
            }
            stage('split') {
              parallel { stage('p1') { steps { echo '> p1' }; post { always { echo '> p1 always' } } } }
              post { always { echo '> split always' } }
            }
          }
        }
        """
    )
    assert out.result == "FAILURE"
    assert out.said == ["g1", "group failure", "p1", "p1 always", "split always"]
