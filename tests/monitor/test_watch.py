"""``cibus monitor watch``: what begins and is over, those who are told, and the services that are probed with it."""

from __future__ import annotations

import os
import signal
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from command import Cibus
from sickness import Ward

from cibus.cli import main


@contextmanager
def watched(ward: Ward, *more: str) -> Iterator[Path]:
    """``cibus monitor watch`` as a process, ended by Ctrl-C; gives the file of what it prints."""
    out = ward.folder / "watch.out"
    env = {**os.environ, "CIBUS_JENKINS_URL": ward.fake.url, "CIBUS_JENKINS_USER": ward.fake.user, "CIBUS_JENKINS_TOKEN": ward.fake.token}
    with out.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-m", "cibus", "monitor", "watch", "--interval", "1", *more], cwd=ward.folder, env=env, stdout=file, stderr=file)
    try:
        yield out
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def until_said(out: Path, words: str, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while words not in out.read_text():
        assert time.monotonic() < end, out.read_text()
        time.sleep(0.1)


def test_what_begins_and_is_over(ward: Ward) -> None:
    with watched(ward) as out:
        until_said(out, "nothing is wrong\n")
        ward.monitor("one", "Clock", diff=95_000)
        until_said(out, " warning: one has a clock that is 95 s behind (see agent-clock)\n")
        ward.monitor("one", "Clock", diff=0)
        until_said(out, " over: warning: one has a clock that is 95 s behind (see agent-clock)\n")
    assert out.read_text().count("one has a clock") == 2


def test_those_whom_notify_names_are_told_once_and_when_it_is_over(ward: Ward) -> None:
    pytest.importorskip("apprise")
    with webhook_of_texts() as (port, told):
        ward.configure(f'runbooks = "https://wiki.example/ci/"\n[notify]\ndelay = 1\n[notify.urls]\nteam = {{ value = "json://127.0.0.1:{port}/a-token-in-it" }}\n')
        ward.monitor("one", "Clock", diff=95_000)
        with watched(ward, "--notify") as out:
            end = time.monotonic() + 20
            while not told and time.monotonic() < end:
                time.sleep(0.1)
            time.sleep(3)
            assert len(told) == 1
            assert "one has a clock that is 95 s behind" in told[0]
            assert "https://wiki.example/ci/agent-clock" in told[0]
            ward.monitor("one", "Clock", diff=0)
            end = time.monotonic() + 20
            while len(told) < 2 and time.monotonic() < end:
                time.sleep(0.1)
            assert len(told) == 2
    assert "a-token-in-it" not in out.read_text()


@contextmanager
def webhook_of_texts() -> Iterator[tuple[int, list[str]]]:
    """A local server that takes what is posted."""
    told: list[str] = []

    class Taker(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            length = 0
            while line := self.rfile.readline().strip():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            told.append(self.rfile.read(length).decode())
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Taker) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], told
        server.shutdown()


def test_services_are_probed_with_it(ward: Ward) -> None:
    ward.configure('[probes.store]\nurl = "tcp://127.0.0.1:1"\nowner = "team-store"\n')
    with watched(ward) as out:
        until_said(out, "(see service-down)\n")
    assert "1 of 1 connections failed" in out.read_text()


def test_notify_without_anybody_to_tell(ward: Ward, cibus: Cibus) -> None:
    code, _, err = cibus(ward.fake, "monitor", "watch", "--notify", "--once")
    assert (code, err.count("\n")) == (2, 1)
    assert "add [notify.urls] to" in err
    ward.configure('[notify.urls]\nteam = { value = "nonsense://x" }\n')
    code, _, err = cibus(ward.fake, "monitor", "watch", "--notify", "--once")
    assert code == 2
    assert "team in [notify.urls] is not a URL that apprise knows" in err


def test_once(ward: Ward, cibus: Cibus) -> None:
    code, out, _ = cibus(ward.fake, "monitor", "watch", "--once")
    assert code == 0
    assert out.endswith("nothing is wrong\n")


def test_on_a_terminal_it_stays_in_its_place(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    pexpect = pytest.importorskip("pexpect")
    env = {**os.environ, "CIBUS_JENKINS_URL": ward.fake.url, "CIBUS_JENKINS_USER": ward.fake.user, "CIBUS_JENKINS_TOKEN": ward.fake.token, "TERM": "xterm"}
    child = pexpect.spawn(sys.executable, ["-m", "cibus", "monitor", "watch", "--interval", "1"], cwd=str(ward.folder), env=env, timeout=20)
    child.expect("nothing is wrong")
    ward.monitor("one", "Clock", diff=95_000)
    child.expect("agent-clock")
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["monitor", "--help"]) == 0
    out = capsys.readouterr().out
    assert all(f"\n  {name} " in out for name in ("check", "watch", "serve", "rules", "probe", "causes"))
