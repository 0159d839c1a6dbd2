"""Faults on request: the same seed gives the same faults for the same requests."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass

from . import pages
from .wire import Request, Response

KINDS = ("reset", "slow", "401", "403", "404", "429", "500", "503", "truncated", "html", "change")


@dataclass(frozen=True)
class Fault:
    """A kind of fault and how often it happens, perhaps only for some paths (a regex) or one method."""

    kind: str
    percent: float = 100.0
    path: str = ""
    method: str = ""
    times: int | None = None  # at most so often
    seconds: float = 2.0  # how slow `slow` is

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind} is no fault; there are {', '.join(KINDS)}")

    def meets(self, request: Request) -> bool:
        return (not self.method or self.method == request.method) and (
            not self.path or bool(re.search(self.path, request.raw_path))
        )


def parse_fault(text: str) -> Fault:
    """Reads KIND:PERCENT."""
    kind, _, percent = text.partition(":")
    return Fault(kind, float(percent or 100))


class Faults:
    """The faults of a server; `set` changes them at run time."""

    def __init__(self, faults: Iterable[Fault | tuple[str, float]] = (), seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._left: dict[Fault, int] = {}
        self.active: list[Fault] = []
        self.set(*faults)

    def set(self, *faults: Fault | tuple[str, float]) -> None:
        self.active = [fault if isinstance(fault, Fault) else Fault(*fault) for fault in faults]
        self._left = {fault: fault.times for fault in self.active if fault.times is not None}

    def pick(self, request: Request) -> Fault | None:
        """Says whether a request is hit, and by what."""
        for fault in self.active:
            if not fault.meets(request) or self._left.get(fault, 1) <= 0:
                continue
            if self._random.random() * 100 < fault.percent:
                if fault in self._left:
                    self._left[fault] -= 1
                return fault
        return None


def instead(fault: Fault, request: Request) -> Response | None:
    """Gives what is answered instead of handling the request, if the fault is of that kind."""
    path = request.raw_path
    if fault.kind == "reset":
        return Response(reset=True)
    if fault.kind == "401":
        return pages.unauthorized(path)
    if fault.kind == "500":
        return pages.oops()
    if fault.kind in ("403", "404", "429", "503"):
        messages = {"403": "Forbidden", "404": "Not Found", "429": "Too Many Requests", "503": "Service Unavailable"}
        response = pages.jetty_error(int(fault.kind), messages[fault.kind], path)
        if fault.kind in ("429", "503"):
            response.headers["Retry-After"] = "1"
        return response
    if fault.kind == "html" and ("/api/" in path or path.endswith("/consoleText")):
        return pages.page("Sign in [Jenkins]", "<h1>Welcome to Jenkins!</h1>")
    return None


def spoil(fault: Fault, response: Response) -> Response:
    """Spoils the right answer, if the fault is of that kind."""
    if fault.kind == "slow":
        response.delay += fault.seconds
    elif fault.kind == "truncated" and response.body:
        response.cut, response.compressible = 50, False
    return response
