"""One rebuild of an agent at a time: a lock for this user's runs, and the reason on the controller for those from elsewhere."""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

from cibus.agents.spec import AgentSpec, alias
from cibus.errors import CibusError
from cibus.folders import state_home
from cibus.jenkins import nodes
from cibus.jenkins.client import Client

UNDER_WAY = re.compile(r"\(cibus\): under way, run ([0-9a-f]+)")


def under_way(run: str) -> str:
    """What the reason on the controller says as long as a run works on an agent."""
    return f"under way, run {run}"


@contextmanager
def held(agent: str, run: str) -> Iterator[str]:
    """Holds the lock of an agent; gives the run that had it before, or "".

    Raises:
        CibusError: another run has it.
    """
    path = state_home() / "agents" / f"{alias(agent)}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            who = " ".join(os.read(handle, 200).decode("utf-8", "replace").split()[1:])
            raise CibusError(f"{agent}: another rebuild of it is under way here ({who or 'just begun'}); wait until it has ended, or end it") from error
        before = (os.read(handle, 200).decode("utf-8", "replace").split() or [""])[0]
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{run} process {os.getpid()}, since {time.strftime('%H:%M')}\n".encode(), 0)
        yield before  # the lock goes with the process, however that ends
    finally:
        os.close(handle)


def refuse_if_elsewhere(client: Client, spec: AgentSpec, before: str) -> None:
    """Looks whether somebody works on the agent from another machine.

    Arguments:
        before: the run that had this machine's lock before: it ended without a word, and is gone on from

    Raises:
        CibusError: somebody does.
    """
    found = nodes.computer(client, spec.name)
    run = UNDER_WAY.search(found.reason) if found is not None and found.away else None
    if found is not None and run is not None and run[1] != before:
        raise CibusError(f"{spec.name}: a rebuild from elsewhere is under way ({found.reason}); wait until it has ended; where it is dead, take over: cibus agents rebuild {spec.name} --again")
