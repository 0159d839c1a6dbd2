"""Where a host is: ``ssh://[user@]host[:port][/remote/folder]``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cibus.errors import HostAddressError

PATTERN = r"^ssh://([^@/\s]+@)?(\[[0-9A-Fa-f:.]+\]|[^@/:\s\[\]]+)(:[0-9]+)?(/\S.*)?$"
FORM = "ssh://[user@]host[:port][/folder]"


@dataclass(frozen=True)
class Address:
    """A host: ``user`` "" and ``port`` 0 are left to ~/.ssh/config; ``folder`` is where work is done there, "" for the default."""

    host: str
    user: str = ""
    port: int = 0
    folder: str = ""

    @property
    def shown(self) -> str:
        """As people write it, without the folder."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"ssh://{self.user}{'@' if self.user else ''}{host}{f':{self.port}' if self.port else ''}"


def parse(text: str) -> Address:
    """An address from a URL, ``user@host`` or a bare name of a host.

    Raises:
        HostAddressError: it is neither.
    """
    url = text if text.startswith("ssh://") else f"ssh://{text}"
    match = re.match(PATTERN, url)
    if match is None or match[2].startswith("-") or (match[1] or "").startswith("-"):
        raise HostAddressError(f"{text}: is not the address of a host; give {FORM}")
    port = int((match[3] or ":0")[1:])
    if match[3] and not 0 < port < 65536:
        raise HostAddressError(f"{text}: there is no port {port}; give {FORM}")
    return Address(match[2].strip("[]"), (match[1] or "").rstrip("@"), port, (match[4] or "").rstrip("/"))
