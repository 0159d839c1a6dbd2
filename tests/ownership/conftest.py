"""Fixtures: a team's folder, and made-up repositories."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import cibus, own_folders
from made import PEOPLE, Make, Repository

__all__ = ["cibus", "own_folders"]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes a repository of a name."""
    return lambda name: Repository(tmp_path / name)


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A team's folder with cibus.toml and people in ownership.toml, which is where one is."""
    for name in ("CIBUS_JENKINS_URL", "CIBUS_JENKINS_USER", "CIBUS_JENKINS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "team"
    folder.mkdir()
    (folder / "cibus.toml").write_text("")
    (folder / "ownership.toml").write_text(PEOPLE)
    monkeypatch.chdir(folder)
    return folder
