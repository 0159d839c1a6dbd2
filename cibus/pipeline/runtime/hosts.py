"""The machines over SSH that a run uses."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

from cibus.pipeline.runtime.remote import RemotePlace
from cibus.pipeline.runtime.workspaces import AFAR
from cibus.ssh.address import parse
from cibus.ssh.host import Host

if TYPE_CHECKING:
    from cibus.pipeline.runtime.run import Run
    from cibus.pipeline.steps.context import StepContext


class Hosts:
    """The machines of a run, each with one connection."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._hosts: dict[str, Host] = {}
        self._opening = threading.Lock()
        self._told: set[Host] = set()

    def place(self, ctx: StepContext, agent: str, url: str, node: str) -> RemotePlace:
        """A machine with a workspace for a ``node`` block.

        Raises:
            HostError: it cannot be reached, does not let one in, or has no place for the workspace.
        """
        run = self._run
        with ctx.suspended():
            with self._opening:
                host = self._hosts.get(url)
                if host is None or not host.alive:
                    host = self._hosts[url] = Host(parse(url), deadline=run.options.host_deadline, interval=run.options.host_deadline / 4)
            key = f"{host.address.host}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"
            place = RemotePlace(run, agent, host, run.workspaces.root / AFAR / key, node)
            try:
                path = place.claim(place.folder, run.workspaces.name)
            except BaseException:
                place.release(ctx)
                raise
            place.home = path
            return place

    def first_word(self, host: Host) -> bool:
        """Whether nobody has said yet that a host is lost."""
        said = host in self._told
        self._told.add(host)
        return not said

    def close(self) -> None:
        """Gives all connections back."""
        for host in self._hosts.values():
            host.close()
