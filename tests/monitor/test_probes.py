"""Probes against real servers: what is counted, what is measured, what is contacted."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
import os
import resource
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from known_server import known, nearest_rank

from cibus.cli import main
from cibus.config import ProbeConfig
from cibus.errors import ConfigError, UsageError
from cibus.monitor.history import History, history_path
from cibus.monitor.probes import SPARE_FILES, allow_files, run_probes
from cibus.monitor.results import Clock, ProbeResult, Times

TOP = Path(__file__).parents[2]
TOLERANCE = 100.0  # ms between what the server did and what the probe saw, for connecting and a busy machine
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def tried(**config: Any) -> ProbeResult:
    results: list[ProbeResult] = []
    asyncio.run(run_probes([ProbeConfig("it", **config)], results.append))
    (result,) = results
    assert result.tried == result.ok + result.timeouts + result.refused + result.wrong + result.errors
    assert "\n" not in result.message
    return result


@contextlib.contextmanager
def serving(handler: Handler, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server on a free port, in a thread."""
    ready: list[int] = []
    loop, begun = asyncio.new_event_loop(), threading.Event()

    async def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, ssl.SSLError):
                await handler(reader, writer)
                writer.close()
                await writer.wait_closed()
        finally:
            writer.transport.abort()

    async def serve() -> None:
        server = await asyncio.start_server(quietly, "127.0.0.1", 0, ssl=context)
        ready.append(server.sockets[0].getsockname()[1])
        begun.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        server.close()
        await asyncio.sleep(0.02)  # a connection whose task is cancelled before it began would never be closed

    def run() -> None:
        asyncio.set_event_loop(loop)
        task = loop.create_task(serve())
        ends.append(task)
        loop.run_until_complete(task)
        rest = asyncio.all_tasks(loop)
        for each in rest:
            each.cancel()
        loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
        loop.run_until_complete(asyncio.sleep(0.02))  # transports close at the loop's next turns
        loop.close()

    ends: list[asyncio.Task[None]] = []
    loop.set_exception_handler(lambda *_: None)  # connections that a probe cuts
    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(10)
    try:
        yield ready[0]
    finally:
        loop.call_soon_threadsafe(ends[0].cancel)
        thread.join(10)


def saying(answer: bytes, *, wait: float = 0) -> Handler:
    """Answers the first bytes that come, and closes."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        await asyncio.sleep(wait)
        writer.write(answer)
        await writer.drain()

    return handle


def greeting(answer: bytes) -> Handler:
    """Says something, and waits for the end."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        while await reader.read(4096):
            pass

    return handle


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "Connection: close", "", ""]).encode() + body


# -- against the known server


def held_against(kind: str, hold: int) -> None:
    with known(kind) as server:
        result = tried(url=f"{kind}://127.0.0.1:{server.port}", send="ping\n", connections=500, hold=hold, timeout=5000)
        seen = server.seen()
    assert (result.tried, result.ok, result.timeouts, result.dropped) == (500, 475, 25, 0)
    assert (seen["connections"], seen["peak"], len(seen["first"])) == (500, 500, 475)
    for percent, said in ((50, result.total.p50), (95, result.total.p95), (99, result.total.p99), (100, result.total.max)):
        truth = nearest_rank(seen["first"], percent)
        assert truth - 1 <= said <= truth + TOLERANCE + 4 * result.lag.max, (percent, said, truth)  # connecting and answering wait for it in turn
    assert result.total.p50 < 300 <= result.total.p95 + 1  # 2 of the 19 that answer take 300 ms
    assert (result.total.count, result.connect.count) == (475, 500)
    assert result.held.count == seen["exchanges"] - 475
    assert result.held.count >= 475 * (hold - 1)
    assert "no answer within 5 s" in result.message


@pytest.mark.parametrize("kind", ["tcp", "ws"])
def test_500_connections_to_a_server_whose_delays_are_known(kind: str) -> None:
    held_against(kind, 2)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ws"])
def test_500_connections_held_for_30_seconds(kind: str) -> None:
    held_against(kind, 30)


@pytest.mark.parametrize("kind", ["tcp", "ws"])
def test_connections_that_are_dropped_while_held(kind: str) -> None:
    with known(kind, drop=20) as server:
        result = tried(url=f"{kind}://127.0.0.1:{server.port}", send="ping\n", connections=100, hold=3, timeout=800)
    assert (result.ok, result.timeouts, result.dropped, result.good) == (95, 5, 5, 90)


# -- outcomes, kind by kind


def test_refused_on_one_address_and_on_several() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        for url in (f"tcp://127.0.0.1:{port}", f"tcp://localhost:{port}", f"http://localhost:{port}/", f"ws://127.0.0.1:{port}/", f"smtp://127.0.0.1:{port}"):
            result = tried(url=url, connections=3)
            assert (result.tried, result.refused) == (3, 3), (url, result)


def test_a_name_that_is_not_there_is_an_error() -> None:
    result = tried(url="tcp://nothing.invalid:1")
    assert (result.errors, result.ok) == (1, 0)
    assert result.message


@pytest.mark.parametrize("kind", ["tcp", "tls", "http", "https", "ws", "smtp", "smtps"])
def test_a_service_that_accepts_and_says_nothing(kind: str) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(4096):
            pass

    with serving(silent) as port:
        result = tried(url=f"{kind}://127.0.0.1:{port}", timeout=300, expect="x" if kind in ("tcp", "tls") else "", connections=4)
    assert (result.tried, result.timeouts) == (4, 4), result


@pytest.mark.parametrize("kind", ["tcp", "tls", "http", "https", "ws", "wss", "smtp", "smtps"])
@pytest.mark.parametrize("rubbish", [b"\0" * 5000, b"\xff\xfe\x80\r\n\r\n", bytes(range(256)) * 300, b"HTTP/1.1 999999999 \xff\r\n\r\n", b""], ids=["NULs", "no UTF-8", "long", "HTTP?", "nothing"])
def test_a_service_that_says_rubbish(kind: str, rubbish: bytes) -> None:
    with serving(saying(rubbish) if kind not in ("smtp", "smtps") else greeting(rubbish)) as port:
        result = tried(url=f"{kind}://127.0.0.1:{port}", timeout=500, send="x", expect="never there")
    assert (result.tried, result.ok) == (1, 0), result
    assert result.message.isprintable()


def test_tcp_banner_that_comes_in_pieces() -> None:
    async def pieces(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in (b"SSH-", b"2.0", b"-x\r\n"):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.02)
        await reader.read()

    with serving(pieces) as port:
        assert tried(url=f"tcp://127.0.0.1:{port}", expect="^SSH-2[.]0-").ok == 1
        wrong = tried(url=f"tcp://127.0.0.1:{port}", expect="^220 ", timeout=300)
        assert (wrong.wrong, wrong.timeouts) == (1, 0)
        assert "SSH-2.0" in wrong.message
        assert tried(url=f"tcp://127.0.0.1:{port}").ok == 1


def test_http_statuses_bodies_and_redirects() -> None:
    def one(answer: bytes, **config: Any) -> ProbeResult:
        with serving(saying(answer)) as port:
            return tried(url=f"http://127.0.0.1:{port}/x?token=1", **config)

    assert one(http("200 OK", b"all fine"), expect="fine").ok == 1
    assert one(http("200 OK", b"all fine"), expect="^fine").wrong == 1
    assert one(http("503 Busy")).message == "HTTP status 503"
    assert one(http("503 Busy"), status=(503,)).ok == 1
    assert one(http("200 OK"), status=(204,)).wrong == 1
    assert one(http("200 OK", b"x" * 10)[:-5]).errors == 1  # cut off


def test_a_redirect_is_not_followed() -> None:
    contacted = []

    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        contacted.append(1)

    with serving(other) as elsewhere, serving(saying(http("302 Found", b"", f"Location: http://127.0.0.1:{elsewhere}/"))) as port:
        assert tried(url=f"http://127.0.0.1:{port}/").ok == 1
        assert tried(url=f"http://127.0.0.1:{port}/", status=(200,)).wrong == 1
        assert tried(url=f"ws://127.0.0.1:{port}/").wrong == 1
    assert contacted == []


def test_no_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")
    with serving(saying(http("200 OK"))) as port:
        assert tried(url=f"http://127.0.0.1:{port}/").ok == 1


def test_an_endless_body_is_read_in_part() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbegin")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    with serving(endless) as port:
        assert tried(url=f"http://127.0.0.1:{port}/", expect="begin", timeout=3000).ok == 1


def test_a_websocket_is_pinged_where_nothing_is_sent() -> None:
    with known("ws") as server:
        result = tried(url=f"ws://127.0.0.1:{server.port}/", connections=3, hold=1)
    assert (result.ok, result.dropped) == (3, 0)
    assert result.held.count >= 3


def test_an_expression_that_takes_for_ever_is_given_up() -> None:
    with serving(greeting(b"a" * 5000 + b"!")) as port:
        result = tried(url=f"tcp://127.0.0.1:{port}", expect="^(a|a|aa)+$", timeout=4000)
    assert result.wrong == 1
    assert "simplify" in result.message


# -- TLS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server_context(authority: trustme.CA, days: float) -> ssl.SSLContext:
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", not_before=until - datetime.timedelta(days=400), not_after=until).configure_cert(context)
    return context


@pytest.mark.parametrize(("kind", "answer"), [("https", http("200 OK")), ("tls", b"hello\n")])
def test_certificates(authority: trustme.CA, tmp_path: Path, kind: str, answer: bytes) -> None:
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    send = "hello" if kind == "tls" else ""
    with serving(saying(answer), server_context(authority, 10.5)) as port:
        fine = tried(url=f"{kind}://127.0.0.1:{port}", ca=ca, send=send)
        strange = tried(url=f"{kind}://127.0.0.1:{port}", send=send)
    assert fine.ok == 1, fine
    assert fine.certificate_days == pytest.approx(10.5, abs=0.1)
    assert strange.errors == 1
    assert "certificate" in strange.message.lower()
    with serving(saying(answer), server_context(authority, -1)) as port:
        over = tried(url=f"{kind}://127.0.0.1:{port}", ca=ca, send=send)
    assert over.errors == 1
    assert "expired" in over.message


def test_a_ca_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(b"\0rubbish")
    with pytest.raises(ConfigError, match=r"\[probes.it\]: ca .*ca.pem"):
        tried(url="tls://127.0.0.1:1", ca=tmp_path / "ca.pem")


# -- mail


class Nobody:
    """Takes no mail: a probe must not send any."""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        raise AssertionError("a mail was sent")


def test_a_real_mail_server() -> None:
    controller = Controller(Nobody(), hostname="127.0.0.1", port=free_port(), ident="known mail")
    controller.start()
    try:
        url = f"smtp://127.0.0.1:{controller.port}"
        result = tried(url=url, expect="known mail", connections=20, hold=1)
        assert (result.ok, result.dropped) == (20, 0)
        assert result.held.count >= 20
        assert tried(url=url, expect="other").wrong == 1
    finally:
        controller.stop()
    with serving(greeting(b"554 go away\r\n")) as port:
        assert "554" in tried(url=f"smtp://127.0.0.1:{port}").message


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


# -- percentiles, limits


def test_percentiles_are_by_nearest_rank() -> None:
    clock = Clock()
    assert clock.times() == Times()
    for milliseconds in range(1, 101):
        clock.add(milliseconds / 1000)
    assert clock.times() == Times(100, 50, 95, 99, 100)
    one = Clock()
    one.add(0.0123)
    assert one.times() == Times(1, 12.3, 12.3, 12.3, 12.3)


def test_the_limit_of_open_files_is_raised_or_said() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        allow_files(300)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 300 + SPARE_FILES
        with pytest.raises(UsageError, match=f"at most {before[1] - SPARE_FILES} are possible"):
            allow_files(before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


# -- the command


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CIBUS_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_measures_keeps_and_judges(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(saying(http("200 OK", b"fine"))) as port:
        (place / "cibus.toml").write_text(
            f'[probes.mirror]\nurl = "http://127.0.0.1:{port}/"\nowner = "ops"\n[probes.gone]\nurl = "tcp://127.0.0.1:{free_port()}"\nowner = "ann"\nrunbook = "my-page"\n'
        )
        assert main(["monitor", "probe", "mirror"]) == 0
        assert "1/1" in capsys.readouterr().out
        assert main(["monitor", "probe", "--json"]) == 3
    data = json.loads(capsys.readouterr().out)
    by_name = {each["name"]: each for each in data["probes"]}
    assert (by_name["mirror"]["slo"]["tried"], by_name["mirror"]["slo"]["good"]) == (2, 2)
    assert by_name["gone"]["refused"] == 1
    assert {"condition": "service-down", "subject": "gone", "level": "error", "words": "1 of 1 connections failed: connection refused", "owner": "ann", "runbook": "my-page"} in data["findings"]
    with History(history_path("default")) as history:
        assert len(history.probe_results("mirror", 0)) == 2


def test_what_cannot_be_probed_is_said_in_one_line(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["monitor", "probe"]) == 2
    assert "no probes in cibus.toml" in capsys.readouterr().err
    (place / "cibus.toml").write_text('[probes.mirror]\nurl = "http://127.0.0.1:99999/"\n')
    for argv, words in (
        (["miror"], "known: mirror"), (["ftp://x/"], "not the URL of a probe"), (["https://user:hunter2@x/"], "without a user or password"), (["mirror"], "[probes.mirror]: url"),
    ):  # fmt: skip
        assert main(["monitor", "probe", *argv]) == 2
        error = capsys.readouterr().err
        assert words in error
        assert error.count("\n") == 1
        assert "hunter2" not in error


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_shows_and_keeps_what_was_measured(place: Path, number: signal.Signals) -> None:
    with known("tcp") as server:
        argv = ["monitor", "probe", f"tcp://127.0.0.1:{server.port}", "--connections", "40", "--hold", "60", "--send", "ping", "--timeout", "30000", "--json"]
        process = subprocess.Popen([sys.executable, "-W", "error", "-m", "cibus", *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(TOP)})
        time.sleep(4)
        process.send_signal(number)
        out, error = process.communicate(timeout=30)
    assert process.returncode == 130, error
    assert error == "cibus: interrupted; what was measured until then is kept\n"
    (data,) = json.loads(out)["probes"]
    assert (data["ok"], data["tried"], data["interrupted"]) == (38, 38, True)
    with History(history_path("default")) as history:
        assert [each.ok for each in history.probe_results(data["name"], 0)] == [38]


def test_a_missing_package_is_one_line(place: Path) -> None:
    block = "import sys; sys.modules['aiohttp'] = None; from cibus.cli import main; sys.exit(main(['monitor', 'probe', 'tcp://127.0.0.1:1']))"
    done = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(TOP)})
    assert done.returncode == 2
    assert done.stderr == "cibus: error: probes need packages that are not installed: pip install 'cibus[monitor]'\n"
