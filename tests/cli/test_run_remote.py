"""``cibus run --on HOST`` as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator

import pexpect
import pytest
from hosts.boot import Host
from repos import MakeRepo, Repo

SLEEPS = "node { sh 'echo READY; (setsid sleep 79797 &); sleep 79797' }\n"


@pytest.fixture
def tidy(host: Host) -> Iterator[Host]:
    yield host
    host.run("rm -rf cibus")


def gone(host: Host, words: str) -> None:
    end = time.monotonic() + 20
    while host.count(words):
        assert time.monotonic() < end
        time.sleep(0.2)


def start(repo: Repo, host: Host) -> subprocess.Popen[str]:
    """Starts a build there and waits until it sleeps."""
    process = subprocess.Popen([repo.program, "run", "--inline", "--format", "jenkins", "--on", host.url], cwd=repo.path, env=repo.environ(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line == "READY\n":
            return process
    raise AssertionError(process.communicate())


def test_a_run(make_repo: MakeRepo, tidy: Host) -> None:
    repo = make_repo("pipeline { agent any; stages { stage('A') { steps { sh 'echo on $(hostname) as $USER; ls' } } } }\n", {"file.txt": "x"})
    done = repo.cibus("run", "--format", "jenkins", "--on", tidy.address)
    assert done.returncode == 0, done.stderr
    assert f"\non {tidy.name} as jenkins\n" in done.stdout
    assert "\nfile.txt\n" in done.stdout
    assert done.stderr == ""


def test_wrong_words(make_repo: MakeRepo, tidy: Host) -> None:
    repo = make_repo("node { sh 'true' }\n")
    done = repo.cibus("run", "--inline", "--on", "ssh://a b")
    assert (done.returncode, done.stderr) == (2, "cibus: error: ssh://a b: is not the address of a host; give ssh://[user@]host[:port][/folder]\n")
    done = repo.cibus("run", "--inline", "--format", "jenkins", "--on", f"{tidy.url}:9")
    assert done.returncode == 1
    assert f"\nERROR: {tidy.url}:9: cannot be reached: " in done.stdout


@pytest.mark.parametrize("signals", [[signal.SIGINT], [signal.SIGINT, signal.SIGINT], [signal.SIGKILL]], ids=["once", "twice", "killed"])
def test_being_stopped(make_repo: MakeRepo, tidy: Host, signals: list[signal.Signals]) -> None:
    process = start(make_repo(SLEEPS), tidy)
    for number in signals:
        process.send_signal(number)
        time.sleep(0.05)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == {"SIGKILL": -9}.get(signals[0].name, 4 if len(signals) == 1 else 130)
    assert ("Finished: ABORTED" in out) is (len(signals) == 1 and signals[0] == signal.SIGINT)
    gone(tidy, "79797")
    gone(tidy, "host.sh")


def test_a_shell_where_a_step_failed(make_repo: MakeRepo, tidy: Host, request: pytest.FixtureRequest) -> None:
    repo = make_repo("node { withEnv(['WORD=it\\'s']) { dir('sub') { sh 'touch here; cat made' } } }\n")
    env = {**repo.environ(), "TERM": "xterm", "PATH": os.environ["PATH"]}
    child = pexpect.spawn(repo.program, ["run", "--inline", "--on", tidy.url, "--on-failure", "shell"], cwd=str(repo.path), env=env, encoding="utf-8", timeout=30, dimensions=(30, 200))
    request.addfinalizer(lambda: child.close(force=True))
    child.expect("a shell in /home/jenkins/cibus/workspace/.*/sub, with")
    child.expect(r"\$ ")
    child.sendline('echo "<$WORD $(hostname) $(ls)>"; echo fine > made')
    child.expect(f"<it's {tidy.name} here>")
    child.sendline("exit")
    child.expect_exact("[a]bort? ")
    child.sendline("r")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
