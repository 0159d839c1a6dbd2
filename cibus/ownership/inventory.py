"""All things that can have owners: from cibus.toml, the snapshot, the playbooks and runbooks, and where asked for a controller."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator

from cibus.agents.playbooks import folder as playbooks_folder
from cibus.agents.spec import specs
from cibus.config import Config
from cibus.errors import UsageError
from cibus.jenkins.client import Client
from cibus.jenkins.inventory import items, nodes
from cibus.jobs.layout import CREDENTIALS, MANIFEST
from cibus.jobs.system import credential_ids
from cibus.jobs.trees import FolderTree, Snapshot
from cibus.ownership.records import Thing
from cibus.runbooks.library import library


def snapshot_of(config: Config) -> Snapshot | None:
    """The snapshot that cibus.toml names, or the one in ``jenkins`` beside it; None where there is none."""
    folder = config.monitor.snapshot or config.folder / "jenkins"
    return Snapshot(FolderTree(folder)) if (folder / MANIFEST).is_file() else None


def configured(config: Config) -> Iterator[Thing]:
    """What cibus.toml, the playbooks and the runbooks have."""
    yield from (Thing("controller", name) for name in config.controllers)
    yield from (Thing("agent", name) for name in specs(config))
    yield from (Thing("credential", name) for name in config.credentials)
    yield from (Thing("library", name) for name in config.libraries)
    yield from (Thing("playbook", name) for name in _playbooks(config))
    yield from (Thing("runbook", name) for name in library(config.folder))


def _playbooks(config: Config) -> Iterator[str]:
    try:
        folder = playbooks_folder(config)
    except UsageError:
        return
    yield "agent.yml"
    yield from (f"roles/{each.name}" for each in sorted((folder / "roles").iterdir()) if each.is_dir())


def exported(snapshot: Snapshot) -> Iterator[Thing]:
    """What a snapshot has: jobs that are no folders, agents, credentials."""
    holds = {key.parent for key in snapshot.entries if key.kind == "job"}
    yield from (Thing("job", key.name) for key in snapshot.entries if key.kind == "job" and key.name not in holds)
    yield from (Thing("agent", key.name) for key in snapshot.entries if key.kind == "node")
    if CREDENTIALS in snapshot.tree.files:
        yield from (Thing("credential", credential_name(full)) for full in tomllib.loads(snapshot.text(CREDENTIALS)))


def credential_name(full: str) -> str:
    """A credential's name here: its id, with the folder before it where it is in a folder's store.

    ``system/_/deploy-key`` → ``deploy-key``; ``acme/folder/_/token`` → ``acme/token``.
    """
    parts = full.split("/")
    folder = [] if parts[0] == "system" else parts[:-3]
    return "/".join([*folder, parts[-1]])


def live(client: Client) -> Iterator[Thing]:
    """What a controller has."""
    found = items(client.session)
    yield from (Thing("job", each.path) for each in found if not each.folder)
    yield from (Thing("agent", name) for name in nodes(client.session))
    yield from (Thing("credential", credential_name(full)) for full in credential_ids(client.session, ""))


def things(config: Config, client: Client | None = None) -> list[Thing]:
    """Everything that is known, without what is known twice.

    Raises:
        ControllerError: the controller does not say.
        SnapshotError: the snapshot cannot be read.
    """
    snapshot = snapshot_of(config)
    found = {*configured(config), *(exported(snapshot) if snapshot is not None else ()), *(live(client) if client is not None else ())}
    return sorted(found)
