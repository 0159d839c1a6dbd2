"""Notifications: what is told and when; delivered to a real webhook and a real mail server; no token shown."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.controller import Controller

from cibus.config import NotifyConfig
from cibus.errors import ConfigError
from cibus.monitor.deliver import Channel, channels, notify, send
from cibus.monitor.findings import Finding, Level
from cibus.monitor.history import History
from cibus.monitor.notify import MOST_LINES, Message, Open, State, decide, is_quiet
from cibus.secrets import Secret, SecretSource

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 6, 1, 12, tzinfo=BERLIN).timestamp()
CONFIG = NotifyConfig()
CANARY = "c4n4ry-t0ken"


def opened(subject: str = "mac-03", level: Level = "error", since: float = NOON - 3600, words: str = "not connected", condition: str = "agent-offline") -> Open:
    return Open(Finding(condition, subject, level, words, "ann", condition), since)


class Story:
    """Sweeps one after the other, with what each tells."""

    def __init__(self, config: NotifyConfig = CONFIG, now: float = NOON) -> None:
        self.config, self.now, self.state = config, now, State()

    def sweep(self, *found: Open, after: float = 60, partial: bool = False) -> str:
        self.now += after
        messages, state = decide(self.now, found, self.state, self.config, zone=BERLIN, partial=partial)
        assert len(messages) <= 1
        self.state = State.of_text(state.to_text())  # as after a restart
        assert self.state == state
        return f"{messages[0].title}\n{messages[0].body}" if messages else ""


def test_told_once_again_and_when_it_is_over() -> None:
    story, it = Story(), opened()
    said = story.sweep(it)
    assert said.splitlines() == ["CI: 1 error", "ERROR agent-offline: mac-03: not connected – owner ann – agent-offline"]
    assert story.sweep(it) == ""
    assert story.sweep(it, after=23 * 3600) == ""
    assert "still" in story.sweep(it, after=3600)
    assert story.sweep(it) == ""
    assert story.sweep() == ""  # once not seen is not over
    assert story.sweep() == "CI: 1 over\nOVER agent-offline: mac-03 (after 25 h)"
    assert story.sweep() == ""
    assert story.state == State()


def test_flapping_is_damped() -> None:
    story, it = Story(), opened()
    said = [story.sweep(*([it] if number % 2 == 0 else [])) for number in range(20)]
    assert [bool(each) for each in said] == [True] + [False] * 19


def test_it_must_last_before_it_is_told() -> None:
    story = Story()
    since = story.now + 60
    assert story.sweep(opened(since=since)) == ""
    assert story.sweep(opened(since=since)) == ""
    assert story.sweep(opened(since=since)) != ""
    brief = Story()
    assert [brief.sweep(opened(since=brief.now)), brief.sweep(), brief.sweep(), brief.sweep()] == [""] * 4


def test_worse_is_told_and_better_is_not() -> None:
    story = Story()
    assert "WARNING" in story.sweep(opened(level="warning"))
    assert "ERROR, worse" in story.sweep(opened(level="error"))
    assert story.sweep(opened(level="warning")) == ""
    assert story.sweep(opened(level="error")) == ""


def test_one_finding_of_each_condition_and_subject() -> None:
    story = Story()
    assert len(story.sweep(opened("a"), opened("b"), opened("a", condition="agent-clock")).splitlines()) == 4
    assert story.sweep(opened("b", words="other words"), opened("a"), opened("a", condition="agent-clock")) == ""


def test_a_flood_is_one_message_of_bounded_length() -> None:
    story = Story()
    said = story.sweep(*(opened(f"agent-{number}\x00\n\x1b[31m", "warning", words="x" * 10_000) for number in range(57)), opened("last"))
    lines = said.splitlines()
    assert lines[0] == "CI: 1 error, 57 warnings"
    assert lines[1].startswith("ERROR agent-offline: last")
    assert len(lines) == 1 + MOST_LINES + 1
    assert lines[-1] == f"… and {58 - MOST_LINES} more"
    assert all(each.isprintable() and len(each) < 700 for each in lines)
    assert story.sweep(*(opened(f"agent-{number}\x00\n\x1b[31m", "warning") for number in range(57)), opened("last")) == ""


def test_the_least_level_and_links() -> None:
    story = Story(NotifyConfig(least="error", runbooks="https://wiki.example/runbooks/"))
    assert story.sweep(opened(level="warning")) == ""
    assert story.sweep(opened("b")).endswith("https://wiki.example/runbooks/agent-offline")


def test_where_not_everything_was_looked_at_nothing_is_over() -> None:
    story, it = Story(), opened()
    assert story.sweep(it)
    assert [story.sweep(partial=True) for _ in range(5)] == [""] * 5
    assert [bool(story.sweep()), bool(story.sweep())] == [False, True]


def test_quiet_hours_hold_back_until_their_end() -> None:
    late = datetime(2026, 6, 1, 22, 30, tzinfo=BERLIN).timestamp()
    story = Story(NotifyConfig(quiet="22:00-07:00"), late)
    lasting, brief, bad = opened("lasting", "warning", late - 999), opened("brief", "warning", late - 999), opened("bad", "error", late - 999)
    assert story.sweep(lasting, brief) == ""
    assert "bad" in story.sweep(lasting, brief, bad)
    assert story.sweep(lasting, bad, after=3600) == ""
    morning = datetime(2026, 6, 2, 7, tzinfo=BERLIN).timestamp()
    assert story.sweep(lasting, bad, after=morning - 1 - story.now) == ""
    said = story.sweep(lasting, bad, after=1)
    assert "lasting" in said
    assert "brief" not in said
    assert "bad" not in said


def test_what_is_over_in_quiet_hours_is_told_at_their_end() -> None:
    story = Story(NotifyConfig(quiet="22:00-07:00", quiet_least="nothing"), datetime(2026, 6, 1, 21, tzinfo=BERLIN).timestamp())
    it = opened(since=story.now - 999)
    assert story.sweep(it)
    assert [story.sweep(after=2 * 3600), story.sweep(), story.sweep(), story.sweep(opened("b", since=story.now - 999))] == [""] * 4
    assert "OVER agent-offline: mac-03" in story.sweep(after=9 * 3600)


@pytest.mark.parametrize(
    ("moment", "quiet"),
    [
        ("2026-06-01T21:59:59+02:00", False), ("2026-06-01T22:00:00+02:00", True), ("2026-06-02T06:59:59+02:00", True), ("2026-06-02T07:00:00+02:00", False),
        ("2026-03-29T01:59:59+01:00", True), ("2026-03-29T03:00:00+02:00", True), ("2026-03-29T06:59:59+02:00", True), ("2026-03-29T07:00:00+02:00", False),  # clocks forward
        ("2026-10-25T02:30:00+02:00", True), ("2026-10-25T02:30:00+01:00", True), ("2026-10-25T06:59:59+01:00", True), ("2026-10-25T07:00:00+01:00", False),  # and back
    ],
)  # fmt: skip
def test_quiet_is_by_the_clock_on_the_wall(moment: str, quiet: bool) -> None:
    assert is_quiet(datetime.fromisoformat(moment).timestamp(), "22:00-07:00", BERLIN) is quiet


def test_quiet_within_a_day() -> None:
    at = lambda hour: is_quiet(datetime(2026, 6, 1, hour, tzinfo=BERLIN).timestamp(), "12:00-14:00", BERLIN)  # noqa: E731
    assert [at(11), at(12), at(13), at(14)] == [False, True, True, False]
    assert not is_quiet(NOON, "", BERLIN)


@pytest.mark.parametrize("text", ["", "rubbish", "[]", '{"a": 1}', '{"a": {"x": 1}}', "null"])
def test_a_state_that_cannot_be_read_is_none(text: str) -> None:
    assert State.of_text(text) == State()


# -- the edge


class Webhook(HTTPServer):
    """A real server that keeps what it is sent, and refuses when told to."""

    def __init__(self) -> None:
        self.status = 200
        self.got: list[Any] = []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.status == 200:
            self.server.got.append(json.loads(body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    server = Webhook()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def config_of(**urls: str) -> NotifyConfig:
    return NotifyConfig({name: SecretSource("value", url, Path()) for name, url in urls.items()})


def test_a_webhook_is_told_once_also_after_a_restart(webhook: Webhook, tmp_path: Path) -> None:
    config = config_of(hook=f"json://127.0.0.1:{webhook.server_port}/{CANARY}")
    for _ in range(2):
        with History(tmp_path / "x.sqlite") as history:
            assert notify(NOON, [opened()], channels(config), config, history) == []
    assert [(each["title"], each["type"]) for each in webhook.got] == [("CI: 1 error", "failure")]
    assert "mac-03" in webhook.got[0]["message"]
    for _ in range(3):
        with History(tmp_path / "x.sqlite") as history:
            assert notify(NOON, [], channels(config), config, history) == []
    assert [each["type"] for each in webhook.got] == ["failure", "success"]
    assert CANARY.encode() not in (tmp_path / "x.sqlite").read_bytes()


def test_what_is_not_taken_is_tried_again_and_the_others_are_told_once(webhook: Webhook, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("apprise").setLevel(logging.DEBUG)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        dead = free.getsockname()[1]
        config = config_of(
            hook=f"json://user:{CANARY}@127.0.0.1:{webhook.server_port}/{CANARY}", dead=f"json://127.0.0.1:{dead}/{CANARY}"
        )
        ways = channels(config)
        webhook.status = 503
        with History(tmp_path / "x.sqlite") as history:
            first = notify(NOON, [opened()], ways, config, history)
            webhook.status = 200
            second = notify(NOON + 60, [opened()], ways, config, history)
            third = notify(NOON + 120, [opened()], ways, config, history)
    assert ["error 503" in first[0], "connection error" in first[1], len(first)] == [True, True, 2]
    assert [len(second), len(third), len(webhook.got)] == [1, 1, 1]
    assert second[0].startswith("dead in [notify.urls] did not take a message")
    out = capfd.readouterr()
    shown = caplog.text + out.out + out.err + repr(ways) + "".join([*first, *second, *third])
    assert CANARY not in shown
    logging.getLogger("apprise").setLevel(logging.NOTSET)


def test_logging_is_as_before_afterwards(webhook: Webhook) -> None:
    before = [(each.propagate, each.handlers[:]) for each in (logging.getLogger("apprise"), logging.getLogger("urllib3"))]
    assert send(Channel("x", Secret(f"json://127.0.0.1:{webhook.server_port}")), Message("t", "b", "warning")) == ""
    assert [(each.propagate, each.handlers[:]) for each in (logging.getLogger("apprise"), logging.getLogger("urllib3"))] == before
    assert logging.root.manager.disable == 0


@pytest.mark.parametrize("url", [f"nothing://{CANARY}", f"{CANARY}", f"slack://{CANARY}", "", f"json://\0{CANARY}:99999999", f"mailto://{CANARY}"])
def test_a_url_that_is_none_is_said_by_its_name(url: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ConfigError, match=r"team in \[notify.urls\]") as caught:
        channels(config_of(team=url))
    out = capfd.readouterr()
    assert CANARY not in str(caught.value) + caplog.text + out.out + out.err
    assert caught.value.__cause__ is None


class Inbox:
    def __init__(self) -> None:
        self.mails: list[tuple[list[str], bytes]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append((envelope.rcpt_tos, envelope.content))
        return "250 OK"


def test_a_real_mail(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    config = config_of(mail=f"mailto://127.0.0.1:{port}/?from=ci@example.org&to=team@example.org&mode=insecure")
    try:
        with History(tmp_path / "x.sqlite") as history:
            assert notify(NOON, [opened()], channels(config), config, history, name="ci.example") == []
            assert notify(NOON, [opened()], channels(config), config, history, name="ci.example") == []
    finally:
        controller.stop()
    ((to, content),) = inbox.mails
    assert to == ["team@example.org"]
    assert b"Subject: ci.example: 1 error" in content
