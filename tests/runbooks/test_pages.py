"""Every block of every runbook is run for real, against a system that is in the state that the page is about."""

from __future__ import annotations

import pytest
import stage_builds
import stage_controller
import stage_services
import stage_tasks
from staging import STAGES, practise

TABLES = (stage_builds, stage_controller, stage_services, stage_tasks)


@pytest.mark.parametrize("name", sorted(STAGES))
def test_the_blocks_of_the_page(name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    system, stage = STAGES[name]
    practise(name, stage(request.getfixturevalue(system)), monkeypatch, capsys)
