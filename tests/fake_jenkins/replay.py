"""Replays recorded exchanges against the fake, over a real socket, and says how the answers differ."""

from __future__ import annotations

import base64
import http.client
import json
import re
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .areas import AREAS, Happening, Segment, start_state
from .compare import differences
from .seed import RECORDINGS, recording
from .server import FakeJenkins

_ITEM = re.compile(r"(queue/item/|cancelItem\?id=)(\d+)")
ROOT_URL = "http://jenkins.example:8080/"


def names(area: str) -> list[str]:
    """Lists an area's recordings in order."""

    def order(path: Path) -> list[Any]:
        return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.stem)]

    return [f"{area}/{path.stem}" for path in sorted((RECORDINGS / area).glob("*.json"), key=order)]


@dataclass
class Outcome:
    """How an exchange went; no differences: alike."""

    name: str
    differences: list[str]

    @property
    def number(self) -> int:
        return int(self.name.rpartition("/")[2].partition("-")[0])


@dataclass
class Client:
    """Sends recorded requests; remembers cookies and crumbs for each way of authentication, as a client would."""

    fake: FakeJenkins
    _cookies: dict[str, str] = field(default_factory=dict)
    _crumbs: dict[str, str] = field(default_factory=dict)
    _items: dict[str, str] = field(default_factory=dict)  # recorded queue number -> the fake's
    _socket: socket.socket | None = None

    def close(self) -> None:
        if self._socket:
            self._socket.close()

    def send(self, name: str) -> tuple[int, dict[str, str], bytes]:
        exchange = recording(name)
        request, expected = exchange["request"], exchange["response"]["status"]
        given: dict[str, str] = request["headers"]
        who = given.get("authorization", "none")
        headers = {
            key: value for key, value in given.items() if key in ("accept", "accept-encoding", "content-type", "range")
        }
        if who != "none":
            headers["authorization"] = self._basic(who, wrong=expected == 401)
        crumb = self._crumb(name, who) if given.get("jenkins-crumb") == "present" else None
        if crumb:
            headers["jenkins-crumb"] = crumb
        if "cookie" in given:
            if who not in self._cookies and who.endswith("password"):
                self._crumb(name, who)
            headers["cookie"] = self._cookies.get(who, "")
        if "very-large-header" in name:
            headers["x-large"] = "x" * 20_000
        target = request["path"] + (f"?{request['query']}" if request.get("query") else "")
        body = request.get("body") or ""
        data = base64.b64decode(body) if request.get("body_encoding") == "base64" else body.encode()
        if "crumb-in-form-body" in name:
            data = f"Jenkins-Crumb={self._crumb(name, who)}".encode()
        target = _ITEM.sub(lambda hit: f"{hit[1]}{self._items.get(hit[2], hit[2])}", target)
        raw = target.encode("latin-1" if exchange["client"] == "raw socket" else "utf-8", "replace")
        answer = self._exchange(request["method"], raw, headers, self._secrets(data))
        self._learn(who, answer)
        recorded, mine = (
            _ITEM.search(each.get("location", "")) for each in (exchange["response"]["headers"], answer[1])
        )
        if recorded and mine:
            self._items[recorded[2]] = mine[2]
        return answer

    def _secrets(self, data: bytes) -> bytes:
        return data.replace(b"j_password=admin", f"j_password={self.fake.password}".encode())

    def _basic(self, who: str, wrong: bool) -> str:
        _, name, kind = who.split()
        user = self.fake.state.users.get(name)
        secret = "wrong" if wrong or user is None else user.token if kind == "token" else user.password
        return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()

    def _crumb(self, name: str, who: str) -> str:
        if "wrong-crumb" in name:
            return "0" * 64
        if who not in self._crumbs:
            headers = {} if who == "none" else {"authorization": self._basic(who, False)}
            self._learn(who, self._exchange("GET", b"/crumbIssuer/api/json", headers, b""))
        return self._crumbs.get(who, "")

    def _learn(self, who: str, answer: tuple[int, dict[str, str], bytes]) -> None:
        status, headers, body = answer
        if "JSESSIONID" in headers.get("set-cookie", "") and status in (200, 302):
            self._cookies[who] = next(
                part for part in re.split(r"[;,]\s*", headers["set-cookie"]) if part.startswith("JSESSIONID")
            )
        if status == 200 and b'"crumb":"' in body:
            self._crumbs[who] = json.loads(body)["crumb"]

    def _exchange(
        self, method: str, target: bytes, headers: dict[str, str], data: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        if self._socket is None:
            parts = urlsplit(self.fake.url)
            self._socket = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=10)
        lines = [method.encode() + b" " + target + b" HTTP/1.1", b"host: jenkins.example:8080"]
        lines += [f"{key}: {value}".encode() for key, value in headers.items()]
        if data or method in ("POST", "PUT", "PATCH"):
            lines.append(f"content-length: {len(data)}".encode())
        self._socket.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + data)
        response = http.client.HTTPResponse(self._socket, method=method)
        response.begin()
        body = response.read()
        found: dict[str, str] = {}
        for key, value in response.getheaders():
            found[key.lower()] = f"{found[key.lower()]}, {value}" if key.lower() in found else value
        if found.get("content-encoding") == "gzip":
            import gzip

            body = gzip.GzipFile(fileobj=BytesIO(body)).read()
        if response.will_close:
            self.close()
            self._socket = None
        return response.status, found, body


def run_area(area: str) -> list[Outcome]:
    """Replays an area against a fresh fake in the state with which the area began."""
    plan, state = AREAS[area], start_state()
    with FakeJenkins(state, root_url=ROOT_URL) as fake:
        for segment in plan.earlier:
            _silently(fake, segment)
        plan.setup(state)
        return list(replay(fake, names(area), plan.between))


def _silently(fake: FakeJenkins, segment: Segment) -> None:
    area, first, last = segment
    numbered = [name for name in names(area) if first <= Outcome(name, []).number <= last]
    for _ in replay(fake, numbered, AREAS[area].between):
        pass


def replay(
    fake: FakeJenkins, wanted: list[str], before: Mapping[str, Happening | tuple[Segment, ...]] | None = None
) -> Iterator[Outcome]:
    """Replays exchanges in order; `before` maps a name's start to what happened just before it."""
    client = Client(fake)
    try:
        for name in wanted:
            for start, happen in (before or {}).items():
                if not name.startswith(start + "-"):
                    continue
                if callable(happen):
                    happen(fake.state)
                else:
                    for segment in happen:
                        _silently(fake, segment)
            status, headers, body = client.send(name)
            yield Outcome(name, differences(recording(name), status, headers, body))
    finally:
        client.close()
