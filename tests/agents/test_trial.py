"""The build that proves an agent: what it leaves on the controller, which is nothing."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from fake_jenkins import FakeJenkins, Fault

from cibus.agents.trial import script, trial_build
from cibus.jenkins.client import Client
from cibus.jenkins.settings import Settings
from cibus.secrets import Secret

FOLDER = "<com.cloudbees.hudson.plugins.folder.Folder/>"


@pytest.fixture
def client(empty_jenkins: FakeJenkins) -> Iterator[Client]:
    with Client(Settings("test", empty_jenkins.url, empty_jenkins.user, Secret(empty_jenkins.token), retries=0)) as client:
        yield client


def names(fake: FakeJenkins) -> list[str]:
    return [item.full_name for item in fake.state.root.walk() if item.full_name]


def test_several_at_once_leave_nothing_and_do_not_disturb_each_other(empty_jenkins: FakeJenkins, client: Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: trial_build(client, f"a{number}", "none", (), 1), range(8)))
    assert {level for level, _ in found} == {"error"}
    assert all("did not start within" in words for _, words in found)
    assert names(empty_jenkins) == []


def test_a_folder_that_is_there_is_used_and_stays(empty_jenkins: FakeJenkins, client: Client) -> None:
    empty_jenkins.state.add("cibus", FOLDER)
    trial_build(client, "a", "none", (), 0)
    assert any("/job/cibus/createItem" in each.path and each.status == 200 for each in empty_jenkins.requests)
    assert names(empty_jenkins) == ["cibus"]


def test_a_job_of_the_folders_name_is_no_folder(empty_jenkins: FakeJenkins, client: Client) -> None:
    empty_jenkins.state.add("cibus", "<project/>")
    level, words = trial_build(client, "a", "none", (), 0)
    assert (level, "no build could be made" in words) == ("unknown", True), words
    assert names(empty_jenkins) == ["cibus"]


@pytest.mark.parametrize("fault", [Fault("reset", path=r"/build(\?|$)"), Fault("403", path=r"/build(\?|$)"), Fault("500", path=r"/queue/item/"), Fault("html", path=r"/queue/item/")], ids=lambda fault: f"{fault.kind} {fault.path}")
def test_nothing_stays_where_it_goes_wrong(fault: Fault, empty_jenkins: FakeJenkins, client: Client) -> None:
    empty_jenkins.faults.set(fault)
    level, words = trial_build(client, "a", "none", (), 5)
    assert level == "unknown", words
    assert names(empty_jenkins) == []


class Gone(BaseException):
    pass


def test_nothing_stays_after_an_interruption(empty_jenkins: FakeJenkins, client: Client) -> None:
    def pause(seconds: float) -> None:
        assert names(empty_jenkins)
        raise Gone

    with pytest.raises(Gone):
        trial_build(client, "a", "none", (), 5, pause)
    assert names(empty_jenkins) == []


def test_a_name_with_a_quotation_mark_is_no_code() -> None:
    assert script("o'brien", ()).startswith(r"node('o\'brien') { sh ")
