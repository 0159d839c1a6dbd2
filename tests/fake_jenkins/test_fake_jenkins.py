"""What the fake offers to tests and measurements besides the recorded answers."""

from __future__ import annotations

import base64
import json
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path

from . import FakeJenkins, empty_state, run
from .caller import Caller
from .generate import add_agents, add_jobs, add_queue
from .state import State

NESTED = "api/json?tree=jobs[url,color,name,jobs[url,color,name,jobs[url,color,name]]]"
FREESTYLE = "<project><description>new</description><builders/></project>"


XML = {"Content-Type": "text/xml; charset=utf-8"}


def test_recorded_state(jenkins: FakeJenkins) -> None:
    call = Caller(jenkins.url)
    names = [job["name"] for job in call.json("job/acme/job/platform/api/json?tree=jobs[name]")["jobs"]]
    assert {"app-build", "pipe-inline", "pipe-scm", "matrix", "old disabled job", "downstream", "UPPER"} <= set(names)
    assert [job["name"] for job in call.json("job/acme/job/app/api/json")["jobs"]] == [
        "develop",
        "feature%2Flogin",
        "main",
    ]
    assert jenkins.state.jobs["acme/platform/old disabled job"].color == "disabled"
    assert {node["displayName"] for node in call.json("computer/api/json")["computer"]} >= {
        "master",
        "agent1",
        "acme-agent2",
    }
    assert {view["name"] for view in call.json("api/json")["views"]} == {"all", "acme-root"}
    console = call("job/acme/job/platform/job/app-build/1/consoleText")
    assert console.startswith("Started by")


def test_empty_state(empty_jenkins: FakeJenkins) -> None:
    call = Caller(empty_jenkins.url)
    root = call.json("api/json")
    assert root["jobs"] == []
    assert [view["name"] for view in root["views"]] == ["all"]
    assert len(call.json("computer/api/json")["computer"]) == 1
    assert len(call.json("pluginManager/api/json?depth=1")["plugins"]) == 94
    assert "acme-global-token" in call("credentials/store/system/domain/_/api/json?depth=1")


def test_state_may_be_changed_by_tests(jenkins: FakeJenkins) -> None:
    call = Caller(jenkins.url)
    jenkins.state.jobs["acme/platform/downstream"].config = FREESTYLE
    jenkins.state.add("acme/platform/fresh", FREESTYLE)
    jenkins.state.remove("acme/platform/pipe-scm")
    jenkins.state.rename(jenkins.state.jobs["acme/platform/matrix"], "cube")
    jenkins.state.set_plugin("git", "5.0.0")
    assert call("job/acme/job/platform/job/downstream/config.xml") == FREESTYLE
    names = [job["name"] for job in call.json("job/acme/job/platform/api/json")["jobs"]]
    assert "fresh" in names
    assert "cube" in names
    assert not {"pipe-scm", "matrix"} & set(names)
    assert jenkins.state.versions["git"] == "5.0.0"


def test_something_changes_between_two_requests(jenkins: FakeJenkins) -> None:
    call = Caller(jenkins.url)
    path = "job/acme/job/platform/job/downstream/config.xml"
    before = call(path)

    def change(state: State) -> None:
        item = state.jobs["acme/platform/downstream"]
        state.save(item, lambda root: root.set("description", "by somebody else"))

    jenkins.before(r"/downstream/config\.xml", change)
    assert call(path) != before
    assert "by somebody else" in call(path)


def test_requests_are_noted(jenkins: FakeJenkins) -> None:
    call = Caller(jenkins.url)
    call("job/acme/job/platform/createItem?name=a%20b", FREESTYLE, XML)
    assert str(jenkins.requests[-1]) == "POST /job/acme/job/platform/createItem?name=a%20b 200"
    assert jenkins.requests[-1].body == FREESTYLE.encode()


def test_latency(jenkins: FakeJenkins) -> None:
    jenkins.latency = 0.05
    start = time.monotonic()
    Caller(jenkins.url)("api/json")
    assert time.monotonic() - start >= 0.05


def test_saving_a_saved_configuration_changes_nothing(jenkins: FakeJenkins) -> None:
    for item in jenkins.state.root.walk():
        saved = item.config
        jenkins.state.save(item)
        assert item.config == saved, item
        if "🚀".encode() not in saved:  # what a POST makes of it is read as another character
            jenkins.state.post(item.full_name, saved)
            assert item.config != saved
            jenkins.state.save(item)
            assert item.config == saved, item


def test_other_kinds(empty_jenkins: FakeJenkins) -> None:
    state = empty_jenkins.state
    call = Caller(empty_jenkins.url)
    state.set_plugin("maven-plugin", "3.10")
    state.extra_kinds["com.example.OddProject"] = "com.example.OddProject"
    for name, config in {
        "maven": '<maven2-moduleset plugin="maven-plugin@3.10"><goals>verify</goals></maven2-moduleset>',
        "external": "<hudson.model.ExternalJob/>",
        "organization": '<jenkins.branch.OrganizationFolder plugin="branch-api@2.6.2"><navigators/></jenkins.branch.OrganizationFolder>',
        "odd": "<com.example.OddProject><a>1</a></com.example.OddProject>",
    }.items():
        assert call.status(f"createItem?name={name}", config, XML) == 200
    classes = {job["name"]: job["_class"] for job in call.json("api/json")["jobs"]}
    assert classes == {
        "external": "hudson.model.ExternalJob",
        "maven": "hudson.maven.MavenModuleSet",
        "odd": "com.example.OddProject",
        "organization": "jenkins.branch.OrganizationFolder",
    }
    assert call("job/odd/config.xml").endswith("<a>1</a></com.example.OddProject>")


def test_job_made_in_a_multibranch_project_vanishes(jenkins: FakeJenkins) -> None:
    call = Caller(jenkins.url)
    assert call.status("job/acme/job/app/createItem?name=x", FREESTYLE, XML) == 200
    assert "acme/app/x" in jenkins.state.jobs
    call("job/acme/job/app/build?delay=0", "")
    assert "acme/app/x" not in jenkins.state.jobs


def test_password_needs_a_crumb_of_its_session(jenkins: FakeJenkins) -> None:
    call = Caller(jenkins.url, token=jenkins.password)
    path = "job/acme/job/platform/job/downstream/disable"
    assert call.status(path, "") == 403
    auth = {"Authorization": "Basic " + base64.b64encode(f"admin:{jenkins.password}".encode()).decode()}
    with urllib.request.urlopen(urllib.request.Request(f"{jenkins.url}crumbIssuer/api/json", headers=auth)) as response:
        crumb = json.load(response)["crumb"]
        cookie = response.headers["Set-Cookie"].partition(";")[0]
    assert call.status(path, "", {"Jenkins-Crumb": crumb}) == 403
    assert call.status(path, "", {"Jenkins-Crumb": crumb, "Cookie": cookie}) == 200


def test_job_config_history(jenkins: FakeJenkins) -> None:
    call = Caller(jenkins.url)
    path = "job/acme/job/app/jobConfigHistory/api/json"
    assert call.status(path) == 404
    jenkins.state.job_config_history = True
    entry = {"date": "2026-11-22_10-14-59", "job": "acme/app", "operation": "Changed", "user": "jane", "userID": "jane"}
    jenkins.state.job_history["acme/app"] = [entry]
    assert call.json(path)["jobConfigHistory"] == [entry]


def test_generated_jobs_are_the_same_each_time() -> None:
    first, second = empty_state(), empty_state()
    for state in (first, second):
        add_jobs(state, 60, seed=3)
    assert list(first.jobs) == list(second.jobs)
    assert all(first.jobs[name].config == second.jobs[name].config for name in first.jobs)
    jobs = [item for item in first.root.walk() if item.parent is not first.root]
    assert len(jobs) == 60
    sizes = [len(item.config) for item in jobs if item.kind and not item.kind.computed]
    assert 6500 < sum(sizes) / len(sizes) < 10_000
    assert len({item.config for item in jobs}) == 60


def test_generated_configurations_are_in_saved_form() -> None:
    state = empty_state()
    add_jobs(state, 25)
    for item in list(state.root.walk()):
        config = item.config
        hinted = item.meta
        state.save(item)
        assert item.config == config
        assert (item.meta.description, item.meta.disabled) == (hinted.description, hinted.disabled)


def test_ten_thousand_jobs() -> None:
    state = empty_state()
    start = time.monotonic()
    add_jobs(state, 10_000)
    with FakeJenkins(state) as fake:
        folders = Caller(fake.url).json(NESTED)["jobs"]
    assert len(folders) == 400
    assert sum(len(folder["jobs"]) for folder in folders) == 10_000
    assert time.monotonic() - start < 10


def test_generated_agents_and_queue() -> None:
    state = empty_state()
    add_jobs(state, 25)
    add_agents(state, 100)
    add_queue(state, 40)
    with FakeJenkins(state) as fake:
        call = Caller(fake.url)
        computers = call.json("computer/api/json?tree=computer[displayName,offline,temporarilyOffline]")["computer"]
        assert len(computers) == 101
        assert 0 < sum(each["offline"] for each in computers) < 30
        assert len(call.json("queue/api/json")["items"]) == 40


def test_alone(tmp_path: Path) -> None:
    log = tmp_path / "requests.log"
    with run("--jobs", "25", "--agents", "2", "--queue", "3", "--log", str(log)) as url:
        assert url.startswith("http://127.0.0.1:")
        call = Caller(url)
        assert len(call.json("api/json?tree=jobs[name]")["jobs"]) == 1
        assert call.json("whoAmI/api/json")["name"] == "admin"
    assert "GET /api/json?tree=jobs[name] 200" in log.read_text(encoding="utf-8")


def test_pipelined_requests(jenkins: FakeJenkins) -> None:
    with socket.create_connection(("127.0.0.1", int(jenkins.url.rsplit(":", 1)[1].strip("/")))) as client:
        client.sendall(
            b"GET /login HTTP/1.1\r\nHost: x\r\n\r\nGET /nope HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        received = b""
        while chunk := client.recv(65536):
            received += chunk
    assert received.count(b"HTTP/1.1 ") == 2
    assert received.startswith(b"HTTP/1.1 200")
