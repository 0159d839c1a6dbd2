"""Faults on request."""

from __future__ import annotations

import http.client
import time

import pytest

from . import FakeJenkins, Fault, empty_state
from .caller import Caller
from .faults import parse_fault


@pytest.mark.parametrize("status", ["401", "403", "404", "429", "500", "503"])
def test_fault_answers_with_a_status(jenkins: FakeJenkins, status: str) -> None:
    jenkins.faults.set((status, 100))
    assert Caller(jenkins.url).status("api/json") == int(status)


def test_faults_are_repeatable_and_restricted(jenkins: FakeJenkins) -> None:
    call = Caller(jenkins.url)
    seen = []
    for _ in range(2):
        with FakeJenkins(empty_state(), faults=[("503", 30)], seed=7) as other:
            seen.append([Caller(other.url).status("api/json") for _ in range(20)])
    assert seen[0] == seen[1]
    assert set(seen[0]) == {200, 503}
    jenkins.faults.set(Fault("500", path="/downstream/", method="GET", times=1))
    assert call.status("job/acme/api/json") == 200
    assert call.status("job/acme/job/platform/job/downstream/config.xml") == 500
    assert call.status("job/acme/job/platform/job/downstream/config.xml") == 200


def test_fault_resets_the_connection(jenkins: FakeJenkins) -> None:
    jenkins.faults.set(("reset", 100))
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        Caller(jenkins.url)("api/json")


def test_fault_truncates(jenkins: FakeJenkins) -> None:
    jenkins.faults.set(("truncated", 100))
    with pytest.raises(http.client.IncompleteRead):
        Caller(jenkins.url)("api/json")


def test_fault_gives_html_for_json(jenkins: FakeJenkins) -> None:
    jenkins.faults.set(("html", 100))
    assert "<!DOCTYPE html>" in Caller(jenkins.url)("api/json")


def test_fault_changes_what_has_just_been_read(jenkins: FakeJenkins) -> None:
    jenkins.faults.set(("change", 100))
    call = Caller(jenkins.url)
    path = "job/acme/job/platform/job/downstream/config.xml"
    assert call(path) != call(path)


def test_fault_is_slow(jenkins: FakeJenkins) -> None:
    jenkins.faults.set(Fault("slow", seconds=0.05))
    start = time.monotonic()
    Caller(jenkins.url)("api/json")
    assert time.monotonic() - start >= 0.05


def test_unknown_fault() -> None:
    with pytest.raises(ValueError, match="no fault"):
        parse_fault("flood:3")
