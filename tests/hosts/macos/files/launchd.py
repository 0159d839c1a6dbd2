#!/usr/bin/python3 -S
# ruff: noqa: PTH101, PTH108, PTH116
"""A small launchd for the stand-in: first process, keeper of jobs, opener of SSH sessions.

It reads real property lists, starts their programs, keeps them alive and answers ``launchctl`` on a socket. Time between
restarts runs ten times as fast as on a Mac, so that tests need not wait.
"""

import contextlib
import ctypes
import json
import os
import plistlib
import pwd
import resource
import selectors
import signal
import socket
import subprocess
import time
import uuid
from pathlib import Path

SOCKET = "/var/run/launchd.sock"
DISABLED = Path("/var/db/stubs/disabled.json")
FASTER = 10
KEYS = {
    "Label", "Program", "ProgramArguments", "UserName", "GroupName", "WorkingDirectory", "EnvironmentVariables", "RunAtLoad",
    "KeepAlive", "ThrottleInterval", "StandardOutPath", "StandardErrorPath", "SoftResourceLimits", "HardResourceLimits",
    "StartInterval", "StartCalendarInterval", "ProcessType", "SessionCreate", "LimitLoadToSessionType", "ExitTimeOut", "Umask", "Nice",
    "LowPriorityIO", "Disabled", "AbandonProcessGroup",
}  # of launchd.plist(5); another one is a mistake


class Refused(Exception):
    """What launchctl says and with which status it ends."""

    def __init__(self, status, words):
        super().__init__(words)
        self.status = status


class Job:
    def __init__(self, domain, path, plist):
        self.domain, self.path, self.plist = domain, path, plist
        self.process, self.last, self.due, self.runs = None, None, None, 0

    @property
    def running(self):
        return self.process is not None

    def start(self):
        """Starts the program as the property list says."""
        plist, self.due = self.plist, None
        user = self._user()
        environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": user.pw_dir, "USER": user.pw_name, "LOGNAME": user.pw_name, "SHELL": user.pw_shell}
        environment.update(plist.get("EnvironmentVariables", {}))
        words = plist.get("ProgramArguments") or [plist["Program"]]
        try:
            out, err = (self._opened(plist.get(key), user) for key in ("StandardOutPath", "StandardErrorPath"))
            self.process = subprocess.Popen(
                words, executable=plist.get("Program"), cwd=plist.get("WorkingDirectory", "/"), env=environment, stdin=subprocess.DEVNULL,
                stdout=out, stderr=err, start_new_session=True, user=user.pw_uid, group=user.pw_gid, extra_groups=os.getgrouplist(user.pw_name, user.pw_gid),
                preexec_fn=self._limit)
            self.runs += 1
        except OSError:
            self.last = 78  # EX_CONFIG, as launchd says where a program cannot be started
            self.again()

    def _user(self):
        if self.domain.startswith("gui/"):
            return pwd.getpwuid(int(self.domain.split("/")[1]))
        return pwd.getpwnam(self.plist.get("UserName", "root"))

    @staticmethod
    def _opened(path, user):
        if not path:
            return subprocess.DEVNULL
        new = not Path(path).exists()
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        if new:
            os.fchown(handle, user.pw_uid, user.pw_gid)
        return handle

    def _limit(self):
        os.umask(self.plist.get("Umask", 0o022))
        files = self.plist.get("SoftResourceLimits", {}).get("NumberOfFiles")
        if files:
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(files, hard), hard))

    def ended(self, status):
        self.process, self.last = None, status
        self.again()

    def again(self):
        keep = self.plist.get("KeepAlive", False)
        if isinstance(keep, dict):
            keep = not (keep.get("SuccessfulExit") is False and self.last == 0)
        if keep:
            self.due = time.monotonic() + self.plist.get("ThrottleInterval", 10) / FASTER

    def stop(self, number=signal.SIGTERM):
        if self.process:
            with contextlib.suppress(OSError):
                os.killpg(self.process.pid, number)


class Launchd:
    def __init__(self):
        self.jobs = {}
        self.limits = {"maxfiles": (256, 0)}
        self.rebooting = False

    # -- commands, each of them as launchctl(1) has it

    def bootstrap(self, uid, domain, *paths):
        self._domain(uid, domain)
        for path in paths:
            job = Job(domain, path, self._read(domain, path))
            name = f"{domain}/{job.plist['Label']}"
            if name in self.jobs:
                raise Refused(5, "Bootstrap failed: 5: Input/output error")
            if self._disabled().get(name):
                raise Refused(119, "Bootstrap failed: 119: Service is disabled")
            self.jobs[name] = job
            if job.plist.get("RunAtLoad") or job.plist.get("KeepAlive") is True:
                job.start()
        return ""

    @staticmethod
    def _read(domain, path):
        try:
            about = os.stat(path)
            plist = plistlib.loads(Path(path).read_bytes())
        except OSError:
            raise Refused(5, "Bootstrap failed: 5: Input/output error") from None
        except Exception:
            raise Refused(109, "Bootstrap failed: 109: Invalid property list") from None
        if domain == "system" and (about.st_uid or about.st_mode & 0o022):
            raise Refused(122, "Bootstrap failed: 122: Path had bad ownership/permissions")
        unknown = set(plist) - KEYS
        if unknown or not (plist.get("ProgramArguments") or plist.get("Program")):
            raise Refused(109, f"Bootstrap failed: 109: Invalid property list ({', '.join(sorted(unknown)) or 'no program'})")
        return plist

    def bootout(self, uid, target, *paths):
        names = [f"{target}/{plistlib.loads(Path(p).read_bytes())['Label']}" for p in paths] or [target]
        for name in names:
            self._domain(uid, name.rpartition("/")[0])
            job = self.jobs.pop(name, None)
            if job is None:
                raise Refused(3, "Boot-out failed: 3: No such process")
            end = time.monotonic() + 3
            job.stop()
            while job.process and job.process.poll() is None:
                if time.monotonic() > end:
                    job.stop(signal.SIGKILL)
                time.sleep(0.02)
        return ""

    def kickstart(self, uid, *words):
        again = "-k" in words
        job = self._job(uid, words[-1])
        if again and job.process:
            process = job.process
            job.stop()
            process.wait()
            job.process = None
        if not job.running:
            job.start()
        return ""

    def kill(self, uid, number, target):
        job = self._job(uid, target)
        number = number.removeprefix("SIG")
        job.stop(int(number) if number.isdigit() else getattr(signal, f"SIG{number}"))
        return ""

    def print(self, uid, target):
        if target == "system" or (target.count("/") == 1 and target.startswith(("gui/", "user/"))):
            self._domain(0, target)
            return f"{target} = {{\n\tservices = {{\n" + "".join(f"\t\t{n}\n" for n in self.jobs if n.startswith(target)) + "\t}\n}\n"
        job = self._job(0, target)
        kind = "LaunchDaemon" if job.domain == "system" else "LaunchAgent"
        state = "running" if job.running else "spawn scheduled" if job.due else "not running"
        pid = f"\tpid = {job.process.pid}\n" if job.running else ""
        last = "(never exited)" if job.last is None else job.last
        program = (job.plist.get("ProgramArguments") or [job.plist.get("Program")])[0]
        return f"{target} = {{\n\tactive count = {int(job.running)}\n\tpath = {job.path}\n\ttype = {kind}\n\tstate = {state}\n\n\tprogram = {program}\n\truns = {job.runs}\n{pid}\tlast exit code = {last}\n}}\n"

    def list(self, uid, label=None):
        mine = {n.rpartition("/")[2]: j for n, j in self.jobs.items() if (j.domain == "system") == (uid == 0)}
        if label and label not in mine:
            raise Refused(113, f'Could not find service "{label}" in domain for system')
        rows = [f"{j.process.pid if j.running else '-'}\t{j.last or 0}\t{n}" for n, j in mine.items() if label in (None, n)]
        return "\n".join(["PID\tStatus\tLabel", *rows]) + "\n"

    def enable(self, uid, target):
        return self._switch(uid, target, False)

    def disable(self, uid, target):
        return self._switch(uid, target, True)

    def _switch(self, uid, target, off):
        self._domain(uid, target.rpartition("/")[0])
        DISABLED.write_text(json.dumps({**self._disabled(), target: off}), "utf-8")
        return ""

    def print_disabled(self, uid, domain):
        rows = [f'\t\t"{n.rpartition("/")[2]}" => {"disabled" if off else "enabled"}\n' for n, off in self._disabled().items() if n.rpartition("/")[0] == domain]
        return "\tdisabled services = {\n" + "".join(rows) + "\t}\n"

    def reboot(self, uid):
        if uid:
            raise Refused(1, "Could not reboot: 1: Operation not permitted")
        self.rebooting = True
        return ""

    def limit(self, uid, name=None, soft=None, hard=None):
        if soft is None:
            return "".join(f"\t{n:<12}{s:<15}{h or 'unlimited'}\n" for n, (s, h) in self.limits.items() if name in (None, n))
        if uid:
            raise Refused(1, "Could not set resource limits: 1: Operation not permitted")
        self.limits[name] = (int(soft), int(hard or soft))
        return ""

    # -- helpers

    @staticmethod
    def _disabled():
        return json.loads(DISABLED.read_text("utf-8")) if DISABLED.exists() else {}

    @staticmethod
    def _domain(uid, domain):
        if domain == "system":
            if uid:
                raise Refused(1, "Could not modify domain: 1: Operation not permitted")
            return
        kind, _, number = domain.partition("/")
        if kind not in ("gui", "user") or not number.isdigit():
            raise Refused(64, f"Unrecognized target specifier: {domain}")
        state = json.loads(Path("/var/db/stubs/state.json").read_text("utf-8"))
        if kind == "gui" and int(number) not in state["logged_in"]:
            raise Refused(125, "Bootstrap failed: 125: Domain does not support specified action")

    def _job(self, uid, target):
        self._domain(uid, target.rpartition("/")[0])
        if target not in self.jobs:
            label = target.rpartition("/")[2]
            raise Refused(113, f'Could not find service "{label}" in domain for {target.rpartition("/")[0]}')
        return self.jobs[target]

    def answer(self, uid, words):
        name = words[0].replace("-", "_")
        known = ("bootstrap", "bootout", "kickstart", "kill", "print", "list", "enable", "disable", "print_disabled", "limit", "reboot")
        if name not in known:
            return 64, "", f"Unrecognized subcommand: {words[0]}\n"
        try:
            return 0, getattr(self, name)(uid, *words[1:]), ""
        except Refused as refused:
            return refused.status, "", f"{refused}\n"
        except (TypeError, ValueError) as error:
            return 64, "", f"Usage: launchctl {words[0]}: {error}\n"

    def tick(self):
        """Ended children are taken note of, jobs that are due are started."""
        for job in list(self.jobs.values()):
            if job.process and (status := job.process.poll()) is not None:
                job.ended(status)
            if job.due and time.monotonic() >= job.due:
                job.start()
        with contextlib.suppress(ChildProcessError):
            ours = {j.process.pid for j in self.jobs.values() if j.process}
            while (found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and found.si_pid not in ours:
                os.waitpid(found.si_pid, 0)


def restart():
    """What is open and who is logged in does not outlast it; the kernel ends all other processes."""
    path = Path("/var/db/stubs/state.json")
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "unlocked": [], "logged_in": []}), "utf-8")
    os.sync()
    ctypes.CDLL(None).reboot(0x01234567)


def serve():
    """The loop of the first process."""
    for place in ("/run/sshd", "/var/run", "/var/db/stubs"):
        Path(place).mkdir(parents=True, exist_ok=True)
    Path("/var/run/boot").write_text(str(uuid.uuid4()).upper(), "utf-8")
    launchd = Launchd()
    control = socket.socket(socket.AF_UNIX)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(SOCKET)
    control.bind(SOCKET)
    os.chmod(SOCKET, 0o666)
    ssh = socket.create_server(("0.0.0.0", 22))
    control.listen(16)
    waiting = selectors.DefaultSelector()
    waiting.register(control, selectors.EVENT_READ)
    waiting.register(ssh, selectors.EVENT_READ)
    for path in sorted(Path("/Library/LaunchDaemons").glob("*.plist")):
        launchd.answer(0, ["bootstrap", "system", str(path)])
    sessions = []
    while True:
        for key, _ in waiting.select(0.1):
            peer, _ = key.fileobj.accept()
            with peer:
                if key.fileobj is ssh:  # one sshd per connection, as on a Mac: the next one reads a changed configuration
                    sessions.append(subprocess.Popen(["/usr/sbin/sshd", "-i"], stdin=peer, stdout=peer, stderr=subprocess.DEVNULL))
                else:
                    peer.settimeout(5)
                    with contextlib.suppress(OSError, ValueError):
                        uid = int.from_bytes(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)[4:8], "little")
                        peer.sendall(json.dumps(launchd.answer(uid, json.loads(peer.makefile().readline()))).encode())
        sessions = [each for each in sessions if each.poll() is None]
        launchd.tick()
        if launchd.rebooting:
            restart()


if __name__ == "__main__":
    serve()
