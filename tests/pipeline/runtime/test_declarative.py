"""Declarative Pipeline: agents, stages, options, tools, libraries, script, restart."""

from __future__ import annotations

from typing import Any

import pytest
from containers import needs_podman

AGENTS = """
[agents.linux1]
labels = ["linux", "big"]
mode = "exclusive"
executors = 2
env = { AGENT_COLOUR = "green" }
[agents.mac1]
labels = ["mac"]
mode = "exclusive"
"""


def test_agents(pipeline: Any) -> None:
    out = pipeline(
        """
        pipeline {
          agent none
          stages {
            stage('any') { agent any; steps { echo "> any ${env.NODE_NAME} ${WORKSPACE == pwd()}" } }
            stage('label') { agent { label 'linux && !mac' }; steps { echo "> label ${NODE_NAME} ${AGENT_COLOUR} ${NODE_LABELS}" } }
            stage('or') { agent { label 'mac || windows' }; steps { echo "> or ${NODE_NAME}" } }
            stage('name') { agent { label 'mac1' }; steps { echo "> name ${NODE_NAME}" } }
            stage('node') { agent { node { label 'big' } }; steps { echo "> node ${NODE_NAME}" } }
            stage('custom') {
              agent { node { label ''; customWorkspace 'special/place' } }
              steps { echo "> custom ${pwd() == WORKSPACE} ${pwd().endsWith('workspaces/special/place')}" }
            }
            stage('unknown') { agent { label 'nobody-has-this' }; steps { echo "> unknown ${NODE_NAME}" } }
            stage('none') { steps { echo "> none ${env.WORKSPACE}"; script { node('linux') { echo "> inner ${NODE_NAME}" } } } }
            stage('nested') {
              agent { label 'linux' }
              stages { stage('inner agent') { agent { label 'mac' }; steps { echo "> nested ${NODE_NAME}" } } }
            }
            stage('no node') { steps { sh 'true' } }
          }
        }
        """,
        config=AGENTS,
    )
    assert out.said == [
        "any built-in true",
        "label linux1 green big linux linux1",
        "or mac1",
        "name mac1",
        "node linux1",
        "custom true true",
        "unknown built-in",
        "none null",
        "inner linux1",
        "nested mac1",
    ]
    assert out.result == "FAILURE"
    out.has("ERROR: Attempted to execute a step that requires a node context while ‘agent none’ was specified")
    assert any("nobody-has-this" in remark for remark in out.remarks)
    assert "label atom nobody-has-this is missing on this machine" in out.report["fidelity"]["differences"]


def test_unknown_labels_can_fail(pipeline: Any) -> None:
    out = pipeline("pipeline { agent { label 'gpu' }; stages { stage('A') { steps { echo 'no' } } } }", config='[pipeline]\nunknown_labels = "fail"')
    assert out.result == "FAILURE"
    out.has("ERROR: no agent here has the label expression ‘gpu’")


@needs_podman
def test_containers(pipeline: Any) -> None:
    pipeline.commit(
        {
            "Jenkinsfile": """
            pipeline {
              agent any
              environment { FROM_OUTSIDE = 'outside' }
              stages {
                stage('outer') { steps { sh 'echo kept > kept.txt; pwd > where' } }
                stage('docker') {
                  agent { docker { image 'localhost/cibus-test'; reuseNode true; args '-e EXTRA=extra' } }
                  steps { sh 'echo "> $(cat kept.txt) $FROM_OUTSIDE $EXTRA $(test "$(pwd)" = "$(cat where)" && echo same)"; test ! -e /etc/debian_version' }
                }
                stage('short') { agent { docker 'localhost/cibus-test' }; steps { sh 'test ! -e /etc/debian_version && echo "> short"' } }
                stage('dockerfile') {
                  agent { dockerfile { filename 'Containerfile'; dir 'image'; additionalBuildArgs '--build-arg WHO=me'; reuseNode true } }
                  steps { sh 'echo "> $BUILT_FOR"' }
                }
                stage('values') {
                  agent { docker { image 'localhost/cibus-test'; reuseNode true } }
                  steps { script { echo "> status ${sh(script: 'exit 7', returnStatus: true)} out ${sh(script: 'echo inside', returnStdout: true).trim()}" } }
                }
              }
            }
            """,
            "image/Containerfile": "FROM localhost/cibus-test\nARG WHO\nENV BUILT_FOR=$WHO\n",
        }
    )
    out = pipeline(None, mode="scm")
    assert out.result == "SUCCESS", out.log
    assert out.said == ["kept outside extra same", "short", "me", "status 7 out inside"]


def test_stages_nested_parallel_and_matrix(pipeline: Any) -> None:
    out = pipeline(
        """
        pipeline {
          agent any
          stages {
            stage('group') {
              stages {
                stage('one') { steps { echo '> one' } }
                stage('two') {
                  stages { stage('three') { steps { echo "> three ${STAGE_NAME}" } } }
                }
              }
            }
            stage('split') {
              parallel {
                stage('left') { steps { echo '> left' } }
                stage('right') { stages { stage('deep') { steps { echo '> deep' } } } }
              }
            }
            stage('grid') {
              matrix {
                axes {
                  axis { name 'OS'; values 'linux', 'mac', 'windows' }
                  axis { name 'BITS'; values '32', '64' }
                }
                excludes {
                  exclude { axis { name 'OS'; values 'mac' }; axis { name 'BITS'; values '32' } }
                  exclude { axis { name 'OS'; notValues 'linux', 'mac' }; axis { name 'BITS'; values '64' } }
                }
                environment { BOTH = "${OS}-${BITS}" }
                when { expression { env.OS != 'windows' } }
                stages { stage('cell') { steps { echo "> cell ${BOTH}" } }; stage('more') { steps { echo "> more ${OS}" } } }
                post { always { echo "> posted ${BOTH}" } }
              }
            }
          }
        }
        """
    )
    assert out.result == "SUCCESS"
    assert out.said[:2] == ["one", "three three"]
    assert sorted(out.said[2:4]) == ["deep", "left"]
    assert sorted(out.said[4:]) == sorted(
        [*(f"cell {c}" for c in ("linux-32", "linux-64", "mac-64")), "more linux", "more linux", "more mac", *(f"posted {c}" for c in ("linux-32", "linux-64", "mac-64"))]
    )
    assert "Matrix - OS = 'mac', BITS = '32'" not in out.stages
    assert out.stages["Matrix - OS = 'windows', BITS = '32'"] == "NOT_EXECUTED"


@pytest.mark.parametrize(
    ("where", "option", "aborted"),
    [("failFast true", "", True), ("", "options { parallelsAlwaysFailFast() }", True), ("", "", False)],
    ids=["failFast", "parallelsAlwaysFailFast", "neither"],
)
def test_fail_fast(pipeline: Any, where: str, option: str, aborted: bool) -> None:
    nap = "sh 'sleep 30'" if aborted else "sh 'sleep 0.3'"
    out = pipeline(
        f"""
        pipeline {{
          agent any
          {option}
          stages {{
            stage('split') {{
              {where}
              parallel {{
                stage('bad') {{ steps {{ sleep time: 100, unit: 'MILLISECONDS'; error 'broken' }} }}
                stage('slow') {{ steps {{ {nap} }}; post {{ aborted {{ echo '> aborted' }}; success {{ echo '> success' }} }} }}
              }}
            }}
          }}
        }}
        """
    )
    assert out.result == "FAILURE"
    assert out.said == (["aborted"] if aborted else ["success"])
    assert out.stages["bad"] == "FAILED"
    assert out.stages["slow"] == ("ABORTED" if aborted else "SUCCESS")
    out.has("Failed in branch bad", "ERROR: broken") if not aborted else out.has("Failed in branch bad", "Failed in branch slow", "ERROR: broken")


def test_pipeline_options(pipeline: Any) -> None:
    out = pipeline(
        """
        pipeline {
          agent any
          options {
            buildDiscarder(logRotator(numToKeepStr: '5')); disableConcurrentBuilds(); disableResume(); durabilityHint('PERFORMANCE_OPTIMIZED')
            overrideIndexTriggers(false); preserveStashes(buildCount: 3); quietPeriod(1); rateLimitBuilds(throttle: [count: 10, durationName: 'hour', userBoost: false])
            newContainerPerStage(); timestamps(); ansiColor('xterm'); timeout(time: 5, unit: 'MINUTES'); lock('everything'); retry(2)
            skipStagesAfterUnstable()
          }
          triggers { cron('H 4 * * *'); pollSCM('H/5 * * * *'); upstream(upstreamProjects: 'other', threshold: hudson.model.Result.SUCCESS) }
          stages {
            stage('A') { steps { script { tries = env.BUILD_ID; if (!fileExists('again')) { writeFile file: 'again', text: ''; error 'once' } } ; echo '> second try' } }
            stage('B') { steps { unstable 'meh' } }
            stage('C') { steps { echo '> never' } }
          }
        }
        """
    )
    assert out.result == "UNSTABLE"
    assert next(line for line in out.lines if "> " in line).endswith("> second try")
    assert "> never" not in out.log
    out.has("Trying to acquire lock on [everything]", "Retrying", 'Stage "C" skipped due to earlier stage(s) marking the build as unstable', "Lock released on resource [everything]")
    stamped = [line for line in out.lines if "second try" in line]
    assert stamped[0].startswith("[20") and "Z] " in stamped[0]
    accepted = out.report["fidelity"]["steps"]
    for name in ("option buildDiscarder", "option disableConcurrentBuilds", "option rateLimitBuilds", "trigger cron", "trigger pollSCM", "trigger upstream"):
        assert accepted[name] == {"accepted": 1}


def test_stage_options(pipeline: Any) -> None:
    out = pipeline(
        """
        def tries = 0
        pipeline {
          agent none
          stages {
            stage('retry') { options { retry(3) }; steps { script { tries++; if (tries < 3) { error "try ${tries}" } } ; echo "> tries ${tries}" } }
            stage('timestamps') { options { timestamps() }; steps { echo 'stamped' } }
            stage('lock') { options { lock(resource: 'db', variable: 'HELD') }; steps { echo "> held ${HELD}" } }
            stage('timeout') {
              options { timeout(time: 300, unit: 'MILLISECONDS') }
              steps { sleep 30 }
              post { aborted { echo '> aborted' }; always { echo "> always ${currentBuild.currentResult}" } }
            }
            stage('after') { steps { echo 'no' } }
          }
          post { aborted { echo '> build aborted' } }
        }
        """
    )
    assert out.result == "ABORTED"
    assert out.said == ["tries 3", "held db", "always ABORTED", "aborted", "build aborted"]
    assert out.lines.count("Retrying") == 2
    out.has("Z] stamped", "Cancelling nested steps due to timeout", 'Stage "after" skipped due to earlier failure(s)', "Timeout has been exceeded")
    assert (out.stages["retry"], out.stages["timeout"]) == ("SUCCESS", "ABORTED")


def test_checkout_options(pipeline: Any) -> None:
    stages = """stages {
        stage('A') { steps { echo "> top ${fileExists('Jenkinsfile')} sub ${fileExists('sub/Jenkinsfile')} ${env.GIT_BRANCH}"; deleteDir() } }
        stage('B') { %s\nagent { label 'linux' }; steps { echo "> other ${fileExists('Jenkinsfile')}"; deleteDir() } }
      }"""
    table = [
        ("", "", ["top true sub false origin/main", "other true"]),
        ("options { skipDefaultCheckout() }", "", ["top false sub false null", "other false"]),
        ("options { skipDefaultCheckout(false) }", "", ["top true sub false origin/main", "other true"]),
        ("options { checkoutToSubdirectory('sub') }", "", ["top false sub true origin/main", "other false"]),
        ("", "options { skipDefaultCheckout true }", ["top true sub false origin/main", "other false"]),
    ]
    for whole, stage, expected in table:
        pipeline.commit({"Jenkinsfile": f"pipeline {{ agent any\n{whole}\n{stages % stage} }}"})
        out = pipeline(None, mode="scm", config=AGENTS)
        assert (out.result, out.said) == ("SUCCESS", expected), (whole, stage, out.log)


def test_tools_and_libraries(pipeline: Any) -> None:
    for name in ("jdk", "maven", "own"):
        pipeline.write({f"../tools/{name}/bin/{name}": f"#!/bin/sh\necho ran {name}\n"})
        (pipeline.root / "tools" / name / "bin" / name).chmod(0o755)
    pipeline.write({"../lib/vars/greet.groovy": "def call(String who) { echo \"> hello ${who}\" }\n"})
    out = pipeline(
        """
        pipeline {
          agent any
          libraries { lib('helpers@v1') }
          tools { jdk 'jdk17' }
          stages {
            stage('A') { steps { greet 'you'; sh 'jdk; echo "> home $JAVA_HOME"' } }
            stage('B') { tools { maven 'm3' }; steps { sh 'maven; jdk; echo "> $M2_HOME"'; echo "> tool ${tool 'own1'}" } }
            stage('C') { tools { gradle 'none' }; steps { echo 'no' } }
          }
        }
        """,
        config=f"""
        [libraries.helpers]
        path = "lib"
        version = "v1"
        [tools.jdk.jdk17]
        home = "{pipeline.root}/tools/jdk"
        [tools.maven.m3]
        home = "{pipeline.root}/tools/maven"
        [tools.own.own1]
        home = "{pipeline.root}/tools/own"
        """,
    )
    tools = pipeline.root / "tools"
    assert out.said == ["hello you", f"home {tools}/jdk", f"{tools}/maven", f"tool {tools}/own"]
    assert out.result == "FAILURE"
    out.has("Declarative: Tool Install", "ran jdk", "ran maven", "ran jdk", "No gradle named none found")


def test_script_and_code_around_the_pipeline_block(pipeline: Any) -> None:
    out = pipeline(
        """
        import groovy.transform.Field
        @Field int counter = 40
        def before = 'before'
        shared = 'shared'
        int twice(int x) { return 2 * x }
        def say(text) { echo "> ${text}" }
        echo "> ahead"
        pipeline {
          agent any
          environment { CALLED = "${twice(4)}" }
          stages {
            stage('A') {
              steps {
                say before
                script {
                  counter += 2
                  def found = [1, 2, 3].findAll { it > 1 }.collect { it * 10 }
                  for (x in found) { say x }
                  say "${counter} ${shared} ${CALLED}"
                  shared = 'changed'
                }
              }
            }
          }
        }
        echo "> behind ${shared}"
        node { sh 'echo "> scripted node"' }
        """
    )
    assert out.result == "SUCCESS"
    assert out.said == ["ahead", "before", "20", "30", "42 shared 8", "behind changed", "scripted node"]


def test_restart_from_a_stage_brings_stashes(pipeline: Any) -> None:
    text = """
        pipeline {
          agent any
          options { preserveStashes() }
          stages {
            stage('Build') { steps { writeFile file: 'made.txt', text: 'made'; stash name: 'out', includes: 'made.txt'; deleteDir() } }
            stage('Test') { steps { unstash 'out'; sh 'echo "> $(cat made.txt)"; test -e ok' } }
            stage('Ship') { when { isRestartedRun() }; steps { echo '> shipped' } }
          }
        }
        """
    first = pipeline(text)
    assert (first.result, first.said) == ("FAILURE", ["made"])
    (first.workspace / "ok").touch()
    second = pipeline(None, restart_from="Test")
    assert (second.result, second.said) == ("SUCCESS", ["made", "shipped"])
    second.has('Stage "Build" skipped due to this build restarting at stage "Test"')
    assert second.stages["Build"] == "NOT_EXECUTED"


def test_input_of_a_stage(pipeline: Any) -> None:
    text = """
        pipeline {
          agent none
          stages {
            stage('one') {
              input { message 'Ship it?'; id 'ship'; ok 'Yes'; submitter 'admin,ops'; submitterParameter 'WHO'
                parameters { string(name: 'TARGET', defaultValue: 'staging'); booleanParam(name: 'FORCE', defaultValue: false); choice(name: 'SIZE', choices: ['s', 'm']) } }
              steps { echo "> ${TARGET} ${FORCE} ${SIZE} ${WHO}" }
            }
            stage('two') { input { message 'Only one'; submitterParameter 'BY' }; steps { echo "> by ${BY}" } }
            stage('three') { input { message 'Plain'; parameters { string(name: 'X', defaultValue: 'dx') } }; steps { echo "> x ${X}" } }
            stage('step') {
              steps {
                script {
                  echo "> value ${input(message: 'Name?', id: 'name', parameters: [string(name: 'N', defaultValue: 'dn')])}"
                  def both = input(message: 'Two?', id: 'two-values', submitterParameter: 'W', parameters: [choice(name: 'C', choices: ['a', 'b']), password(name: 'P', defaultValue: 'pw'), text(name: 'T', defaultValue: 'l1\\nl2')])
                  echo "> both ${both.C} ${both.W} ${both.T.readLines().size()} ${both.P}"
                  echo "> plain ${input 'Go on?'}"
                }
              }
            }
          }
          post { aborted { echo '> aborted' } }
        }
        """
    out = pipeline(text, answers={"ship": '{"TARGET": "live", "FORCE": true, "SIZE": "m"}', "name": '{"N": "given"}', "*": "proceed"})
    assert out.result == "SUCCESS", out.log
    assert out.said == ["live true m admin", "by admin", "x dx", "value given", "both a admin 2 pw", "plain null"]
    out.has("Input requested", "Approved by admin")
    refused = pipeline(text, answers={"ship": "abort"})
    assert (refused.result, refused.said) == ("ABORTED", ["aborted"])
    refused.has("Rejected by admin")
    silent = pipeline(text)
    assert silent.result == "ABORTED"
    assert any("give --input 'ship=proceed'" in remark for remark in silent.remarks)
    wrong = pipeline(text, answers={"ship": '{"SIZE": "xl"}'})
    assert wrong.result == "FAILURE"
    wrong.has("Illegal choice for parameter SIZE: xl")
