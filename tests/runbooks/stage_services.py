"""Services on loopback that are down, slow, fail now and then, or show a certificate that ends."""

from __future__ import annotations

import datetime
import itertools
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import trustme
from staging import Stage, staged


class Server(ThreadingHTTPServer):
    """Answers as ``answer`` says: a status."""

    answer: Callable[[], int] = staticmethod(lambda: 200)
    daemon_threads = True


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.send_response(self.server.answer())
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(port: int = 0, context: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server on loopback."""
    with Server(("127.0.0.1", port), Handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True)
class Street:
    """A folder with cibus.toml, and what is to be ended with the test."""

    folder: Path
    ends: ExitStack = field(default_factory=ExitStack)

    def start(self, port: int = 0, context: ssl.SSLContext | None = None) -> Server:
        return self.ends.enter_context(serving(port, context))

    def probe(self, url: str, more: str = "") -> None:
        """Adds the probe ``mirror``."""
        path = self.folder / "cibus.toml"
        path.write_text(f'{path.read_text() if path.exists() else ""}[probes.mirror]\nurl = "{url}"\nconnections = 4\n{more}')


def port_of(server: Server) -> int:
    return int(server.server_address[1])


@staged("service-down", "street")
def _(street: Street) -> Stage:
    with serving() as server:
        port = port_of(server)
    street.probe(f"http://127.0.0.1:{port}/")
    return Stage(street.folder, {"probe": "mirror", "name": "127.0.0.1", "port": str(port)}, hand=(lambda: street.start(port),))


@staged("service-slow", "street")
def _(street: Street) -> Stage:
    server = street.start()
    street.probe(f"http://127.0.0.1:{port_of(server)}/", "latency = 500\n")

    def slow() -> int:
        time.sleep(0.8)
        return 200

    def quick() -> None:
        server.answer = lambda: 200

    server.answer = slow
    return Stage(street.folder, {"probe": "mirror"}, hand=(quick,))


@staged("error-budget", "street")
def _(street: Street) -> Stage:
    server = street.start()
    street.probe(f"http://127.0.0.1:{port_of(server)}/")
    turns = itertools.cycle((200, 503))
    server.answer = lambda: next(turns)

    def mended() -> None:
        server.answer = lambda: 200

    return Stage(street.folder, {"probe": "mirror"}, hand=(mended,))


@staged("certificate-expires", "street")
def _(street: Street) -> Stage:
    authority = trustme.CA()
    trusted = street.folder / "ca.pem"
    authority.cert_pem.write_to_path(str(trusted))

    def context(days: int) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
        authority.issue_cert("localhost", not_after=end).configure_cert(made)
        return made

    first = ExitStack()
    port = port_of(first.enter_context(serving(0, context(9))))
    street.ends.push(first)
    street.probe(f"https://localhost:{port}/")

    def renewed() -> None:
        first.close()
        street.start(port, context(90))

    return Stage(street.folder, {"probe": "mirror", "address": f"localhost:{port}"}, {"SSL_CERT_FILE": str(trusted)}, (renewed,))


@staged("add-probe", "street")
def _(street: Street) -> Stage:
    server = street.start()
    (street.folder / "cibus.toml").write_text("")
    return Stage(street.folder, {"probe": "packages", "address": f"http://127.0.0.1:{port_of(server)}/", "responsible": "tools team"})
