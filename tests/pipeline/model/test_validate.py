from __future__ import annotations

import re
from pathlib import Path

import pytest

from cibus.pipeline.engine.process import Engine
from cibus.pipeline.lint import lint_text

INVALID = sorted((Path(__file__).parents[2] / "golden" / "invalid").iterdir())


def found(engine: Engine, source: str) -> list[tuple[str, int, int]]:
    return [(f.message, f.line, f.column) for f in lint_text(source, "Jenkinsfile", engine).errors]


def messages(engine: Engine, source: str) -> list[str]:
    return [message for message, _, _ in found(engine, source)]


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case.name)
def test_what_jenkins_prints(engine: Engine, case: Path) -> None:
    result = lint_text((case / "Jenkinsfile").read_text("utf-8"), "Jenkinsfile", engine)
    want = (case / "validate.txt").read_text("utf-8")
    assert re.sub(r"\n+", "\n", result.jenkins.strip()) == re.sub(r"\n+", "\n", want.strip())


def in_pipeline(text: str) -> str:
    return f"pipeline {{\nagent any\n{text}\nstages {{ stage('A') {{ steps {{ echo 'a' }} }} }}\n}}"


def in_stage(text: str) -> str:
    return f"pipeline {{\nagent any\nstages {{\nstage('A') {{\n{text}\n}}\n}}\n}}"


def in_steps(text: str) -> str:
    return in_stage(f"steps {{\n{text}\n}}")


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("environment 'x'", ("Expected a block for environment", 3, 1)),
        ("environment { A = 'x'; A = 'y' }", ('Duplicate environment variable name: "A"', 3, 24)),
        (
            "environment { A = 'x' - 'y' }",
            ("Environment variable values can only be joined together with ‘+’s.", 3, 23),
        ),
        (
            "environment { A = ['x'] }",
            ("Environment variable values must either be single quoted, double quoted, or function calls.", 3, 19),
        ),
        ("tools { maven() }", ('No argument for tool "maven"', 3, 9)),
        ("tools { maven 'a', 'b' }", ('Too many arguments for tool "maven"', 3, 9)),
        ("tools { }", ("No tools specified", 3, 1)),
        ("tools { maven }", ('Expected to find ‘someTool "someVersion"’', 3, 1)),
        ("options { }", ("options can not be empty", 3, 1)),
        ("options { timeout(1) { } }", ("Options definitions cannot have blocks", 3, 11)),
        ("options { timeout(time: 1, 2) }", ("Cannot mix named and unnamed arguments", 3, 11)),
        ("options { [a: 1] }", ("Options cannot be defined as maps", 3, 11)),
        ("parameters { }", ("parameters can not be empty", 3, 1)),
        ("parameters { 'x' }", ("Expected a build parameter definition", 3, 14)),
        (
            "parameters { string(name: 5) }",
            (
                'Expecting "class java.lang.String" for parameter "name" but got "5" of type '
                "class java.lang.Integer instead",
                3,
                27,
            ),
        ),
        ("triggers { cron() }", ('"cron" should have 1 arguments but has 0 arguments instead.', 3, 12)),
        ("triggers { cron('@daily'); cron('@weekly') }", ('Duplicate trigger name: "cron"', 3, 1)),
        (
            "triggers { banana('x') }",
            ('Invalid trigger type "banana". Valid trigger types: [upstream, cron, githubPush, pollSCM]', 3, 12),
        ),
        ("triggers { upstream(upstreamWhat: 'x') }", None),
        ("libraries { }", ("libraries can not be empty", 3, 1)),
        ("libraries { foo('x') }", ("Expected a \"lib(...)\" but got foo('x')", 3, 1)),
        (
            "notifications { }",
            (
                "The ‘notifications’ section has been removed as of version 0.6. "
                "Use ‘post’ for all post-build actions.",
                3,
                1,
            ),
        ),
        ("echo", ('Not a valid section definition: "echo". Some extra configuration is required.', 3, 1)),
        ("agent none", ("Multiple occurrences of the agent section", 3, 1)),
        ("post { always }", None),
    ],
)
def test_pipeline_sections(engine: Engine, text: str, want: tuple[str, int, int] | None) -> None:
    got = found(engine, in_pipeline(text))
    assert got
    if want is not None:
        assert got[0] == want


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("when { }\nsteps { echo 'x' }", ("Empty when closure, remove the property or add some content.", 5, 1)),
        ("when { 'x' }\nsteps { echo 'x' }", ("Expected a when condition", 5, 1)),
        (
            "when { allOf('x') { branch 'y' } }\nsteps { echo 'x' }",
            ('No additional arguments are allowed for children when condition "allOf".', 5, 8),
        ),
        (
            "when { branch('x') { branch 'y' } }\nsteps { echo 'x' }",
            ('No children when conditions are allowed for when condition "branch".', 5, 8),
        ),
        ("when { environment name: 'A' }\nsteps { echo 'x' }", ('Missing required parameter: "value"', 5, 8)),
        (
            "when { environment banana: 'A', value: 'b' }\nsteps { echo 'x' }",
            ('Invalid parameter "banana", did you mean "name"?', 5, 20),
        ),
        ("when { beforeAgent 'x'; branch 'y' }\nsteps { echo 'x' }", ("Expected a boolean with beforeAgent", 5, 8)),
        ("input { message 'a'; banana 'b' }\nsteps { echo 'x' }", ('Not a valid field for input: "banana"', 5, 22)),
        (
            "input { message 'a'; message 'b' }\nsteps { echo 'x' }",
            ("Multiple occurrences of the message section", 5, 1),
        ),
        ("steps { }", ("No steps specified for branch", 5, 7)),
        ("steps { echo 'x' }\nsteps { echo 'y' }", ("Multiple occurrences of the steps section", 4, 1)),
        ("failFast 'x'\nsteps { echo 'x' }", ("Expected a boolean with failFast", 5, 1)),
        (
            "agent { label 'a'; label 'b' }\nsteps { echo 'x' }",
            ("Only one agent type is allowed per agent section", 5, 1),
        ),
        (
            "agent { banana 'a' }\nsteps { echo 'x' }",
            ('Invalid agent type "banana" specified. Must be one of [any, docker, dockerfile, label, none]', 5, 9),
        ),
        (
            "agent { docker { args 'a' } }\nsteps { echo 'x' }",
            ('Missing required parameter for agent type "docker": image', 5, 9),
        ),
        (
            "agent any\nparallel { stage('X') { steps { echo 'x' } } }",
            ('"agent" is not allowed in stage "A" as it contains parallel stages', 5, 1),
        ),
        (
            "tools { maven 'x' }\nparallel { stage('X') { steps { echo 'x' } } }",
            ('"tools" is not allowed in stage "A" as it contains parallel stages', 5, 1),
        ),
        (
            "parallel { stage('X') { parallel { stage('Y') { steps { echo 'x' } } } } }",
            ("Parallel stages or branches can only be included in a top-level stage.", 5, 25),
        ),
        (
            "parallel { stage('X') { steps { echo 'x' } }\nstage('X') { steps { echo 'x' } } }",
            ('Duplicate stage name: "X"', 5, 1),
        ),
        ("parallel { }", ("No stages specified", 5, 1)),
        ("stages { }", ("No stages specified", 5, 1)),
        ("post { sometimes { echo 'x' } }\nsteps { echo 'x' }", None),
    ],
)
def test_stage_sections(engine: Engine, text: str, want: tuple[str, int, int] | None) -> None:
    got = found(engine, in_stage(text))
    assert got
    if want is not None:
        assert got[0] == want


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("writeFile(text: 'x', file: 5)", None),
        ("dir('x') { if (true) { echo 'y' } }", ("Expected a step", 6, 12)),
        ("dir('x') { sleep 'y' }", None),
        ("def a = 1", ("Expected a step", 6, 1)),
        ('"x"', ("Expected a step", 6, 1)),
        ("echo ${FOO}", ('${FOO} cannot be used as a value directly. Did you mean "${FOO}"?', 6, 6)),
        ("script", ("Expected a step", 6, 1)),
        ("script 'x'", ("Script step without a block", 6, 1)),
        (
            "stage('x') { echo 'y' }",
            (
                'Invalid step "stage" used - not allowed in this context - '
                "The stage step cannot be used in Declarative Pipelines",
                6,
                1,
            ),
        ),
        (
            "echo 'x'\nparallel(a: { echo 'y' })",
            (
                'Invalid step "parallel" used - not allowed in this context - '
                "The parallel step can only be used as the only top-level step in a stages step block",
                7,
                1,
            ),
        ),
        ("parallel(a: 5)", ("Expected closure or failFast", 6, 10)),
        ("parallel(failFast: 'x', a: { echo 'y' })", ("Expected a boolean with failFast", 6, 10)),
        ("foo.bar()", ('Method calls on objects not allowed outside "script" blocks.', 6, 1)),
        ("sleep 'y', 'z'", ('Arguments to "sleep" must be explicitly named.', 6, 1)),
    ],
)
def test_steps(engine: Engine, text: str, want: tuple[str, int, int] | None) -> None:
    got = found(engine, in_steps(text))
    assert got
    if want is not None:
        assert got[0] == want


@pytest.mark.parametrize(
    "text",
    [
        "script { def a = 1; if (a) { echo 'x' } }",
        "uploadEverything 'x', 5",
        "checkout([$class: 'GitSCM', branches: [[name: 'x']]])",
        "checkout scm",
        'echo "a ${env.B}"',
        "retry(3) { sh 'x' }",
        "timeout(time: 1, unit: 'HOURS') { sh label: 'a', script: 'b' }",
        'timeout(5) { sh(returnStdout: true, script: "x ${y}") }',
        "parallel(a: { echo 'x' }, b: { echo 'y' }, failFast: true)",
        "withCredentials([string(credentialsId: 'a', variable: 'B')]) { sh 'x' }",
        "step([$class: 'X', a: 1])",
        "error 'x'",
        "milestone 1",
        "lock('x') { echo 'y' }",
        "input 'Go?'",
    ],
)
def test_what_passes(engine: Engine, text: str) -> None:
    assert found(engine, in_steps(text)) == []


def test_a_method_of_the_script_is_not_taken_for_a_step(engine: Engine) -> None:
    assert found(engine, "def sleep(a, b) { }\n" + in_steps("sleep 'a', 'b'")) == []


def test_groovy_gives_up_after_ten_errors(engine: Engine) -> None:
    assert len(messages(engine, in_steps("def a = 1\n" * 20))) == 10


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (
            "axes { axis { name 'A' } }\nstages { stage('T') { steps { echo 'x' } } }",
            'Missing required section "values"',
        ),
        (
            "axes { axis { name 'A'; values '1', '1' } }\nstages { stage('T') { steps { echo 'x' } } }",
            'Duplicate axis value: "1"',
        ),
        ("axes { axis { name 'A'; values '1' } }", 'Missing required section "stages"'),
        (
            "axes { axis { name 'a-b'; values '1' } }\nstages { stage('T') { steps { echo 'x' } } }",
            '"a-b" is not a valid identifier and cannot be used for an environment variable. Identifiers must start '
            "with a letter or underscore and can contain only letters, numbers or underscores.",
        ),
        (
            "axes { axis { name 'A'; values '1' } }\nexcludes { }\nstages { stage('T') { steps { echo 'x' } } }",
            "No exclude directives specified",
        ),
        (
            "axes { axis { name 'A'; values '1' } }\n"
            "stages { stage('T') { matrix { axes { axis { name 'B'; values '1' } }\n"
            "stages { stage('U') { steps { echo 'x' } } } } } }",
            "Parallel stages or branches can only be included in a top-level stage.",
        ),
    ],
)
def test_matrices(engine: Engine, text: str, want: str) -> None:
    assert messages(engine, in_stage(f"matrix {{\n{text}\n}}"))[0] == want
