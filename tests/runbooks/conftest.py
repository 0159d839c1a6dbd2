"""The test systems that runbooks are run against."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Cibus, cibus, own_folders
from fake_jenkins import FakeJenkins
from sickness import Ward, well
from staging import table

__all__ = ["cibus", "own_folders"]


@pytest.fixture
def ward(tmp_path: Path, own_folders: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ward]:
    """A controller that is well, to practise on."""
    state, path = well(tmp_path)
    for name in ("CIBUS_JENKINS_URL", "CIBUS_JENKINS_USER", "CIBUS_JENKINS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with FakeJenkins(state) as fake:
        path.write_text(f"{table(fake)}{path.read_text()}")
        ward = Ward(fake, tmp_path)
        ward.deed("export", 3600)
        yield ward
        ward.close()


@pytest.fixture
def cared(ward: Ward, cibus: Cibus) -> tuple[Ward, Cibus]:
    """The same, and the command line for what was done there before."""
    return ward, cibus
