"""``--resume``: the script's variables are as they were before the stage that failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

VARIABLES = """
    def greeter
    def count = 1
    def names = ['a']
    def when
    pipeline {
      agent any
      stages {
        stage('Prepare') {
          steps {
            writeFile file: 'ci/greeter.groovy', text: 'def hello(x) { echo "> hello $x" }\\nreturn this\\n'
            script { greeter = load 'ci/greeter.groovy'; count = 42; names << 'b'; other = [k: 'v']; when = new Date() }
          }
        }
        stage('Fail') { steps { script { greeter.hello("$count $names ${other.k}") }; sh "test $BUILD_NUMBER = 2" } }
        stage('After') { steps { script { greeter.hello('again') } } }
      }
    }
    """


@pytest.mark.parametrize("cps", ["lenient", "strict"])
def test_local_variables_and_loaded_files_come_back(pipeline: Any, cps: str) -> None:
    config = f'[pipeline]\ncps = "{cps}"\n'
    first = pipeline(VARIABLES, config=config)
    assert first.result == "FAILURE"
    assert first.said == ["hello 42 [a, b] v"]
    second = pipeline(VARIABLES, config=config, resume=True)
    assert second.result == "SUCCESS"
    assert second.said == ["hello 42 [a, b] v", "hello again"]
    assert any("the variable when could not be kept" in remark for remark in second.remarks)


HEAVY = """
    pipeline {
      agent any
      stages {
        stage('Make') { steps { script { word = 'kept'; writeFile file: 'big', text: 'x' * 5000 } } }
        stage('Fail') { steps { echo "> $word ${fileExists('big')}"; sh "test $BUILD_NUMBER = 2" } }
      }
    }
    """


def test_no_more_is_held_than_there_is_room_for(pipeline: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cibus.pipeline.runtime.snapshots.GIB", 800)  # five of them
    first = pipeline(HEAVY)
    assert any("the workspace is not held for stage Fail" in remark and "keep_space" in remark for remark in first.remarks)
    second = pipeline(HEAVY, resume=True)
    assert second.result == "SUCCESS"  # the workspace itself is still there
    assert second.said == ["kept true"]


def test_a_variable_with_a_secret_is_not_kept(pipeline: Any, tmp_path: Path) -> None:
    script = """
    pipeline {
      agent any
      stages {
        stage('Make') { steps { withCredentials([string(credentialsId: 'c', variable: 'C')]) { script { hidden = "is $C"; open = 'fine'; env.SHOWN = C } } } }
        stage('Fail') { steps { error 'no' } }
      }
    }
    """
    config = '[credentials.c]\nkind = "string"\nsecret = { value = "canary-1234-secret" }\n'
    assert pipeline(script, config=config).result == "FAILURE"
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("resume/*") if path.is_file())
    assert all(word in kept for word in (b"open", b"hidden", b"env.SHOWN"))
    assert b"canary" not in kept
