"""Fixtures for the monitor's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from command import cibus, own_folders
from fake_jenkins import FakeJenkins
from sickness import Ward, well

__all__ = ["cibus", "own_folders"]


@pytest.fixture
def ward(tmp_path: Path, own_folders: None) -> Iterator[Ward]:
    """A controller that is well."""
    state, _ = well(tmp_path)
    with FakeJenkins(state) as fake:
        ward = Ward(fake, tmp_path)
        ward.deed("export", 3600)
        yield ward
        ward.close()
