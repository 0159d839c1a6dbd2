"""``cibus offboard``: what is to be handed over is remembered, and each thing is done only when it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_jenkins import FakeJenkins
from made import ADA, BEN, CLEO, PEOPLE, Make, table, went_through
from made_builds import INLINE

from cibus.cli import main

AREA = '\n[areas.mobile]\nprimary = "ada"\nsecondary = "ben"\njobs = ["app"]\nagents = ["mac-1"]\ncredentials = ["store-key"]\nrepositories = ["../app"]\n[access.ada]\nagents = ["*"]\n[access.ben]\nagents = ["*"]\n'
MATRIX = 'jenkins:\n  authorizationStrategy:\n    globalMatrix:\n      entries:\n{}'
USER = '      - user:\n          name: "{}"\n          permissions: ["Overall/Administer"]\n'


@pytest.fixture
def offboard(team: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, Any]]:
    def run(*argv: str) -> tuple[int, Any]:
        capsys.readouterr()
        code = main(["offboard", *argv])
        out = capsys.readouterr()
        assert "Traceback" not in out.err
        return code, json.loads(out.out) if "--json" in argv else out.out + out.err

    return run


def left(found: Any) -> list[str]:
    return [each["what"] for each in found["items"] if not each["done"]]


def test_all_of_it(team: Path, offboard: Any, make: Make, empty_jenkins: FakeJenkins) -> None:
    """Ada leaves; what she has is taken over piece by piece, and each piece is open until it is."""
    state = empty_jenkins.state
    state.add("app", INLINE.format(script="node {}", sandbox="true"))
    state.casc = MATRIX.format(USER.format("ada") + USER.format("ben"))
    repo = make("app")
    repo.commit(ADA, "Jenkinsfile")
    (team / "cibus.toml").write_text(table(empty_jenkins) + '[agents.mac-1]\nhost = "mac-1.example"\nowner = "Ada Example"\n[credentials.store-key]\nkind = "string"\nsecret = { value = "x" }\n[monitor]\nowner = "ada@example.org"\n')
    (team / "ownership.toml").write_text(PEOPLE + AREA)
    assert main(["jobs", "export", "jenkins"]) in (0, 3)
    code, found = offboard(ADA, "--json")
    assert code == 3
    assert left(found) == [
        "mobile: two others own all of it",
        "mobile: its table names them no more",
        "mobile: others know it",
        "mobile: others may change it",
        "mobile: others have practised it",
        "[agents.mac-1] of cibus.toml has another owner",
        "[monitor] of cibus.toml has another owner",
        "ownership.toml says since when they are gone",
        "[access.ada] is gone",
        "they have no rights on the controller",
        "the credential store-key has a new secret",
    ]
    for _ in range(8):
        repo.commit(BEN, "Jenkinsfile")
    assert "mobile: others know it" not in left(offboard(ADA, "--json")[1])
    went_through(team, "agent-offline", "agent:mac-1", who=BEN)
    went_through(team, "rotate-secret", "credential:store-key", who=ADA, days_ago=-0.01)
    went_through(team, "rotate-secret", "credential:store-key", who=BEN, days_ago=1)
    open_now = left(offboard(ADA, "--json")[1])
    assert "mobile: others have practised it" not in open_now
    assert "mobile: others may change it" not in open_now
    assert "the credential store-key has a new secret" in open_now, "by herself, or before she began to leave"
    went_through(team, "rotate-secret", "credential:store-key", who=BEN, days_ago=-0.01)
    (team / "cibus.toml").write_text((team / "cibus.toml").read_text().replace("Ada Example", "Ben Example").replace("ada@", "ben@"))
    state.casc = MATRIX.format(USER.format("ben"))
    assert main(["jobs", "export", "jenkins"]) in (0, 3)
    assert left(offboard(ADA, "--json")[1]) == ["mobile: two others own all of it", "mobile: its table names them no more", "ownership.toml says since when they are gone", "[access.ada] is gone"]
    text = (PEOPLE + AREA).replace('primary = "ada"\nsecondary = "ben"', 'primary = "ben"\nsecondary = "cleo"').replace('[access.ada]\nagents = ["*"]\n', "").replace("[people.ben]", "left = 2026-11-01\n[people.ben]")
    (team / "ownership.toml").write_text(text)
    code, out = offboard(ADA)
    assert (code, "all is handed over; receipt:" in out) == (0, True), out
    assert offboard("Ada Example")[0] == 0
    kinds = [json.loads(line)["kind"] for line in (team / "receipts" / "offboard" / "ada.jsonl").read_text().splitlines()]
    assert kinds == ["offboard-begun", "offboard"], "once"


def test_what_was_owned_is_remembered_when_the_table_is_gone(team: Path, offboard: Any) -> None:
    (team / "cibus.toml").write_text('[agents.mac-1]\nhost = "mac-1.example"\n')
    (team / "ownership.toml").write_text(PEOPLE + '[areas.macs]\nprimary = "ada"\nagents = ["mac-*"]\n')
    offboard(ADA)
    (team / "ownership.toml").write_text(PEOPLE.replace('[people.ada]\nname = "Ada Example"\nemails = ["ada@example.org"]\nhandle = "@ada"\nreach = "phone 1"\n', ""))
    code, found = offboard(ADA, "--json")
    assert code == 3
    assert left(found)[0] == "macs: two others own all of it"
    (team / "ownership.toml").write_text(PEOPLE + f'[areas.ours]\nprimary = "{BEN}"\nsecondary = "{CLEO}"\nagents = ["*"]\n')
    assert "macs: two others own all of it" not in left(offboard(ADA, "--json")[1])


@pytest.mark.parametrize("line", ['{"kind": "offboard-begun"}', '{"kind": "offboard-begun", "areas": {"x": ["what:y"]}, "who": {"name": "", "emails": [], "jenkins": "x"}, "started": "2026-01-01T00:00:00+00:00"}', "{"])
def test_a_damaged_receipt_is_said(team: Path, offboard: Any, line: str) -> None:
    path = team / "receipts" / "offboard" / "ada.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text(line + "\n")
    code, out = offboard(ADA)
    assert (code, f"{path}:1: is no whole receipt" in out) == (1, True), out


def test_nobody_and_no_file(team: Path, offboard: Any) -> None:
    assert offboard("../../etc/passwd")[0] == 2
    code, out = offboard("frank")
    assert (code, "frank is nobody of [people]" in out) == (2, True)
    (team / "ownership.toml").unlink()
    code, out = offboard(ADA)
    assert (code, "cibus owners new" in out) == (2, True)


def test_who_has_an_account_where_all_may_do_all_can_still_get_in(team: Path, offboard: Any, jenkins: FakeJenkins) -> None:
    (team / "cibus.toml").write_text(table(jenkins))
    (team / "ownership.toml").write_text(PEOPLE.replace('name = "Ada Example"', 'name = "Ada Example"\njenkins = "builder"').replace('name = "Ben Example"', 'name = "Ben Example"\njenkins = "nobody-there"'))
    assert main(["jobs", "export", "jenkins"]) in (0, 3)
    assert "they cannot log in to the controller" in left(offboard(ADA, "--json")[1])
    assert "they cannot log in to the controller" not in left(offboard(BEN, "--json")[1])
