"""``--resume``: the script's variables are as they were before the stage that failed."""

from __future__ import annotations

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
