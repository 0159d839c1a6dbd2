"""``/metrics`` and the web pages over HTTP, read-only."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import ipaddress
import json
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cibus.config import MonitorConfig
from cibus.errors import CibusError, UsageError
from cibus.monitor.findings import as_data
from cibus.monitor.history import History
from cibus.monitor.metrics import Collector
from cibus.monitor.statuspage import Series, runbook_page, state_page
from cibus.monitor.watch import TRENDS, Seen, Watch
from cibus.runbooks import files
from cibus.secrets import Secret
from cibus.webpage import POLICY

if TYPE_CHECKING:
    from aiohttp import web
    from prometheus_client import CollectorRegistry

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

FRESH = 5  # sweeps that may be missing before it is not healthy
HEADERS = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}


@dataclass(frozen=True)
class Address:
    """Where to listen."""

    host: str
    port: int

    @property
    def local(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def address(text: str) -> Address:
    """``HOST:PORT``, ``[::1]:9180`` or ``:9180``.

    Raises:
        UsageError: it is none.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise UsageError(f"{text}: this is no address to listen on; give HOST:PORT, e.g. 127.0.0.1:9180")
    return Address(host.strip("[]") or "127.0.0.1", int(port))


class Server:
    """Serves what a watch sees.

    Arguments:
        token: who asks must give it, as a bearer token or as the password of basic authentication
    """

    def __init__(self, watch: Watch, history: History, config: MonitorConfig, token: Secret | None = None) -> None:
        from prometheus_client import CollectorRegistry

        self._watch, self._history, self._config, self._token = watch, history, config, token
        self._collector = Collector()
        self._registry: CollectorRegistry = CollectorRegistry(auto_describe=False)
        self._registry.register(self._collector)
        self._stop = threading.Event()
        self._bug: Exception | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None

    def run(self, where: Address, listening: Callable[[str], None], told: Callable[[Seen], None], troubled: Callable[[str], None]) -> None:
        """Serves until Ctrl-C or SIGTERM.

        Arguments:
            listening: is told the address once it answers there
            told: is told each sweep; ``troubled``: why one could not be made

        Raises:
            UsageError: others could reach it, and there is no token.
            CibusError: the address cannot be had.
        """
        if not where.local and self._token is None:
            raise UsageError(f"{where.host} can be reached by others: give token in [monitor], or listen on 127.0.0.1")
        sweeper = threading.Thread(target=self._sweep, args=(told, troubled), name="sweeps", daemon=True)
        try:
            asyncio.run(self._serve(where, listening, sweeper))
        finally:
            self._stop.set()
            if sweeper.is_alive():
                sweeper.join(1.0)
        if self._bug is not None:
            raise self._bug

    def _sweep(self, told: Callable[[Seen], None], troubled: Callable[[str], None]) -> None:
        def seen(found: Seen) -> None:
            self._collector.seen = found
            told(found)

        try:
            self._watch.until(self._stop.wait, self._config.interval, seen, troubled)
        except Exception as error:
            self._bug = error  # a server that never looks again would be worse than none
            if self._loop is not None and self._ended is not None:
                self._loop.call_soon_threadsafe(self._ended.set)

    async def _serve(self, where: Address, listening: Callable[[str], None], sweeper: threading.Thread) -> None:
        from aiohttp import web

        @web.middleware
        async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._guarded(request, handler)

        app = web.Application(middlewares=[guarded], client_max_size=1 << 16)
        app.add_routes([
            web.get("/", self._state),
            web.get("/metrics", self._metrics),
            web.get("/healthz", self._health),
            web.get("/state.json", self._json),
            web.get("/runbooks/{name}", self._runbook),
        ])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, where.host, where.port)
            try:
                await site.start()
            except OSError as error:
                raise CibusError(f"{where.host}:{where.port}: cannot listen there: {error.strerror}; is it another cibus monitor serve?") from error
            port = runner.addresses[0][1]
            self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
            sweeper.start()
            listening(f"http://{f'[{where.host}]' if ':' in where.host else where.host}:{port}/")
            await self._ended.wait()
        finally:
            await runner.cleanup()

    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        from aiohttp import web

        if request.path != "/healthz" and not self._allowed(request.headers.get("Authorization", "")):
            return web.Response(status=401, text="a token is needed\n", headers={**HEADERS, "WWW-Authenticate": 'Basic realm="cibus"'})
        response = await handler(request)
        response.headers.update(HEADERS)
        return response

    def _allowed(self, given: str) -> bool:
        if self._token is None:
            return True
        kind, _, value = given.partition(" ")
        if kind.lower() == "basic":
            try:
                value = base64.b64decode(value, validate=True).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                return False
        elif kind.lower() != "bearer":
            return False
        return hmac.compare_digest(value.strip().encode(), self._token.reveal().strip().encode())

    async def _metrics(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web
        from prometheus_client.exposition import choose_encoder

        encoder, kind = choose_encoder(request.headers.get("Accept", ""))
        body = await asyncio.to_thread(encoder, self._registry)
        return web.Response(body=body, headers={"Content-Type": kind})

    async def _state(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        trends = await asyncio.to_thread(self._trends)
        text = state_page(self._watch.seen, trends, time.time(), self._config.interval, self._link)
        return web.Response(text=text, content_type="text/html")

    def _trends(self) -> dict[str, Series]:
        since = time.time() - 86400
        return {name: self._history.series(name, since) for name, _, _ in TRENDS}

    def _link(self, page: str) -> str:
        return files.address(self._config.runbooks, page) if self._config.runbooks else f"runbooks/{page}"

    async def _json(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        seen = self._watch.seen
        if seen is None:
            return web.json_response({"error": "the first sweep is under way"}, status=503)
        found = [as_data(each, seen.since.get(each.key)) for each in seen.findings]
        data = {"url": seen.view.sweep.url, "when": seen.view.now, "version": seen.view.sweep.version, "findings": found}
        return web.Response(text=json.dumps(data, indent=2), content_type="application/json")

    async def _health(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        seen = self._watch.seen
        fresh = seen is not None and time.time() - seen.view.now < FRESH * max(self._config.interval, 60)
        return web.Response(status=200 if fresh else 503, text="ok\n" if fresh else "no fresh sweep\n")

    async def _runbook(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        name = request.match_info["name"]
        found = files.text(name)
        if found is None:
            return web.Response(status=404, text="there is no runbook of this name\n")
        return web.Response(text=runbook_page(files.title(found, name), found), content_type="text/html")
