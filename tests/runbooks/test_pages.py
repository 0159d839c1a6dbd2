"""Every block of every runbook is run for real, against a system that is in the state that the page is about."""

from __future__ import annotations

import pytest
import stage_controller
from staging import STAGES, practise

assert stage_controller


@pytest.mark.parametrize("name", sorted(STAGES))
def test_the_blocks_of_the_page(name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    system, stage = STAGES[name]
    practise(name, stage(request.getfixturevalue(system)), monkeypatch, capsys)
