"""Declarative Pipeline: environment, credentials in it, parameters."""

from __future__ import annotations

import base64
from typing import Any

KEYSTORE = base64.b64encode(b"not really a keystore").decode()
CREDENTIALS = f"""
[credentials.token]
kind = "string"
secret = {{ value = "s3cr3t-token" }}
[credentials.login]
kind = "usernamePassword"
username = "bob"
password = {{ value = "pass'word 1" }}
[credentials.netrc]
kind = "file"
filename = "netrc"
content = {{ value = "line one secret\\nline two secret" }}
[credentials.key]
kind = "sshUserPrivateKey"
username = "git"
private_key = {{ value = "-----BEGIN KEY-----\\nabcdef0123456789\\n-----END KEY-----\\n" }}
passphrase = {{ value = "open sesame" }}
[credentials.cert]
kind = "certificate"
keystore = {{ value = "{KEYSTORE}" }}
password = {{ value = "changeit-please" }}
[credentials.docker]
kind = "dockerCert"
client_key = {{ value = "the-client-key" }}
client_certificate = {{ value = "the-client-certificate" }}
ca_certificate = {{ value = "the-ca-certificate" }}
"""


def test_references_in_any_order(pipeline: Any) -> None:
    out = pipeline(
        """
        def fromCode() { return 'code' }
        pipeline {
          agent any
          environment {
            LAST = "${MIDDLE}!"
            MIDDLE = "<${FIRST}>"
            FIRST = 'first'
            SINGLE = 'literal ${FIRST}'
            UNDEFINED = "${NOWHERE}"
            EMPTY = ''
            NUMBER = 7
            CODE = fromCode()
            JOINED = 'a' + 'b'
            PATH_LIKE = "${env.WORKSPACE}/x"
            SHELL_OUT = "${sh(script: 'echo from shell', returnStdout: true).trim()}"
          }
          stages {
            stage('A') {
              environment { FIRST = 'inner'; DERIVED = "${LAST} ${FIRST}"; PATH = "/opt/tool/bin:$PATH" }
              steps {
                echo "> ${LAST} ${MIDDLE} ${FIRST} ${SINGLE} ${UNDEFINED}"
                echo "> ${env.EMPTY} ${NUMBER} ${CODE} ${JOINED} ${PATH_LIKE == WORKSPACE + '/x'} ${SHELL_OUT}"
                echo "> ${DERIVED}"
                sh 'case $PATH in /opt/tool/bin:*) echo "> path";; esac; echo "> ${EMPTY-unset} $LAST"'
              }
            }
            stage('B') { steps { echo "> ${FIRST}"; withEnv(['PATH+ONE=/one', 'FIRST=', 'NEW=n']) { sh 'echo "> ${PATH%%:*} ${FIRST-unset} $NEW"' } } }
            stage('C') { steps { echo "> ${EMPTY}" } }
          }
        }
        """
    )
    assert out.said == [
        "<first>! <first> inner literal ${FIRST} null",
        "null 7 code ab true from shell",
        "<first>! inner",
        "path",
        "unset <first>!",
        "first",
        "/one unset n",
    ]
    assert out.result == "FAILURE"
    out.has("groovy.lang.MissingPropertyException: No such property: EMPTY")


def test_credentials_of_every_kind(pipeline: Any) -> None:
    out = pipeline(
        """
        pipeline {
          agent any
          environment { TOKEN = credentials('token') }
          stages {
            stage('A') {
              environment { LOGIN = credentials('login'); FILE = credentials('netrc'); KEY = credentials('key'); CERT = credentials('cert'); DOCKER = credentials('docker') }
              steps {
                echo "> ${TOKEN} and ${LOGIN_PSW}"
                sh '''echo "> $TOKEN"
                  test "$TOKEN" = s3cr3t-token
                  test "$LOGIN" = "bob:pass'word 1" -a "$LOGIN_USR" = bob -a "$LOGIN_PSW" = "pass'word 1"
                  test "$(cat "$FILE")" = "line one secret
line two secret"
                  grep -q abcdef0123456789 "$KEY" && test "$KEY_USR" = git -a "$KEY_PSW" = "open sesame"
                  test "$(stat -c %a "$KEY")" = 400
                  test "$(cat "$CERT")" = "not really a keystore" -a "$CERT_PSW" = changeit-please
                  test "$(cat "$DOCKER/key.pem" "$DOCKER/cert.pem" "$DOCKER/ca.pem")" = the-client-keythe-client-certificatethe-ca-certificate
                  printf '%s\\n' "$FILE" "$KEY" "$CERT" "$DOCKER" > paths.txt'''
              }
            }
            stage('B') { steps { script { for (path in readFile('paths.txt').split('\\n')) { if (sh(script: "test -e '${path}'", returnStatus: true) == 0) { error "left ${path}" } } }
                                 echo "> gone" } }
            stage('C') { environment { NOT = credentials('missing') }; steps { echo 'no' }; post { always { echo '> no post' } } }
          }
          post { always { echo '> posted' } }
        }
        """,
        config=CREDENTIALS,
    )
    assert out.said[:2] == ["**** and ****", "****"]
    assert out.said[2:] == ["gone", "posted"]
    assert out.result == "FAILURE"
    out.has("Masking supported pattern matches of $TOKEN", "Warning: A secret was passed to \"echo\" using Groovy String interpolation", "ERROR: missing")
    for secret in ("s3cr3t-token", "pass'word", "open sesame", "changeit-please"):
        assert secret not in out.log
        assert secret not in str(out.events)


PARAMETERS = """
    pipeline {
      agent none
      parameters {
        string(name: 'NAME', defaultValue: 'world', description: 'who', trim: true)
        text(name: 'LINES', defaultValue: 'a\\nb')
        booleanParam(name: 'FLAG', defaultValue: true)
        choice(name: 'SIZE', choices: ['small', 'big'])
        password(name: 'PASS', defaultValue: 'default-pass')
        string(name: 'EMPTY', defaultValue: '')
      }
      stages {
        stage('A') {
          steps {
            echo "> ${params.NAME} ${params.LINES.readLines().size()} ${params.FLAG} ${params.SIZE} ${params.EMPTY == ''}"
            echo "> ${params.FLAG.getClass().simpleName} ${params.size()} ${params.containsKey('NAME')} ${params.NONE}"
            echo "> env ${env.NAME} ${env.FLAG} ${env.SIZE}"
            script { try { params.NAME = 'x' } catch (UnsupportedOperationException e) { echo '> immutable' } }
            script { try { params.put('NAME', 'x') } catch (UnsupportedOperationException e) { echo '> immutable' } }
          }
        }
        stage('B') { when { expression { params.FLAG } }; steps { echo '> flagged' } }
      }
    }
    """


def test_parameters_first_and_later_build(pipeline: Any) -> None:
    first = pipeline(PARAMETERS, number=1)
    assert first.result == "SUCCESS", first.log
    assert first.said == ["world 2 true small true", "Boolean 6 true null", "env null null null", "immutable", "immutable", "flagged"]
    later = pipeline(None, parameters={"NAME": "  padded ", "FLAG": "false", "SIZE": "big", "OTHER": "dropped"})
    assert later.said == ["padded 2 false big true", "Boolean 6 true null", "env padded false big", "immutable", "immutable"]
    assert any("OTHER" in remark and "dropped" in remark for remark in later.remarks)
    assert later.report["parameters"]["NAME"] == "padded"
    assert "PASS" not in later.report["parameters"]
    odd = pipeline(None, parameters={"SIZE": "huge"})
    assert any("SIZE=huge is not one of its choices" in remark for remark in odd.remarks)


def test_parameters_given_on_a_new_job(pipeline: Any) -> None:
    """Where the job has no history here, what is given counts as known, as on a job that has been built before."""
    out = pipeline(PARAMETERS, parameters={"NAME": "you", "PASS": "given-pass"})
    assert out.said[0].startswith("you 2 true small")
    assert out.said[2] == "env you true small"


def test_properties_step_sets_parameters(pipeline: Any) -> None:
    text = """
        properties([
          parameters([string(name: 'WHO', defaultValue: 'nobody'), booleanParam(name: 'B', defaultValue: false), choice(name: 'C', choices: 'x\\ny')]),
          buildDiscarder(logRotator(numToKeepStr: '3')), disableConcurrentBuilds(), pipelineTriggers([cron('@daily')])
        ])
        echo "> ${params.WHO} ${params.B} ${params.C} ${env.WHO}"
        """
    assert pipeline(text, number=1).said == ["nobody false x null"]
    assert pipeline(None, parameters={"WHO": "me"}).said == ["me false x me"]
