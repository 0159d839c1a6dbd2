"""Where the steps of a ``node`` block run: this machine, or another one that does the same."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from typing import TYPE_CHECKING, Protocol

from cibus.errors import HostError
from cibus.pipeline.runtime.launch import Process, group_alive
from cibus.pipeline.values import Thrown, abort

if TYPE_CHECKING:
    from cibus.pipeline.runtime.scope import Scope
    from cibus.pipeline.steps.context import StepContext


@dataclass(frozen=True)
class Command:
    """What a step runs.

    ``cookie``: the JENKINS_SERVER_COOKIE in ``env``, by which stray children are found. ``capture``: keep standard
    output. ``kill_inside``: ends what the command started where signals do not reach. ``script``: a file that
    belongs to it.
    """

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    cookie: str = ""
    capture: bool = False
    kill_inside: Callable[[Signals], None] | None = None
    script: Path | None = None


class Running(Protocol):
    """A process of a step."""

    @property
    def captured(self) -> list[bytes]:
        """Standard output, where it is kept."""

    @property
    def error(self) -> BaseException | None:
        """Why it was interrupted, or None."""

    @property
    def last_words(self) -> str:
        """What is said of the signal that ended it, where nobody else has said it."""

    def interrupt(self, error: Thrown) -> None:
        """Has its whole tree ended; the step then raises ``error``."""

    def stream(self, on_output: Callable[[bytes], None], on_interrupt: Callable[[], None]) -> int:
        """Gives output as it comes until it has ended; its exit code, 128 + signal for a signal."""

    def discard(self) -> None:
        """Ends it where nobody came to wait for it."""


class Place(Protocol):
    """A machine, for the steps of a ``node`` block. Paths in Python are this machine's; ``shown`` says what scripts see."""

    @property
    def machine(self) -> Mapping[str, str] | None:
        """The variables of the machine; None: those of this one."""

    @property
    def ids(self) -> str:
        """The user there: UID:GID."""

    @property
    def containers(self) -> str:
        """What runs containers there, or "" for what this machine has."""

    def shown(self, text: str) -> str:
        """Text with paths as scripts see them."""

    def path(self, cwd: Path, name: str) -> Path:
        """Where on this machine a path of the script is."""

    def start(self, ctx: StepContext, command: Command) -> Running:
        """Starts a process of a step; raises OSError where the program does not start."""

    def ended(self, ctx: StepContext, process: Running) -> None:
        """The step has seen the end of its process."""

    def ask(self, argv: Sequence[str], env: Mapping[str, str] | None = None, seconds: float | None = None) -> subprocess.CompletedProcess[str]:
        """Runs a helper program to its end and gives what it printed; as ``subprocess.run``."""

    def has(self, program: str, path: str | None) -> bool:
        """Whether a program is there."""

    def terminal(self, ctx: StepContext, argv: Sequence[str], env: Mapping[str, str]) -> list[str]:
        """What to run here to have a program there at this terminal, in the step's folder; ``argv`` where it is here."""

    def before(self, ctx: StepContext) -> None:
        """A step is about to look at files."""

    def after(self, ctx: StepContext) -> None:
        """A step may have changed files."""

    def settle(self) -> None:
        """What was changed here is now also there."""

    def guard(self, ctx: StepContext, command: str) -> None:
        """Has a shell command run there should cibus be killed."""

    def unguard(self, ctx: StepContext, command: str) -> None:
        """Takes :meth:`guard` back."""

    def workspace(self, ctx: StepContext, name: str) -> Path:
        """Another workspace, for ``ws``."""

    def leave(self, ctx: StepContext, workspace: Path) -> None:
        """Gives it back."""

    def release(self, ctx: StepContext) -> None:
        """The ``node`` block ended."""

    def failed(self, ctx: StepContext, error: HostError) -> Thrown:
        """What the script sees of trouble with the machine."""


class Here:
    """This machine."""

    machine = None
    containers = ""

    @property
    def ids(self) -> str:
        """The user who runs cibus."""
        import os

        return f"{os.getuid()}:{os.getgid()}"

    def shown(self, text: str) -> str:
        """As it is."""
        return text

    def path(self, cwd: Path, name: str) -> Path:
        """Relative ones are below the current folder."""
        return cwd / name

    def start(self, ctx: StepContext, command: Command) -> Process:
        """Starts it; should cibus be killed, the JVM ends it."""
        process = Process(command.argv, command.env, command.cwd, cookie=command.cookie, capture=command.capture, kill_inside=command.kill_inside)
        ctx.run.engine.guard(process.group)
        ctx.run.nodes.begins(ctx.scope.node)
        return process

    def ended(self, ctx: StepContext, process: Running) -> None:
        """A group that still has members is ended when the agent is given back, or when cibus is killed."""
        assert isinstance(process, Process)
        if group_alive(process.group):
            ctx.run.leftovers(ctx.scope.node, process.group)
        else:
            ctx.run.engine.unguard(process.group)

    def ask(self, argv: Sequence[str], env: Mapping[str, str] | None = None, seconds: float | None = None) -> subprocess.CompletedProcess[str]:
        """Runs it."""
        return subprocess.run(argv, capture_output=True, text=True, check=False, env=env, timeout=seconds, stdin=subprocess.DEVNULL)

    def has(self, program: str, path: str | None) -> bool:
        """Looks along the PATH."""
        return shutil.which(program, path=path) is not None

    def terminal(self, ctx: StepContext, argv: Sequence[str], env: Mapping[str, str]) -> list[str]:
        """As it is."""
        return list(argv)

    def before(self, ctx: StepContext) -> None:
        """Nothing to do."""

    def after(self, ctx: StepContext) -> None:
        """Nothing to do."""

    def settle(self) -> None:
        """Nothing to do."""

    def guard(self, ctx: StepContext, command: str) -> None:
        """The JVM runs it."""
        ctx.run.engine.guard(command=command)

    def unguard(self, ctx: StepContext, command: str) -> None:
        """The JVM forgets it."""
        ctx.run.engine.unguard(command=command)

    def workspace(self, ctx: StepContext, name: str) -> Path:
        """A folder below the workspaces, or where the path says; another one while somebody has it."""
        path = ctx.run.workspaces.custom(ctx.run.workspaces.root / name)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def leave(self, ctx: StepContext, workspace: Path) -> None:
        """Somebody else can have it."""
        ctx.run.workspaces.release(workspace)

    def release(self, ctx: StepContext) -> None:
        """Nothing to do: who gave the executor takes it back."""

    def failed(self, ctx: StepContext, error: HostError) -> Thrown:
        """A machine that could not be had."""
        return abort(str(error))


HERE = Here()


def place_of(scope: Scope) -> Place:
    """Where the steps of a scope run."""
    return HERE if scope.node is None else scope.node.place


def machine_of(ctx: StepContext) -> Mapping[str, str]:
    """The variables of the machine where a step runs, before anything is added to them."""
    machine = place_of(ctx.scope).machine
    return ctx.run.environment.machine if machine is None else machine
