"""A controller's settings, and a client of the recorded controller."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from fake_jenkins import FakeJenkins
from scripted import scripted

from cibus.jenkins.client import Client
from cibus.jenkins.settings import Settings
from cibus.secrets import Secret

__all__ = ["scripted"]


@pytest.fixture
def settings_of() -> Callable[..., Settings]:
    def make(fake: FakeJenkins, **changes: object) -> Settings:
        token = Secret(str(changes.pop("token", fake.token)))
        user = str(changes.pop("user", fake.user))
        return Settings("test", fake.url, user, token, **changes)  # type: ignore[arg-type]

    return make


@pytest.fixture
def client(jenkins: FakeJenkins, settings_of: Callable[..., Settings]) -> Iterator[Client]:
    """The recorded controller, as admin."""
    with Client(settings_of(jenkins)) as made:
        yield made
