"""What an agent's machine has too little of: disk, memory, processor; and its clock.

A booted host shares kernel, memory and clock with the machine of the tests, so two of them are made as containers get
theirs: ``/proc/meminfo`` is kept by a program there, from the processes that are there (as lxcfs does); and Python and
``date`` there are ahead of the kernel's clock, which a ``systemd-timesyncd`` in place of the real one puts right.
"""

from __future__ import annotations

import time

from machines import REMOTE, Site, until
from stage_agents import WORKSPACE, holds, works
from staging import Stage, staged

GRADLE = "python3 -c 'import time; taken = bytearray(b\"x\") * (390 << 20); time.sleep(100000)' org.gradle.launcher.daemon.bootstrap.GradleDaemon"
DEAD_BUILD = "sh -c 'while :; do :; done' dead-build-17"
MEMINFO = """
import pathlib, sys, time
def used():
    total = 0
    for status in pathlib.Path("/proc").glob("[0-9]*/status"):
        try:
            total += sum(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
        except OSError:
            continue
    return total
limit = used() + (400 << 10)
with open("/run/meminfo", "r+") as file:
    while True:
        free = max(limit - used(), 0)
        file.seek(0)
        file.write("".join(f"{name:<15} {value:>9} kB\\n" for name, value in (("MemTotal:", limit), ("MemFree:", free), ("MemAvailable:", free))))
        file.flush()
        time.sleep(0.1)
"""
TIMESYNCD = """[Service]
ExecStart=/bin/sh -c 'echo 0 > /etc/ahead; exec sleep infinity'
Restart=always
[Install]
WantedBy=sysinit.target
"""
PYTHON = """
import time
_time = time.time
def ahead():
    with open("/etc/ahead") as file:
        return _time() + float(file.read())
time.time = ahead
"""
DATE = "#!/bin/sh\nexec /bin/date -d \"$(cat /etc/ahead) seconds\" \"$@\"\n"


def put(site: Site, path: str, text: str) -> None:
    """Writes a file there."""
    site.host.run(f"cat > {path}", user="root", stdin=text.encode())


@staged("agent-disk-full", "site")
def _(site: Site) -> Stage:
    """A small disk under the folder; a workspace of last month takes most of it, one of today the rest."""
    site.root(f"systemctl stop jenkins-agent; mount -t tmpfs -o size=1300m agent {REMOTE}; chown jenkins: {REMOTE}; systemctl start jenkins-agent")
    for job, size in (("old-job", "500M"), ("app", "1M")):
        site.root(f"install -d -o jenkins {WORKSPACE}/{job}; fallocate -l {size} {WORKSPACE}/{job}/build.bin")
    site.root(f"touch -d '30 days ago' {WORKSPACE}/old-job")
    until(works(site))
    return site.stage("agent-disk-full", proof=holds(lambda: site.root(f"ls {WORKSPACE}").split() == ["app"], lambda: int(site.root(f"df --output=avail -m {REMOTE} | tail -1")) > 1024))


@staged("agent-memory", "site")
def _(site: Site) -> Stage:
    """A daemon of a build that ended holds nearly all there is."""
    put(site, "/root/meminfo.py", MEMINFO)
    site.root("touch /run/meminfo; systemd-run -q --unit=meminfo python3 /root/meminfo.py; until [ -s /run/meminfo ]; do sleep 0.1; done; mount --bind /run/meminfo /proc/meminfo")

    def available() -> int:
        return int(site.root("awk '/MemAvailable/{print int($2/1024)}' /proc/meminfo"))

    assert available() > 200
    site.root(f"systemd-run -q --uid=jenkins --unit=gradle {GRADLE}")
    until(lambda: available() < 20)
    return site.stage("agent-memory", proof=holds(lambda: available() > 200, lambda: site.host.count("GradleDaemon") == 0, works(site)))


@staged("agent-clock", "site")
def _(site: Site) -> Stage:
    """It is a minute and a half ahead, and nothing keeps its time."""
    for path, text in (("/etc/ahead", "95"), ("/etc/systemd/system/systemd-timesyncd.service", TIMESYNCD), ("/etc/python3.11/sitecustomize.py", PYTHON), ("/usr/local/bin/date", DATE)):
        put(site, path, text)
    site.root("chmod 755 /usr/local/bin/date; systemctl daemon-reload")

    def ahead() -> float:
        return int(site.root("date +%s")) - time.time()

    assert 90 < ahead() < 100
    return site.stage("agent-clock", proof=holds(lambda: abs(ahead()) < 5, lambda: site.root("systemctl is-enabled systemd-timesyncd").strip() == "enabled"))


@staged("agent-slow", "site")
def _(site: Site) -> Stage:
    """What a dead build left running takes the processor; the controller measures again when it is asked to."""
    site.root(f"systemd-run -q --uid=jenkins --nice=10 --unit=left {DEAD_BUILD}")

    def measured() -> None:
        site.node.monitors["hudson.node_monitors.ResponseTimeMonitor"]["average"] = 8_000 if site.host.count("dead-build") else 12

    measured()
    assert site.node.monitors["hudson.node_monitors.ResponseTimeMonitor"]["average"] == 8_000
    return site.stage("agent-slow", stray="dead-build", hand=(measured,), proof=holds(lambda: site.host.count("dead-build") == 0, works(site)))
