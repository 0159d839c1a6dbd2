"""A real Jenkins, where one is given; its tests work in one folder there, which is theirs and is deleted at the end."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from cibus.jenkins.client import Client
from cibus.jenkins.settings import Settings
from cibus.secrets import Secret

VARIABLES = ("CIBUS_TEST_JENKINS_URL", "CIBUS_TEST_JENKINS_USER", "CIBUS_TEST_JENKINS_TOKEN")
FOLDER = b"<com.cloudbees.hudson.plugins.folder.Folder><description>cibus' tests; may be deleted</description></com.cloudbees.hudson.plugins.folder.Folder>"


@dataclass(frozen=True)
class Live:
    """A real controller, and the folder on it in which a test may do anything."""

    client: Client
    folder: str


@pytest.fixture(scope="session")
def live() -> Iterator[Live]:
    missing = [name for name in VARIABLES if not os.environ.get(name)]
    if missing:
        pytest.skip(f"no real Jenkins: {', '.join(missing)} not set")
    url, user, token = (os.environ[name] for name in VARIABLES)
    folder = f"cibus-test-{uuid.uuid4().hex[:8]}"
    with Client(Settings("live", url.rstrip("/") + "/", user, Secret(token))) as client:
        client.create_item(folder, FOLDER)
        try:
            yield Live(client, folder)
        finally:
            client.delete_item(folder)
