"""What the unit ``jenkins`` of a test's controller machine starts: the fake, as a process that takes what systemd gives it.

As the real one it reads JENKINS_HOME and JENKINS_PORT, gets JAVA_OPTS as arguments, tells systemd when it is up, logs to
the journal, opens a file for each job to tell of the queue, and is slow where its heap has no room for its jobs
(which HEAP in JENKINS_HOME says, in GiB).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fake_jenkins import FakeJenkins, Fault, empty_state
from fake_jenkins.faults import instead
from fake_jenkins.wire import Request, Response

HOME = Path(os.environ["JENKINS_HOME"])
UNITS = {"m": 1 / 1024, "g": 1.0}
DEFAULT = 1.0  # GiB of heap
SLOW = 1.3  # seconds


class Service(FakeJenkins):
    """Answers with an error where the system does not let it open its files."""

    def _handle(self, request: Request) -> Response:
        if request.raw_path.startswith("/queue"):
            try:
                with contextlib.ExitStack() as files:
                    for path in sorted(HOME.glob("jobs/*/config.xml")):
                        files.enter_context(path.open())
            except OSError as error:
                say(f"WARNING hudson.init.impl.InstallUncaughtExceptionHandler#handleException: Caught unhandled exception\njava.io.FileNotFoundException: {error.filename} ({error.strerror})")
                return instead(Fault("500"), request) or Response(500)
        return super()._handle(request)


def say(words: str) -> None:
    print(words, flush=True)


def latency(options: list[str]) -> float:
    """Seconds for each answer."""
    given = [found for each in options if (found := re.fullmatch(r"-Xmx(\d+)([mg])", each))]
    heap = int(given[-1][1]) * UNITS[given[-1][2]] if given else DEFAULT
    needed = HOME / "HEAP"
    return SLOW if needed.exists() and heap < float(needed.read_text()) else 0.0


def ready() -> None:
    """Tells systemd that it is up."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.sendto(b"READY=1", address.replace("@", "\0", 1))


async def main(options: list[str]) -> None:
    fake = Service(empty_state(), port=int(os.environ["JENKINS_PORT"]), host="0.0.0.0", latency=latency(options))
    task = asyncio.ensure_future(fake.serve_forever())
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    await asyncio.sleep(0.2)
    say("INFO hudson.lifecycle.Lifecycle#onReady: Jenkins is fully up and running")
    ready()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    say("INFO winstone.Logger#logInternal: JVM is terminating. Shutting down Jetty")


asyncio.run(main(sys.argv[1:]))
