"""Jenkinsfiles whose node blocks run on really booted hosts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hosts.boot import Host

from cibus.errors import HostAddressError
from cibus.pipeline.events import Output

HOME = "/home/jenkins"
WS = f"{HOME}/cibus/workspace/app"


@pytest.fixture
def there(pipeline: Any, host: Host) -> Iterator[Callable[..., Any]]:
    """Runs a Jenkinsfile with all its node blocks on the host."""
    yield lambda text, **options: pipeline(text, **{"on": host.url, "host_deadline": 3, **options})
    host.restore()
    host.run(f"rm -rf {HOME}/cibus /tmp/outside*", user="root")
    end = time.monotonic() + 40  # the guard of a connection that was cut waits for signs of life
    while "/tmp/cibus-" in host.run("ls -d /tmp/cibus-* 2>/dev/null", check=False):
        assert time.monotonic() < end
        time.sleep(0.5)


def test_where_steps_run(there: Any, host: Host) -> None:
    out = there("""
        node {
          echo "> ${env.NODE_NAME} ${env.WORKSPACE} ${env.HOME} ${env.USER} ${pwd()} ${pwd(tmp: true)} ${env.EXECUTOR_NUMBER}"
          sh 'echo "> $(hostname) $(id -un) $PWD $WORKSPACE $HOME $BUILD_NUMBER"'
          dir('a b') { sh 'echo "> $PWD"; echo $0'; echo "> ${pwd()}" }
          dir('/tmp/outside-place') { sh 'echo "> $PWD"' }
          echo "> ${isUnix()}"
        }
        """)
    assert out.result == "SUCCESS", out.log
    assert out.said == [
        f"{host.address} {WS} {HOME} jenkins {WS} {WS}@tmp 0",
        f"{host.name} jenkins {WS} {WS} {HOME} 1",
        f"{WS}/a b",
        f"{WS}/a b",
        "/tmp/outside-place",
        "true",
    ]
    out.has(f"Running on {host.address} in {WS}\n", f"Running in {WS}/a b\n", f"{WS}/a b@tmp/durable-", "Running in /tmp/outside-place\n")
    assert str(out.workspace.parent) not in out.log
    assert "durable" not in host.run(f"find {HOME}/cibus")


def test_the_shell_steps(there: Any) -> None:
    out = there(r"""
        node {
          sh label: 'named', script: '#!/bin/bash\necho "> bash ${BASH_VERSION%%.*}"'
          echo "> ${sh(script: 'echo out; echo err >&2', returnStdout: true).trim()} ${sh(script: 'exit 9', returnStatus: true)}"
          echo "> ${sh(script: "printf 'gr\\344u'", returnStdout: true, encoding: 'latin1')}"
          withEnv(['A=it\'s', 'PATH+X=/opt/x', 'LANG=']) { sh 'echo "> $A ${PATH%%:*} ${LANG-unset}"' }
          sh 'kill -9 $$ || true'
        }
        """)
    assert out.said == ["bash 5", "out 9", "gräu", "it's /opt/x unset"]
    out.has("+ echo err\nerr\n", "Killed\n", "ERROR: script returned exit code 137")


def test_files(there: Any, host: Host) -> None:
    out = there("""
        node {
          sh 'mkdir -p r "a b"; echo data > "a b/ü"; echo \\'<testsuite><testcase name="x" classname="c"/></testsuite>\\' > r/t.xml; chmod +x r/t.xml'
          echo "> ${readFile('a b/ü').trim()} ${fileExists('nothing')} ${findFiles(glob: '**')*.path.sort()}"
          writeFile file: 'new/file', text: 'written'
          sh 'echo "> $(cat new/file)"; rm "a b/ü"'
          echo "> ${fileExists('a b/ü')}"
          junit 'r/*.xml'
          archiveArtifacts 'new/**'
          writeJSON file: 'x.json', json: [a: 1]
          sh 'echo "> $(cat x.json)"'
          zip zipFile: 'all.zip', glob: 'new/**'
          sh 'ls -l all.zip'
          try { readFile 'none' } catch (e) { echo "> ${e.message}" }
          try { dir('d') { unzip 'none.zip' } } catch (e) { echo "> ${e.message}" }
          deleteDir()
          sh 'echo "> $(ls -A | wc -l)"'
        }
        """)
    assert out.result == "SUCCESS", out.log
    assert out.said[:7] == ["data false [a b/ü, r/t.xml]", "written", "false", '{"a":1}', f"{WS}/none", out.said[5], "0"]
    assert WS in out.said[5]
    assert out.report["tests"]["total"] == 1
    assert out.report["artifacts"] == ["new/file"]
    out.has(f"Writing zip file of {WS} filtered by [new/**] to {WS}/all.zip")


def test_files_anywhere_on_the_host(there: Any, host: Host) -> None:
    out = there("""
        node {
          echo "> ${readFile('/etc/hostname').trim()} ${fileExists('/etc/none')} ${fileExists('/etc')}"
          writeFile file: '/tmp/outside-1', text: 'one'
          sh 'echo "> $(cat /tmp/outside-1)"; echo two > /tmp/outside-1'
          echo "> ${readFile('/tmp/outside-1').trim()}"
          dir('/tmp/outside-d') { writeFile file: 'x', text: 'in d'; sh 'echo "> $(cat x)"'; echo "> ${pwd()}" }
          echo "> ${readFile('../../../.ssh/authorized_keys').contains('ssh-ed25519')}"
          sh 'echo above > ../above'
          echo "> ${readFile('../above').trim()}"
          writeFile file: '/etc/not-mine', text: 'x'
        }
        """)
    assert out.said == [f"{host.name} false true", "one", "two", "in d", "/tmp/outside-d", "true", "above"]
    assert out.result == "FAILURE"
    out.has("/etc/not-mine cannot be written: ", "Permission denied")


def test_workspaces(there: Any, host: Host) -> None:
    out = there("""
        node {
          writeFile file: 'kept', text: '1'
          node { echo "> ${pwd()} ${fileExists('kept')}" }
          ws('other') { sh 'echo "> $PWD"; touch in-other' ; echo "> ${fileExists('in-other')} ${env.WORKSPACE}" }
          ws('/tmp/outside-ws') { sh 'echo x > file'; echo "> ${readFile('file').trim()} ${pwd()} ${findFiles()*.name}" }
          sh 'echo "> $(ls)"'
        }
        """)
    assert out.said == [f"{WS}@2 false", f"{HOME}/cibus/workspace/other", f"true {HOME}/cibus/workspace/other", "x /tmp/outside-ws [file]", "kept"]
    again = there("node { echo \"> ${fileExists('kept')}\"; sh 'rm kept; touch -d 2020-01-01 new'; cleanWs() }")
    assert again.said == ["true"]
    assert host.run(f"ls -A {WS}") == ""


SECRETS = """
[credentials.token]
kind = "string"
secret = { value = "swordfish-1" }
[credentials.netrc]
kind = "file"
filename = "netrc"
content = { value = "content-of-file" }
"""


def test_credentials(there: Any, host: Host) -> None:
    out = there(
        """
        node {
          withCredentials([string(credentialsId: 'token', variable: 'T'), file(credentialsId: 'netrc', variable: 'F')]) {
            sh 'echo "> $T"; [ "$T" = swordfish"-"1 ] && echo "> same"; [ "$(cat "$F")" = content-of-file ] && echo "> file $(stat -c %a "$F") $(stat -c %a "$(dirname "$F")")"'
            writeFile file: 'name', text: env.F
          }
          sh 'echo "> $(ls "$(cat name)" 2>/dev/null | wc -l)"; find .. -name secretFiles -o -name netrc'
        }
        """,
        config=SECRETS,
    )
    assert out.result == "SUCCESS", out.log
    assert out.said == ["****", "same", "file 400 700", "0"]
    assert "swordfish-1" not in out.log
    assert "content-of-file" not in host.run(f"grep -r content-of-file {HOME} /tmp 2>/dev/null", user="root", check=False)


def test_checkout(pipeline: Any, there: Any) -> None:
    pipeline.commit({"src/main.c": "int main;\n", "run.sh": "#!/bin/sh\necho '> ran'\n"})
    pipeline.write({"Jenkinsfile": "pipeline { agent any; stages { stage('A') { steps { sh 'sh run.sh; cat src/main.c; echo \"> $(git log --oneline | wc -l) $(git status --porcelain | wc -l)\"'; echo \"> ${env.GIT_COMMIT.length()}\" } } } }"})
    out = there(None, mode="scm")
    assert out.result == "SUCCESS", out.log
    assert out.said == ["ran", "1 1", "40"]  # the Jenkinsfile itself is not committed


def test_parallel_branches_and_background_processes(there: Any, host: Host) -> None:
    """What runs on the host is seen at once by steps that read, and sees what steps write."""
    out = there("""
        node {
          parallel(
            server: { sh 'touch up; i=0; while [ ! -e stop ] && [ $i -lt 300 ]; do sleep 0.1; i=$((i+1)); done; cat stop' },
            client: { waitUntil(initialRecurrencePeriod: 50, quiet: true) { fileExists 'up' }; writeFile file: 'stop', text: '> stopped\\n' })
          sh '(sleep 0.5; echo late > late; sleep 75757) >/dev/null 2>&1 & JENKINS_NODE_COOKIE=dontKillMe sleep 75758 >/dev/null 2>&1 &'
          waitUntil(initialRecurrencePeriod: 50, quiet: true) { fileExists 'late' }
          echo "> ${readFile('late').trim()}"
          def many = [:]
          for (int i = 0; i < 15; i++) { def n = i; many["b${n}"] = { sh "sleep 1; echo '> branch ${n}'" } }
          parallel many
        }
        """)
    assert out.result == "SUCCESS", out.log
    assert out.said[:2] == ["stopped", "late"]
    assert sorted(out.said[2:]) == sorted(f"branch {n}" for n in range(15))
    assert (host.count("sleep 75757"), host.count("sleep 75758")) == (0, 1)
    host.run("kill $(ps -axo pid=,args= | grep '[s]leep 75758' | while read pid rest; do echo $pid; done)")


def test_agents_of_the_configuration(pipeline: Any, host: Host, second_host: Host) -> None:
    """Two hosts, each with its own sshd and keys; a stash goes from one to the other."""
    ssh = host.home / ".ssh"
    extra = f"\nHost {second_host.address}\n  User jenkins\n  IdentityFile {second_host.key}\n  UserKnownHostsFile {second_host.known_hosts}\n"
    before = (ssh / "config").read_text("utf-8")
    (ssh / "config").write_text(before + extra, "utf-8")
    config = f"""
        [agents.one]
        labels = ["linux"]
        run_on = "{host.url}"
        [agents.two]
        labels = ["other"]
        run_on = "ssh://{second_host.address}/tmp/agent two"
        env = {{ TOOLS = "/opt/tools" }}
        [tools.jdk.j]
        home = "/opt/jdk"
        """
    try:
        out = pipeline(
            """
            node('linux') {
              sh 'mkdir out; hostname > out/name; chmod 755 out/name; echo "> $NODE_NAME $NODE_LABELS"'
              stash 'out'
              node('other') { unstash 'out'; sh 'echo "> $(cat out/name) $(stat -c %a out/name) $(hostname) $TOOLS $PWD"'; echo "> ${tool 'j'}" }
              sh 'echo "> $(ls)"'
            }
            node('built-in') { sh 'echo "> $WORKSPACE"' }
            """,
            config=config,
        )
    finally:
        (ssh / "config").write_text(before, "utf-8")
        host.run(f"rm -rf {HOME}/cibus")
    assert out.result == "SUCCESS", out.log
    assert out.said == ["one linux one", f"{host.name} 755 {second_host.name} /opt/tools /tmp/agent two/workspace/app", "/opt/jdk", "out", str(out.workspace)]


def test_resume_brings_the_workspace_back_there(there: Any) -> None:
    script = """
        pipeline { agent any
          stages {
            stage('A') { steps { sh 'echo built > product' } }
            stage('B') { steps { sh 'echo "> $(cat product)"; echo spoilt > product; [ -n "$FINE" ]' } }
          }
        }
        """
    assert there(script).result == "FAILURE"
    out = there(script, resume=True, env={"FINE": "1"})
    assert (out.result, out.said) == ("SUCCESS", ["built"]), out.log


# -- stopping


def running(pipeline: Any, text: str, host: Host, on_ready: Callable[[Any], object], **options: Any) -> tuple[Any, str]:
    """Runs a script; once READY is in its log, something happens."""
    run, log, _ = pipeline.prepare(text, **{"on": host.url, "host_deadline": 3, **options})
    once = threading.Event()
    heard: list[str] = []

    def hear(event: object) -> None:
        heard.extend([event.text] if isinstance(event, Output) else [])
        if not once.is_set() and "\nREADY\n" in "".join(heard):
            once.set()
            threading.Thread(target=on_ready, args=(run,), daemon=True).start()

    run.bus.listen(hear)
    try:
        thread = run.thread(run.execute)
        thread.join(90)
        assert not thread.is_alive(), "".join(log)
    finally:
        run.engine.close(train=False)
    return run, "".join(log)


POST = """
    pipeline { agent any
      stages { stage('A') { steps { sh 'echo READY; (setsid sleep 76767 &); sleep 76767' } } }
      post {
        always {
          echo '> always'
          sh 'echo "> a shell"'
        }
        aborted { echo '> aborted' }
        failure { echo '> failure' }
      }
    }
    """


def test_abort(pipeline: Any, there: Any, host: Host) -> None:
    run, log = running(pipeline, POST, host, lambda run: run.abort())
    assert run.build.result == "ABORTED"
    assert "Sending interrupt signal to process\n" in log
    assert "script returned exit code 143" in log
    assert [line for line in log.split("\n") if line.startswith("> ")] == ["> always", "> a shell", "> aborted"]
    assert host.count("76767") == 0


def test_timeout(there: Any, host: Host) -> None:
    out = there("node { try { timeout(time: 1, unit: 'SECONDS') { sh 'sleep 77777' } } finally { sh 'echo \"> behind\"' } }")
    assert (out.result, out.said) == ("ABORTED", ["behind"])
    out.has("Cancelling nested steps due to timeout", "Sending interrupt signal to process")
    assert host.count("77777") == 0


@pytest.mark.parametrize("way", ["cut", "power_off", "sshd"])
def test_a_host_that_vanishes(pipeline: Any, there: Any, host: Host, way: str) -> None:
    def lose(_: Any) -> None:
        if way == "sshd":
            host.run("kill -9 $(ps -axo pid=,args= | grep '[s]shd: jenkins' | while read pid rest; do echo $pid; done)", user="root", check=False)
        else:
            getattr(host, way)()

    run, log = running(pipeline, POST, host, lose)
    assert run.build.result == "FAILURE"
    name = host.address
    lost = [line for line in log.split("\n") if line.startswith(("Cannot contact", "> ", "ERROR", "Unable", "Error"))]
    assert lost[0] == f'Cannot contact {name}: hudson.remoting.ChannelClosedException: Channel "{name}": Remote call on {name} failed. The channel is closing down or has closed down'
    assert [line for line in lost if line.startswith("> ")] == ["> always", "> failure"]
    assert f"Unable to create live FilePath for {name}; {name} was marked offline: Connection was broken" in log
    assert log.endswith(f"ERROR: agent {name} was lost: {host.url}: " + ("the connection was closed by the host" if way == "sshd" else "no answer for 3 seconds") + "\nFinished: FAILURE\n")
    if way != "power_off":
        host.restore()
        end = time.monotonic() + 30
        while host.count("76767"):
            assert time.monotonic() < end
            time.sleep(0.2)


def test_a_host_that_came_back(pipeline: Any, there: Any, host: Host) -> None:
    script = """
        try { node { sh 'echo READY; sleep 78787' } } catch (e) { echo "> ${e.message}" }
        waitUntil(initialRecurrencePeriod: 200, quiet: true) { try { node { sh 'echo "> again"' }; true } catch (e) { false } }
        """

    def blink(_: Any) -> None:
        host.cut()
        time.sleep(5)
        host.restore()

    run, log = running(pipeline, script, host, blink)
    assert run.build.result == "SUCCESS", log
    assert [line for line in log.split("\n") if line.startswith("> ")] == [f"> agent {host.address} was lost: {host.url}: no answer for 3 seconds", "> again"]


# -- at the start


def test_what_is_wrong_at_the_start(there: Any, host: Host) -> None:
    for on, expected in (
        (f"nobody@{host.address}", "does not let this user in"),
        (f"ssh://{host.address}:9", "cannot be reached"),
        (f"{host.url}/proc/none", "/proc/none/workspace/app cannot be written"),
        (f"{host.url}/etc/cibus", "Permission denied"),
    ):
        out = there("node { sh 'true' }", on=on)
        assert out.result == "FAILURE"
        assert out.lines[-2].startswith("ERROR: ssh://"), out.log
        assert expected in out.lines[-2]
        assert out.lines[-1] == "Finished: FAILURE"


def test_what_on_takes(pipeline: Any, there: Any, host: Host) -> None:
    assert there("node('no-such-label && x') { sh 'echo \"> $USER\"' }", on=host.address).said == ["jenkins"]
    assert there("node { sh 'echo \"> $USER $NODE_NAME\"' }", on="box", config=f'[agents.box]\nrun_on = "{host.url}"\n').said == ["jenkins box"]
    with pytest.raises(HostAddressError, match="x y: is not the address of a host"):
        there("node { }", on="x y")


def test_a_full_disk_there(there: Any, host: Host) -> None:
    host.run("mkdir /srv/small && mount -t tmpfs -o size=300k,mode=777 tmpfs /srv/small", user="root")
    try:
        out = there("node { writeFile file: 'big', text: 'x' * 1000000; sh 'true' }", on=f"{host.url}/srv/small")
        assert out.result == "FAILURE"
        assert "No space left on device" in out.lines[-2]
    finally:
        host.run("umount -l /srv/small; rmdir /srv/small", user="root")


# -- containers


DOCKER = r"""#!/bin/sh
echo "docker $*" >>/tmp/outside-docker
case $1 in
  version|inspect|stop|rm|kill) exit 0 ;;
  run) echo 0123456789abcdef ;;
  top) printf 'PID COMMAND\n1 cat\n' ;;
  exec) while [ "$1" != 0123456789abcdef ]; do case $1 in --workdir) cd "$2"; shift ;; --env) case $2 in *=*) export "$2" ;; esac; shift ;; esac; shift; done; shift; IN_CONTAINER=yes exec "$@" ;;
esac
"""


def test_containers_of_the_host(there: Any, host: Host) -> None:
    host.run("cat >/usr/local/bin/docker && chmod 755 /usr/local/bin/docker", user="root", stdin=DOCKER.encode())
    try:
        out = there("pipeline { agent { docker { image 'maven:3' } }; stages { stage('A') { steps { sh 'echo \"> $IN_CONTAINER $PWD\"; echo x > made'; echo \"> ${readFile('made').trim()}\" } } } }")
        calls = host.run("cat /tmp/outside-docker")
    finally:
        host.run("rm /usr/local/bin/docker", user="root")
    assert out.result == "SUCCESS", out.log
    assert out.said == [f"yes {WS}", "x"]
    assert f"docker run -t -d -u 1000:1000 -w {WS} -v {WS}:{WS}:rw,z -v {WS}@tmp:{WS}@tmp:rw,z" in calls
    assert "docker rm -f 0123456789abcdef" in calls
    out.has(f"{host.address} does not seem to be running inside a container", f"$ docker run -t -d -u 1000:1000 -w {WS}")


def test_the_default_is_this_machine(pipeline: Any) -> None:
    assert Path(pipeline("node { echo \"> ${pwd()}\" }").said[0]).is_dir()


def test_an_ssh_agent_of_the_host(there: Any, host: Host) -> None:
    config = f"""
        [credentials.key]
        kind = "sshUserPrivateKey"
        username = "git"
        private_key = {{ file = "{host.key}" }}
        """
    out = there("node { sshagent(['key']) { sh 'ssh-add -l | grep -c ED25519; [ -S \"$SSH_AUTH_SOCK\" ] && echo \"> $(hostname)\"' }; sh 'find .. -name \"private_key*\"' }", config=config)
    assert (out.result, out.said) == ("SUCCESS", [host.name]), out.log
    assert "private_key" not in out.log.split("find ..")[1].replace("private_key*", "")
    assert host.count("ssh-agent") == 0


def test_git_does_not_obey_a_repository_that_was_changed_there(pipeline: Any, there: Any, tmp_path: Path) -> None:
    """A host must not make this machine run programs or delete files by way of the workspace's .git."""
    mine = tmp_path / "mine"
    mine.write_text("precious")
    pipeline.commit({"a.txt": "a", ".gitattributes": "* filter=evil\n"})
    evil = f"touch {tmp_path}/owned; cat"
    script = f"""
        node {{
          checkout scm
          sh '''git config filter.evil.smudge "{evil}"; git config core.fsmonitor "{evil}"; printf '#!/bin/sh\\ntouch {tmp_path}/owned\\n' > .git/hooks/post-checkout; chmod +x .git/hooks/post-checkout
                printf '../../../../../../../../../../..{mine}' > "$(ls .git/cibus* 2>/dev/null || echo .git/cibus-copied)"; rm a.txt'''
          checkout scm
          echo "> ${{readFile('a.txt')}}"
          sh 'echo "> $(git log --oneline | wc -l)"'
        }}
        """
    pipeline.write({"Jenkinsfile": script})
    out = there(None, mode="scm")
    assert (out.result, out.said) == ("SUCCESS", ["a", "1"]), out.log
    assert not (tmp_path / "owned").exists()
    assert mine.read_text() == "precious"
