#!/usr/bin/env python3
"""A server whose answers are known, in a process of its own: of each 20 connections 1 never answers, 2 take 300 ms, 17 take 20 ms.

    python known_server.py tcp|ws [--drop N]

It prints its port, and when its standard input ends what it saw, as JSON: ``peak`` connections at once, ``connections``,
``first`` (milliseconds from the first message to its answer, for each connection that was answered), ``exchanges``.
With ``--drop N`` every Nth connection is closed a second after its first answer.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NEVER, SLOW, QUICK = None, 0.3, 0.02


@dataclass
class Seen:
    drop: int = 0
    connections: int = 0
    now: int = 0
    peak: int = 0
    exchanges: int = 0
    first: list[float] = field(default_factory=list)

    def arrive(self) -> int:
        self.connections += 1
        self.now += 1
        self.peak = max(self.peak, self.now)
        return self.connections

    def delay(self, number: int) -> float | None:
        return {0: NEVER, 5: SLOW, 15: SLOW}.get(number % 20, QUICK)


async def serve(seen: Seen, number: int, receive: Callable[[], Awaitable[bool]], answer: Callable[[], Awaitable[None]]) -> None:
    """Answers as this connection has to, until it ends."""
    delay, first = seen.delay(number), True
    while await receive():
        begin = time.perf_counter()
        if delay is NEVER:
            continue
        await asyncio.sleep(delay if first else QUICK)
        await answer()
        seen.exchanges += 1
        if first:
            seen.first.append((time.perf_counter() - begin) * 1000)
            first = False
            if seen.drop and number % seen.drop == 1:
                await asyncio.sleep(1)
                return


async def tcp(seen: Seen) -> int:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = seen.arrive()

        async def receive() -> bool:
            return bool(await reader.read(1000))

        async def answer() -> None:
            writer.write(b"pong\n")
            await writer.drain()

        with contextlib.suppress(OSError):
            await serve(seen, number, receive, answer)
        seen.now -= 1
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=1000)
    return int(server.sockets[0].getsockname()[1])


async def ws(seen: Seen) -> int:
    from aiohttp import WSMsgType, web

    async def handle(request: web.Request) -> web.WebSocketResponse:
        number = seen.arrive()
        socket = web.WebSocketResponse()
        await socket.prepare(request)

        async def receive() -> bool:
            return (await socket.receive()).type is WSMsgType.TEXT

        with contextlib.suppress(OSError):
            await serve(seen, number, receive, lambda: socket.send_str("pong"))
        seen.now -= 1
        await socket.close()
        return socket

    app = web.Application()
    app.router.add_get("/", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1000)
    await site.start()
    return int(runner.addresses[0][1])


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=("tcp", "ws"))
    parser.add_argument("--drop", type=int, default=0)
    given = parser.parse_args()
    seen = Seen(given.drop)
    print(await (tcp if given.kind == "tcp" else ws)(seen), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    print(json.dumps({"peak": seen.peak, "connections": seen.connections, "first": sorted(seen.first), "exchanges": seen.exchanges}), flush=True)
    os._exit(0)  # connections that are still there are of no interest


class Known:
    """The running server; ``seen()`` ends it and gives what it saw."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        self.port = int(process.stdout.readline())

    def seen(self) -> dict[str, Any]:
        out, _ = self.process.communicate(timeout=30)
        return dict(json.loads(out))


@contextlib.contextmanager
def known(kind: str, drop: int = 0) -> Iterator[Known]:
    """Starts one in a process of its own."""
    process = subprocess.Popen([sys.executable, str(Path(__file__)), kind, "--drop", str(drop)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Known(process)
    finally:
        process.kill()
        process.communicate()


def nearest_rank(times: list[float], percent: int) -> float:
    """The percentile of sorted times by nearest rank."""
    return times[-(-len(times) * percent // 100) - 1]


if __name__ == "__main__":
    asyncio.run(main())
