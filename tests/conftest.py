"""Fixtures for all tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from repos import MakeRepo, Repo


@pytest.fixture
def make_repo(tmp_path: Path) -> MakeRepo:
    """Makes a committed repository of a Jenkinsfile and other files."""

    def make(jenkinsfile: str, files: Mapping[str, str] | None = None) -> Repo:
        repo = Repo(tmp_path / "app", tmp_path / "state")
        repo.path.mkdir()
        repo.write({"Jenkinsfile": jenkinsfile, **(files or {})})
        repo.git("init", "-q")
        repo.git("add", "-A")
        repo.git("commit", "-q", "-m", "Initial import")
        return repo

    return make
