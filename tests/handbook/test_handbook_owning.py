"""Owners in the handbook, from a real ownership.toml, real receipts and the repository's history."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from town import Town

from cibus.cli import main
from cibus.handbook.collect import collect
from cibus.handbook.owning import today

pytest.importorskip("mkdocs")
pytest.importorskip("material")

OWNERSHIP = """
[people.dev]
name = "Dev One"
emails = ["dev1@example.com"]
reach = "chat: #ci"

[people.jo]
name = "Jo Doe"
emails = ["jo@example.org"]

[areas.apps]
what = "apps & their agents"
primary = "dev"
secondary = "jo"
jobs = ["acme", "acme/**"]
agents = ["linux-*"]
runbooks = ["agent-*"]
repositories = ["."]
files = ["jenkins/**"]

[areas.rest]
primary = "jo"
jobs = ["lone"]
"""


@pytest.fixture
def here(town: Town, monkeypatch: pytest.MonkeyPatch) -> Town:
    monkeypatch.chdir(town.folder)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(datetime(2026, 6, 1, tzinfo=UTC).timestamp())))
    for name in ("nasty.md", "licence-server.md"):
        (town.folder / "runbooks" / name).unlink()
    town.write("ownership.toml", OWNERSHIP)
    return town


def test_areas_are_measured_and_linked(here: Town) -> None:
    book = collect(here.config)
    assert book.problems == ()
    assert {each.name: each.areas for each in book.jobs.entries if each.name in ("acme/app", "lone")} == {"acme/app": ("apps",), "lone": ("rest",)} if book.jobs else False
    assert book.owners.factors["apps"].practice.people == ("jo",)
    assert book.owners.factors["apps"].knowledge.number == 1
    assert {each.drill: each.done is not None for each in book.owners.steps["jo"]}["rebuild"]
    assert main(["handbook", "build"]) == 0
    site = here.folder / "handbook-site"
    area = (site / "owners/apps.html").read_text("utf-8")
    for words in ("apps &amp; their agents", "chat: #ci", "receipts/linux-1.jsonl", 'href="../jobs/acme.html#acme-app"', 'href="../agents/linux-1.html"', 'href="../runbooks/agent-offline.html"'):
        assert words in area, words
    assert 'href="../owners/apps.html"' in (site / "jobs/acme.html").read_text("utf-8")
    assert 'href="../owners/apps.html"' in (site / "agents/linux-1.html").read_text("utf-8")
    assert "receipts/gone-agent.jsonl:1" in (site / "onboarding.html").read_text("utf-8")
    assert 'href="owners/apps.html"' in (site / "index.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        ("ownership.toml", OWNERSHIP.replace("primary = \"dev\"", "primary = \"nobody\""), "ownership.toml:13"),
        ("ownership.toml", "[areas", "ownership.toml"),
        ("receipts/drills/jo.jsonl", '{"half', "receipts/drills/jo.jsonl:1"),
    ],
)
def test_what_is_wrong_is_said_and_the_rest_is_there(here: Town, capsys: pytest.CaptureFixture[str], path: str, text: str, words: str) -> None:
    here.write(path, text)
    assert main(["handbook", "build"]) == 3
    assert words in capsys.readouterr().err
    site = here.folder / "handbook-site"
    assert words in (site / "owners/index.html").read_text("utf-8").replace("&#x27;", "'")
    assert "linux-1" in (site / "agents/index.html").read_text("utf-8")
    if "ownership" not in path:
        assert "apps &amp; their agents" in (site / "owners/apps.html").read_text("utf-8")


@pytest.mark.parametrize(("given", "found"), [("0", datetime(1970, 1, 1, tzinfo=UTC)), ("", None), ("x", None)])
def test_the_day_that_a_year_is_counted_from(given: str, found: datetime | None) -> None:
    day = today({"SOURCE_DATE_EPOCH": given})
    assert day == found if found else (datetime.now(UTC) - day).total_seconds() < 60
