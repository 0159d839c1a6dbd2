"""The fake as a server: in a thread of a test, or alone."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TextIO

from .dispatch import handle
from .faults import Fault, Faults, instead, spoil
from .state import State
from .wire import Connection, Request, Response

Hook = Callable[[State], None]


@dataclass(frozen=True)
class Record:
    """A request that was answered."""

    method: str
    path: str
    query: str
    status: int
    body: bytes = b""
    fault: str | None = None

    def __str__(self) -> str:
        query = f"?{self.query}" if self.query else ""
        return f"{self.method} {self.path}{query} {self.status}{f' {self.fault}' if self.fault else ''}"


class FakeJenkins:
    """A controller on loopback; use it with `with`."""

    user = "admin"

    def __init__(
        self,
        state: State | None = None,
        *,
        port: int = 0,
        latency: float = 0.0,
        faults: Iterable[Fault | tuple[str, float]] = (),
        seed: int = 0,
        log: Path | None = None,
        root_url: str | None = None,
        record: bool = True,
        host: str = "127.0.0.1",
        version: str | None = None,
    ) -> None:
        self.state = state or State()
        self.latency = latency
        self.faults = Faults(faults, seed)
        self.requests: list[Record] = []
        self._root_url = root_url
        self._record = record
        self._host = host  # another than loopback: where booted hosts find it
        self._version = version
        self._port = port
        self._log_path = log
        self._log: TextIO | None = None
        self._hooks: list[tuple[re.Pattern[str], str | None, Hook, bool]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()

    # --- for tests ---

    @property
    def token(self) -> str:
        return self.state.users[self.user].token

    @property
    def password(self) -> str:
        return self.state.users[self.user].password

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self._port}/"

    @property
    def root_url(self) -> str:
        """What the controller takes for its own address."""
        return self._root_url or self.url

    def before(self, path: str, callback: Hook, method: str | None = None, once: bool = True) -> None:
        """Calls back before the first request (every one without `once`) whose path matches: something changes meanwhile."""
        self._hooks.append((re.compile(path), method, callback, once))

    # --- life ---

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        ready = threading.Event()
        failed: list[BaseException] = []

        def run() -> None:
            loop = self._loop = asyncio.new_event_loop()
            try:
                loop.run_until_complete(self._open())
            except OSError as error:
                failed.append(error)
                loop.close()
                return
            finally:
                ready.set()
            loop.run_forever()
            loop.close()

        self._thread = threading.Thread(target=run, name="fake-jenkins", daemon=True)
        self._thread.start()
        ready.wait()
        if failed:
            raise failed[0]

    def stop(self) -> None:
        loop, thread = self._loop, self._thread
        if loop is None or thread is None or not thread.is_alive():
            return
        asyncio.run_coroutine_threadsafe(self._close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        self._thread = None

    async def serve_forever(self) -> None:
        """Serves in the running loop (the command line)."""
        await self._open()
        print(self.url, flush=True)
        assert self._server is not None
        await self._server.serve_forever()

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self._handle, self._connections), "127.0.0.1" if self._host == "127.0.0.1" else "0.0.0.0", self._port, backlog=1024
        )
        self._port = self._server.sockets[0].getsockname()[1]
        if self._log_path:
            self._log = self._log_path.open("a", encoding="utf-8", buffering=1)

    async def _close(self) -> None:
        if self._server:
            self._server.close()
        quiet = 0
        for _ in range(200):  # one that is being accepted is no connection yet
            for connection in list(self._connections):
                connection.close()
            await asyncio.sleep(0.002)
            quiet = 0 if self._connections else quiet + 1
            if quiet == 3:
                break
        waiting = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        if self._log:
            self._log.close()

    # --- answering ---

    def _handle(self, request: Request) -> Response:
        self._call_hooks(request)
        fault = self.faults.pick(request) if self.faults.active else None
        response = instead(fault, request) if fault else None
        if response is None:
            response = handle(request, self.state, self.root_url)
            if fault:
                response = spoil(fault, response)
                if fault.kind == "change":
                    self._change(request)
        if self._version and "X-Jenkins" in response.headers:
            response.headers["X-Jenkins"] = self._version
        response.delay += self.latency
        record = Record(
            request.method,
            request.raw_path,
            request.query,
            response.status,
            request.body,
            fault.kind if fault else None,
        )
        if self._record:
            self.requests.append(record)
        if self._log:
            self._log.write(
                f"{time.strftime('%H:%M:%S')} {record}\n".encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            )
        return response

    def _call_hooks(self, request: Request) -> None:
        for hook in list(self._hooks):
            pattern, method, callback, once = hook
            if pattern.search(request.raw_path) and method in (None, request.method):
                if once:
                    self._hooks.remove(hook)
                callback(self.state)

    def _change(self, request: Request) -> None:
        """Somebody changes the job whose configuration has just been read."""
        from .auth import Caller
        from .call import resolve

        if request.method == "GET" and request.raw_path.endswith("/config.xml"):
            caller = Caller(self.state.users[self.user])
            call = resolve(request, self.state, caller, self.root_url)
            if call.view is None and call.item.parent is not None and not call.item.is_computed:
                old = call.item.meta.description or ""
                self.state.save(call.item, lambda root: root.set("description", f"{old} (changed meanwhile)"))
