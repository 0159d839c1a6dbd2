"""One class for each kind of service: it connects, has its first answer, and keeps the connection.

``open`` is done at the first answer that is as expected. Nothing but the given address is contacted: no proxy, no redirect.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from types import SimpleNamespace
from typing import Any, Protocol

from cibus.errors import UsageError
from cibus.monitor.target import BODY, MISSING, Attempt, Dropped, Target, Wrong

try:
    import aiohttp
    import aiosmtplib
except ModuleNotFoundError:
    raise UsageError(MISSING) from None

GOODBYE = 0.5  # seconds that a polite end of a connection may take


class Link(Protocol):
    """A connection to a service."""

    async def open(self, attempt: Attempt) -> None:
        """Connects and has the first answer; raises Wrong or what the libraries raise."""

    async def again(self) -> bool:
        """Exchanges something once more, or sees whether the connection is still there: then False. Raises when it is lost."""

    async def close(self) -> None:
        """Ends the connection; never raises."""


def link(target: Target) -> Link:
    """A connection, not yet open, of the kind that the URL says."""
    return KINDS[target.url.scheme](target)


class Stream:
    """tcp:// and tls://: what is sent is answered until ``expect`` matches; without both, being connected is enough."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def open(self, attempt: Attempt) -> None:
        """See Link."""
        target = self.target
        self.reader, self.writer = await asyncio.open_connection(target.host, target.port, ssl=target.tls, limit=BODY)
        attempt.is_connected()
        if target.send or target.expect is not None:
            await self._exchange(attempt)

    async def _exchange(self, attempt: Attempt) -> None:
        assert self.reader is not None
        assert self.writer is not None
        if self.target.send:
            self.writer.write(self.target.send)
            await self.writer.drain()
        attempt.heard = b""
        while True:
            data = await self.reader.read(BODY)
            if not data:
                if attempt.heard:
                    self.target.check(attempt.heard)
                raise Wrong("the connection was closed without an answer")
            attempt.heard += data
            if self.target.fits(attempt.heard):
                return
            if len(attempt.heard) >= BODY:
                self.target.check(attempt.heard)

    async def again(self) -> bool:
        """See Link."""
        assert self.reader is not None
        if self.target.send:
            try:
                await self._exchange(Attempt())
            except Wrong as error:
                raise Dropped(str(error)) from error
            return True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                while await self.reader.read(BODY):
                    await asyncio.sleep(0)
                raise Dropped("the connection was closed")
        return False

    async def close(self) -> None:
        """See Link."""
        if self.writer is None:
            return
        with contextlib.suppress(OSError, TimeoutError):
            self.writer.close()
            async with asyncio.timeout(GOODBYE):
                await self.writer.wait_closed()
        self.writer.transport.abort()


class _Connector(aiohttp.TCPConnector):
    """One that can end its connection for certain: now and then aiohttp leaves one open that the other side ended at the same moment."""

    transport: asyncio.BaseTransport | None = None

    async def connect(self, *given: Any, **named: Any) -> Any:
        """As of aiohttp; remembers the transport."""
        made = await super().connect(*given, **named)
        self.transport = made.transport
        return made

    def abort(self) -> None:
        """Ends the connection, if it is still there."""
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()


class _Http:
    """What HTTP and WebSocket share: a session with one connection of its own."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.session: aiohttp.ClientSession | None = None
        self.connector: _Connector | None = None

    def start(self, attempt: Attempt) -> aiohttp.ClientSession:
        async def connected(*_: Any) -> None:
            attempt.is_connected()

        async def redirected(session: aiohttp.ClientSession, context: SimpleNamespace, found: aiohttp.TraceRequestRedirectParams) -> None:
            raise Wrong(f"HTTP status {found.response.status}: a redirect, which is not followed")

        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(connected)
        trace.on_request_redirect.append(redirected)
        self.connector = _Connector(limit=1, ssl=self.target.tls or True)
        self.session = aiohttp.ClientSession(
            connector=self.connector,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),  # the probe has its own
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "cibus"},
            trust_env=False,
            trace_configs=[trace],
        )
        return self.session

    async def close(self) -> None:
        """See Link."""
        if self.session is not None:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(GOODBYE):
                    await self.session.close()
        if self.connector is not None:
            self.connector.abort()
            await asyncio.sleep(0)


class Http(_Http):
    """http:// and https://: a GET; while held, another one each second over the same connection where the server keeps it."""

    async def open(self, attempt: Attempt) -> None:
        """See Link."""
        self.start(attempt)
        await self._get()

    async def _get(self) -> None:
        assert self.session is not None
        async with self.session.get(self.target.config.url, allow_redirects=False) as response:
            body = b""
            while len(body) < BODY and (chunk := await response.content.read(BODY - len(body))):
                body += chunk
            if not response.content.at_eof():
                response.close()  # the rest is not of interest, and may be endless
            self.target.check_status(response.status)
            self.target.check(body)

    async def again(self) -> bool:
        """See Link."""
        try:
            await self._get()
        except Wrong as error:
            raise Dropped(str(error)) from error
        return True


class Socket(_Http):
    """ws:// and wss://: ``send`` is answered by a message; with ``expect`` alone the first message counts; without both a ping is."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.socket: aiohttp.ClientWebSocketResponse[bool] | None = None

    async def open(self, attempt: Attempt) -> None:
        """See Link."""
        session = self.start(attempt)
        try:
            self.socket = await session.ws_connect(self.target.config.url, autoping=False, max_msg_size=1 << 20)
        except aiohttp.WSServerHandshakeError as error:
            raise Wrong(f"HTTP status {error.status} instead of a WebSocket") from error
        self.target.check(await self._exchange(self.target.expect is not None))

    async def _exchange(self, wait: bool) -> bytes:
        assert self.socket is not None
        ping = not self.target.send and not wait
        if self.target.send:
            await self.socket.send_str(self.target.config.send)
        elif ping:
            await self.socket.ping(b"cibus")
        while True:
            message = await self.socket.receive()
            if message.type is aiohttp.WSMsgType.PING:
                await self.socket.pong(message.data)
            elif message.type is aiohttp.WSMsgType.TEXT and not ping:
                return str(message.data).encode("utf-8", "replace")
            elif message.type is aiohttp.WSMsgType.BINARY and not ping:
                return bytes(message.data)
            elif message.type is aiohttp.WSMsgType.PONG and ping:
                return b""
            elif message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR):
                raise Wrong(f"the WebSocket was closed without an answer (code {self.socket.close_code})")

    async def again(self) -> bool:
        """See Link."""
        try:
            answer = await self._exchange(False)
            if self.target.send:
                self.target.check(answer)
        except Wrong as error:
            raise Dropped(str(error)) from error
        return True

    async def close(self) -> None:
        """See Link."""
        if self.socket is not None:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(GOODBYE):
                    await self.socket.close()
        await super().close()


class Mail:
    """smtp:// and smtps://: the banner and EHLO; NOOP while held. No mail is sent, and STARTTLS is not used."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.client: aiosmtplib.SMTP | None = None

    async def open(self, attempt: Attempt) -> None:
        """See Link."""
        target = self.target
        self.client = aiosmtplib.SMTP(
            hostname=target.host, port=target.port, use_tls=target.tls is not None, start_tls=False, tls_context=target.tls,
            timeout=target.config.timeout / 1000 + 1, local_hostname=socket.gethostname() or "localhost",
        )  # fmt: skip
        try:
            banner = await self.client.connect()
            attempt.is_connected()
            await self.client.ehlo()
        except aiosmtplib.SMTPResponseException as error:
            raise Wrong(f"SMTP {error.code} {error.message}") from error
        target.check(f"{banner.code} {banner.message}".encode())

    async def again(self) -> bool:
        """See Link."""
        assert self.client is not None
        try:
            await self.client.noop()
        except aiosmtplib.SMTPException as error:
            raise Dropped(str(error)) from error
        return True

    async def close(self) -> None:
        """See Link."""
        if self.client is None:
            return
        with contextlib.suppress(Exception):
            async with asyncio.timeout(GOODBYE):
                await self.client.quit()
        with contextlib.suppress(Exception):
            self.client.close()


KINDS: dict[str, type[Stream] | type[Http] | type[Socket] | type[Mail]] = {
    "tcp": Stream, "tls": Stream, "http": Http, "https": Http, "ws": Socket, "wss": Socket, "smtp": Mail, "smtps": Mail,
}  # fmt: skip
