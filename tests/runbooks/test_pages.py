"""Every block of every runbook is run for real, against a system that is in the state that the page is about."""

from __future__ import annotations

import pytest
import stage_agents
import stage_builds
import stage_controller
import stage_machines
import stage_macs
import stage_people
import stage_rebuilds
import stage_resources
import stage_services
import stage_tasks
from staging import STAGES, practise

from cibus.cli.parsing import why_not
from cibus.monitor.alerts import pages as alert_pages
from cibus.runbooks.files import folder
from cibus.runbooks.lint import lint

TABLES = (stage_agents, stage_builds, stage_controller, stage_machines, stage_macs, stage_people, stage_rebuilds, stage_resources, stage_services, stage_tasks)
PAGES = {path.stem: path for path in folder().glob("*.md")}


@pytest.mark.parametrize("name", sorted(STAGES))
def test_the_blocks_of_the_page(name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    system, stage = STAGES[name]
    practise(name, stage(request.getfixturevalue(system)), monkeypatch, capsys)


def test_the_pages_are_whole() -> None:
    """Links, commands, all parts, and a page for each alert and a rule for each alert that is named."""
    found = lint(PAGES, alert_pages(), why_not)
    assert not [str(each) for each in found]


def test_every_page_is_run() -> None:
    """A new page needs its stage."""
    assert sorted(PAGES) == sorted(STAGES)
