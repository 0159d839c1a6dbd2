"""Choosing stages: --stage, --skip, --from, --until, --resume."""

from __future__ import annotations

from typing import Any

import pytest

STAGES = """
    pipeline {
      agent any
      stages {
        stage('Prepare') { steps { echo '> Prepare' } }
        stage('Group') {
          stages {
            stage('Unit one') { steps { echo '> Unit one' } }
            stage('Unit two') { steps { echo '> Unit two' } }
          }
        }
        stage('Split') {
          parallel {
            stage('Left') { steps { echo '> Left' } }
            stage('Right') { stages { stage('Deep') { steps { echo '> Deep' } }; stage('Deeper') { steps { echo '> Deeper' } } } }
          }
        }
        stage('Grid') { matrix { axes { axis { name 'N'; values '1', '2' } }; stages { stage('Cell') { steps { echo "> Cell ${N}" } } } } }
        stage('Ship') { steps { echo '> Ship' } }
      }
      post { always { echo '> post' } }
    }
    """
ROWS: list[tuple[dict[str, Any], str]] = [
    ({"only": ("Prepare",)}, "Prepare"),
    ({"only": ("Unit*",)}, "Unit one,Unit two"),
    ({"only": ("Group",)}, "Unit one,Unit two"),
    ({"only": ("Deep",)}, "Deep"),
    ({"only": ("Cell",)}, "Cell 1,Cell 2"),
    ({"only": ("Matrix - N = '2'",)}, "Cell 2"),
    ({"skip": ("Matrix - N = '2'", "Split")}, "Prepare,Unit one,Unit two,Cell 1,Ship"),
    ({"only": ("Prepare", "Ship")}, "Prepare,Ship"),
    ({"start": "Grid", "skip": ("Grid",)}, "Ship"),
    ({"until": "Group", "skip": ("Group",)}, "Prepare"),
    ({"skip": ("Split", "Grid")}, "Prepare,Unit one,Unit two,Ship"),
    ({"skip": ("Unit one", "Left", "Deep*", "Grid")}, "Prepare,Unit two,Ship"),
    ({"start": "Grid"}, "Cell 1,Cell 2,Ship"),
    ({"start": "Unit two", "skip": ("Split", "Grid")}, "Unit two,Ship"),
    ({"start": "Group", "until": "Group"}, "Unit one,Unit two"),
    ({"until": "Group"}, "Prepare,Unit one,Unit two"),
    ({"until": "Unit one"}, "Prepare,Unit one"),
    ({"start": "Deeper", "until": "Split"}, "Deeper"),
    ({"only": ("Unit*",), "skip": ("*two",)}, "Unit one"),
]


@pytest.mark.parametrize(("selection", "expected"), ROWS, ids=[str(row[0]) for row in ROWS])
def test_selection(pipeline: Any, selection: dict[str, Any], expected: str) -> None:
    out = pipeline(STAGES, selection=selection)
    assert out.result == "SUCCESS"
    assert sorted(out.said) == sorted([*expected.split(","), "post"])
    assert "skipped since it is not selected" in out.log


@pytest.mark.parametrize("selection", [{"only": ("Nothing*",)}, {"start": "Nowhere"}, {"until": "Nowhere"}])
def test_a_selection_that_fits_nothing_says_so(pipeline: Any, selection: dict[str, Any]) -> None:
    out = pipeline(STAGES, selection=selection)
    assert out.error is not None
    assert out.error.exit_code == 2
    assert "Prepare" in str(out.error)


RESUME = """
    import groovy.transform.Field
    @Field int counted = 0
    later = 'unset'
    pipeline {
      agent any
      environment { FIXED = 'fixed' }
      stages {
        stage('Build') {
          steps {
            sh 'echo built >> built.txt'
            stash name: 'b', includes: 'built.txt'
            script { counted = 5; later = [a: [1, 2], b: 'text']; env.VERSION = '1.2.3' }
          }
        }
        stage('Test') {
          steps {
            echo "> ${counted} ${later} ${env.VERSION} ${FIXED}"
            sh 'wc -l < built.txt | sed "s/^ */> lines /"; echo half > half.txt'
            dir('un') { unstash 'b'; sh 'cat built.txt' }
            sh 'test -e ../../ok'
          }
        }
        stage('Ship') { steps { echo "> shipped ${VERSION}" } }
      }
    }
    """


def test_resume(pipeline: Any) -> None:
    first = pipeline(RESUME)
    assert first.result == "FAILURE"
    assert first.said == ["5 [a:[1, 2], b:text] 1.2.3 fixed", "lines 1"]
    (first.workspace / "half.txt").write_text("spoilt")
    (first.workspace / "built.txt").unlink()
    (pipeline.root / "ok").touch()
    second = pipeline(None, resume=True)
    assert second.result == "SUCCESS"
    assert second.said == ["5 [a:[1, 2], b:text] 1.2.3 fixed", "lines 1", "shipped 1.2.3"]
    second.has('Stage "Build" skipped since it is not selected (--resume)')
    assert any("resuming build #1 at stage Test" in remark for remark in second.remarks)


def test_resume_needs_a_failed_build(pipeline: Any) -> None:
    from cibus.errors import UsageError

    with pytest.raises(UsageError, match="run it once without --resume"):
        pipeline("pipeline { agent none; stages { stage('A') { steps { echo 'x' } } } }", resume=True)
