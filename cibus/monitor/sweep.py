"""One sweep of a controller: four requests, whatever it holds. What fails is part of what was seen."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from cibus.errors import ControllerError, Forbidden, Garbled, NotFound, NotJenkins, Unauthorized, Unreachable
from cibus.jenkins import pulse
from cibus.jenkins.client import Client
from cibus.monitor import reading
from cibus.monitor.state import Sweep, Trouble

T = TypeVar("T")


def sweep(client: Client, now: Callable[[], float] = time.time) -> Sweep:
    """Looks at a controller; never raises for what a controller does."""
    looker = _Looker(client)
    when, start = now(), time.perf_counter()
    first = looker.part("controller", lambda: pulse.root(client))
    if first is None:  # nothing else is going to answer, and each try may take its whole time
        return Sweep(client.settings.url, when, time.perf_counter() - start, troubles=tuple(looker.troubles), requests=looker.requests)
    version, latency = first
    nodes = looker.part("agents", lambda: tuple(map(reading.node, pulse.computers(client))))
    queue = looker.part("queue", lambda: tuple(map(reading.waiting, pulse.queue(client))))
    built = looker.part("jobs", lambda: _jobs(client))
    quieting, jobs = built or (False, None)
    return Sweep(
        client.settings.url,
        when,
        time.perf_counter() - start,
        latency,
        version,
        quieting,
        nodes,
        queue,
        jobs,
        tuple(looker.troubles),
        looker.requests,
    )


def _jobs(client: Client) -> tuple[bool, tuple[Any, ...]]:
    quieting, found = pulse.jobs(client)
    return quieting, tuple(reading.jobs(found))


class _Looker:
    """Asks for one part after the other, and notes what failed."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.troubles: list[Trouble] = []
        self.requests = 0

    def part(self, name: str, ask: Callable[[], T]) -> T | None:
        """A part, or None where it failed."""
        self.requests += 1
        try:
            return ask()
        except ControllerError as error:
            self.troubles.append(Trouble(name, _kind(error), str(error)))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            host = urlsplit(self._client.settings.url).netloc
            self.troubles.append(Trouble(name, "wrong", f"{host}: the answer for {name} has not the form of Jenkins' ({type(error).__name__}: {error})"))
        return None


def _kind(error: ControllerError) -> str:
    kinds = (((Unauthorized, Forbidden, NotFound), "rights"), ((NotJenkins, Garbled), "wrong"), ((Unreachable,), "down"))
    return next((kind for classes, kind in kinds if isinstance(error, classes)), "fault")
