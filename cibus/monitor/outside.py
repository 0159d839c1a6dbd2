"""What is known of a controller without asking it: exports, comparisons, its certificate, receipts, owners."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from cibus.agents.receipts import Receipt
from cibus.agents.receipts import read as read_receipts
from cibus.agents.spec import specs
from cibus.config import Config
from cibus.git import try_git
from cibus.jenkins import deeds
from cibus.jenkins.settings import Settings
from cibus.monitor.state import Outside
from cibus.ownership.matching import owners_of
from cibus.ownership.records import Registry, Thing
from cibus.ownership.registry import load
from cibus.receipts import folder as receipts_folder

PATIENCE = 10.0  # seconds for a TLS handshake


def outside(config: Config, settings: Settings) -> Outside:
    """Looks at all of it.

    Raises:
        ConfigError: ``[agents]``, or ownership.toml, makes no sense.
    """
    compared = deeds.last(settings.url, "diff") or {}
    known, registry = specs(config), load(config)
    receipts, _ = read_receipts(receipts_folder(config))
    return Outside(
        watched=config.monitor.snapshot is not None,
        exported=_exported(config.monitor.snapshot, settings.url),
        drift=compared.get("differences"),
        compared=compared.get("when"),
        certificate=certificate_end(settings),
        receipts=_last_findings(receipts, time.time()),
        owners={name: spec.owner or _primary(registry, Thing("agent", name)) for name, spec in known.items() if spec.address is not None},
        areas=tuple((area.things.get("job", ()), registry.shown(area.primary)) for area in registry.areas.values() if area.primary),
    )


def _primary(registry: Registry, thing: Thing) -> str:
    """Who owns something by ownership.toml, or ""."""
    return next((registry.shown(area.primary) for area in owners_of(registry, thing) if area.primary), "")


def _exported(folder: Path | None, url: str) -> float | None:
    """When the configuration was exported last: from here, or by a commit of the folder; epoch seconds."""
    noted = (deeds.last(url, "export") or {}).get("when")
    committed = try_git(folder, "log", "-1", "--format=%ct", "--", ".") if folder is not None and folder.is_dir() else None
    times = [*([float(noted)] if noted else []), *([float(committed)] if committed and committed.isdigit() else [])]
    return max(times, default=None)


def certificate_end(settings: Settings) -> float | None:
    """When the controller's TLS certificate ends, in epoch seconds; None: it has none, or does not answer.

    It is read without being checked: whether it is trusted, the sweep itself shows.
    """
    parts = urlsplit(settings.url)
    if parts.scheme != "https" or settings.proxy:
        return None
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 443), PATIENCE) as raw, context.wrap_socket(raw, server_hostname=parts.hostname) as tls:
            data = tls.getpeercert(binary_form=True)
    except OSError:
        return None
    return x509.load_der_x509_certificate(data).not_valid_after_utc.timestamp() if data else None


def _last_findings(receipts: list[Receipt], now: float) -> Mapping[str, tuple[tuple[str, str, str], ...]]:
    """What the last verify of each agent found, not older than a month."""
    newest: dict[str, Receipt] = {}
    for each in receipts:
        if each.data["findings"] and (each.agent not in newest or each.started >= newest[each.agent].started):
            newest[each.agent] = each
    return {
        name: tuple((found["check"], found["level"], found["words"]) for found in each.data["findings"])
        for name, each in newest.items()
        if now - each.started.timestamp() < 30 * 86400
    }
