"""Fixtures: a user's folders of their own, and a site that is built once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import own_folders
from town import Town, made

__all__ = ["own_folders"]


@pytest.fixture(scope="session")
def master(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """A team's folder that no test changes."""
    return made(tmp_path_factory.mktemp("town") / "team")


@pytest.fixture
def town(master: Town, tmp_path: Path) -> Town:
    """A team's folder of the test's own."""
    shutil.copytree(master.folder, tmp_path / "team")
    return Town(tmp_path / "team")


@pytest.fixture(scope="session")
def site(master: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The site of that team, with owners."""
    pytest.importorskip("mkdocs")
    pytest.importorskip("material")
    from cibus.handbook.build import build

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIBUS_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        out = tmp_path_factory.mktemp("site") / "handbook site"  # with a space in its address
        build(master.book, out)
        yield out
