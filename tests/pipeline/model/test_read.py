from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cibus.pipeline.engine.process import Channel, Engine
from cibus.pipeline.lint import lint_text
from cibus.pipeline.model.read import Reading, read_pipeline
from cibus.pipeline.model.records import Pipeline, Pos
from cibus.pipeline.values import Thrown

GOLDEN = Path(__file__).parents[2] / "golden"
VALID = sorted(
    path.parent
    for path in GOLDEN.glob("*/*/Jenkinsfile")
    if path.parent.parent.name != "invalid" and "startup failed" not in (path.parent / "console.txt").read_text("utf-8")
)


def read(engine: Engine, source: str) -> Reading:
    found: list[Reading] = []

    def answer(channel: Channel, name: str, args: list[Any], line: int) -> Any:
        if name == "$pipeline.read":
            found.append(read_pipeline(args[0], args[1], source))
            return {"errors": [], "closures": [], "model": ""}
        return None

    before, engine.answer = engine.answer, answer
    try:
        engine.channel(0).compile(source, "WorkflowScript")
    except Thrown as error:  # what is wrong with the script beside its pipeline is not looked at here
        assert found, error
    finally:
        engine.answer = before
    return found[0]


def pipeline(engine: Engine, source: str) -> Pipeline:
    reading = read(engine, source)
    assert reading.problems == ()
    assert reading.pipeline is not None
    return reading.pipeline


STAGES = "stages { stage('A') { steps { echo 'a' } } }"


def test_steps_are_code_that_groovy_makes_callable(engine: Engine) -> None:
    found = pipeline(engine, "pipeline {\n  agent any\n  stages { stage('A') { steps { echo 'a' } } }\n}")
    stage = found.stages[0]
    assert (found.pos, stage.name, stage.pos) == (Pos(1, 1), "A", Pos(3, 12))
    assert stage.steps is not None
    assert found.closures == {stage.steps.node}


def test_constants_are_literals_and_the_rest_is_evaluated(engine: Engine) -> None:
    source = f"""pipeline {{
      agent none
      environment {{ A = 'x'; B = "b ${{A}}"; C = credentials('id'); D = 'a' + 'b'; E = func(1) }}
      {STAGES}
    }}"""
    found = pipeline(engine, source)
    a, b, c, d, e = found.environment
    assert [entry.name for entry in found.environment] == ["A", "B", "C", "D", "E"]
    assert (a.value.constant, a.value.literal) == (True, "x")
    assert (c.credentials, c.value.literal) == (True, "id")
    assert not any(entry.value.constant for entry in (b, d, e))
    assert b.value.text == '"b ${A}"'
    assert {b.value.node, d.value.node, e.value.node} <= found.closures
    assert a.value.node not in found.closures


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("'x'", "x"),
        ("3", 3),
        ("-3", -3),
        ("true", True),
        ("null", None),
        ("1.50", Decimal("1.50")),
        ("5000000000", 5000000000),
        ("['a', 'b']", ["a", "b"]),
        ("[a: 1, b: [2]]", {"a": 1, "b": [2]}),
        ("[:]", {}),
    ],
)
def test_literals(engine: Engine, text: str, literal: object) -> None:
    source = f"pipeline {{ agent any\n parameters {{ choice(name: 'A', choices: {text}) }}\n {STAGES} }}"
    value = pipeline(engine, source).parameters[0].get("choices")
    assert value is not None
    assert value.constant
    assert value.literal == literal
    assert str(value.literal) == str(literal)


@pytest.mark.parametrize(
    ("text", "kind", "args"),
    [
        ("agent any", "any", {}),
        ("agent none", "none", {}),
        ("agent { label 'x' }", "label", {"label": "x"}),
        ("agent { node { label 'x'; customWorkspace '/w' } }", "node", {"label": "x", "customWorkspace": "/w"}),
        ("agent { label { label 'x' } }", "node", {"label": "x"}),
        ("agent { docker 'img:1' }", "docker", {"image": "img:1"}),
        ("agent { docker { image 'i'; args '-v a:b'; reuseNode true } }", "docker", None),
        ("agent { dockerfile true }", "dockerfile", {}),
        ("agent { dockerfile { filename 'F'; dir 'd' } }", "dockerfile", {"filename": "F", "dir": "d"}),
        ("agent { kubernetes { yaml 'x' } }", "kubernetes", {"yaml": "x"}),
    ],
)
def test_agents(engine: Engine, text: str, kind: str, args: dict[str, str] | None) -> None:
    agent = pipeline(engine, f"pipeline {{ {text}\n {STAGES} }}").agent
    assert agent.kind == kind
    if args is not None:
        assert {name: value.literal for name, value in agent.args} == args


def test_sections_of_the_pipeline(engine: Engine) -> None:
    source = f"""pipeline {{
      agent any
      libraries {{ lib('shared@main') }}
      options {{ timeout(time: 1, unit: 'HOURS'); timestamps(); buildDiscarder(logRotator(numToKeepStr: '5')) }}
      parameters {{ string(name: 'A', defaultValue: 'x'); booleanParam(name: 'B') }}
      triggers {{ cron('@daily') }}
      tools {{ maven 'M3' }}
      {STAGES}
      post {{ always {{ echo 'x' }}; failure {{ echo 'y' }} }}
    }}"""
    found = pipeline(engine, source)
    timeout = found.option("timeout")
    discarder = found.option("buildDiscarder")
    assert [call.name for call in found.options] == ["timeout", "timestamps", "buildDiscarder"]
    assert timeout is not None
    assert {name: value.literal for name, value in timeout.named} == {"time": 1, "unit": "HOURS"}
    assert discarder is not None
    assert discarder.args[0].node in found.closures
    assert [call.name for call in found.parameters] == ["string", "booleanParam"]
    assert found.triggers[0].args[0].literal == "@daily"
    assert (found.tools[0].name, found.tools[0].args[0].literal) == ("maven", "M3")
    assert found.libraries[0].literal == "shared@main"
    assert [name for name, _ in found.post] == ["always", "failure"]


def test_when(engine: Engine) -> None:
    source = """pipeline { agent any
      stages { stage('A') {
        when { beforeAgent true; branch 'main'
          anyOf { environment name: 'A', value: 'b'; not { tag 'v*' } }
          expression { return true }
          triggeredBy cause: 'UserIdCause', detail: 'me' }
        steps { echo 'a' } } } }"""
    found = pipeline(engine, source)
    when = found.stages[0].when
    assert when is not None
    assert (when.before_agent, when.before_input, when.before_options) == (True, False, False)
    branch, any_of, expression, triggered = when.conditions
    assert branch.args[0].literal == "main"
    assert [child.name for child in any_of.children] == ["environment", "not"]
    assert any_of.children[1].children[0].name == "tag"
    assert expression.body is not None
    assert expression.body.node in found.closures
    detail = triggered.get("detail")
    assert detail is not None
    assert detail.literal == "me"


def test_nested_parallel_and_matrix(engine: Engine) -> None:
    source = """pipeline { agent none
      stages {
        stage('P') { failFast true
          parallel { stage('X') { agent any; stages { stage('X1') { steps { echo 'x' } } } }
                     stage('Y') { steps { echo 'y' } } } }
        stage('M') { matrix {
          agent { label "${OS}" }
          axes { axis { name 'OS'; values 'linux', 'mac' }
                 axis { name 'N'; values 1, true } }
          excludes { exclude { axis { name 'OS'; notValues 'mac' } } }
          environment { A = 'b' }
          stages { stage('T') { steps { echo 't' } } } } } } }"""
    found = pipeline(engine, source)
    split, matrix_stage = found.stages
    assert split.fail_fast
    assert [stage.name for stage in found.walk()] == ["P", "X", "X1", "Y", "M", "T"]
    matrix = matrix_stage.matrix
    assert matrix is not None
    assert [(axis.name, axis.values) for axis in matrix.axes] == [("OS", ("linux", "mac")), ("N", ("1", "true"))]
    assert [(axis.name, axis.values, axis.inverse) for axis in matrix.excludes[0]] == [("OS", ("mac",), True)]
    assert matrix.cell.agent is not None
    assert matrix.cell.environment[0].name == "A"
    assert matrix_stage.agent is None


def test_input(engine: Engine) -> None:
    source = """pipeline { agent any
      stages { stage('A') {
        input { message 'Go?'; ok 'Yes'; id 'go'; submitter 'a,b'; submitterParameter 'WHO'
                parameters { string(name: 'P') } }
        steps { echo 'a' } } } }"""
    given = pipeline(engine, source).stages[0].input
    assert given is not None
    values = [given.message, given.ok, given.id, given.submitter, given.submitter_parameter]
    assert [value and value.literal for value in values] == ["Go?", "Yes", "go", "a,b", "WHO"]
    assert given.parameters[0].name == "string"


def test_a_stage_without_a_name_is_called_error(engine: Engine) -> None:
    found = pipeline(engine, "pipeline { agent any\n stages { stage('') { steps { echo 'a' } } } }")
    assert found.stages[0].name == "error"


@pytest.mark.parametrize("case", VALID, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_recorded_pipelines_have_no_errors(engine: Engine, case: Path) -> None:
    result = lint_text((case / "Jenkinsfile").read_text("utf-8"), "Jenkinsfile", engine)
    assert result.errors == ()
