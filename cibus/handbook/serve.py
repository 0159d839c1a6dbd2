"""Serves a handbook, and builds it anew when what it is made from changes."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cibus.config import Config
from cibus.errors import CibusError
from cibus.handbook.build import MARKER, Built, render
from cibus.handbook.collect import collect
from cibus.handbook.inputs import Inputs, State
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
SECONDS, SHARE = 1.0, 20.0  # between two looks at what it is made from, and how many times longer than a look that is at least


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
        self._inputs = Inputs(Config())
        self._state: State = {}

    def run(self, where: Address) -> None:
        """Serves until Ctrl-C or SIGTERM; what was built is gone afterwards.

        Raises:
            ConfigError: cibus.toml is wrong.
            CibusError: the site cannot be built, or the address cannot be had.
        """
        with tempfile.TemporaryDirectory(prefix="cibus-handbook-site-") as folder:
            self._place = Path(folder)
            self._build()
            asyncio.run(self._serve(where))

    @property
    def site(self) -> Path:
        """The folder of the newest site."""
        return self._place / str(self._count)

    def _build(self) -> None:
        """Builds beside the site that is served."""
        config = self._configured()
        self._inputs = Inputs(config)
        self._state = self._inputs.state()
        book = collect(config)
        made = self._place / str(self._count + 1)
        shutil.rmtree(made, ignore_errors=True)  # of a build that failed
        made.mkdir()
        built = render(book, made)
        self._count += 1
        shutil.rmtree(self._place / str(self._count - 2), ignore_errors=True)  # the one before may still be sent
        self._told(book, built)

    async def _serve(self, where: Address) -> None:
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
            await self._follow()
        finally:
            await runner.cleanup()

    async def _follow(self) -> None:
        """Builds anew after each change, for ever; what changes while it builds counts, too."""
        pause = SECONDS
        while True:
            await asyncio.sleep(pause)
            start = time.monotonic()
            state = await asyncio.to_thread(self._inputs.state)
            pause = max(SECONDS, SHARE * (time.monotonic() - start))
            if state != self._state:
                await asyncio.to_thread(self._again, state)

    def _again(self, state: State) -> None:
        self._state = state
        try:
            self._build()
            self._say("built anew")
        except CibusError as error:
            self._say(f"not built anew: {error}")

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
    try:
        return _file_of(site.resolve(), path)
    except (OSError, ValueError):  # too long a name, a byte that no name has
        return None


def _file_of(root: Path, path: str) -> Path | str | None:
    wanted = (root / path).resolve()
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
