"""A user's folders of their own, the command line, and a pipeline's build on a fake controller."""

from __future__ import annotations

from typing import Any

import pytest
from command import cibus, own_folders  # noqa: F401 # fixtures
from fake_jenkins import FakeJenkins
from fake_jenkins.items import Build
from golden_sides import Case, cases, run_cases
from made_builds import INLINE, add_build, replay_page
from plain_build import ACTIONS, CONSOLE, SCRIPT, STAGES, AddPipeline


@pytest.fixture(scope="session")
def golden(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    """All recorded builds that were made from a script or a repository, run here once."""
    return run_cases(cases(), tmp_path_factory.mktemp("kept"))


@pytest.fixture
def add_pipeline(empty_jenkins: FakeJenkins) -> AddPipeline:
    """Adds an inline pipeline ``app`` with one failed build, #12, to the empty controller."""

    def add(*, script: str = SCRIPT, console: str = CONSOLE, number: int = 12, actions: Any = ACTIONS, extra: Any = None, **values: Any) -> Build:
        if empty_jenkins.state.jobs.find("app") is None:
            empty_jenkins.state.add("app", INLINE.format(script="node {}", sandbox="true"))
        more = {"wfapi/describe": STAGES, "replay": replay_page(script), **(extra or {})}
        return add_build(empty_jenkins, "app", number, {"result": "FAILURE", "actions": actions, **values}, console=console, extra=more)

    return add
