"""Machines of controllers: booted hosts on which a unit ``jenkins``, as Debian's package has it, really runs the fake."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from fake_jenkins.auth import standard_users
from fleets import let_in
from hosts.boot import Host
from staging import Act, Stage

REPOSITORY = Path(__file__).parents[2]
PORT = 8080
# what the package's unit says, without comments
UNIT = """[Unit]
Description=Jenkins Continuous Integration Server
Requires=network.target
After=network.target
StartLimitBurst=5
StartLimitIntervalSec=5m

[Service]
Type=notify
NotifyAccess=main
ExecStart=/usr/bin/jenkins
Restart=on-failure
SuccessExitStatus=143
User=jenkins
Group=jenkins
Environment="JENKINS_HOME=/var/lib/jenkins"
WorkingDirectory=/var/lib/jenkins
Environment="JAVA_OPTS=-Djava.awt.headless=true"
Environment="JENKINS_PORT=8080"

[Install]
WantedBy=multi-user.target
"""
PROGRAM = f"#!/bin/sh\nexec {sys.executable} {Path(__file__).with_name('jenkins_service.py')} $JAVA_OPTS\n"
HOME = "/var/lib/jenkins"


def needed() -> tuple[Path, ...]:
    """The folders of this machine without which our Python does not run elsewhere."""
    own = (REPOSITORY, Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parent)
    places = [place for place in own if not place.is_relative_to("/usr") or place.is_relative_to("/usr/local")]
    return tuple(dict.fromkeys(place for place in places if not any(place != other and place.is_relative_to(other) for other in places)))


def put(host: Host, path: str, text: str) -> None:
    """Writes a file there."""
    host.run(f"mkdir -p $(dirname {path}); cat > {path}", user="root", stdin=text.encode())


def runs_python(host: Host) -> str:
    """Why this Python does not run there as anybody, or ""."""
    host.run(f"chmod 711 /root; for p in {' '.join(map(str, needed()))}; do chmod o+x $(dirname $p) 2>/dev/null; done", user="root", check=False)
    said = host.run(f"{sys.executable} -c 'import httptools, sqlite3, ssl; print(1)' 2>&1", check=False)
    return "" if said.strip() == "1" else f"this machine's Python does not run on the hosts: {said.strip()[-200:]}"


def install(host: Host) -> None:
    """Puts Jenkins there, which runs then."""
    put(host, "/lib/systemd/system/jenkins.service", UNIT)
    put(host, "/usr/bin/jenkins", PROGRAM)
    host.run(f"chmod 755 /usr/bin/jenkins; install -d -o jenkins {HOME}; for n in $(seq 200); do install -D -o jenkins /dev/null {HOME}/jobs/job-$n/config.xml; done; systemctl daemon-reload; systemctl enable --now jenkins", user="root")


@dataclass
class Tower:
    """A controller's machine, and the folder with the cibus.toml that names the controller."""

    folder: Path
    host: Host
    ends: ExitStack = field(default_factory=ExitStack)

    @property
    def url(self) -> str:
        return f"http://{self.host.address}:{PORT}/"

    def root(self, command: str, *, check: bool = True) -> str:
        """Runs a command there as root."""
        return self.host.run(command, user="root", check=check)

    def write(self, more: str = "") -> None:
        """Writes cibus.toml, and lets this user in there."""
        admin = standard_users()["admin"]
        let_in(self.folder, [(self.host, "root")])
        (self.folder / "cibus.toml").write_text(f'[controllers.default]\nurl = "{self.url}"\nuser = "admin"\ntoken = {{ value = "{admin.token}" }}\npractice = true\n{more}')

    def active(self, unit: str = "jenkins") -> str:
        return self.root(f"systemctl is-active {unit}", check=False).strip()

    def shown(self, unit: str, name: str) -> str:
        """A property of a unit."""
        return self.root(f"systemctl show {unit} -p {name} --value").strip()

    def stage(self, proof: Act, **variables: str) -> Stage:
        return Stage(self.folder, {"host": f"root@{self.host.address}", **variables}, proof=proof)
