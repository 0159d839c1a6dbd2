from __future__ import annotations

from collections.abc import Iterator

import pytest

from cibus.pipeline.engine.process import Engine


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """One JVM for all tests that read scripts."""
    made = Engine()
    yield made
    made.close(train=False)
