"""python-jenkins on cibus' session, and what there is on a controller."""

from __future__ import annotations

import jenkins as python_jenkins
import pytest
from fake_jenkins import FakeJenkins, Fault

from cibus.errors import Forbidden, Unauthorized
from cibus.jenkins.bulk import each
from cibus.jenkins.check import check
from cibus.jenkins.client import Client
from cibus.jenkins.inventory import items, items_and_views, nodes
from cibus.jenkins.settings import Settings


def test_python_jenkins_methods_work(client: Client) -> None:
    assert client.get_whoami()["id"] == "admin"
    assert client.get_version() == "2.277.3"
    assert client.job_exists("acme/platform/app-build")
    assert not client.job_exists("nope")
    assert client.get_job_info("acme/platform/app-build")["fullName"] == "acme/platform/app-build"
    assert "Größe" in client.get_job_config("acme/platform/app-build") or "größer" in client.get_job_config("acme/platform/app-build")
    client.create_job("made", "<project/>")
    client.rename_job("made", "renamed")
    client.delete_job("renamed")
    with pytest.raises(python_jenkins.JenkinsException):
        client.assert_job_exists("renamed")


def test_python_jenkins_gets_the_same_retries_and_errors(jenkins: FakeJenkins, client: Client) -> None:
    jenkins.faults.set(Fault("reset", times=1))
    assert client.get_whoami()["id"] == "admin"
    jenkins.faults.set()
    with Client(Settings("test", jenkins.url)) as anonymous, pytest.raises(Unauthorized):
        anonymous.get_whoami()


def test_items_without_computed_ones(client: Client) -> None:
    found = {item.path: item for item in items(client.session)}
    assert "acme/platform/app-build" in found
    assert found["acme/app"].cls.endswith("WorkflowMultiBranchProject")
    assert not found["acme/app"].folder
    assert not any(path.startswith("acme/app/") for path in found)
    assert found["acme"].folder


def test_folders_deeper_than_one_query(empty_jenkins: FakeJenkins) -> None:
    folder = b'<com.cloudbees.hudson.plugins.folder.Folder plugin="cloudbees-folder@6.15"/>'
    with Client(Settings("test", empty_jenkins.url, "admin", _token(empty_jenkins))) as client:
        path = ""
        for level in range(11):
            path = f"{path}/f{level}".strip("/")
            client.create_item(path, folder)
        client.create_item(f"{path}/deep", b"<project/>")
        assert f"{path}/deep" in [item.path for item in items(client.session)]
        assert len(items(client.session)) == 12


def test_views_and_nodes(client: Client) -> None:
    _, views = items_and_views(client.session)
    assert {"all", "acme-root"} <= {view.name for view in views if not view.folder}
    assert "agent1" in nodes(client.session)
    assert not {"master", "built-in"} & set(nodes(client.session))


def test_check_as_admin_and_as_others(jenkins: FakeJenkins, client: Client) -> None:
    found = check(client)
    assert found.complete
    assert (found.version, found.user) == ("2.277.3", "admin")
    reader = jenkins.state.users["reader"]
    from cibus.secrets import Secret

    with Client(Settings("test", jenkins.url, "reader", Secret(reader.token or reader.password))) as other:
        states = {probe.what: (probe.state, probe.found) for probe in check(other).probes}
    assert states["list jobs"][0] == "works"
    assert states["create jobs"] == ("not allowed", "needs Job/Create")
    assert states["script console"] == ("not allowed", "needs Overall/Administer")


def test_each_stops_at_the_first_error() -> None:
    done: list[int] = []

    def work(number: int) -> int:
        if number == 3:
            raise Forbidden("no")
        done.append(number)
        return number

    with pytest.raises(Forbidden):
        list(each(range(1000), work, 2))
    assert len(done) < 1000
    assert sorted(thing for thing, _ in each(range(50), lambda n: n * 2, 4)) == list(range(50))
    assert list(each([], work, 4)) == []


def _token(fake: FakeJenkins):  # type: ignore[no-untyped-def]
    from cibus.secrets import Secret

    return Secret(fake.token)
