"""Where things are in a snapshot.

::

    snapshot.toml                     versions, counts, what was not readable, plugin versions, digests
    jobs/acme/config.xml              a folder …
    jobs/acme/jobs/app/config.xml     … and a job in it, as in Jenkins' own home
    jobs/acme/jobs/app/script.groovy  the job's pipeline script
    views/release/config.xml          a view of the root; a folder's views are in the folder's config
    nodes/mac-03/config.xml           an agent
    plugins.toml, credentials.toml, users.toml
    system/jenkins.yaml               the export of configuration-as-code
    system/*.xml                      the controller's own XML files where that plugin is not there; script approvals
    allow.toml                        (yours) false alarms of the secret scanner, with reasons
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cibus.jobs.names import folder_name, item_name

Kind = Literal["job", "view", "node"]
CONFIG = "config.xml"
MANIFEST = "snapshot.toml"
ALLOW = "allow.toml"
TOPS: dict[Kind, str] = {"job": "jobs", "view": "views", "node": "nodes"}
KINDS: dict[str, Kind] = {top: kind for kind, top in TOPS.items()}
PLUGINS, CREDENTIALS, USERS = "plugins.toml", "credentials.toml", "users.toml"
DOCUMENTS = (PLUGINS, CREDENTIALS, USERS)
SYSTEM = "system"
OWNED = (*TOPS.values(), SYSTEM, *DOCUMENTS)  # what an export replaces; all else in the folder is the user's


@dataclass(frozen=True, order=True)
class Key:
    """What has a config of its own: a job (or folder), a view of the root, or a node; jobs by their full name."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        return self.name if self.kind == "job" else f"{self.kind} {self.name}"

    @property
    def parent(self) -> str:
        """The folder that a job is in; '' is the root."""
        return self.name.rpartition("/")[0] if self.kind == "job" else ""


def folder_of(key: Key) -> str:
    """The folder of a config within the snapshot, with slashes."""
    if key.kind != "job":
        return f"{TOPS[key.kind]}/{folder_name(key.name)}"
    return "/".join(f"jobs/{folder_name(name)}" for name in key.name.split("/"))


def key_of(folder: str) -> Key | None:
    """The way back; None for a folder that is none of a config."""
    parts = folder.split("/")
    kind = KINDS.get(parts[0])
    if kind is None or len(parts) % 2 or (kind != "job" and len(parts) != 2):
        return None
    if kind == "job" and any(part != "jobs" for part in parts[::2]):
        return None
    return Key(kind, "/".join(item_name(part) for part in parts[1::2]))
