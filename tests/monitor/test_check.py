"""``cibus monitor check``: a controller that is well, all that it can suffer from, and what a sweep costs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import Cibus
from sickness import SICKNESSES, Ward

from cibus.monitor.alerts import pages
from cibus.monitor.conditions import CONDITIONS

RUNBOOKS = Path(__file__).parents[2] / "runbooks"



def test_a_quiet_controller_gives_no_finding(ward: Ward, cibus: Cibus) -> None:
    code, out, err = cibus(ward.fake, "monitor", "check")
    assert (code, err) == (0, "")
    assert "nothing is wrong" in out
    assert "31 jobs, 4 nodes, 0 waiting" in out
    assert len(ward.fake.requests) == 4


@pytest.mark.parametrize("name", SICKNESSES)
def test_each_condition_is_found(ward: Ward, cibus: Cibus, name: str) -> None:
    condition, subject, inject = SICKNESSES[name]
    if name == "slow":
        ward.configure("controller_slow = 1\n")
    inject(ward)
    code, out, err = cibus(ward.fake, "monitor", "check", "--json")
    found = json.loads(out)["findings"]
    assert (condition, subject) in [(each["condition"], each["subject"]) for each in found], found
    level = next(each["level"] for each in found if each["condition"] == condition)
    worst = "error" if any(each["level"] == "error" for each in found) else level
    assert code == {"error": 1, "warning": 3}[worst]
    assert all((RUNBOOKS / f"{each['runbook']}.md").is_file() for each in found)
    assert err == ""
    alone = {each["condition"] for each in found} - {condition}
    # what goes with it by its nature, and nothing else
    assert alone <= {
        "all agents gone": {"agent-offline", "label-single-agent"},
    }.get(name, set()), alone


def test_every_condition_is_injected() -> None:
    with_tls = {"certificate-expires"}  # test_outside has a TLS server
    assert {each.name for each in CONDITIONS} - with_tls == {condition for condition, _, _ in SICKNESSES.values()}


def test_every_runbook_of_an_alert_is_there() -> None:
    for page in pages().values():
        assert (RUNBOOKS / f"{page}.md").is_file(), page


def test_a_nagios_plugin(ward: Ward, cibus: Cibus) -> None:
    code, out, _ = cibus(ward.fake, "monitor", "check", "--nagios")
    assert code == 0
    assert out.startswith("JENKINS OK - nothing is wrong | latency=0.")
    ward.monitor("one", "Clock", diff=95_000)
    assert cibus(ward.fake, "monitor", "check", "--nagios")[0] == 1
    ward.fake.stop()
    code, out, _ = cibus(ward.fake, "monitor", "check", "--nagios")
    assert (code, out.count("\n")) == (2, 1)
    assert "cannot be reached" in out


@pytest.mark.parametrize("body", [b"[]", b'{"computer": 3}', b'{"computer": [{}]}', b'{"computer": [{"displayName": "x", "offline": false, "assignedLabels": [4]}]}', b"null", b'{"items": [{"task": "x"}]}', b'{"jobs": [{"color": 3}]}'])
def test_json_of_another_form_is_a_finding(ward: Ward, cibus: Cibus, monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    from cibus.jenkins.session import Session

    real = Session.json
    monkeypatch.setattr(Session, "json", lambda session, path: json.loads(body) if "tree=" in path and "quieting" not in path else real(session, path))
    code, out, _ = cibus(ward.fake, "monitor", "check", "--json")
    assert code == 1
    assert {each["condition"] for each in json.loads(out)["findings"]} == {"controller-wrong-answer"}
