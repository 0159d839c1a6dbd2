"""Fixtures for all tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from fake_jenkins import FakeJenkins, empty_state, recorded_state
from hosts.fixtures import boot, boot_briefly, host, second_host, shared_host
from hosts.macos.fixtures import mac, make_mac
from repos import MakeRepo, Repo

__all__ = ["boot", "boot_briefly", "host", "mac", "make_mac", "second_host", "shared_host"]


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


@pytest.fixture
def jenkins() -> Iterator[FakeJenkins]:
    """A controller with the recorded jobs, folders, branches, views, nodes, credentials and plugins."""
    with FakeJenkins(recorded_state()) as fake:
        yield fake


@pytest.fixture
def empty_jenkins() -> Iterator[FakeJenkins]:
    """A controller with the same plugins and credentials, but without jobs, views and agents."""
    with FakeJenkins(empty_state()) as fake:
        yield fake
