"""What tests of snapshots share."""

from __future__ import annotations

from pathlib import Path

from fake_jenkins import FakeJenkins

from cibus.jenkins.client import Client
from cibus.jenkins.settings import Settings
from cibus.secrets import Secret

KEY = b"a key for the tests of fingerprints"


def client_of(fake: FakeJenkins, **changes: object) -> Client:
    """A client as admin that waits little between two tries."""
    settings = Settings("test", fake.url, fake.user, Secret(fake.token), **changes)  # type: ignore[arg-type]
    client = Client(settings)
    client.session._sleep = lambda _: None
    return client


def files_of(folder: Path) -> dict[str, bytes]:
    """All files of a snapshot but what an export works with."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0] not in (".cibus", ".git")
    }


def configs_of(folder: Path) -> dict[str, bytes]:
    """The configs and scripts of a snapshot."""
    return {path: data for path, data in files_of(folder).items() if path.split("/")[0] in ("jobs", "views", "nodes")}
