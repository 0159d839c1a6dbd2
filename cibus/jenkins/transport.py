"""One HTTP request to a controller and its answer; nothing is repeated or judged here.

The transport is a seam: whatever has :meth:`Transport.send` can stand in for the network.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import HTTPError, SSLError
from urllib3.util import Timeout, make_headers

from cibus.errors import ConfigError


@dataclass(frozen=True)
class Request:
    """What is sent; ``target`` is the path and query as they go over the wire, percent-encoded.

    ``repeatable``: sending it twice does no more than sending it once.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    repeatable: bool = False


@dataclass(frozen=True)
class Response:
    """What came back; header names are in lower case, the body is decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as UTF-8, which is what Jenkins writes."""
        return self.body.decode("utf-8", "replace")


class Broken(Exception):
    """No whole answer came: refused, reset, cut off, timed out, no TLS. ``sent``: it may have been carried out."""

    def __init__(self, reason: str, *, sent: bool = True, hopeless: bool = False) -> None:
        super().__init__(reason)
        self.sent = sent
        self.hopeless = hopeless


class Transport(Protocol):
    """Sends requests to one controller, from several threads at once."""

    def send(self, request: Request) -> Response:
        """Sends a request.

        Raises:
            Broken: no whole answer came.
        """
        ...

    def stream(self, request: Request, size: int = 65536) -> tuple[Response, Iterator[bytes]]:
        """Sends a request and gives the body (empty in the response) in pieces as they come."""
        ...

    def close(self) -> None:
        """Closes the connections."""
        ...


class PoolTransport:
    """Pooled connections to one host, by urllib3.

    Arguments:
        url: scheme, host and port are taken from it
        connections: how many are kept open at most
        timeout: seconds to wait for a connection (at most 10 of them) and between two pieces of an answer
        ca: a PEM file with certificates to trust besides the system's
        verify: False trusts any certificate
        proxy: the URL of a proxy; empty: as the environment says
    """

    def __init__(
        self, url: str, *, connections: int = 8, timeout: float = 60, ca: Path | None = None, verify: bool = True, proxy: str = ""
    ) -> None:
        parts = urlsplit(url)
        options: dict[str, Any] = {
            "maxsize": connections,
            "timeout": Timeout(connect=min(timeout, 10), read=timeout),
            "retries": False,
        }
        if parts.scheme == "https":
            options["ssl_context"] = _tls(ca, verify)
        proxy = proxy or _proxy_of_the_environment(parts.scheme, parts.hostname or "")
        manager = _through(proxy, options) if proxy else urllib3.PoolManager(num_pools=1, **options)
        self._manager = manager
        self._pool = manager.connection_from_url(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}")
        self._prefix = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if proxy and parts.scheme == "http" else ""

    def send(self, request: Request) -> Response:
        """See :class:`Transport`."""
        try:
            answer = self._open(request, preload=True)
        except HTTPError as error:
            raise _broken(error) from error
        return Response(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.data)

    def stream(self, request: Request, size: int = 65536) -> tuple[Response, Iterator[bytes]]:
        """See :class:`Transport`."""
        try:
            answer = self._open(request, preload=False)
        except HTTPError as error:
            raise _broken(error) from error
        head = Response(answer.status, {name.lower(): value for name, value in answer.headers.items()}, b"")

        def pieces() -> Iterator[bytes]:
            try:
                packed = "content-encoding" in head.headers  # a log may become a thousand times as large
                yield from answer.stream(size // 8 if packed else size, decode_content=True)
            except HTTPError as error:
                raise _broken(error) from error
            finally:
                answer.release_conn()

        return head, pieces()

    def close(self) -> None:
        """See :class:`Transport`."""
        self._manager.clear()

    def _open(self, request: Request, *, preload: bool) -> urllib3.BaseHTTPResponse:
        return self._pool.urlopen(
            request.method,
            self._prefix + request.target,
            body=request.body,
            headers=request.headers,
            redirect=False,
            assert_same_host=False,
            preload_content=preload,
        )


def _tls(ca: Path | None, verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if ca is not None:
        try:
            context.load_verify_locations(cafile=ca)
        except FileNotFoundError as error:
            raise ConfigError(f"the CA file {ca} is not there") from error
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"the CA file {ca} holds no certificate in PEM form: {error}") from error
    return context


def _through(proxy: str, options: dict[str, Any]) -> urllib3.ProxyManager:
    parts = urlsplit(proxy)
    headers = make_headers(proxy_basic_auth=f"{parts.username}:{parts.password or ''}") if parts.username else None
    address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    return urllib3.ProxyManager(address, num_pools=1, proxy_headers=headers, **options)


def _proxy_of_the_environment(scheme: str, host: str) -> str:
    return "" if proxy_bypass(host) else getproxies().get(scheme, "")


def _broken(error: HTTPError) -> Broken:
    """urllib3's error in a few words."""
    from urllib3.exceptions import (
        ConnectTimeoutError,
        NameResolutionError,
        NewConnectionError,
        ProxyError,
        ReadTimeoutError,
    )

    if isinstance(error, SSLError):
        return Broken(_tls_reason(error), sent=False, hopeless=True)
    if isinstance(error, NameResolutionError):
        return Broken("its name is not known to the DNS", sent=False, hopeless=True)
    if isinstance(error, ProxyError):
        return Broken(f"the proxy does not let it through: {error.original_error}", sent=False)
    if isinstance(error, NewConnectionError):  # is a ConnectTimeoutError, too
        refused = "refused" in str(error).lower()
        return Broken("connection refused" if refused else str(error).rpartition(": ")[2], sent=False)
    if isinstance(error, ConnectTimeoutError):
        return Broken("no connection within the time limit", sent=False)
    if isinstance(error, ReadTimeoutError):
        return Broken("no answer within the time limit")
    return Broken(f"the connection broke: {_inner(error)}")


def _tls_reason(error: SSLError) -> str:
    text = str(error)
    if "self-signed" in text or "unable to get local issuer" in text:
        return "its certificate is signed by an unknown CA: give the CA's PEM file as ca in cibus.toml"
    if "WRONG_VERSION_NUMBER" in text or "record layer" in text:
        return "it does not speak TLS: is it http:// instead of https://?"
    return f"TLS failed: {text}"


def _inner(error: HTTPError) -> str:
    cause = error.args[-1] if error.args else error
    return str(cause.strerror or cause) if isinstance(cause, OSError) else str(error)
