"""The key of the secrets' fingerprints: kept outside of the snapshot, or a weak secret could be guessed from it."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets

from cibus.config import SnapshotConfig
from cibus.errors import SecretError
from cibus.folders import config_home, write_whole

VARIABLE = "CIBUS_SNAPSHOT_KEY"
FILE = "snapshot.key"


def fingerprint_key(config: SnapshotConfig) -> bytes:
    """The key: ``CIBUS_SNAPSHOT_KEY``, ``[snapshot] key``, or a file of the user's that is made on first use.

    Raises:
        SecretError: it cannot be had, or is shorter than 16 characters.
    """
    if text := os.environ.get(VARIABLE):
        return _long_enough(text, VARIABLE)
    if config.key is not None:
        return _long_enough(config.key.get().reveal().strip(), "key in [snapshot]")
    path = config_home() / FILE
    if not path.exists():
        write_whole(path, f"{secrets.token_hex(32)}\n".encode(), private=True)
    try:
        return _long_enough(path.read_text("ascii").strip(), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise SecretError(f"the key of the fingerprints in {path} cannot be read: {error}") from error


def key_id(key: bytes) -> str:
    """Tells two keys apart without telling them."""
    return hmac.new(key, b"which key this is", hashlib.sha256).hexdigest()[:8]


def _long_enough(text: str, where: str) -> bytes:
    if len(text) < 16:
        raise SecretError(f"{where} is too short for a key: use 16 characters or more, e.g. of openssl rand -hex 32")
    return text.encode()
