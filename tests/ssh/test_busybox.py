"""A host whose tools are busybox's: no GNU find, no --null for tar, no ps -ax."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hosts.boot import Host as Machine

from cibus.ssh.address import parse
from cibus.ssh.host import Host
from cibus.ssh.mirror import Mirror
from cibus.ssh.process import RemoteProcess

BUSYBOX = shutil.which("busybox")
pytestmark = pytest.mark.skipif(BUSYBOX is None, reason="busybox is not installed (tests/hosts/podman-setup.sh installs it)")


@pytest.fixture
def small(host: Machine) -> Iterator[Host]:
    """A connection whose commands are all busybox's."""
    assert BUSYBOX is not None
    host.run("mkdir /opt/bb; cat >/opt/bb/busybox; chmod 755 /opt/bb/busybox; cd /opt/bb; for each in $(./busybox --list); do [ $each = busybox ] || ln -s busybox $each; done; cp /etc/environment /etc/environment.before; echo PATH=/opt/bb >/etc/environment", user="root", stdin=Path(BUSYBOX).read_bytes())
    try:
        with Host(parse(host.address), interval=0.5, deadline=5) as remote:
            yield remote
    finally:
        host.run("PATH=/usr/bin:/bin; mv /etc/environment.before /etc/environment; rm -rf /opt/bb /home/jenkins/ws", user="root")


def run(remote: Host, script: str, **options: object) -> tuple[int, str]:
    process = RemoteProcess(remote, ["sh", "-c", script], {}, "/home/jenkins/ws/app", **options)  # type: ignore[arg-type]
    parts: list[bytes] = []
    return process.stream(parts.append, lambda: None), b"".join(parts).decode()


def test_facts(small: Host) -> None:
    assert (small.environ["PATH"], small.facts["find"], small.facts.get("tar")) == ("/opt/bb", "stat", None)


def test_files_travel_both_ways(small: Host, tmp_path: Path) -> None:
    mirror = Mirror(small, tmp_path, "/home/jenkins/ws", ["app"])
    (tmp_path / "app/a b").mkdir(parents=True)
    (tmp_path / "app/a b/-ü").write_text("here")
    (tmp_path / "app/a b/-ü").chmod(0o755)
    mirror.start()
    assert run(small, "cat 'a b/-ü'; stat -c %a 'a b/-ü'; echo there > new; ln -s 'a b' link; mkdir -p empty/x; rm 'a b/-ü'") == (0, "here755\n")
    mirror.pull()
    assert sorted(str(path.relative_to(tmp_path / "app")) for path in (tmp_path / "app").rglob("*")) == ["a b", "empty", "empty/x", "link", "new"]
    assert (tmp_path / "app/new").read_text() == "there\n"
    shutil.rmtree(tmp_path / "app/empty")
    mirror.push()
    assert run(small, "ls") == (0, "a b\nlink\nnew\n")
    assert (mirror.pull(), mirror.push()) == (0, 0)


def test_trees_are_ended(small: Host, host: Machine) -> None:
    process = RemoteProcess(small, ["sh", "-c", "trap '' TERM; (sh -c 'trap \"\" TERM; sleep 80808; true' &); while :; do sleep 80808; done"], {"JENKINS_SERVER_COOKIE": "bb-1"}, "/tmp", cookie="bb-1")
    threading.Timer(0.5, process.interrupt, (ValueError("stop"),)).start()
    assert process.stream(lambda data: None, lambda: None) == 137
    assert host.count("80808") == 0
