"""Processes on a really booted host."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hosts.boot import Host as Machine
from ssh.conftest import Run

from cibus.errors import HostLost
from cibus.ssh.host import Host
from cibus.ssh.process import Marker, RemoteProcess


def gone(host: Machine, words: str, seconds: float = 20) -> None:
    """Within a bounded time no process there has these words in its command line."""
    end = time.monotonic() + seconds
    while host.count(words):
        assert time.monotonic() < end, host.run("ps -axww -o pid=,ppid=,args=", user="root")
        time.sleep(0.2)


def test_output_code_and_environment(run: Run) -> None:
    done = run("echo out; echo err >&2; echo \"$A\"; echo $HOME $PWD; exit 3", env={"A": "it's\n$x `y` ü"})
    assert (done.code, done.text) == (3, "out\nerr\nit's\n$x `y` ü\n/home/jenkins /home/jenkins/work\n")


def test_captured_output(run: Run) -> None:
    done = run("echo out; echo err >&2; printf end", capture=True)
    assert (done.code, done.text, done.captured) == (0, "err\n", "out\nend")


def test_much_output_in_order(run: Run) -> None:
    done = run("i=0; while [ $i -lt 3000 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done; head -c 3000000 /dev/zero | tr '\\0' x")
    assert done.text[:-3_000_000].split("\n")[:-1] == [f"{kind} {i}" for i in range(3000) for kind in ("out", "err")]
    assert done.text.endswith("x" * 3_000_000)


def test_signals_are_named(run: Run) -> None:
    assert [(done.code, done.text) for done in (run("kill -9 $$"), run("kill $$"), run("exit 137"))] == [(137, "Killed\n"), (143, "Terminated\n"), (137, "")]


def test_nothing_secret_shows(run: Run, host: Machine) -> None:
    done = run("ps -axww -o args=; ls -la /tmp/cibus-*/ | grep job", env={"PASSWORD": "hush-hush"}, files={"/home/jenkins/x@tmp/s/script": b"# swordfish\n"})
    assert "hush-hush" not in done.text
    assert "swordfish" not in done.text
    assert "-rw-------" in done.text
    assert host.run("ls -A /home/jenkins/x@tmp") == ""


def test_files_that_come_along(remote: Host) -> None:
    process = RemoteProcess(remote, ["/home/jenkins/x@tmp/a b/s"], {}, "/tmp", files={"/home/jenkins/x@tmp/a b/s": b"#!/bin/bash\necho \"$BASH_VERSINFO\" it\\'s"})
    parts: list[bytes] = []
    assert process.stream(parts.append, lambda: None) == 0
    assert b"5 it's" in b"".join(parts)


STUBBORN = "trap '' TERM; (setsid sleep 71717 &); sh -c 'trap \"\" TERM; sleep 71717' & echo ready; while :; do sleep 71717; done"


@pytest.mark.parametrize("script", ["echo ready; sleep 71717", STUBBORN], ids=["plain", "stubborn"])
def test_an_interruption_ends_the_whole_tree(remote: Host, host: Machine, script: str) -> None:
    process = RemoteProcess(remote, ["sh", "-c", script], {"JENKINS_SERVER_COOKIE": "cookie-1"}, "/tmp", cookie="cookie-1")
    said: list[bytes] = []

    def hear(data: bytes) -> None:
        said.append(data)
        if b"ready" in data:
            threading.Timer(0.2, process.interrupt, (ValueError("stop"),)).start()

    assert process.stream(hear, lambda: said.append(b"interrupted\n")) in (137, 143)
    assert b"interrupted\n" in said
    assert isinstance(process.error, ValueError)
    gone(host, "71717")


def test_background_processes_stay_until_the_block_ends(remote: Host, run: Run, host: Machine) -> None:
    env = {"JENKINS_NODE_COOKIE": "node-1"}
    done = run("sleep 72727 & (setsid sleep 72728 >/dev/null 2>&1 </dev/null &) ; JENKINS_NODE_COOKIE=dontKillMe sleep 72729 >/dev/null 2>&1 & echo done", env=env, node="node-1")
    assert (done.text, done.left) == ("done\n", True)
    assert (host.count("sleep 72727"), host.count("sleep 72728"), host.count("sleep 72729")) == (1, 1, 1)
    remote.call("leftovers", "node-1")
    assert (host.count("sleep 72727"), host.count("sleep 72728"), host.count("sleep 72729")) == (0, 0, 1)
    host.run("kill $(ps -axo pid=,args= | grep '[s]leep 72729' | while read pid rest; do echo $pid; done)")


def test_what_is_written_behind_the_end_hurts_nobody(run: Run, host: Machine) -> None:
    run("(sleep 0.3; echo late; echo later; touch /tmp/late-was-here) & echo now")
    end = time.monotonic() + 20
    while "late-was-here" not in host.run("ls /tmp"):
        assert time.monotonic() < end
        time.sleep(0.1)


def test_many_at_once_take_further_connections(remote: Host) -> None:
    """sshd takes ten sessions on one connection."""
    processes = [RemoteProcess(remote, ["sh", "-c", f"sleep 1; echo {n}"], {}, "/tmp") for n in range(15)]
    texts: list[list[bytes]] = [[] for _ in processes]
    threads = [threading.Thread(target=process.stream, args=(text.append, lambda: None)) for process, text in zip(processes, texts, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [b"".join(text) for text in texts] == [b"%d\n" % n for n in range(15)]


CLIENT = """
import sys
from cibus.ssh.address import parse
from cibus.ssh.host import Host
from cibus.ssh.process import RemoteProcess
host = Host(parse(sys.argv[1]), interval=0.5, deadline=3)
process = RemoteProcess(host, ["sh", "-c", "(setsid sleep 73737 &); echo ready; sleep 73737"], {"JENKINS_NODE_COOKIE": "n", "JENKINS_SERVER_COOKIE": "s"}, "/tmp", cookie="s", node="n")
process.stream(lambda data: print(data.decode(), flush=True), lambda: None)
"""


@pytest.fixture
def client(host: Machine, tmp_path: Path) -> subprocess.Popen[str]:
    """Another cibus that runs something there."""
    (tmp_path / "client.py").write_text(CLIENT, "utf-8")
    process = subprocess.Popen([sys.executable, str(tmp_path / "client.py"), host.address], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_a_killed_client_leaves_nothing_there(host: Machine, client: subprocess.Popen[str]) -> None:
    client.kill()
    client.communicate()
    gone(host, "73737")
    gone(host, "host.sh")
    assert host.run("ls -d /tmp/cibus-* 2>/dev/null", check=False) == ""


def test_a_cut_link_leaves_nothing_there_either(host: Machine, client: subprocess.Popen[str]) -> None:
    """No end of the connection reaches the host: the guard there misses the signs of life."""
    host.cut()
    client.kill()
    client.communicate()
    time.sleep(12)
    host.restore()
    gone(host, "73737")


@pytest.mark.parametrize("way", ["cut", "power_off", "sshd"])
def test_a_lost_host_is_noticed(remote: Host, host: Machine, way: str) -> None:
    process = RemoteProcess(remote, ["sh", "-c", "echo ready; sleep 74747"], {}, "/tmp")

    def lose(_: bytes) -> None:
        if way == "sshd":
            host.run("kill -9 $(ps -axo pid=,args= | grep '[s]shd: jenkins' | while read pid rest; do echo $pid; done)", user="root", check=False)
        else:
            getattr(host, way)()

    with pytest.raises(HostLost, match="no answer for 3 seconds" if way != "sshd" else "closed by the host"):
        process.stream(lose, lambda: None)
    assert not remote.alive
    with pytest.raises(HostLost):
        remote.call("leftovers", "x")
    host.restore()


def test_the_marker_in_pieces() -> None:
    for size in (1, 2, 5, 100):
        marker = Marker("token")
        data = b"a\x1eb\x1etoke\x1etoken 12 1\x1elate"
        out = b"".join(marker.feed(data[at : at + size]) for at in range(0, len(data), size) if marker.found is None)
        assert (out, marker.found) == (b"a\x1eb\x1etoke", (12, True))
