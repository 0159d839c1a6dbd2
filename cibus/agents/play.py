"""Running a playbook on agents, through ansible-runner."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cibus.agents.playbooks import Target, environment, write_inventory
from cibus.agents.spec import program
from cibus.errors import CibusError, UsageError
from cibus.folders import state_home
from cibus.receipts import scrubbed
from cibus.secrets import Secret

CHANGED = re.compile(r"^changed: \[", re.MULTILINE)  # the task's name may stand before it
KEEP = 20  # plays whose output is kept
SHORT = 55  # characters of TMPDIR: the path of a socket below it has room for 104 at most (macOS)
ENDS = {"runner_on_ok": "ok", "runner_on_failed": "failed", "runner_on_unreachable": "unreachable", "runner_on_skipped": "skipped"}


@dataclass(frozen=True)
class TaskDone:
    """A task ended on a machine; ``status``: ok, changed, failed, ignored, skipped or unreachable; ``seconds``: its time."""

    host: str
    role: str
    task: str
    status: str
    seconds: float
    words: str = ""


@dataclass(frozen=True)
class Output:
    """Lines of Ansible's own output."""

    text: str


@dataclass(frozen=True)
class HostResult:
    """What a play did to a machine.

    Arguments:
        roles: seconds by role, in the order in which they ran
        changed: how many tasks changed something, by role
        changes: those tasks, as ``role: task``
        failure: what went wrong, as ``role: task: words``, or ""
    """

    ok: int = 0
    roles: Mapping[str, float] = field(default_factory=dict)
    changed: Mapping[str, int] = field(default_factory=dict)
    changes: tuple[str, ...] = ()
    failure: str = ""

    @property
    def total(self) -> int:
        """How many tasks changed something."""
        return sum(self.changed.values())


Told = Callable[[TaskDone | Output], None]


class Plays:
    """Runs playbooks on the same machines one after the other: facts and connections are kept between them.

    Arguments:
        playbooks: their folder
        targets: the machines; the variables of the inventories that they come from count, too
        forks: how many machines are worked on at once
    """

    def __init__(self, playbooks: Path, targets: Sequence[Target], place: Path, *, forks: int = 20, vault_password: Secret | None = None) -> None:
        self.playbooks = playbooks
        self._place = place
        self._names = {target.spec.alias: target.spec.name for target in targets}
        self._own = write_inventory(place, targets)
        further = dict.fromkeys(str(target.spec.inventory) for target in targets if target.spec.inventory is not None)
        self._inventory = [*further, str(self._own)]
        self._forks = forks
        self._environment = environment(playbooks, place, vault_password)
        hidden = [*(secret for target in targets for secret in (*target.secrets.values(), target.secret) if secret is not None), *([vault_password] if vault_password else [])]
        self._hidden = [each.reveal() for each in hidden]

    def play(self, name: str, hosts: Sequence[str], tell: Told, *, check: bool = False) -> tuple[dict[str, HostResult], Path]:
        """Runs a playbook; gives what it did to each machine, and the file with Ansible's output.

        Raises:
            CibusError: Ansible did not start, or its playbook cannot be read.
            KeyboardInterrupt: after Ansible was ended.
        """
        from ansible_runner.interface import init_runner

        _rotate()
        taken = _Taken(tell, self._names, self._hidden)
        ident = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{Path(name).stem}"
        stopped = threading.Event()
        runner = init_runner(
            private_data_dir=str(self._place),
            artifact_dir=str(_artifacts()),
            ident=ident,
            playbook=str(self.playbooks / name),
            inventory=self._inventory,
            limit=",".join(alias for alias, agent in self._names.items() if agent in hosts),
            forks=self._forks,
            cmdline="--check --diff" if check else None,
            quiet=True,
            suppress_env_files=True,
            event_handler=taken.event,
            cancel_callback=stopped.is_set,
        )
        runner.config.env = {**self._environment, **{key: value for key, value in runner.config.env.items() if key.startswith(("ANSIBLE_CALLBACK", "ANSIBLE_STDOUT", "ANSIBLE_RETRY", "AWX", "RUNNER"))}}
        runner.config.pexpect_timeout = 1  # seconds until it sees that it is to stop
        log = _artifacts() / ident / "stdout"
        try:
            _waited(runner.run, stopped)
        finally:
            _scrub(log, self._hidden)
        if not taken.hosts and runner.rc != 0:
            raise CibusError(f"{name}: Ansible did not run it: {_last_error(log)}")
        return {host: taken.result(host) for host in hosts}, log


def _waited(run: Callable[[], Any], stopped: threading.Event) -> None:
    """Runs in a thread, so that Ctrl-C ends Ansible rather than leaving it behind."""
    failed: list[BaseException] = []

    def guarded() -> None:
        try:
            run()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=guarded, name="ansible")
    thread.start()
    try:
        while thread.is_alive():
            thread.join(0.2)
    except KeyboardInterrupt:
        stopped.set()
        thread.join(30)
        raise
    if failed:
        raise failed[0]


def require_ansible() -> None:
    """Makes sure that Ansible is there.

    Raises:
        UsageError: it is not.
    """
    if importlib.util.find_spec("ansible_runner") is None:
        raise UsageError("ansible-runner is not installed; install it with pip install 'cibus[agents]'")
    program("ansible-playbook")


class _Taken:
    """Collects the events of a play."""

    def __init__(self, tell: Told, names: Mapping[str, str], hidden: Sequence[str] = ()) -> None:
        self._tell = tell
        self._names = names
        self._hidden = hidden
        self.hosts: dict[str, list[TaskDone]] = {}
        self.bad: set[str] | None = None  # known when the play is at its end: who failed, and was not rescued
        self._changed: set[tuple[str, str]] = set()  # tasks whose output says so: results that are hidden do not

    def event(self, data: Mapping[str, Any]) -> bool:
        """Takes an event of ansible-runner; False: it need not write the event to a file."""
        if data.get("stdout"):
            self._tell(Output(scrubbed(data["stdout"], self._hidden)))
        if CHANGED.search(data.get("stdout") or ""):
            self._changed.add(_key(data["event_data"]))
        if data.get("event") == "playbook_on_stats":
            stats = data["event_data"]
            self.bad = {self._names.get(host, host) for kind in ("failures", "dark") for host, count in (stats.get(kind) or {}).items() if count}
        status = ENDS.get(data.get("event", ""))
        if status is not None:
            done = _task_done(status, data["event_data"], self._names, _key(data["event_data"]) in self._changed)
            done = replace(done, task=scrubbed(done.task, self._hidden), words=scrubbed(done.words, self._hidden))
            self.hosts.setdefault(done.host, []).append(done)
            self._tell(done)
        return False

    def result(self, host: str) -> HostResult:
        """What was done to a machine."""
        tasks = self.hosts.get(host, [])
        roles: Counter[str] = Counter()
        changed: Counter[str] = Counter()
        for each in tasks:
            roles[each.role] += each.seconds  # type: ignore[assignment] # a Counter sums floats as well
            changed[each.role] += each.status == "changed"
        failure = self._failure(host, tasks)
        changes = tuple(f"{each.role}: {each.task}" for each in tasks if each.status == "changed")
        return HostResult(sum(each.status in ("ok", "changed") for each in tasks), {name: round(float(each), 3) for name, each in roles.items()}, dict(changed), changes, failure)

    def _failure(self, host: str, tasks: Sequence[TaskDone]) -> str:
        """Why it failed, or "": a task that failed and was rescued is no failure, an Ansible that died halfway is one."""
        if not tasks:
            return "Ansible did nothing there"
        if self.bad is not None and host not in self.bad:
            return ""
        # the last one: what failed before it was rescued
        last = next((each for each in reversed(tasks) if each.status in ("failed", "unreachable")), None)
        return f"{last.role}: {last.task}: {last.words}" if last else "Ansible did not come to its end there"


def _key(data: Mapping[str, Any]) -> tuple[str, str]:
    return str(data.get("host")), str(data.get("task_uuid"))


def _task_done(status: str, data: Mapping[str, Any], names: Mapping[str, str], says_changed: bool) -> TaskDone:
    result = data.get("res") or {}
    if status == "ok" and (result.get("changed") or (says_changed and "censored" in result)):
        status = "changed"
    if status == "failed" and data.get("ignore_errors"):
        status = "ignored"
    words = _words(result) if status in ("failed", "unreachable", "ignored") else ""
    return TaskDone(names.get(data["host"], data["host"]), data.get("role") or "play", data.get("task", ""), status, float(data.get("duration") or 0), words)


def _words(result: Mapping[str, Any]) -> str:
    """What a failed task says: its message, and the last line of what its command printed."""
    failed = next((each for each in result.get("results", ()) if isinstance(each, dict) and (each.get("failed") or each.get("unreachable"))), None)
    source = failed or result
    if "censored" in source:
        return "its output is hidden, since a secret is in it"
    message = " ".join(str(source.get("msg", "")).split())
    printed = str(source.get("stderr") or source.get("module_stderr") or "").strip().splitlines()
    last = " ".join(printed[-1].split()) if printed else ""
    return (f"{message}: {last}" if last and last not in message else message)[:600] or "no reason given"


def _last_error(log: Path) -> str:
    try:
        lines = [line.strip() for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    except OSError:
        lines = []
    return next((line for line in lines if "ERROR" in line), lines[-1] if lines else "no output")[:400]


def _artifacts() -> Path:
    return state_home() / "agents" / "plays"


def _rotate() -> None:
    """Keeps the newest plays only."""
    kept = sorted(_artifacts().glob("*")) if _artifacts().is_dir() else []
    for old in kept[: max(len(kept) - KEEP, 0)]:
        shutil.rmtree(old, ignore_errors=True)


def _scrub(log: Path, hidden: Sequence[str]) -> None:
    """Ansible's output is kept, and no secret in it."""
    try:
        text = log.read_text("utf-8", "replace")
        if (clean := scrubbed(text, hidden)) != text:
            log.write_text(clean, "utf-8")
    except OSError:
        return


def _end_connections(place: Path) -> None:
    """Ends the SSH connections that Ansible left open for a next play: without their sockets nobody could use them."""
    for socket in (place / "cp").glob("*"):
        with suppress(OSError, subprocess.SubprocessError):
            subprocess.run(["ssh", "-F", "none", "-O", "exit", "-o", f"ControlPath={socket}", "all"], stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=5)


@contextmanager
def private_place() -> Iterator[Path]:
    """A folder for a run's inventory, secrets and sockets: readable by the user only, gone afterwards."""
    short = len(tempfile.gettempdir()) <= SHORT
    place = Path(tempfile.mkdtemp(prefix="cibus-", dir=None if short else "/tmp"))
    try:
        for name in ("tmp", "cp", "facts"):
            (place / name).mkdir(mode=0o700)
        yield place
    finally:
        _end_connections(place)
        shutil.rmtree(place, ignore_errors=True)
