"""Families of steps whose work is only seen in a whole build: credentials, scm, builds, libraries, leftovers."""

from __future__ import annotations

import base64
import io
import subprocess
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest


def zipped() -> str:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("inside.txt", "zipped content")
    return base64.b64encode(data.getvalue()).decode()


CREDENTIALS = f"""
[credentials.token]
kind = "string"
secret = {{ value = "tok3n-val'ue" }}
[credentials.other]
kind = "string"
secret = {{ value = "0ther-secret" }}
[credentials.login]
kind = "usernamePassword"
username = "bob"
password = {{ value = "hunter2-secret" }}
[credentials.lines]
kind = "string"
secret = {{ value = "first secret line\\nsecond secret line" }}
[credentials.file]
kind = "file"
filename = "settings.xml"
content = {{ value = "file-content" }}
[credentials.zip]
kind = "zip"
filename = "z.zip"
content = {{ value = "{zipped()}" }}
[credentials.key]
kind = "sshUserPrivateKey"
username = "git"
private_key = {{ value = "KEY-DATA" }}
passphrase = {{ value = "open sesame" }}
[credentials.cert]
kind = "certificate"
keystore = {{ value = "{base64.b64encode(b'keystore!').decode()}" }}
password = {{ value = "store-password" }}
[credentials.docker]
kind = "dockerCert"
client_key = {{ value = "ck" }}
client_certificate = {{ value = "cc" }}
ca_certificate = {{ value = "ca" }}
[credentials.from-command]
kind = "string"
secret = {{ command = "echo made-by-command" }}
[credentials.from-nowhere]
kind = "string"
secret = {{ env = "NOT_SET_ANYWHERE" }}
"""


# -- credentials


def test_every_binding(pipeline: Any) -> None:
    out = pipeline(
        """
        node {
          withCredentials([
            string(credentialsId: 'token', variable: 'T'), usernamePassword(credentialsId: 'login', usernameVariable: 'U', passwordVariable: 'P'),
            usernameColonPassword(credentialsId: 'login', variable: 'UP'), file(credentialsId: 'file', variable: 'F'), [$class: 'ZipFileBinding', credentialsId: 'zip', variable: 'Z'],
            sshUserPrivateKey(credentialsId: 'key', keyFileVariable: 'K', usernameVariable: 'KU', passphraseVariable: 'KP'),
            certificate(credentialsId: 'cert', keystoreVariable: 'C', passwordVariable: 'CP', aliasVariable: 'CA'), dockerCert(credentialsId: 'docker', variable: 'D'),
            [$class: 'StringBinding', credentialsId: 'from-command', variable: 'M']
          ]) {
            sh '''
              test "$T" = "tok3n-val'ue" -a "$U" = bob -a "$P" = hunter2-secret -a "$UP" = bob:hunter2-secret -a "$M" = made-by-command
              test "$(cat "$F")" = file-content -a "$(basename "$F")" = settings.xml -a "$(stat -c %a "$F")" = 400
              test "$(cat "$Z/inside.txt")" = "zipped content" -a "$(cat "$K")" = KEY-DATA -a "$KU" = git -a "$KP" = "open sesame"
              test "$(cat "$C")" = 'keystore!' -a "$CP" = store-password -a "$(cat "$D/key.pem")" = ck
              printf '%s\\n' "$F" "$Z" "$K" "$C" "$D" > ../paths
            '''
            env.PATHS = sh(script: 'cat ../paths', returnStdout: true)
          }
          echo "> ${readFile('../paths').readLines().findAll { fileExists(it) }}"
          try { withCredentials([string(credentialsId: 'nope', variable: 'X')]) { } } catch (e) { echo "> ${e.message}" }
          try { withCredentials([string(credentialsId: 'login', variable: 'X')]) { } } catch (e) { echo "> ${e.message}" }
          try { withCredentials([string(credentialsId: 'from-nowhere', variable: 'X')]) { } } catch (e) { echo "> ${e.message.contains('from-nowhere')}" }
          withCredentials([file(credentialsId: 'file', variable: 'F')]) { writeFile file: '../paths', text: F; error 'inside' }
        }
        """,
        config=CREDENTIALS,
    )
    assert out.result == "FAILURE"
    assert out.said[0] == "[]"
    assert out.said[1] == "nope"
    assert "login" in out.said[2]
    assert out.said[3] == "true"
    out.has("ERROR: inside")
    assert not Path((pipeline.workspaces / "paths").read_text()).exists()
    assert not [path for path in Path(f"{out.workspace}@tmp").rglob("*") if path.is_file()]


def test_masking(pipeline: Any) -> None:
    out = pipeline(
        """
        node {
          withCredentials([string(credentialsId: 'token', variable: 'T'), string(credentialsId: 'lines', variable: 'L'), usernamePassword(credentialsId: 'login', usernameVariable: 'U', passwordVariable: 'P')]) {
            sh 'echo "> $T"; echo "> $L"; echo "> basic $(printf "%s" "$U:$P" | base64)"'
            sh '''#!/bin/bash -x
              echo "> $T" '''
            sh 'printf "%s\\n%s\\n" "$P" "$T" | while read -r line; do echo "> read $line"; done'
            echo "> ${T} ${P}"
            echo "> ${sh(script: 'echo "$P"', returnStdout: true).trim() == P} ${P.length()}"
            parallel a: { withCredentials([string(credentialsId: 'other', variable: 'O')]) { sh 'sleep 0.2; echo "> a $O $T"' } }, b: { sh 'sleep 0.1; echo "> b $T"' }
            writeFile file: 'dump', text: "${T}"
            sh 'cat dump'
            dir('x') { retry(2) { echo "> deep ${P}" } }
            currentBuild.description = "by ${P}"
          }
          echo '> outside hunter2-secret'
        }
        """,
        config=CREDENTIALS,
    )
    assert out.result == "SUCCESS", out.log
    inside = out.log[: out.log.index("> outside")]
    for secret in ("hunter2-secret", "tok3n-val", "first secret line", "second secret line", "0ther-secret", base64.b64encode(b"bob:hunter2-secret").decode()):
        assert secret not in inside, secret
    assert "> a **** ****" in out.said or "a **** ****" in out.said
    assert "b ****" in out.said
    assert "true 14" in out.said
    out.has("Masking supported pattern matches of $T or $L or $U or $P", "Warning: A secret was passed to \"echo\"")
    assert "hunter2-secret" not in (out.folder / "log").read_text().split("> outside")[0]


# -- scm


def test_checkout_of_the_working_copy(pipeline: Any) -> None:
    script = "node { checkout scm; sh 'cat a.txt; ls | tr \"\\\\n\" \" \" | sed \"s/^/> /\"'; echo \"> ${readFile('a.txt').trim()} ${env.GIT_COMMIT}\" }"
    commit = pipeline.commit({"Jenkinsfile": script, "a.txt": "committed\n", "gone.txt": "x", ".gitignore": "*.log\n", "d/e.txt": "1"})
    pipeline.write({"a.txt": "changed\n", "new.txt": "untracked", "ignored.log": "no"})
    (pipeline.repo / "gone.txt").unlink()
    (pipeline.repo / "link").symlink_to("a.txt")
    before = pipeline.git("status", "--porcelain")
    out = pipeline(None, mode="scm")
    assert [line.strip() for line in out.said] == ["Jenkinsfile a.txt d link new.txt", "changed null"]
    assert any("4 uncommitted files" in remark for remark in out.remarks)
    clean = pipeline(None, mode="scm", clean=True)
    assert [line.strip() for line in clean.said] == ["Jenkinsfile a.txt d gone.txt", "committed null"]
    place = pipeline("node { checkout scm; echo \"> ${pwd()}\"; sh 'echo made > made.txt' }", mode="scm", in_place=True)
    assert place.said == [str(pipeline.repo)]
    assert (pipeline.repo / "made.txt").exists()
    (pipeline.repo / "made.txt").unlink()
    pipeline.write({"Jenkinsfile": script})
    assert pipeline.git("status", "--porcelain") == before
    assert pipeline.git("rev-parse", "HEAD") == commit


def test_checkout_of_a_folder_without_git(pipeline: Any) -> None:
    pipeline.write({"data/file.txt": "here\n"})
    out = pipeline("pipeline { agent any; stages { stage('A') { steps { sh 'cat data/file.txt; echo \"> ${GIT_COMMIT:-none}\"' } } } }\n", mode="scm")
    assert out.result == "SUCCESS"
    assert "here" in out.lines
    assert out.said == ["none"]
    assert "Checking out" not in out.log
    assert any("has no git commit" in remark for remark in out.remarks)


def test_git_variables_and_changes_over_builds(pipeline: Any) -> None:
    script = """
        pipeline {
          agent any
          stages { stage('A') { steps {
            echo "> ${GIT_BRANCH} ${GIT_COMMIT == params.NOW} ${env.GIT_PREVIOUS_COMMIT} ${env.GIT_PREVIOUS_SUCCESSFUL_COMMIT} ${GIT_URL.startsWith('file://')}"
            script {
              for (set in currentBuild.changeSets) {
                for (item in set.items) {
                  echo "> ${set.kind} ${item.author} ${item.msg} ${item.affectedPaths} ${item.commitId.length()} ${item.comment.trim().readLines().size()} ${item.affectedFiles[0].editType.name} ${item.timestamp > 0}"
                }
              }
              if (fileExists('fail')) { error 'asked to' }
            }
          } } }
        }
        """
    first = pipeline.commit({"Jenkinsfile": script})
    assert pipeline(None, mode="scm").said == ["origin/main false null null true"]
    second = pipeline.commit({"b.txt": "1", "fail": ""}, "Add b\n\nwith reasons")
    out = pipeline(None, mode="scm")
    assert out.result == "FAILURE"
    assert out.said == [f"origin/main false {first} {first} true", "git dev1 Add b [b.txt, fail] 40 3 add true"]
    (pipeline.repo / "fail").unlink()
    pipeline.commit({"b.txt": "2"}, "Mend")
    out = pipeline(None, mode="scm")
    assert out.said[0] == f"origin/main false {second} {first} true"
    assert out.said[1].startswith("git dev1 Mend [b.txt, fail] 40 1 edit")


def test_git_steps(pipeline: Any) -> None:
    pipeline.commit({"f.txt": "main"})
    pipeline.git("checkout", "-q", "-b", "topic")
    pipeline.commit({"f.txt": "topic"})
    pipeline.git("tag", "v1")
    pipeline.git("checkout", "-q", "main")
    url = f"file://{pipeline.repo}"
    out = pipeline(
        f"""
        node {{
          def vars = git(url: '{url}', branch: 'topic')
          echo "> ${{readFile 'f.txt'}} ${{vars.GIT_BRANCH}} ${{sh(script: 'git rev-parse --abbrev-ref HEAD', returnStdout: true).trim()}}"
          dir('two') {{ checkout([$class: 'GitSCM', branches: [[name: '*/main']], extensions: [[$class: 'RelativeTargetDirectory', relativeTargetDir: 'below']], userRemoteConfigs: [[url: '{url}']]]); echo "> ${{readFile 'below/f.txt'}}" }}
          dir('three') {{ checkout scmGit(branches: [[name: 'refs/tags/v1']], userRemoteConfigs: [[url: '{url}']]); echo "> ${{readFile 'f.txt'}}" }}
          try {{ dir('four') {{ git url: '{url}', branch: 'nope' }} }} catch (e) {{ echo "> ${{e.message}}" }}
          try {{ dir('five') {{ git url: '{url}-gone', branch: 'main' }} }} catch (e) {{ echo "> ${{e.message.startsWith('Error fetching remote repo')}}" }}
          try {{ checkout scm }} catch (e) {{ echo "> ${{e.message.contains('only available')}}" }}
        }}
        """
    )
    assert out.result == "SUCCESS", out.log
    assert out.said == [
        "topic origin/topic topic",
        "main",
        "topic",
        "Couldn't find any revision to build. Verify the repository and branch configuration for this job.",
        "true",
        "true",
    ]


# -- other jobs


JOBS = """
[jobs.down]
jenkinsfile = "repo/down.Jenkinsfile"
[jobs.slow]
jenkinsfile = "repo/slow.Jenkinsfile"
"""


def test_downstream_jobs(pipeline: Any) -> None:
    down = """
        properties([parameters([string(name: 'WHAT', defaultValue: 'd'), booleanParam(name: 'B', defaultValue: false)])])
        env.SET_BY_DOWN = "set-${params.WHAT}"
        echo "down ${params.WHAT} ${params.B} ${currentBuild.buildCauses[0].shortDescription}"
        if (params.WHAT == 'unstable') { currentBuild.result = 'UNSTABLE' }
        if (params.WHAT == 'fail') { error 'told to' }
        """
    pipeline.write({"down.Jenkinsfile": down, "slow.Jenkinsfile": "sleep time: 300, unit: 'MILLISECONDS'; echo 'slow done'"})
    script = """
        def b = build(job: 'down', parameters: [string(name: 'WHAT', value: 'x'), booleanParam(name: 'B', value: true)])
        echo "> ${b.number} ${b.result} ${b.buildVariables.SET_BY_DOWN} ${b.projectName} ${b.absoluteUrl.endsWith('job/down/1/')} ${b.displayName}"
        echo "> ${build(job: 'down', propagate: false, parameters: [string(name: 'WHAT', value: 'fail')]).result}"
        try { build job: 'down', parameters: [string(name: 'WHAT', value: 'fail')] } catch (e) { echo "> ${e.class.simpleName} ${e.causes[0].shortDescription}" }
        try { build job: 'down', parameters: [string(name: 'WHAT', value: 'unstable')] } catch (e) { echo "> ${e.message}" }
        echo "> ${build(job: 'slow', wait: false)}"
        echo "> ${build(job: 'elsewhere/unknown', parameters: [string(name: 'A', value: '1')]).result}"
        """
    out = pipeline(script, config=JOBS)
    assert out.result == "SUCCESS", out.log
    assert out.said == [
        "1 SUCCESS set-x down true #1",
        "FAILURE",
        "FlowInterruptedException down #3 completed with status FAILURE (propagate: false to ignore)",
        "null",
        "null",
        "SUCCESS",
    ]
    assert {"effect": "build", "line": 8, "job": "elsewhere/unknown", "parameters": {"A": "1"}} in out.report["fidelity"]["recorded"]
    logs = pipeline.root / "state/jobs"
    assert 'down x true Started by upstream project "app" build number 1' in (logs / "down/builds/1/log").read_text()
    assert "slow done" in (logs / "slow/builds/1/log").read_text()
    strict = pipeline("build job: 'elsewhere/unknown'", config=JOBS + '[pipeline]\ncps = "strict"\n')
    assert strict.result == "FAILURE"
    strict.has("ERROR: No item named elsewhere/unknown found")


# -- libraries


def test_libraries(pipeline: Any) -> None:
    at = pipeline.root / "shared"
    files = {
        "vars/hello.groovy": "def call(Map args = [:], Closure body = null) { echo \"> hello ${args.who ?: 'nobody'} ${env.JOB_NAME}\"; if (body) { body() } ; return this }\ndef extra(x) { echo \"> extra ${x}\"; sh \"echo '> sh ${x}'\" }\n",
        "vars/deploy.groovy": "def call() { def r = libraryResource 'com/acme/t.txt'; echo \"> ${r.trim()} ${new com.acme.Util(this).twice(21)}\" }\n",
        "vars/standard.groovy": "def call(Map c) { pipeline { agent any; stages { stage('Lib') { steps { echo \"> standard ${c.name}\" } } } } }\n",
        "src/com/acme/Util.groovy": "package com.acme\nclass Util implements Serializable {\n  def script\n  Util(script) { this.script = script }\n  int twice(int x) { script.echo \"> twice\"; 2 * x }\n  static String shout(String s) { s.toUpperCase() }\n  public static final int LEVEL = 3\n}\n",
        "resources/com/acme/t.txt": "resource text\n",
    }
    for name, text in files.items():
        path = at / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    pipeline.git("init", "-q", at=at)
    pipeline.git("add", "-A", at=at)
    pipeline.git("commit", "-q", "-m", "one", at=at)
    pipeline.git("tag", "v1", at=at)
    (at / "vars/hello.groovy").write_text("def call(Map args = [:]) { echo '> hello from v2' }\n")
    pipeline.git("commit", "-q", "-a", "-m", "two", at=at)
    config = f"""
        [libraries.shared]
        git = "file://{at}"
        version = "main"
        [libraries.implicit]
        path = "implicit"
        implicit = true
        [libraries.standin]
        path = "standin"
        stub = true
        """
    pipeline.write({"../implicit/vars/always.groovy": "def call() { echo '> implicit' }", "../standin/vars/corporate.groovy": "def call(x) { echo \"> stand-in ${x}\" }"})
    script = """
        @Library('shared@v1') import com.acme.Util
        @Library('standin') _
        node {
          always()
          hello(who: 'you') { echo '> body' }.extra('more')
          hello.extra 'direct'
          deploy()
          echo "> ${Util.shout('loud')} ${Util.LEVEL} ${new Util(this).twice(1)}"
          corporate 1
          try { libraryResource 'none' } catch (e) { echo "> ${e.message}" }
        }
        standard name: 'n'
        """
    out = pipeline(script, config=config)
    assert out.result == "SUCCESS", out.log
    assert out.said == [
        "implicit", "hello you app", "body", "extra more", "sh more", "extra direct", "sh direct", "twice", "resource text 42", "twice", "LOUD 3 2", "stand-in 1",
        "No such library resource none could be found.", "standard n",
    ]  # fmt: skip
    assert any("standin is a stand-in" in each for each in out.report["fidelity"]["differences"])
    # cached: the origin may be away
    at.rename(pipeline.root / "moved")
    again = pipeline("def lib = library('shared@v1').com.acme; echo \"> ${lib.Util.shout('x')} ${lib.Util.new(this).twice(2)} ${lib.Util.LEVEL}\"; hello()", config=config)
    assert again.said == ["twice", "X 4 3", "hello nobody app"], again.log
    gone = pipeline("@Library('shared@v9') _\necho 'no'", config=config)
    assert gone.result == "FAILURE"
    gone.has("version v9 cannot be fetched")
    unknown = pipeline("@Library('unknown@1') _\necho 'no'", config=config)
    unknown.has("Could not find any definition of libraries [unknown@1]")


# -- what steps leave behind


def sleeping(number: int) -> bool:
    return subprocess.run(["pgrep", "-f", f"^sleep {number}$"], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("command", "survives"),
    [("sleep %d >/dev/null 2>&1 &", False), ("setsid sleep %d >/dev/null 2>&1 &", False), ("(nohup sleep %d >/dev/null 2>&1 &)", False), ("JENKINS_NODE_COOKIE=dontKillMe nohup sleep %d >/dev/null 2>&1 &", True)],
)
def test_background_processes_end_with_the_node(pipeline: Any, command: str, survives: bool) -> None:
    number = 700_000 + time.time_ns() % 100_000
    look = f"n=0; until ps -eo args | grep -qx 'sleep {number}' || [ $n = 40 ]; do sleep 0.1; n=$((n+1)); done; [ $n -lt 40 ] && echo '> runs'"
    out = pipeline(f'node {{ sh """{command % number}"""\nsh """{look}""" }}'.replace("$", "\\$"))
    assert (out.result, out.said) == ("SUCCESS", ["runs"]), out.log
    end = time.monotonic() + 2
    while sleeping(number) and not survives and time.monotonic() < end:
        time.sleep(0.05)
    assert sleeping(number) is survives
    subprocess.run(["pkill", "-f", f"^sleep {number}$"], check=False)


def test_the_first_words_of_a_background_process_count(pipeline: Any) -> None:
    """Its shell ends at the same moment, before the line of the process is written more often than not."""
    out = pipeline("node { for (int i = 0; i < 40; i++) { sh 'nohup sleep 2 > /dev/null 2>&1 & echo detached' } }")
    assert (out.result, out.log.count("nohup")) == ("SUCCESS", 40)


def test_a_background_process_may_go_on_writing(pipeline: Any) -> None:
    out = pipeline("""
        node {
          sh '(while sleep 0.05; do echo chatter; echo x >> beats; done) &'
          sh 'sleep 0.3; n=$(wc -l < beats); sleep 0.5; [ $(wc -l < beats) -gt $n ] && echo "> lives"'
        }
        """)
    assert out.said == ["lives"], out.log


def test_a_timeout_that_ends_with_its_block_is_over(pipeline: Any) -> None:
    out = pipeline("timeout(time: 100, unit: 'MILLISECONDS') { def end = System.currentTimeMillis() + 400; while (System.currentTimeMillis() < end) { } }\necho '> on'")
    assert (out.result, out.said) == ("SUCCESS", ["on"])
