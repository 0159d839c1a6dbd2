"""HTTP/1.1 on a socket: httptools parses, an asyncio protocol answers.

Stapler routes by the *raw* path (encoded names, double slashes, dot segments, bytes that are not ASCII), and faults need
the bare transport (resets, half a body): both are what web frameworks hide. It is also several times faster, so that a
benchmark measures its client and not this server.
"""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import cast
from urllib.parse import parse_qsl

import httptools

MAX_URI = 8192 - 32  # Jetty's request header size, less method and version
MAX_HEADERS = 8192

Headers = dict[str, str]


@dataclass
class Request:
    """A request as it came: nothing decoded, nothing normalised."""

    method: str
    raw_path: str
    query: str
    headers: dict[str, str]  # names in lower case
    body: bytes = b""

    def param(self, name: str) -> str | None:
        """Gives a parameter of the query or of a form body; the query wins, as with servlets."""
        for key, value in self.query_pairs + self.form_pairs:
            if key == name:
                return value
        return None

    @property
    def query_pairs(self) -> list[tuple[str, str]]:
        return parse_qsl(self.query, keep_blank_values=True) if self.query else []

    @property
    def form_pairs(self) -> list[tuple[str, str]]:
        if not self.body or "form-urlencoded" not in self.headers.get("content-type", ""):
            return []
        return parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True)


@dataclass
class Response:
    """What to send, and how to spoil it when a fault is asked for."""

    status: int = 200
    headers: Headers = field(default_factory=dict)
    body: bytes = b""
    compressible: bool = False
    cookies: tuple[str, ...] = ()
    reset: bool = False
    cut: int | None = None  # send only so many bytes of the body, then close
    delay: float = 0.0
    nosniff: bool = True


_ESCAPED = re.compile(rb"[\x80-\xff]")
_REASONS = {status.value: status.phrase for status in HTTPStatus}


def encode(response: Response, request: Request | None, head_only: bool = False) -> bytes:
    """Makes the bytes of an answer."""
    body = response.body
    lines = [f"HTTP/1.1 {response.status} {_REASONS.get(response.status, 'Unknown')}"]
    if response.nosniff:
        lines.append("X-Content-Type-Options: nosniff")
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    lines += [f"Set-Cookie: {cookie}" for cookie in response.cookies]
    if response.compressible and request is not None and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, 1)
        lines.append("Content-Encoding: gzip")
    if response.status != 204:
        lines.append(f"Content-Length: {len(body)}")
    if response.cut is not None:
        body = body[: max(1, len(body) * response.cut // 100)]
        lines.append("Connection: close")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
    return head if head_only else head + body


Handler = Callable[[Request], Response | Awaitable[Response]]


class Connection(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, handler: Handler, connections: set[Connection]) -> None:
        self._handler = handler
        self._connections = connections
        self._transport: asyncio.Transport | None = None
        self._waiting: list[Request] = []
        self._busy = False
        self._fresh = True
        self._start()

    def _start(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._headers: dict[str, str] = {}
        self._size = 0
        self._body: list[bytes] = []

    # --- asyncio ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's does not inherit it
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        if self._fresh:
            self._fresh = False
            line, end, rest = data.partition(b"\r\n")
            if not line.isascii():  # the parser refuses what Jetty takes for UTF-8
                data = _ESCAPED.sub(lambda hit: b"%%%02X" % hit[0][0], line) + end + rest
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass
        except httptools.HttpParserError:
            self._refuse(400, "Bad Request")

    def close(self) -> None:
        if self._transport:
            self._transport.abort()

    # --- httptools ---

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._size += len(name) + len(value) + 4
        self._headers[name.decode("latin-1").lower()] = value.decode("utf-8", "replace")

    def on_headers_complete(self) -> None:
        if self._headers.get("expect", "").lower() == "100-continue" and self._transport:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        path, _, query = self._url.decode("utf-8", "surrogateescape").partition("?")
        request = Request(self._parser.get_method().decode(), path, query, self._headers, b"".join(self._body))
        self._fresh = True
        oversize = 414 if len(self._url) > MAX_URI else 431 if self._size + len(self._url) > MAX_HEADERS else 0
        self._url, self._headers, self._size, self._body = b"", {}, 0, []
        if oversize:
            self._refuse(oversize, {414: "URI Too Long", 431: "Request Header Fields Too Large"}[oversize])
        elif self._busy:
            self._waiting.append(request)
        else:
            self._answer(request)

    # --- answering ---

    def _refuse(self, status: int, reason: str) -> None:
        body = f"<h1>Bad Message {status}</h1><pre>reason: {reason}</pre>".encode()
        headers = {"Content-Type": "text/html;charset=iso-8859-1", "Connection": "close"}
        if self._transport:
            self._transport.write(
                encode(Response(status, headers, body), None).replace(b"X-Content-Type-Options: nosniff\r\n", b"")
            )
            self._transport.close()

    def _answer(self, request: Request) -> None:
        result = self._handler(request)
        if isinstance(result, Response) and not result.delay:
            self._send(request, result)
        else:
            self._busy = True
            task = asyncio.get_running_loop().create_task(self._answer_later(request, result))
            task.add_done_callback(lambda done: done.cancelled() or done.result())

    async def _answer_later(self, request: Request, result: Response | Awaitable[Response]) -> None:
        response = result if isinstance(result, Response) else await result
        if response.delay:
            await asyncio.sleep(response.delay)
        self._send(request, response)
        self._busy = False
        if self._waiting:
            self._answer(self._waiting.pop(0))

    def _send(self, request: Request, response: Response) -> None:
        transport = self._transport
        if transport is None:
            return
        if response.reset:
            transport.abort()
            return
        transport.write(encode(response, request, head_only=request.method == "HEAD"))
        if response.cut is not None or request.headers.get("connection", "").lower() == "close":
            transport.close()
