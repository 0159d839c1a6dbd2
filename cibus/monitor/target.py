"""What a probe asks for and what it expects, checked once before the first connection."""

from __future__ import annotations

import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from cibus.config import ProbeConfig
from cibus.errors import ConfigError, UsageError

if TYPE_CHECKING:
    import regex

BODY = 1 << 16  # bytes of an answer that are looked at
MATCH = 1.0  # seconds that a regular expression may take on one answer
SECURE = ("https", "wss", "tls", "smtps")
PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443, "smtp": 25, "smtps": 465}
MISSING = "probes need packages that are not installed: pip install 'cibus[monitor]'"


class Wrong(Exception):
    """The service answered, but not as expected; the text says how."""


class Dropped(Exception):
    """A held connection was ended by the other side."""


@dataclass
class Attempt:
    """What one connection has come to: ``connected`` in seconds since the beginning; ``heard``: bytes that came, but do not match yet."""

    begin: float = field(default_factory=time.perf_counter)
    connected: float | None = None
    heard: bytes = b""

    def is_connected(self) -> None:
        """Notes the time, the first time."""
        if self.connected is None:
            self.connected = time.perf_counter() - self.begin


@dataclass
class Certificate:
    """What the server's certificate says; ``until``: seconds since 1970."""

    until: float | None = None


@dataclass(frozen=True)
class Target:
    """A probe's configuration, made ready.

    Arguments:
        tls: None where there is none; it fills ``certificate`` at each handshake
    """

    config: ProbeConfig
    url: SplitResult
    host: str
    port: int
    expect: regex.Pattern[str] | None
    tls: ssl.SSLContext | None
    certificate: Certificate

    @property
    def send(self) -> bytes:
        """The text to send, as bytes."""
        return self.config.send.encode()

    def fits(self, answer: bytes) -> bool:
        """Whether an answer matches ``expect``; true where nothing is expected.

        Raises:
            Wrong: the expression takes too long on it.
        """
        if self.expect is None:
            return True
        try:
            return self.expect.search(answer[:BODY].decode("utf-8", "replace"), timeout=MATCH) is not None
        except TimeoutError:
            raise Wrong(f"expect takes more than {MATCH:.0f} s on this answer: simplify the regular expression") from None

    def check(self, answer: bytes) -> None:
        """Raises:
        Wrong: the answer does not match.
        """
        if not self.fits(answer):
            raise Wrong(f"the answer does not match expect: {shown(answer)}")

    def check_status(self, status: int) -> None:
        """Raises:
        Wrong: this HTTP status is not fine.
        """
        wanted: Sequence[int] = self.config.status or range(200, 400)
        if status not in wanted:
            raise Wrong(f"HTTP status {status}")


def ready(config: ProbeConfig) -> Target:
    """Reads the URL, the expression and the CA.

    Raises:
        ConfigError: one of them is not usable; says whose.
        UsageError: a package is not installed.
    """
    where = f"[probes.{config.name}]"
    try:
        import regex
    except ModuleNotFoundError:
        raise UsageError(MISSING) from None
    try:
        url = urlsplit(config.url)
        port = url.port or PORTS.get(url.scheme, 0)
    except ValueError as error:
        raise ConfigError(f"{where}: url {config.url}: {error}") from error
    if not url.hostname or not port:
        raise ConfigError(f"{where}: url {config.url}: needs a host and a port")
    try:
        expect = regex.compile(config.expect) if config.expect else None
    except regex.error as error:
        raise ConfigError(f"{where}: expect is not a regular expression: {error}") from error
    certificate = Certificate()
    return Target(config, url, url.hostname, port, expect, _tls(config, certificate) if url.scheme in SECURE else None, certificate)


def _tls(config: ProbeConfig, certificate: Certificate) -> ssl.SSLContext:
    """Trusts the system's CAs and the given one, and remembers until when the server's certificate is valid."""
    try:
        context = ssl.create_default_context()
        if config.ca is not None:
            context.load_verify_locations(config.ca)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"[probes.{config.name}]: ca {config.ca}: {error.strerror or error}") from error

    class Remembering(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            found: Any = self.getpeercert() or {}
            if "notAfter" in found:
                certificate.until = float(ssl.cert_time_to_seconds(found["notAfter"]))

    context.sslobject_class = Remembering
    return context


def shown(answer: bytes) -> str:
    """The beginning of an answer, fit for one line of a terminal."""
    text = answer[:120].decode("utf-8", "replace")
    return repr("".join(each if each.isprintable() else " " for each in text).strip()) + ("…" if len(answer) > 120 else "")
