"""A user's folders of their own, the command line, and a pipeline's build on a fake controller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from command import cibus, own_folders  # noqa: F401 # fixtures
from fake_jenkins import FakeJenkins
from fake_jenkins.items import Build
from golden_sides import Case, cases, run_cases
from made_builds import INLINE, add_build, replay_page

SCRIPT = """pipeline {
  agent any
  parameters { string(name: 'TARGET', defaultValue: 'dev') }
  stages {
    stage('Build') { steps { sh 'echo building for $TARGET' } }
    stage('Test') { steps { sh 'echo testing; exit 3' } }
  }
}
"""
CONSOLE = """Started by user admin
Running in Durability level: MAX_SURVIVABILITY
[Pipeline] Start of Pipeline
[Pipeline] node
Running on agent7 in /home/jenkins/agent/workspace/app
[Pipeline] {
[Pipeline] stage
[Pipeline] { (Build)
[Pipeline] sh
+ echo building for prod
building for prod
[Pipeline] }
[Pipeline] // stage
[Pipeline] stage
[Pipeline] { (Test)
[Pipeline] sh
+ echo testing
testing
+ exit 3
[Pipeline] }
[Pipeline] // stage
[Pipeline] }
[Pipeline] // node
[Pipeline] End of Pipeline
ERROR: script returned exit code 3
Finished: FAILURE
"""
ACTIONS = [
    {"_class": "hudson.model.ParametersAction", "parameters": [{"_class": "hudson.model.StringParameterValue", "name": "TARGET", "value": "prod"}]},
    {"_class": "hudson.model.CauseAction", "causes": [{"_class": "hudson.model.Cause$UserIdCause", "shortDescription": "Started by user admin", "userId": "admin", "userName": "admin"}]},
]
STAGES = {"stages": [{"id": "6", "name": "Build", "status": "SUCCESS", "durationMillis": 300}, {"id": "9", "name": "Test", "status": "FAILED", "durationMillis": 400}]}

AddPipeline = Callable[..., Build]


@pytest.fixture(scope="session")
def golden(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    """All recorded builds that were made from a script or a repository, run here once."""
    return run_cases(cases(), tmp_path_factory.mktemp("kept"))


@pytest.fixture
def add_pipeline(empty_jenkins: FakeJenkins) -> AddPipeline:
    """Adds an inline pipeline ``app`` with one failed build, #12, to the empty controller."""

    def add(*, script: str = SCRIPT, console: str = CONSOLE, number: int = 12, actions: Any = ACTIONS, extra: Any = None, **values: Any) -> Build:
        if empty_jenkins.state.jobs.find("app") is None:
            empty_jenkins.state.add("app", INLINE.format(script="node {}", sandbox="true"))
        more = {"wfapi/describe": STAGES, "replay": replay_page(script), **(extra or {})}
        return add_build(empty_jenkins, "app", number, {"result": "FAILURE", "actions": actions, **values}, console=console, extra=more)

    return add
