"""``--on-failure shell``: a shell where a step failed, then again, without it, or not at all."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cibus.pipeline.runtime.environment import beyond
from cibus.pipeline.runtime.places import HERE, machine_of
from cibus.pipeline.values import Thrown

if TYPE_CHECKING:
    from cibus.pipeline.steps.context import StepContext

Choice = Literal["retry", "skip", "abort"]
ANSWERS: Mapping[str, Choice] = {
    "r": "retry",
    "retry": "retry",
    "s": "skip",
    "skip": "skip",
    "a": "abort",
    "abort": "abort",
}
PLAIN = {"bash": ["--norc", "--noprofile", "-i"], "zsh": ["-f", "-i"]}
"""How shells start without the files that would change the environment."""


def offer(ctx: StepContext, error: Thrown) -> Choice:
    """Opens a shell in the failing step's folder and asks what next; ``abort`` at once where that makes no sense.

    Raises:
        Thrown: the branch was interrupted meanwhile.
    """
    options = ctx.run.options
    if (
        options.on_failure != "shell"
        or not options.interactive
        or error.is_interruption
        or ctx.body is not None
        or ctx.scope.cwd is None
    ):
        return "abort"
    talk = _Talk()
    try:
        with ctx.branch.waiting(talk), ctx.run.terminal():
            choice = _ask(ctx, error, talk)
        if talk.error is not None:
            raise talk.error
        return choice
    finally:
        talk.close()


class _Talk:
    """The conversation at the terminal; an interruption ends the shell and the question."""

    def __init__(self) -> None:
        self.error: Thrown | None = None
        self.shell: subprocess.Popen[bytes] | None = None
        self._read, self._write = os.pipe()

    def interrupt(self, error: Thrown) -> None:
        """Ends it."""
        self.error = self.error or error
        os.write(self._write, b"x")
        if self.shell is not None and self.shell.poll() is None:
            self.shell.send_signal(signal.SIGHUP)

    def line(self) -> str | None:
        """A line from the terminal; None at its end or after an interruption."""
        ready, _, _ = select.select([sys.stdin.fileno(), self._read], [], [])
        if self._read in ready:
            return None
        return os.read(sys.stdin.fileno(), 4096).decode("utf-8", "replace") or None

    def close(self) -> None:
        """Gives the pipe back."""
        os.close(self._read)
        os.close(self._write)


def _ask(ctx: StepContext, error: Thrown, talk: _Talk) -> Choice:
    where = f"{ctx.run.script_name}:{ctx.line}"
    _say(f"\n{ctx.spec.name} failed ({where}): {error.message or error.text}")
    if talk.error is None:
        _say(f"a shell in {ctx.place.shown(str(ctx.cwd))}, with the step's environment; leave it (exit) to retry, skip or abort")
        _shell(ctx, talk, where)
    while talk.error is None:
        sys.stderr.write("[r]etry the step, [s]kip it, [a]bort? ")
        sys.stderr.flush()
        answer = talk.line()
        if answer is None:
            return "abort"
        choice = ANSWERS.get(answer.strip().lower())
        if choice is not None:
            return choice
    return "abort"


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _shell(ctx: StepContext, talk: _Talk, where: str) -> None:
    """Runs the shell until it is left."""
    argv, env = _command(ctx, where)
    argv = ctx.place.terminal(ctx, argv, env)
    if ctx.place is not HERE:
        env = dict(os.environ)  # what the host says of its own is nothing for ssh here
    folder = next((each for each in (ctx.cwd, *ctx.cwd.parents) if each.is_dir()), Path("/"))
    try:
        talk.shell = subprocess.Popen(argv, cwd=folder, env=env)
    except OSError as problem:
        _say(f"{argv[0]} did not start: {problem.strerror}")
        return
    talk.shell.wait()
    _take_terminal_back()


def _take_terminal_back() -> None:
    """A shell that was killed leaves the terminal to its own, now dead, process group."""
    with contextlib.suppress(OSError):
        if os.tcgetpgrp(sys.stdin.fileno()) != os.getpgrp():
            blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
            try:
                os.tcsetpgrp(sys.stdin.fileno(), os.getpgrp())
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _command(ctx: StepContext, where: str) -> tuple[list[str], dict[str, str]]:
    """The shell's command line and environment; in a container where the step runs in one."""
    prompt = f"(cibus: {ctx.spec.name} failed at {where}) $ "
    env = {**ctx.environ(), "PS1": prompt, "PROMPT": prompt, "TERM": os.environ.get("TERM", "xterm")}
    container = ctx.scope.container
    if container is not None:
        passed = beyond(machine_of(ctx), env)
        flags = [flag for name in passed for flag in ("--env", name)]  # by name: values do not show in argv
        argv = [container.program, "exec", "-i", "-t", "--workdir", str(ctx.cwd), *flags, container.id, "sh", "-i"]
        return argv, {**os.environ, **passed}
    machine = ctx.place.machine
    wanted = (os.environ if machine is None else machine).get("SHELL") or "sh"
    program = wanted if machine is not None or shutil.which(wanted) else "sh"
    return [program, *PLAIN.get(Path(program).name, ["-i"])], env
