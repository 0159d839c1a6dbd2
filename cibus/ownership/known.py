"""All that owners are measured on, read once: things, rights, histories, receipts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cibus import receipts
from cibus.config import Config
from cibus.ownership.inventory import snapshot_of, things
from cibus.ownership.knowledge import Authors, Histories, authors, histories
from cibus.ownership.practised import Deed, deeds
from cibus.ownership.records import Registry, Thing
from cibus.ownership.rights import Rights, rights


@dataclass(frozen=True)
class Known:
    """All that areas are measured on, read once.

    Arguments:
        authors: by repository and file, the people who are its authors
        torn: a line for each receipt that cannot be read
    """

    things: Sequence[Thing]
    rights: Rights
    histories: Histories
    authors: Authors
    deeds: list[Deed]
    torn: list[str]
    now: datetime


def known(config: Config, registry: Registry, now: datetime | None = None) -> Known:
    """Reads snapshot, histories and receipts.

    Raises:
        CibusError: a receipt or the snapshot cannot be read.
    """
    found, torn = deeds(receipts.folder(config), registry)
    read = histories(config, registry.areas.values())
    return Known(things(config), rights(snapshot_of(config)), read, authors(registry, read), found, torn, now or datetime.now(UTC))
