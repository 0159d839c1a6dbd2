"""A real Jenkins, where one is given; its tests work in one folder there, which is theirs and is deleted at the end."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from snapshots import KEY

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


@pytest.fixture
def command_line(live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands of this process are run in the test's folder and mean the real controller."""
    settings = live.client.settings
    assert settings.token is not None
    variables = {"STATE_DIR": str(tmp_path / "state"), "SNAPSHOT_KEY": KEY.decode(), "JENKINS_URL": settings.url, "JENKINS_USER": settings.user, "JENKINS_TOKEN": settings.token.reveal()}
    for name, value in variables.items():
        monkeypatch.setenv(f"CIBUS_{name}", value)
    monkeypatch.chdir(tmp_path)
