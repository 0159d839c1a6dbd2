"""``when``: every condition, with its comparators, and where it is looked at."""

from __future__ import annotations

from typing import Any

import pytest


def table(rows: list[tuple[str, bool]], head: str = "") -> tuple[str, list[str]]:
    """A pipeline with a stage for each condition, and the stages that run."""
    stages = "\n".join(f"stage('s{n}') {{\nwhen {{ {text} }}\nsteps {{ echo '> s{n}' }}\n}}" for n, (text, _) in enumerate(rows))
    return f"{head}\npipeline {{\nagent any\nenvironment {{ COLOUR = 'Red' }}\nstages {{\n{stages}\n}}\n}}", [f"s{n}" for n, (_, runs) in enumerate(rows) if runs]


def check(out: Any, rows: list[tuple[str, bool]], expected: list[str]) -> None:
    assert out.result == "SUCCESS", out.log
    wrong = [rows[int(name[1:])][0] for name in {*expected} ^ {*out.said}]
    assert not wrong, f"decided the wrong way: {wrong}"


def test_values_and_logic(pipeline: Any) -> None:
    rows = [
        ("expression { true }", True),
        ("expression { 'false' }", True),
        ("expression { '' }", False),
        ("expression { null }", False),
        ("expression { [] }", False),
        ("expression { return BUILD_NUMBER == '1' }", True),
        ("environment name: 'COLOUR', value: 'Red'", True),
        ("environment name: 'COLOUR', value: 'red'", False),
        ("environment name: 'COLOUR', value: 'red', ignoreCase: true", True),
        ("environment name: 'NOWHERE', value: ''", True),
        ("equals expected: 2, actual: 1 + 1", True),
        ("equals expected: 'a', actual: 'b'", False),
        ("equals expected: 'SUCCESS', actual: currentBuild.currentResult", True),
        ("not { expression { false } }", True),
        ("not { expression { true } }", False),
        ("allOf { expression { true }; environment name: 'COLOUR', value: 'Red' }", True),
        ("allOf { expression { true }; expression { false } }", False),
        ("anyOf { expression { false }; not { expression { false } } }", True),
        ("anyOf { expression { false }; expression { false } }", False),
        ("expression { true }\nexpression { false }", False),
        ("isRestartedRun()", False),
        ("buildingTag()", False),
        ("tag 'v*'", False),
        ("changeRequest()", False),
        ("branch 'main'", False),
        ("beforeAgent true\nexpression { true }", True),
        ("beforeInput true\nexpression { false }", False),
        ("beforeOptions true\nexpression { false }", False),
    ]
    text, expected = table(rows)
    check(pipeline(text), rows, expected)


def test_branches(pipeline: Any) -> None:
    rows = [
        ("branch 'Feature/Log*'", True),
        ("branch 'feature/*'", True),
        ("branch 'feat*'", False),
        ("branch pattern: 'feature/.+', comparator: 'REGEXP'", True),
        ("branch pattern: 'eature', comparator: 'REGEXP'", False),
        ("branch pattern: 'feature/login', comparator: 'EQUALS'", True),
        ("branch pattern: 'feature/**', comparator: 'GLOB'", True),
        ("not { branch 'main' }", True),
        ("changeRequest()", False),
    ]
    text, expected = table(rows)
    pipeline.commit({"Jenkinsfile": text})
    pipeline.git("checkout", "-q", "-b", "feature/login")
    check(pipeline(None, mode="multibranch"), rows, expected)


def test_tags(pipeline: Any) -> None:
    rows = [
        ("buildingTag()", True),
        ("tag ''", True),
        ("tag 'v*'", True),
        ("tag 'release-*'", False),
        ("tag pattern: 'v\\\\d+\\\\.\\\\d+', comparator: 'REGEXP'", True),
        ("tag pattern: 'v1.2', comparator: 'EQUALS'", True),
        ("expression { TAG_NAME == BRANCH_NAME && TAG_TIMESTAMP.length() == 13 && TAG_UNIXTIME.length() == 10 }", True),
    ]
    text, expected = table(rows)
    pipeline.commit({"Jenkinsfile": text})
    pipeline.git("tag", "v1.2")
    pipeline.git("checkout", "-q", "v1.2")
    check(pipeline(None, mode="multibranch"), rows, expected)


def test_change_requests(pipeline: Any) -> None:
    rows = [
        ("changeRequest()", True),
        ("changeRequest target: 'main'", True),
        ("changeRequest target: 'ma'", False),
        ("changeRequest id: '7', author: 'dev1'", True),
        ("changeRequest title: '.*WIP.*', comparator: 'REGEXP'", True),
        ("changeRequest branch: 'PR-*', comparator: 'GLOB'", True),
        ("changeRequest authorEmail: '*@example.org', comparator: 'GLOB'", False),
    ]
    env = {"CHANGE_ID": "7", "CHANGE_TARGET": "main", "CHANGE_AUTHOR": "dev1", "CHANGE_TITLE": "a WIP thing", "CHANGE_BRANCH": "PR-7", "CHANGE_AUTHOR_EMAIL": "dev1@example.com"}
    text, expected = table(rows)
    check(pipeline(text, env=env), rows, expected)


def test_changes(pipeline: Any) -> None:
    rows = [
        ("changelog '.*JIRA-[0-9]+.*'", True),
        ("changelog '^second.*'", True),
        ("changelog 'nothing like it'", False),
        ("changeset '**/*.js'", True),
        ("changeset '**/*.JS'", True),
        ("changeset pattern: '**/*.JS', caseSensitive: true", False),
        ("changeset pattern: 'src/.*\\\\.js', comparator: 'REGEXP'", True),
        ("changeset 'docs/**'", False),
    ]
    text, expected = table(rows)
    pipeline.commit({"Jenkinsfile": text})
    first = pipeline(None, mode="scm")
    assert first.said == []
    first.has("Warning, empty changelog. Probably because this is the first build.")
    pipeline.commit({"src/app.js": "1"}, "JIRA-12 first change")
    pipeline.commit({"src/app.js": "2"}, "second change\n\nwith a body")
    check(pipeline(None, mode="scm"), rows, expected)


@pytest.mark.parametrize(
    ("causes", "expected"),
    [
        (("user",), ["user", "user admin"]),
        (("timer",), ["timer"]),
        (("scm",), ["scm"]),
        (("upstream:other",), ["upstream"]),
    ],
)
def test_triggers(pipeline: Any, causes: tuple[str, ...], expected: list[str]) -> None:
    conditions = {
        "user": "'UserIdCause'",
        "user admin": "cause: 'UserIdCause', detail: 'admin'",
        "user other": "cause: 'UserIdCause', detail: 'other'",
        "timer": "'TimerTrigger'",
        "scm": "'SCMTrigger'",
        "upstream": "'UpstreamCause'",
    }
    stages = "\n".join(f"stage('{name}') {{\nwhen {{ triggeredBy {text} }}\nsteps {{ echo '> {name}' }}\n}}" for name, text in conditions.items())
    assert pipeline(f"pipeline {{ agent none\nstages {{\n{stages}\n}} }}", causes=causes).said == expected


def test_when_goes_before_agent_input_and_options(pipeline: Any) -> None:
    out = pipeline(
        """
        pipeline {
          agent none
          stages {
            stage('agent') { when { beforeAgent true; expression { false } }; agent any; steps { echo 'no' } }
            stage('late') { when { expression { false } }; agent any; steps { echo 'no' } }
            stage('input') { when { beforeInput true; expression { false } }; input { message 'M1' }; steps { echo 'no' } }
            stage('options') { when { beforeOptions true; expression { false } }; options { timeout(1) }; steps { echo 'no' } }
            stage('group') { when { expression { false } }; stages { stage('inner') { steps { echo 'no' } } } }
            stage('split') { when { expression { false } }; parallel { stage('p1') { steps { echo 'no' } }; stage('p2') { steps { echo 'no' } } } }
          }
        }
        """
    )
    assert out.result == "SUCCESS"
    assert out.log.count("Running on") == 1
    assert "M1" not in out.log
    assert "Timeout set" not in out.log
    assert out.lines.count('Stage "group" skipped due to when conditional') == 2  # once for the stage in it
    assert set(out.stages.values()) == {"NOT_EXECUTED"}
