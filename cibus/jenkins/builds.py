"""Starting a build, and waiting until it has ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from cibus.errors import ControllerError
from cibus.jenkins.client import Client
from cibus.jenkins.paths import job_url

POLL = 0.5  # seconds
Pause = Callable[[float], None]


@dataclass(frozen=True)
class Ended:
    """A build that ended."""

    job: str
    number: int
    result: str
    seconds: float


class NotInTime(ControllerError):
    """A build did not start, or did not end, in time; the message says which, and why it waited."""


def run_build(client: Client, job: str, seconds: float, pause: Pause = time.sleep) -> Ended:
    """Starts a build of a job without parameters and waits for its end; one that takes too long is stopped.

    Raises:
        NotInTime: it did not start or end within so many seconds.
        ControllerError: it cannot be started or followed.
    """
    end = time.monotonic() + seconds
    number = _started(client, job, seconds, end, pause)
    while time.monotonic() < end:
        build = client.session.json(f"{job_url(job)}{number}/api/json?tree=building,result,duration")
        if not build["building"] and build["result"]:
            return Ended(job, number, str(build["result"]), int(str(build["duration"])) / 1000)
        pause(POLL)
    client.session.post(f"{job_url(job)}{number}/stop", repeatable=True)
    raise NotInTime(f"did not end within {seconds:.0f} s")


def _started(client: Client, job: str, seconds: float, end: float, pause: Pause) -> int:
    """Puts it into the queue and gives its number when it has left it."""
    answer = client.session.post(f"{job_url(job)}build?delay=0sec")
    item = urlsplit(answer.headers.get("location", "")).path
    if "/queue/item/" not in item:
        raise ControllerError(f"{client.settings.url} did not say where the build waits: does a proxy take the header Location away?")
    item = item[item.index("/queue/item/") + 1 :]
    why = ""
    while time.monotonic() < end:
        queued = client.session.json(f"{item}api/json")
        if queued.get("executable"):
            return int(queued["executable"]["number"])
        why = queued.get("why") or why
        pause(POLL)
    raise NotInTime(f"did not start within {seconds:.0f} s: {why}")


def console(client: Client, job: str, number: int) -> str:
    """A build's whole log."""
    return client.session.get(f"{job_url(job)}{number}/consoleText").text
