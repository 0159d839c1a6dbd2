from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from hosts.boot import Host as Machine

from cibus.ssh.address import parse
from cibus.ssh.host import Host
from cibus.ssh.process import RemoteProcess


@dataclass
class Done:
    code: int
    text: str
    captured: str
    left: bool


Run = Callable[..., Done]


@pytest.fixture
def remote(host: Machine) -> Iterator[Host]:
    """A connection to the booted host, as its plain user, that notices quickly when it is gone."""
    with Host(parse(host.address), interval=0.5, deadline=3) as remote:
        yield remote


@pytest.fixture
def run(remote: Host) -> Run:
    """Runs a shell script there."""

    def work(script: str, cwd: str = "/home/jenkins/work", **options: object) -> Done:
        process = RemoteProcess(remote, ["sh", "-c", script], options.pop("env", {}), cwd, **options)  # type: ignore[arg-type]
        parts: list[bytes] = []
        code = process.stream(parts.append, lambda: None)
        return Done(code, b"".join(parts).decode("utf-8", "replace"), b"".join(process.captured).decode(), process.left)

    return work
