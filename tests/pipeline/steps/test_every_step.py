"""Every registered step runs for real, called from a script."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from containers import needs_podman

from cibus.pipeline.events import StepStarted
from cibus.pipeline.steps import registry

SCRIPTS: dict[str, str] = {
    "basic": """
        node('built-in') {
          writeFile file: 'a/b.txt', text: 'héllo'
          writeFile file: 'bin', text: 'AAEC', encoding: 'Base64'
          echo "> ${readFile 'a/b.txt'} ${readFile(file: 'bin', encoding: 'Base64')} ${fileExists 'a'} ${fileExists 'nope'} ${isUnix()}"
          echo "> ${pwd().endsWith('/app')} ${pwd(tmp: true).endsWith('/app@tmp')} ${nodesByLabel('built-in')} ${nodesByLabel('none')}"
          dir('sub') { writeFile file: 'x', text: '1'; echo "> ${fileExists '../a/b.txt'}"; deleteDir() }
          echo "> ${fileExists 'sub'}"
          ws('other') { echo "> ${WORKSPACE.endsWith('/other')} ${fileExists 'a'}" }
          withEnv(['V=v', 'PATH+X=/x']) { sh 'echo "> $V ${PATH%%:*}"' }
          withContext('anything') { echo '> context' }
          echo "> ${getContext(String)}"
          touch file: 'touched', timestamp: 1000000000000L
          echo "> ${sh(script: 'stat -c %Y touched', returnStdout: true).trim()} ${findFiles(glob: '**/*.txt')*.path} ${sha1('touched').length()}"
          echo "> ${tool 'm3'} ${envVarsForTool(toolId: 'maven', toolVersion: 'm3')[0]}"
          unstable 'shaky'
          sleep time: 1, unit: 'MILLISECONDS'
          archive 'a/*.txt'
          cleanWs()
          echo "> ${findFiles(glob: '**').length}"
        }
        """,
    "shell": """
        node {
          sh 'echo "> out"; echo "> err" >&2'
          sh label: 'named', script: '''#!/bin/bash
            arr=(1 2 3); echo "> ${arr[2]} $BASH_VERSION" | cut -c1-4'''
          echo "> ${sh(script: 'echo  text', returnStdout: true)}|${sh(script: 'exit 9', returnStatus: true)}|${sh(script: 'printf no-end', returnStdout: true)}"
          sh 'printf "> unterminated"'
          echo "> ${sh(script: "printf '\\\\351'", returnStdout: true, encoding: 'ISO-8859-1')}"
          try { sh 'echo started; exit 4' } catch (e) { echo "> ${e.message}" }
          try { sh script: 'true', returnStdout: true, returnStatus: true } catch (e) { echo "> ${e.message}" }
          try { bat 'dir' } catch (e) { echo "> ${e.message}" }
          try { pwsh 'Get-Date' } catch (e) { echo "> ${e.message.startsWith('Cannot run program')}" }
          try { powershell 'Get-Date' } catch (e) { echo "> ${e.message.startsWith('Cannot run program')}" }
          sh 'cat'
          sh 'env | sort > env.txt'
          def names = readFile('env.txt').readLines().collect { it.tokenize('=')[0] }
          echo "> ${['BUILD_NUMBER', 'BUILD_TAG', 'EXECUTOR_NUMBER', 'JENKINS_URL', 'JOB_NAME', 'NODE_NAME', 'WORKSPACE', 'BUILD_URL', 'JOB_BASE_NAME'].findAll { !(it in names) }}"
        }
        """,
    "flow": """
        stage('S') { milestone(); milestone 5; milestone label: 'm' }
        try { milestone 2 } catch (e) { echo "> ${e.message}" }
        lock('r1') { lock(resource: 'r2', variable: 'WHICH') { echo "> ${WHICH}" } }
        lock(label: 'pool', quantity: 1) { echo '> pool' }
        parallel a: { lock('same') { sleep time: 30, unit: 'MILLISECONDS' } }, b: { lock('same') { echo '> b has it' } }, c: { lock(resource: 'same', skipIfLocked: true) { } }
        retry(count: 2) { n = (binding.hasVariable('n') ? n : 0) + 1; if (n == 1) { error 'again' } }
        echo "> ${n}"
        timeout(time: 5, activity: true) { echo '> in time' }
        waitUntil(initialRecurrencePeriod: 5) { n++; n > 3 }
        catchError(message: 'caught it', stageResult: 'FAILURE', buildResult: 'SUCCESS') { error 'inner' }
        warnError('warned') { throw new Exception('inner too') }
        echo "> ${currentBuild.result}"
        try { catchError(catchInterruptions: false) { timeout(time: 20, unit: 'MILLISECONDS') { sleep 9 } } } catch (e) { echo "> ${e.class.simpleName}" }
        timestamps { echo 'stamped' }
        ansiColor('xterm') { echo '\\u001b[31mred\\u001b[0m' }
        wrap([$class: 'TimestamperBuildWrapper']) { echo 'wrapped' }
        wrap([$class: 'SomeOtherWrapper', x: 1]) { echo '> unwrapped' }
        node { tee('copy.txt') { echo 'teed'; sh 'echo from shell' }; echo "> ${readFile('copy.txt').readLines()}" }
        script { echo '> script' }
        try { error() } catch (e) { echo "> error '${e.message}'" }
        echo "> ${input message: 'Go?', id: 'go', parameters: [string(name: 'A', defaultValue: 'b')]}"
        properties([parameters([string(name: 'P', defaultValue: 'p')])])
        echo "> ${params.P}"
        """,
    "data": """
        node {
          writeJSON file: 'a.json', json: [x: [1, true, null]], pretty: 2
          writeYaml file: 'a.yml', data: [l: ['a', 'b'], n: 1.5]
          writeCSV file: 'a.csv', records: [['h', 'i'], ['1', '2,3']]
          writeProperties file: 'a.properties', properties: [k: 'v']
          writeFile file: 'pom.xml', text: '<project><modelVersion>4.0.0</modelVersion><groupId>g</groupId><artifactId>a</artifactId><version>1.0</version></project>'
          writeFile file: 'MANIFEST.MF', text: 'Manifest-Version: 1.0\\nMain-Class: a.B\\n'
          echo "> ${readJSON(file: 'a.json').x} ${readJSON(text: '{"a": {"b": 1}}').a.b} ${readYaml(file: 'a.yml').l} ${readYaml(text: 'a: [1]').a[0]}"
          echo "> ${readCSV(file: 'a.csv')[1][1]} ${readProperties(file: 'a.properties').k} ${readProperties(text: 'z=1', defaults: [y: 2]).y} ${readManifest(file: 'MANIFEST.MF').main['Main-Class']}"
          def pom = readMavenPom(); echo "> ${pom.version} ${pom.artifactId}"
          pom.version = '2.0'; writeMavenPom model: pom; echo "> ${readMavenPom(file: 'pom.xml').version}"
          def sums = [md5('a.csv').length(), sha1('a.csv').length(), sha256('a.csv').length()]
          echo "> ${sums}"
          verifyMd5 file: 'a.csv', hash: md5('a.csv'); verifySha1 file: 'a.csv', hash: sha1('a.csv'); verifySha256 file: 'a.csv', hash: sha256('a.csv')
          try { verifySha256 file: 'a.csv', hash: 'no' } catch (e) { echo '> differs' }
          zip zipFile: 'all.zip', glob: '*.csv, *.json', archive: true
          unzip zipFile: 'all.zip', dir: 'unzipped'; echo "> ${findFiles(glob: 'unzipped/*').length} ${unzip(zipFile: 'all.zip', read: true).keySet().sort()} ${unzip(zipFile: 'all.zip', test: true)}"
          tar file: 'all.tgz', compress: true, glob: '*.yml'; untar file: 'all.tgz', dir: 'untarred'; echo "> ${readYaml(file: 'untarred/a.yml').n}"
        }
        """,
    "results": """
        node {
          writeFile file: 'r.xml', text: '<testsuite name="s"><testcase name="a" classname="c"/><testcase name="b" classname="c"><failure message="m"/></testcase><testcase name="d" classname="c"><skipped/></testcase></testsuite>'
          writeFile file: 'out/app.bin', text: 'x'
          writeFile file: 'html/index.html', text: '<p>hi</p>'
          def r = junit testResults: 'r.xml', skipMarkingBuildUnstable: true
          step([$class: 'JUnitResultArchiver', testResults: 'none*.xml', allowEmptyResults: true])
          echo "> ${r.totalCount} ${r.failCount} ${r.skipCount} ${r.passCount}"
          archiveArtifacts artifacts: 'out/*.bin', fingerprint: true
          fingerprint 'html/*'
          publishHTML([reportDir: 'html', reportFiles: 'index.html', reportName: 'Hi', allowMissing: false, alwaysLinkToLastBuild: true, keepAll: true])
          step([$class: 'ArtifactArchiver', artifacts: 'r.xml'])
          stash name: 's', includes: 'out/**'
          deleteDir()
          unstash 's'
          echo "> ${fileExists 'out/app.bin'}"
          copyArtifacts projectName: 'earlier', filter: '*.txt', selector: lastSuccessful()
          echo "> ${readFile 'from-earlier.txt'}"
        }
        """,
    "notify": """
        node {
          mail to: 'a@example.com', subject: 's', body: 'b'
          emailext to: 'a@example.com', subject: 's', body: 'b'
          echo "> '${emailextrecipients([developers()])}'"
          slackSend channel: '#c', message: 'm', color: 'good'
          writeFile file: 'f.txt', text: ''
          slackUploadFile filePath: 'f.txt', channel: '#c'
          echo "> '${slackUserIdFromEmail('a@example.com')}' ${slackUserIdsFromCommitters()}"
          githubNotify status: 'SUCCESS', description: 'd'
          setGitHubPullRequestStatus context: 'c', message: 'm', state: 'SUCCESS'
          step([$class: 'GitHubCommitStatusSetter', contextSource: [$class: 'ManuallyEnteredCommitContextSource', context: 'ci'], statusResultSource: [$class: 'ConditionalStatusResultSource', results: [[$class: 'AnyBuildResult', message: 'ok', state: 'SUCCESS']]]])
          office365ConnectorSend webhookUrl: 'https://x.example', message: 'm', status: 'S'
          hipchatSend message: 'm'
          jiraComment issueKey: 'A-1', body: 'b'
          jiraAddComment idOrKey: 'A-1', comment: 'c'
          discordSend webhookURL: 'https://x.example', description: 'd'
          httpRequest url: 'https://x.example/', httpMode: 'POST', requestBody: 'x'
          build job: 'unknown-job', parameters: [string(name: 'A', value: 'b')]
          currentBuild.result = 'FAILURE'
          step([$class: 'Mailer', recipients: 'a@example.com'])
        }
        """,
    "scm": """
        node {
          checkout scm
          echo "> ${readTrusted('Jenkinsfile').contains('readTrusted')} ${fileExists 'Jenkinsfile'}"
          dir('other') { git url: "${REPO}", branch: 'main'; echo "> ${fileExists 'Jenkinsfile'}" }
          checkout resolveScm(source: [$class: 'GitSCMSource', remote: "${REPO}"], targets: ['main'])
          library 'helpers'
          echo "> ${libraryResource('data.txt').trim()} ${libraryResource(resource: 'data.txt', encoding: 'Base64')}"
          writeFile file: 'l.groovy', text: 'return 7'
          echo "> ${load 'l.groovy'}"
          withCredentials([string(credentialsId: 'token', variable: 'T')]) { sh 'test "$T" = hush-hush && echo "> $T"' }
        }
        """,
}
SAID: dict[str, list[str]] = {
    "basic": [
        "héllo AAEC true false true",
        "true true [built-in] []",
        "true",
        "false",
        "true false",
        "v /x",
        "context",
        "null",
        "1000000000 [a/b.txt] 40",
        "/opt/m3 M2_HOME=/opt/m3",
        "0",
    ],
    "shell": [
        "out",
        "err",
        "3 ",
        "text",
        "unterminated",
        "é",
        "script returned exit code 4",
        "You may not set both returnStdout and returnStatus.",
        "Batch scripts can only be run on Windows nodes",
        "true",
        "true",
        "[]",
    ],
    "flow": [
        "Invalid ordinal 2, as the previous one was 6",
        "r2",
        "pool",
        "b has it",
        "2",
        "in time",
        "UNSTABLE",
        "FlowInterruptedException",
        "unwrapped",
        "[teed, + echo from shell, from shell]",
        "script",
        "error ''",
        "b",
        "p",
    ],
    "data": [
        "[1, true, null] 1 [a, b] 1",
        "2,3 v 2 a.B",
        "1.0 a",
        "2.0",
        "[32, 40, 64]",
        "differs",
        "2 [a.csv, a.json] true",
        "1.5",
    ],
    "results": ["3 1 1 1", "true", "old"],
    "notify": ["''", "'' []"],
    "scm": ["true true", "true", "resource cmVzb3VyY2UK", "7", "****"],
}
CONFIG = """
[credentials.token]
kind = "string"
secret = { value = "hush-hush" }
[credentials.agent-key]
kind = "sshUserPrivateKey"
username = "git"
private_key = { file = "id_key" }
[credentials.registry]
kind = "usernamePassword"
username = "u"
password = { value = "registry-pass" }
[libraries.helpers]
path = "lib"
[tools.maven.m3]
home = "/opt/m3"
"""
RAN: dict[str, set[str]] = {}


def called(out: Any) -> set[str]:
    """The steps that a build called, also those that ``step([$class: ...])`` stood for."""
    return {*out.report["fidelity"]["steps"], *(event.name for event in out.events if isinstance(event, StepStarted))}


@pytest.mark.parametrize("family", SCRIPTS)
def test_family(pipeline: Any, family: str) -> None:
    pipeline.write({"../lib/resources/data.txt": "resource\n", "../lib/vars/x.groovy": "", "../id_key": "none"})
    if family == "results":
        pipeline("node { writeFile file: 'from-earlier.txt', text: 'old'; archiveArtifacts '*.txt' }", job="earlier")
    mode = "inline"
    if family == "scm":
        pipeline.commit({"Jenkinsfile": SCRIPTS[family]})
        mode = "scm"
    out = pipeline(SCRIPTS[family], mode=mode, config=CONFIG, answers={"*": "proceed"}, env={"REPO": f"file://{pipeline.repo}"})
    RAN[family] = called(out)
    assert out.said == SAID[family], out.log
    expected = {"basic": "UNSTABLE", "flow": "UNSTABLE", "notify": "FAILURE"}.get(family, "SUCCESS")
    assert out.result == expected, out.log
    if family == "notify":
        effects = [each["effect"] for each in out.report["fidelity"]["recorded"]]
        assert {"mail", "slack", "github", "teams", "http", "jira", "build"} <= set(effects), effects
        assert any("slackSend (line" in remark for remark in out.remarks)
    if family == "results":
        assert out.report["tests"] == {"total": 3, "failed": 1, "skipped": 1}
        assert out.report["artifacts"] == ["out/app.bin", "r.xml"]


CONTAINERS = """
    node {
      sh 'echo "FROM localhost/cibus-test" > Dockerfile'
      withDockerServer([uri: '']) {
        withDockerRegistry([url: '']) {
          withDockerContainer('localhost/cibus-test') { sh 'test ! -e /etc/debian_version && echo "> inside"' }
        }
      }
      dockerFingerprintFrom dockerfile: 'Dockerfile', image: 'localhost/cibus-test'
      docker.image('localhost/cibus-test').withRun('', 'sh -c "trap exit TERM; sleep 60 & wait"') { c -> dockerFingerprintRun containerId: c.id; echo "> ran ${c.id.length() > 10}" }
      docker.image('localhost/cibus-test').inside('-e A=b') { sh 'echo "> $A"' }
      def built = docker.build('localhost/cibus-built:1', '.')
      echo "> ${built.id}"
    }
    """


@needs_podman
def test_containers(pipeline: Any) -> None:
    out = pipeline(CONTAINERS)
    RAN["containers"] = called(out)
    assert out.result == "SUCCESS", out.log
    assert out.said == ["inside", "ran true", "b", "localhost/cibus-built:1"]


@pytest.mark.skipif(shutil.which("ssh-agent") is None, reason="needs ssh-agent")
def test_sshagent(pipeline: Any) -> None:
    key = pipeline.root / "id_key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(key)], check=True)
    out = pipeline("node { sshagent(['agent-key']) { sh 'ssh-add -l | sed \"s/^/> /\"' }; sshagent(credentials: ['none'], ignoreMissing: true) { echo '> ignored' }; sshagent(['none']) { } }", config=CONFIG)
    RAN["ssh"] = called(out)
    assert [line.split()[0] for line in out.said] == ["256", "ignored"]
    assert out.result == "FAILURE"
    out.has("[ssh-agent] Stopped.", "Could not find specified credentials: none")
    assert not list(Path(f"{out.workspace}@tmp").glob("private_key_*"))


def test_nothing_is_left_out() -> None:
    """Last in this file: what the tests above called is all there is."""
    if not set(SCRIPTS) <= set(RAN):
        pytest.skip("only some of this file's tests ran")
    optional = set()
    if "containers" not in RAN:
        optional |= {"withDockerContainer", "withDockerRegistry", "withDockerServer", "dockerFingerprintFrom", "dockerFingerprintRun"}
    if "ssh" not in RAN:
        optional |= {"sshagent"}
    ran = set().union(*RAN.values())
    assert {spec.name for spec in registry.all_steps()} - ran - optional == set()
