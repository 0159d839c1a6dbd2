"""ownership.toml: what is read of it, and what is said where it is wrong."""

from __future__ import annotations

import json
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from made import PEOPLE

from cibus.config import load_config
from cibus.errors import ConfigError
from cibus.ownership.frame import frame
from cibus.ownership.inventory import credential_name, things
from cibus.ownership.matching import owners_of
from cibus.ownership.records import Registry, Thing
from cibus.ownership.registry import json_schema, load, named_person


def read(team: Path, text: str) -> Registry:
    (team / "ownership.toml").write_text(text)
    return load(load_config(team / "cibus.toml", {}))


def test_all_of_it(team: Path) -> None:
    found = read(team, PEOPLE + 'left = 2026-12-31\n\n[areas.mobile]\nwhat = "the apps"\nprimary = "ada"\nsecondary = "ben"\njobs = ["mobile/*"]\nagents = ["mac-*"]\nrepositories = ["../app"]\nfiles = ["ci/**"]\n\n[access.ada]\ncontrollers = ["*"]\n')
    assert found.people["dan"].left == date(2026, 12, 31)
    area = found.areas["mobile"]
    assert (area.owners, area.things, area.files, area.repositories[0].resolve()) == (("ada", "ben"), {"job": ("mobile/*",), "agent": ("mac-*",)}, ("ci/**",), team.parent / "app")
    assert found.access["ada"].controllers == ("*",)
    assert [each.name for each in owners_of(found, Thing("job", "mobile/shop/main"))] == ["mobile"]
    assert not owners_of(found, Thing("agent", "linux-1"))
    for text in ("ada", "Ada Example", "ADA@example.org", "@ada"):
        assert named_person(found, text) == found.people["ada"]
    assert named_person(found, "nobody") is None
    assert load(load_config(team / "cibus.toml", {})).path == team / "ownership.toml"
    (team / "ownership.toml").unlink()
    assert not load(load_config(team / "cibus.toml", {})).areas


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[area.x]\n", 1, "unknown key 'area'; did you mean 'areas'?"),
        ('[areas.x]\nprimery = "ada"\n', 2, "did you mean 'primary'?"),
        ('[areas.x]\nprimary = "adda"\n[people.ada]\n', 2, "adda is nobody of [people]; did you mean 'ada'?"),
        ('[areas.x]\nprimary = "ada"\n', 2, "add [people.ada]"),
        ('[people.ada]\n[areas.x]\nprimary = "ada"\nsecondary = "ada"\n', 4, "secondary in [areas.x] is its primary"),
        ('[areas.x]\njobs = "a"\n', 2, "must be a list of texts"),
        ('[areas.x]\nfiles = ["a"]\n', 2, "need repositories"),
        ('[people.ada]\nleft = "soon"\n', 2, "must be a day: 2026-12-31"),
        ("[people.ada]\nleft = 2026-01-01T00:00:00\n", 2, "must be a day: 2026-12-31"),
        ('[people.ada]\nemails = ["a@x"]\n[people.ben]\nemails = ["A@x"]\n', 4, "a@x is also that of [people.ada]"),
        ('[people.ada]\njenkins = "ben"\n[people.ben]\n', 3, "ben is also that of [people.ada]"),
        ("[access.ada]\n", 1, "ada is nobody of [people]"),
        ('[people."a/b"]\n', 1, "is no plain name"),
        ('[areas."a\\nb"]\n', 1, "is no plain name"),
        ("people = 3\n", 1, "must be a table"),
        ("[people\n", 1, ""),
        ('[people.ada]\nhandle = "ada"\n', 2, "must be as CODEOWNERS has them"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(team: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read(team, text)
    assert words in str(raised.value)
    assert str(raised.value).startswith(f"{team / 'ownership.toml'}:{line}:") or text == "[people\n"


def test_the_shipped_schema_is_the_current_one() -> None:
    shipped = json.loads(files("cibus.ownership").joinpath("ownership.schema.json").read_text("utf-8"))
    assert shipped == json_schema(), "write it again: see json_schema() in cibus/ownership/registry.py"
    Draft202012Validator.check_schema(shipped)
    check = Draft202012Validator(shipped).is_valid
    assert check({"people": {"ada": {"emails": ["a@x"]}}, "areas": {"x": {"primary": "ada", "jobs": ["*"]}}})
    assert not check({"areas": {"x": {"primery": "ada"}}})
    assert not check({"area": {}})


@pytest.mark.parametrize(("full", "name"), [("system/_/deploy-key", "deploy-key"), ("acme/folder/_/token", "acme/token"), ("a/b/folder/dom/x", "a/b/x")])
def test_the_name_of_a_credential(full: str, name: str) -> None:
    assert credential_name(full) == name


def test_a_first_file_can_be_read(team: Path) -> None:
    (team / "cibus.toml").write_text('[agents.mac-1]\nlabels = ["mac"]\n[libraries.lib]\npath = "lib"\n[credentials.key]\nkind = "string"\nsecret = { value = "x" }\n[controllers.default]\nurl = "http://127.0.0.1:1/"\n')
    config = load_config(team / "cibus.toml", {})
    found = read(team, frame(config, things(config)))
    assert set(found.areas) == {"agents", "credentials", "libraries", "playbooks", "runbooks", "controllers"}
    assert [each.name for each in owners_of(found, Thing("agent", "mac-1"))] == ["agents"]
