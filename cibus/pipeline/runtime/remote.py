"""``node`` blocks on machines over SSH: a mirror of the workspace here, processes there."""

from __future__ import annotations

import contextlib
import hashlib
import os
import posixpath
import re
import shlex
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cibus.errors import HostError, HostLost
from cibus.pipeline.runtime.afar import Started
from cibus.pipeline.runtime.environment import PASSED
from cibus.pipeline.runtime.places import Command, Running
from cibus.pipeline.values import Thrown, abort
from cibus.ssh.connect import ssh_command
from cibus.ssh.host import Host
from cibus.ssh.link import CommandFailed
from cibus.ssh.mirror import Mirror
from cibus.ssh.outside import Outside
from cibus.ssh.process import RemoteProcess, job

if TYPE_CHECKING:

    from cibus.pipeline.runtime.run import Run
    from cibus.pipeline.steps.context import StepContext

DEFAULT_FOLDER = "cibus"  # below the home folder
LOST = 'Cannot contact {0}: hudson.remoting.ChannelClosedException: Channel "{0}": Remote call on {0} failed. The channel is closing down or has closed down'
"""What a controller prints of an agent that is gone (DurableTaskStep of workflow-durable-task-step 2.37, with remoting's message)."""


class RemotePlace:
    """A machine over SSH, for one ``node`` block.

    Arguments:
        agent: the agent's name
        here: a folder of this machine that stands for the host's: ``ws`` for its workspaces, ``abs`` and ``root`` for all else
        node: the JENKINS_NODE_COOKIE of the block
    """

    def __init__(self, run: Run, agent: str, host: Host, here: Path, node: str) -> None:
        self.agent = agent
        self.host = host
        self._run = run
        self._here = here
        self._node = node
        home = host.environ.get("HOME", "/tmp")
        self.folder = f"{host.address.folder or posixpath.join(home, DEFAULT_FOLDER)}/workspace"
        self._outside = Outside(host, here / "root" / node)
        self._prefix = str(here)
        self._shown = ((str(here / "ws"), self.folder), (str(self._outside.here), ""), (str(here / "abs"), ""))
        self._mirrors: dict[Path, tuple[Mirror, str, str]] = {}  # by workspace: with its folder and name there
        self._active = 0
        self._left = False
        self._guarded: list[str] = []
        self.home = here  # the workspace of the block
        passed = {name: os.environ[name] for name in run.config.pipeline.pass_env if name in os.environ and name not in PASSED}
        self._machine = {**host.environ, **passed}

    # -- what it is

    @property
    def machine(self) -> Mapping[str, str]:
        """The host's own variables."""
        return self._machine

    @property
    def ids(self) -> str:
        """The user there."""
        return self.host.facts.get("ids", "0:0")

    @property
    def containers(self) -> str:
        """docker or podman, as the host has it."""
        return self.host.facts.get("containers", "docker")

    # -- paths

    def shown(self, text: str) -> str:
        """Text with the host's paths for those of the mirror."""
        if self._prefix in text:
            for here, there in self._shown:
                text = text.replace(here, there)
        return text

    def path(self, cwd: Path, name: str) -> Path:
        """Where the mirror has a path of the host; what lies outside of the workspace is fetched."""
        there = posixpath.normpath(posixpath.join(self.shown(str(cwd)), self.shown(name)))
        if there == self.folder or there.startswith(f"{self.folder}/"):
            path = self._here / "ws" / there[len(self.folder) + 1 :]
        else:
            path = self._here / "abs" / there.lstrip("/")
        if any(path.is_relative_to(top) for workspace in self._mirrors for top in (workspace, Path(f"{workspace}@tmp"))):
            return path
        self._run.fidelity.differs(
            f"outside of the workspace, files of {self.agent} are fetched one by one where a step names them, and sent back where it changed them; steps that list a folder there find it empty"
        )
        return self._outside.fetch(there)

    # -- workspaces

    def claim(self, folder: str, name: str) -> Path:
        """A workspace there that no other run uses, brought here.

        Raises:
            HostError: it cannot be made, or brought.
        """
        try:
            given = self.host.call("claim", folder, name).decode("utf-8", "replace")
        except CommandFailed as error:
            said = error.said.splitlines()[0] if error.said else "it is no folder"
            raise HostError(f"{self.host.address.shown}: the workspace {folder}/{name} cannot be written: {said.partition(': ')[2] or said}; name another folder: {self.host.address.shown}/FOLDER") from error
        if given != name and not re.fullmatch(re.escape(name) + r"@[0-9]+", given):
            raise HostError(f"{self.host.address.shown}: it named the workspace {given!r} where {name} was asked for; it was refused")
        name = given
        base = self._here / "ws" if folder == self.folder else self._here / "abs" / folder.lstrip("/")
        index = self._here / f"{hashlib.sha256(f'{folder}/{name}'.encode()).hexdigest()[:16]}.index"
        mirror = Mirror(self.host, base, folder, (name, f"{name}@tmp"), index=index, report=self._stays)
        workspace = base / name
        self._mirrors[workspace] = mirror, folder, name
        mirror.start()
        workspace.mkdir(parents=True, exist_ok=True)
        return workspace

    def workspace(self, ctx: StepContext, name: str) -> Path:
        """Another workspace on the host."""
        folder, base = posixpath.split(posixpath.normpath(posixpath.join(self.folder, name)))
        with ctx.suspended():
            return self.claim(folder, base)

    def leave(self, ctx: StepContext, workspace: Path) -> None:
        """Brings the last changes over and gives the workspace back."""
        mirror, folder, name = self._mirrors.pop(workspace)
        try:
            mirror.push()
            mirror.save()
            self.host.call("unclaim", folder, name)
        except HostLost:
            return
        except HostError as error:
            self._run.remark(str(error))

    def _stays(self, what: str) -> None:
        self._run.fidelity.differs(f"steps that read files do not see what stays on {self.agent}: {what}")

    # -- processes

    def start(self, ctx: StepContext, command: Command) -> Running:
        """Brings what changed over, and starts the process."""
        with ctx.suspended():
            self.settle()
            own = self.host.environ
            env = {name: self.shown(value) for name, value in command.env.items() if own.get(name) != value}
            files = {self.shown(str(command.script)): command.script.read_bytes()} if command.script else {}
            odd = [name for name in env if not (name.isascii() and name.isidentifier())]
            if odd:
                ctx.note_difference(f"variables whose names a shell cannot say are not set on {self.agent}: {', '.join(odd)}")
            process = RemoteProcess(
                self.host,
                [self.shown(word) for word in command.argv],
                env,
                self.shown(str(command.cwd)),
                unset=[name for name in own if name not in command.env],
                cookie=command.cookie,
                node=self._node,
                capture=command.capture,
                files=files,
            )
            self._active += 1
        return Started(ctx, self.agent, process, command.kill_inside)

    def ended(self, ctx: StepContext, process: Running) -> None:
        """Brings here what changed there."""
        assert isinstance(process, Started)
        self._active -= 1
        self._left = self._left or process.process.left
        with ctx.suspended(), contextlib.suppress(*([HostError] if process.error is not None else [])):
            if self.host.alive:
                self._pull()

    def ask(self, argv: Sequence[str], env: Mapping[str, str] | None = None, seconds: float | None = None) -> subprocess.CompletedProcess[str]:
        """Runs a helper program there."""
        self.settle()
        own = self.host.environ
        given = {name: self.shown(value) for name, value in (env or {}).items() if own.get(name) != value}
        process = RemoteProcess(self.host, [self.shown(word) for word in argv], given, "/", capture=True)
        timer = threading.Timer(seconds or 86400, process.interrupt, (subprocess.TimeoutExpired(list(argv), seconds or 0),))
        timer.daemon = True
        timer.start()
        said: list[bytes] = []
        try:
            code = process.stream(said.append, lambda: None)
        finally:
            timer.cancel()
        if process.error is not None:
            raise process.error
        if code == 127 and not process.captured:
            raise FileNotFoundError(2, "No such file or directory", argv[0])
        return subprocess.CompletedProcess(argv, code, b"".join(process.captured).decode("utf-8", "replace"), b"".join(said).decode("utf-8", "replace"))

    def has(self, program: str, path: str | None) -> bool:
        """Looks along the PATH there."""
        found = self.ask(["sh", "-c", 'PATH=$2; command -v "$1"', "sh", program, path or self._machine.get("PATH", "")])
        return found.returncode == 0

    def terminal(self, ctx: StepContext, argv: Sequence[str], env: Mapping[str, str]) -> list[str]:
        """``ssh`` with a terminal; the environment goes ahead in a file that only its user can read."""
        self.settle()
        own = self.host.environ
        given = {name: self.shown(value) for name, value in env.items() if own.get(name) != value}
        text = job([self.shown(word) for word in argv], given, [], self.shown(str(ctx.cwd)), {})
        script = self.host.call("keep", self.host.next_id(), stdin=text).decode()
        self._left = True  # who sits at the terminal may change files
        return [*ssh_command(self.host.address), "-t", f"exec sh {shlex.quote(script)}"]

    # -- files

    def _pull(self) -> None:
        for mirror, *_ in list(self._mirrors.values()):
            mirror.pull()

    def settle(self) -> None:
        """Brings over what changed here."""
        for mirror, *_ in list(self._mirrors.values()):
            mirror.push()
        self._outside.push()

    def before(self, ctx: StepContext) -> None:
        """While something runs on the host its files change by themselves."""
        if not self.host.alive:
            raise self.host.lost()
        if self._active or self._left:
            with ctx.suspended():
                self._pull()

    def after(self, ctx: StepContext) -> None:
        """What runs on the host sees what steps write."""
        if not self.host.alive:
            return
        with ctx.suspended():
            if self._active or self._left:
                self.settle()
            else:
                self._outside.push()

    # -- the end

    def guard(self, ctx: StepContext, command: str) -> None:
        """The host runs it where the connection breaks."""
        self._guarded.append(command)
        self._guard()

    def unguard(self, ctx: StepContext, command: str) -> None:
        """The host forgets it."""
        if command in self._guarded:
            self._guarded.remove(command)
        with contextlib.suppress(HostError):
            self._guard()

    def _guard(self) -> None:
        self.host.call("unfinally")
        if self._guarded:
            self.host.call("finally", stdin="".join(f"{command}\n" for command in self._guarded).encode())

    def release(self, ctx: StepContext) -> None:
        """The block ended: what it left running is ended, and the workspaces are given back."""
        with contextlib.suppress(HostLost):
            if self.host.alive:
                self.host.call("leftovers", self._node)
        for workspace in list(self._mirrors):
            self.leave(ctx, workspace)
        self._outside.close()

    def failed(self, ctx: StepContext, error: HostError) -> Thrown:
        """What the script sees of trouble with the host."""
        if isinstance(error, HostLost):
            if self._run.hosts.first_word(self.host):
                ctx.log(LOST.format(self.agent))
                return abort(f"agent {self.agent} was lost: {error}")
            return abort(f"Unable to create live FilePath for {self.agent}; {self.agent} was marked offline: Connection was broken ({error})")
        return abort(self.shown(str(error)))
