"""What is on an agent's machine: looked at over SSH with :mod:`cibus.agents.onhost`."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cibus.agents.atoms import Proof
from cibus.agents.spec import AgentSpec
from cibus.errors import HostError, HostLost
from cibus.ssh.connect import connect

if TYPE_CHECKING:
    import fabric

TIMEOUT = 15.0  # seconds for a connection
PATIENCE = 30  # seconds for one command on the machine
NO_PYTHON = ("python3: not found", "python3: command not found", "No developer tools were found")  # the last one is a Mac's
PYTHON = "if [ \"$(id -u)\" != 0 ] && sudo -n true 2>/dev/null; then exec sudo -n python3 - {0}; else exec python3 - {0}; fi"


@dataclass(frozen=True)
class Wants:
    """What to look for besides the machine itself; URLs, "" where nothing is to be reached."""

    controller: str = ""
    git: str = ""
    mirror: str = ""
    proofs: tuple[Proof, ...] = ()
    java: str = ""


@dataclass(frozen=True)
class Facts:
    """What was found: ``data`` as onhost prints it; ``skew``: seconds that the machine's clock is ahead of this one's."""

    data: Mapping[str, Any]
    skew: float = 0.0

    def __getitem__(self, name: str) -> Any:
        return self.data[name]

    def get(self, name: str) -> Any:
        """A fact, or None where it was not asked for."""
        return self.data.get(name)


@contextmanager
def connected(spec: AgentSpec, timeout: float = TIMEOUT) -> Iterator[fabric.Connection]:
    """A connection to the machine.

    Raises:
        HostError: it cannot be reached; UsageError: nobody said where it is.
    """
    connection = connect(spec.host, timeout)
    try:
        yield connection
    finally:
        connection.close()


def run(connection: fabric.Connection, command: str, stdin: str = "", patience: float = 120) -> tuple[int, str, str]:
    """Runs a command line there: exit code, output, errors.

    Raises:
        HostLost: the machine went away meanwhile.
    """
    # fabric's own run() sends standard input a character at a time
    transport: Any = connection.transport
    what = f"{connection.host}: {command.split()[0]}"
    try:
        channel = transport.open_session(timeout=patience)
        channel.settimeout(patience)
        channel.exec_command(command)
        if stdin:
            channel.sendall(stdin.encode())
        channel.shutdown_write()
        out, err = channel.makefile("rb").read(), channel.makefile_stderr("rb").read()
        code = channel.recv_exit_status()
    except TimeoutError as error:
        raise HostError(f"{what}: no end within {patience:.0f} s") from error
    except (OSError, EOFError, _ssh_exception()) as error:
        raise HostLost(f"{connection.host}: the connection is gone ({error or type(error).__name__})") from error
    if code < 0:
        raise HostLost(f"{connection.host}: the connection is gone")
    return code, out.decode("utf-8", "replace"), err.decode("utf-8", "replace")


def _ssh_exception() -> type[Exception]:
    import paramiko

    found: type[Exception] = paramiko.SSHException
    return found


def look(connection: fabric.Connection, spec: AgentSpec, wants: Wants) -> Facts:
    """Looks at a machine; nothing is changed there.

    Raises:
        HostError: it has no Python, or its answer makes no sense.
    """
    order = {
        "user": spec.user,
        "folder": spec.remote_folder,
        "service": spec.service,
        "controller": wants.controller,
        "git": wants.git,
        "mirror": wants.mirror,
        "java": wants.java,
        "proofs": [[each.label, each.command] for each in wants.proofs],
        "patience": PATIENCE,
    }
    script = Path(__file__).with_name("onhost.py").read_text("utf-8")
    start = time.time()
    code, out, err = run(connection, PYTHON.format(shlex.quote(json.dumps(order))), script, patience=PATIENCE * 4)
    end = time.time()
    if code == 127 or any(words in err for words in NO_PYTHON):
        raise HostError(f"{spec.host.shown}: there is no python3, which Ansible and cibus need there; install it (Debian, Ubuntu: apt-get install python3; macOS: xcode-select --install)")
    try:
        data = json.loads(out.splitlines()[-1])
    except (IndexError, ValueError):
        last = (err.strip().splitlines() or ["no answer"])[-1]
        raise HostError(f"{spec.host.shown}: looking at the machine failed ({code}): {last[:300]}") from None
    return Facts(data, _skew(float(data["time"]), start, end))


def _skew(there: float, start: float, end: float) -> float:
    """How far a clock is ahead, as far as that is certain: the answer came some time between start and end."""
    return there - end if there > end else there - start if there < start else 0.0
