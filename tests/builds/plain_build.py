"""A failed build of a small pipeline, as a controller has it."""

from __future__ import annotations

from collections.abc import Callable

from fake_jenkins.items import Build

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
