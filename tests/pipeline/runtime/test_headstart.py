"""The second run of a script begins before Groovy has compiled it, and does the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from cibus.pipeline.runtime import headstart

PLAIN = """
    pipeline {
      agent any
      environment { COLOUR = 'red' }
      options { timeout(time: 5) }
      stages {
        stage('A') {
          steps {
            echo '> a'
            sh script: 'echo "> $COLOUR"', label: 'paint'
            dir('sub') { writeFile file: 'f', text: 'x'; sh 'echo "> $(cat f)"' }
            retry(2) { catchError(buildResult: 'SUCCESS', stageResult: 'UNSTABLE') { sh 'exit 3' } }
            withEnv(['COLOUR=blue']) { sh 'echo "> $COLOUR"' }
          }
          post { always { echo '> post A' } }
        }
        stage('B') {
          parallel {
            stage('L') { steps { sleep 1; echo '> L' } }
            stage('R') { steps { echo '> R' } }
          }
        }
      }
      post { cleanup { echo '> end' } }
    }
    """
MIXED = """
    pipeline {
      agent any
      stages {
        stage('A') { steps { echo '> a'; sh 'echo X > f' } }
        stage('B') { steps { script { greeting = readFile('f').trim(); echo = { text -> println "mine: $text" } } } }
        stage('C') { when { expression { greeting == 'X' } }; steps { echo '> shadowed' } }
        stage('D') { steps { sh "echo '> ${greeting} ${env.BUILD_NUMBER}'" } }
        stage('E') { failFast true; parallel { stage('L') { steps { sh "echo '> L'; exit 4" } }; stage('R') { steps { echo '> R'; sleep 20 } } } }
      }
      post { always { sh 'echo "> post"' } }
    }
    """
FAILING = """
    pipeline {
      agent any
      stages { stage('A') { steps { sh 'echo "> before"; false' } } }
      post { failure { echo '> failed' } }
    }
    """
THROWING = """
    pipeline { agent any; stages { stage('A') { steps { readFile 'nothing' } } } }
    """
UNKNOWN = """
    pipeline { agent any; stages { stage('A') { steps { echo '> a' } }; stage('B') { steps { frobnicate 'x' } } } }
    """


class Watched:
    """The head starts that were had."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.had: list[Any] = []
        before = headstart.HeadStart.execute

        def execute(start: Any) -> None:
            self.had.append(start)
            before(start)

        monkeypatch.setattr(headstart.HeadStart, "execute", execute)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(monkeypatch)


def both(pipeline: Any, tmp_path: Path, text: str, **options: Any) -> tuple[Any, Any]:
    """The same first build of a job, without and with a head start."""
    text += f"// {tmp_path}\n"  # a script that nobody has run yet
    one, two = (pipeline(text, state_dir=tmp_path / name, workspace_root=tmp_path / f"w{name}", **options) for name in ("one", "two"))
    return one, two


def settled(outcome: Any) -> list[str]:
    """The log's lines in a fixed order, without what no two runs share and without the frames of stack traces."""
    lines = [line for line in outcome.log.split("\n") if not line.startswith("\tat ")]
    return sorted(re.sub(r"/w(one|two)\b|@tmp/durable-\w+|\[\d+\]", "", line) for line in lines)


@pytest.mark.parametrize(
    ("text", "result", "needed"),
    [(PLAIN, "SUCCESS", False), (MIXED, "FAILURE", True), (FAILING, "FAILURE", False), (THROWING, "FAILURE", True), (UNKNOWN, "FAILURE", True)],
    ids=["plain", "mixed", "failing", "throwing", "unknown"],
)
def test_both_runs_do_the_same(pipeline: Any, watched: Watched, tmp_path: Path, text: str, result: str, needed: bool) -> None:
    one, two = both(pipeline, tmp_path, text)
    assert len(watched.had) == 1
    assert watched.had[0].needed is needed
    assert (one.result, two.result) == (result, result)
    assert settled(one) == settled(two)
    assert one.stages == two.stages
    assert one.report["fidelity"] == two.report["fidelity"]


def test_strict_mode_has_one_too(pipeline: Any, watched: Watched, tmp_path: Path) -> None:
    one, two = both(pipeline, tmp_path, PLAIN, config='[pipeline]\ncps = "strict"\n')
    assert len(watched.had) == 1
    assert settled(one) == settled(two)


def test_a_stub_is_called_by_groovy(pipeline: Any, watched: Watched, tmp_path: Path) -> None:
    text = "pipeline { agent any; stages { stage('A') { steps { deploy 'x' } } } }\n"
    _, two = both(pipeline, tmp_path, text, config='[stubs.deploy]\nreturns = "ok"\n')
    assert two.result == "SUCCESS"
    assert watched.had[0].needed


@pytest.mark.parametrize("before", ["def x = 1\n", "def echo(text) { println text }\n"])
def test_a_script_with_more_than_the_block_has_none(pipeline: Any, watched: Watched, tmp_path: Path, before: str) -> None:
    one, two = both(pipeline, tmp_path, before + "pipeline { agent any; stages { stage('A') { steps { echo 'x' } } } }\n")
    assert (one.result, two.result) == ("SUCCESS", "SUCCESS")
    assert not watched.had


def test_a_spoilt_tree_is_read_anew(pipeline: Any, watched: Watched, tmp_path: Path) -> None:
    text = f"pipeline {{ agent any; stages {{ stage('A') {{ steps {{ echo 'x' }} }} }} }} // {tmp_path}\n"
    assert [pipeline(text).result for _ in range(2)] == ["SUCCESS"] * 2
    place = headstart.place(watched.had.pop().run)
    place.write_bytes(place.read_bytes()[:20])
    assert pipeline(text).result == "SUCCESS"
    assert not watched.had
    assert pipeline(text).result == "SUCCESS"
    assert len(watched.had) == 1
