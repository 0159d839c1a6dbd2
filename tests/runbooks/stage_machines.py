"""What ails a controller's machine: Jenkins ended, may not open its files, has too little heap; or the monitor there ended."""

from __future__ import annotations

import dataclasses
import resource
import sys

import pytest
from alerting import EXAMPLES, configured, missing, watching, webhook
from controllers import HOME, Tower, put
from machines import until
from stage_agents import holds
from staging import Stage, staged

DROP_INS = "/etc/systemd/system/jenkins.service.d"


def pid(tower: Tower) -> str:
    return tower.shown("jenkins", "MainPID")


@staged("controller-down", "tower")
def _(tower: Tower) -> Stage:
    """It was killed again and again, until systemd started it no more."""

    def given_up() -> bool:
        tower.root("systemctl kill -s KILL jenkins", check=False)
        return tower.active() == "failed"

    until(given_up)
    assert tower.shown("jenkins", "NRestarts") != "0"
    return tower.stage(holds(lambda: tower.active() == "active", lambda: pid(tower) != "0"))


@staged("controller-fault", "tower")
def _(tower: Tower) -> Stage:
    """It has more jobs than files that it may open, as somebody said in systemctl edit."""
    put(tower.host, f"{DROP_INS}/override.conf", "[Service]\nLimitNOFILE=128\n")
    tower.root("systemctl daemon-reload; systemctl restart jenkins")
    before = pid(tower)

    def allowed() -> bool:
        """Here systemd gives what there is where it is less than what is wanted."""
        most = min(65536, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        return tower.root(f"grep 'open files' /proc/{pid(tower)}/limits").split()[3] == str(most)

    return tower.stage(holds(lambda: tower.active() == "active", allowed, lambda: pid(tower) != before))


@staged("controller-slow", "tower")
def _(tower: Tower) -> Stage:
    """Its jobs want more heap than it has, as somebody said in systemctl edit, among other things."""
    put(tower.host, f"{HOME}/HEAP", "3")
    put(tower.host, f"{DROP_INS}/override.conf", '[Service]\nEnvironment="JAVA_OPTS=-Xmx1g -Djava.awt.headless=true -Dsome.part=50%%"\n')
    tower.root("systemctl daemon-reload; systemctl restart jenkins")
    tower.write("[monitor]\ncontroller_slow = 1\n")

    def options() -> list[str]:
        return tower.root(f"tr '\\0' '\\n' < /proc/{pid(tower)}/cmdline").split()[2:]

    assert options() == ["-Xmx1g", "-Djava.awt.headless=true", "-Dsome.part=50%"]
    return tower.stage(holds(lambda: tower.active() == "active", lambda: options() == ["-Djava.awt.headless=true", "-Dsome.part=50%", "-Xmx4g"]))


# -- the monitor, on the same machine

MONITOR = 9180
TOKEN = "t0ken-of-the-monitor"


def install_monitor(tower: Tower) -> None:
    """Puts the unit of the examples there, which watches the controller."""
    put(tower.host, "/etc/systemd/system/cibus-monitor.service", (EXAMPLES / "cibus-monitor.service").read_text())
    put(tower.host, "/usr/local/bin/cibus", f'#!/bin/sh\nexec {sys.executable} -m cibus "$@"\n')
    put(tower.host, "/etc/cibus/environment", f"MONITOR_TOKEN={TOKEN}\n")
    put(tower.host, "/srv/cibus/cibus.toml", f'{(tower.folder / "cibus.toml").read_text()}[monitor]\nlisten = "0.0.0.0:{MONITOR}"\ninterval = 1\ntoken = {{ env = "MONITOR_TOKEN" }}\n')
    tower.root("useradd --system cibus; chmod 755 /usr/local/bin/cibus; systemctl daemon-reload; systemctl enable --now cibus-monitor")


@staged("monitor-down", "tower")
def _(tower: Tower) -> Stage:
    """Somebody stopped it; Prometheus has noticed, and Alertmanager has told."""
    if missing():
        pytest.skip(missing())
    install_monitor(tower)
    hook = tower.ends.enter_context(webhook())
    watchers = configured(tower.folder, f"{tower.host.address}:{MONITOR}", hook, TOKEN)
    tower.ends.enter_context(watching(tower.folder, watchers))
    up = "cibus_sweep_timestamp_seconds"
    until(lambda: watchers.value(up))
    tower.root("systemctl stop cibus-monitor")
    until(lambda: "MonitorDown" in hook.names("everyone", "firing"))

    def told() -> bool:
        until(lambda: "MonitorDown" in hook.names("everyone", "resolved"))
        return bool(watchers.value(up))

    stage = tower.stage(holds(lambda: tower.active("cibus-monitor") == "active", told), monitor=f"http://{tower.host.address}:{MONITOR}")
    return dataclasses.replace(stage, secrets={"TOKEN": TOKEN})
