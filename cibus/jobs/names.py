"""Names of items as names of folders, readable and reversible.

Everything that some file system refuses or folds is percent-encoded as UTF-8: control characters, ``/ \\ : * ? " < > |``,
``%`` itself, a leading dot or space, a trailing dot or space, the names that Windows reserves, and a second of two
single quotes (the manifest's TOML could not hold them).
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from cibus.errors import SnapshotError

UNSAFE = re.compile(r"""[\x00-\x1f\x7f%/\\:*?"<>|\ud800-\udfff]|^[. ]|[. ]$|(?<=')'""")
RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)", re.IGNORECASE)
LONGEST = 255  # bytes of a file name on the usual file systems


def folder_name(name: str) -> str:
    """``feature/x: "new"`` → ``feature%2Fx%3A %22new%22``.

    Raises:
        SnapshotError: the name is longer than a file system can take.
    """
    encoded = UNSAFE.sub(lambda match: _percent(match.group()), name)
    if RESERVED.match(encoded):
        encoded = _percent(encoded[0]) + encoded[1:]
    if len(encoded.encode("utf-8", "surrogatepass")) > LONGEST:
        raise SnapshotError(
            f"the name {name[:40]!r}… is too long for a folder ({len(encoded)} characters): leave it out with --exclude"
        )
    return encoded


def item_name(folder: str) -> str:
    """The way back."""
    return unquote(folder, errors="surrogatepass")


def _percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))
