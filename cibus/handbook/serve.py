"""Serves a handbook, and builds it anew when what it is made from changes."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cibus.config import Config
from cibus.errors import CibusError
from cibus.handbook.build import MARKER, Built, render
from cibus.handbook.collect import collect
from cibus.handbook.inputs import Inputs, inputs
from cibus.handbook.records import Handbook
from cibus.monitor.serve import Address, address

if TYPE_CHECKING:
    from aiohttp import web

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

__all__ = ["Server", "address"]

# the theme has scripts and styles within its pages
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}
DEBOUNCE = 300  # milliseconds in which changes are one


class Server:
    """Serves the handbook of a configuration.

    Arguments:
        configured: reads cibus.toml, again and again
        told: is told each handbook that was built
        say: is told what is to be said in a line
    """

    def __init__(self, configured: Callable[[], Config], told: Callable[[Handbook, Built], None], say: Callable[[str], None]) -> None:
        self._configured, self._told, self._say = configured, told, say
        self._place = Path()
        self._count = 0

    def run(self, where: Address) -> None:
        """Serves until Ctrl-C or SIGTERM; what was built is gone afterwards.

        Raises:
            ConfigError: cibus.toml is wrong.
            CibusError: the site cannot be built, or the address cannot be had.
        """
        with tempfile.TemporaryDirectory(prefix="cibus-handbook-site-") as folder:
            self._place = Path(folder)
            config = self._configured()
            self._build(config)
            asyncio.run(self._serve(where, inputs(config)))

    @property
    def site(self) -> Path:
        """The folder of the newest site."""
        return self._place / str(self._count)

    def _build(self, config: Config) -> None:
        """Builds beside the site that is served."""
        book = collect(config)
        made = self._place / str(self._count + 1)
        made.mkdir()
        built = render(book, made)
        self._count += 1
        shutil.rmtree(self._place / str(self._count - 2), ignore_errors=True)  # the one before may still be sent
        self._told(book, built)

    async def _serve(self, where: Address, watched: Inputs) -> None:
        from aiohttp import web

        app = web.Application(client_max_size=1 << 16)
        app.add_routes([web.get("/{path:.*}", self._answer)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            try:
                await web.TCPSite(runner, where.host, where.port).start()
            except OSError as error:
                raise CibusError(f"{where.host}:{where.port}: cannot listen there: {error.strerror}; is it another cibus handbook serve?") from error
            port = runner.addresses[0][1]
            others = "" if where.local else "; others can reach it, and it asks for no password"
            self._say(f"serving http://{f'[{where.host}]' if ':' in where.host else where.host}:{port}/{others}; Ctrl-C ends")
            await self._watch(watched)
        finally:
            await runner.cleanup()

    async def _watch(self, watched: Inputs) -> None:
        """Builds anew after each change, for ever; what changes while it builds counts, too."""
        change = asyncio.ensure_future(changed(watched))
        while True:
            await change
            try:
                config = await asyncio.to_thread(self._configured)
                watched = inputs(config)
                change = asyncio.ensure_future(changed(watched))
                await asyncio.to_thread(self._build, config)
                self._say("built anew")
            except CibusError as error:
                self._say(f"not built anew: {error}")
                change = asyncio.ensure_future(changed(watched)) if change.done() else change

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        from aiohttp import web

        found = await asyncio.to_thread(file_of, self.site, request.match_info["path"])
        if isinstance(found, str):
            return web.Response(status=302, headers={**HEADERS, "Location": found})
        if found is None:
            return web.Response(status=404, text="there is no such page in this handbook\n", headers=HEADERS)
        return web.FileResponse(found, headers=HEADERS)


def file_of(site: Path, path: str) -> Path | str | None:
    """The file that a path means: itself, a page without its ``.html``, or a folder's first page; '' is the start.

    Gives a text where a browser has to ask for another address, and None where there is nothing.
    """
    root = site.resolve()
    try:
        wanted = (root / path).resolve()
    except (OSError, ValueError):
        return None
    if not wanted.is_relative_to(root) or wanted.name == MARKER:
        return None
    page = wanted.with_name(f"{wanted.name}.html")
    if path and not path.endswith("/") and page.is_file():
        return page
    if wanted.is_dir():
        first = wanted / "index.html"
        if not first.is_file():
            return None
        return first if not path or path.endswith("/") else f"{wanted.name}/"
    return wanted if wanted.is_file() else None


async def changed(watched: Inputs) -> None:
    """Waits until something changes that counts."""
    watchers = [asyncio.ensure_future(_first(each)) for each in (_changes(watched, watched.flat, recursive=False), _changes(watched, watched.deep, recursive=True))]
    try:
        await asyncio.wait(watchers, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in watchers:
            each.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)


async def _first(changes: AsyncIterator[None]) -> None:
    async for _ in changes:
        return


async def _changes(watched: Inputs, folders: tuple[Path, ...], *, recursive: bool) -> AsyncIterator[None]:
    from watchfiles import awatch

    if not folders:
        await asyncio.Event().wait()
    async for _ in awatch(*folders, watch_filter=lambda _, path: watched.counts(Path(path)), debounce=DEBOUNCE, recursive=recursive, raise_interrupt=False):
        yield
