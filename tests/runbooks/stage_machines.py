"""What ails a controller's machine: Jenkins ended, may not open its files, has too little heap."""

from __future__ import annotations

import resource

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
