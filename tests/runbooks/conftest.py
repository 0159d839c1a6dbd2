"""The test systems that runbooks are run against."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from command import Cibus, cibus, own_folders
from controllers import Tower, install, needed, runs_python
from fake_jenkins import FakeJenkins
from fleets import controller
from hosts.boot import Host, booted
from hosts.fixtures import Boot
from hosts.macos.fixtures import MakeMac
from hosts.macos.host import booted as booted_mac
from machines import Plant, Site, ssh_of, until
from macs import MacPlant, MacSite
from sickness import Ward, well
from stage_builds import Shop
from stage_services import Street
from stage_tasks import Office
from staging import table
from standin import jar

__all__ = ["cibus", "own_folders"]


@pytest.fixture
def ward(tmp_path: Path, own_folders: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ward]:
    """A controller that is well, to practise on."""
    state, path = well(tmp_path)
    _alone(monkeypatch)
    with FakeJenkins(state) as fake:
        path.write_text(f"{table(fake)}{path.read_text()}")
        ward = Ward(fake, tmp_path)
        ward.deed("export", 3600)
        yield ward
        ward.close()


@pytest.fixture
def cared(ward: Ward, cibus: Cibus) -> tuple[Ward, Cibus]:
    """The same, and the command line for what was done there before."""
    return ward, cibus


def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Controllers are those of cibus.toml only."""
    for name in ("CIBUS_JENKINS_URL", "CIBUS_JENKINS_USER", "CIBUS_JENKINS_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def shop(empty_jenkins: FakeJenkins, tmp_path: Path, own_folders: None, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A controller with one job."""
    _alone(monkeypatch)
    (tmp_path / "cibus.toml").write_text(table(empty_jenkins))
    return Shop(empty_jenkins, tmp_path)


@pytest.fixture
def office(jenkins: FakeJenkins, empty_jenkins: FakeJenkins, tmp_path: Path, cibus: Cibus) -> Office:
    """A controller with many jobs, and an empty one."""
    return Office(jenkins, empty_jenkins, tmp_path, cibus)


@pytest.fixture
def street(tmp_path: Path, own_folders: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Street]:
    """Services on loopback."""
    _alone(monkeypatch)
    with ExitStack() as ends:
        yield Street(tmp_path, ends)


@pytest.fixture(scope="session")
def plant(boot: Boot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """Where Linux agents come from."""
    if jar.missing():
        pytest.skip(jar.missing())
    with controller() as fake:
        yield Plant(tmp_path_factory.mktemp("plant"), fake, boot(online=True))


@pytest.fixture
def site(plant: Plant, boot_briefly: Boot, tmp_path: Path, own_folders: None, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A Linux agent that is well, and its controller."""
    _alone(monkeypatch)
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("PATH", ssh_of(tmp_path))
    plant.renew()
    site = Site(tmp_path, plant.fake, boot_briefly(plant.host, online=True))
    site.write()
    site.online()
    return site


@pytest.fixture(scope="session")
def controller_machine(boot: Boot) -> Iterator[Host]:
    """Where machines of controllers come from."""
    with booted(bound=needed()) as host:
        if reason := runs_python(host):
            pytest.skip(reason)
        install(host)
        host.frozen()
        yield host


@pytest.fixture
def tower(controller_machine: Host, boot_briefly: Boot, tmp_path: Path, own_folders: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tower]:
    """A controller's machine that is well."""
    _alone(monkeypatch)
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("PATH", ssh_of(tmp_path))
    tower = Tower(tmp_path, boot_briefly(controller_machine))
    tower.write()
    until(lambda: tower.active() == "active")
    monkeypatch.chdir(tmp_path)
    with tower.ends:
        yield tower


@pytest.fixture(scope="session")
def mac_plant(make_mac: MakeMac, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MacPlant]:
    """Where Mac agents come from."""
    if jar.missing():
        pytest.skip(jar.missing())
    with controller() as fake:
        yield MacPlant(tmp_path_factory.mktemp("mac-plant"), fake, make_mac("arm64", real_java=True))


@pytest.fixture
def mac_site(mac_plant: MacPlant, tmp_path: Path, own_folders: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[MacSite]:
    """A Mac agent that is well, and its controller."""
    _alone(monkeypatch)
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("PATH", ssh_of(tmp_path))
    mac_plant.renew()
    files = shutil.copytree(mac_plant.files, tmp_path / "material")
    with booted_mac(like=mac_plant.mac) as mac:
        site = MacSite(tmp_path, mac_plant.fake, mac, files)
        site.write()
        site.online()
        yield site
