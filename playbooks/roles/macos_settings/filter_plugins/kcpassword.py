"""The filter ``kcpassword``: a password as macOS stores it for automatic login, in base64.

The login window reads /etc/kcpassword: the password, filled with zeros to the next multiple of twelve (at least one), each
byte combined with a fixed key. It hides, it does not protect.
"""

from __future__ import annotations

import base64
from collections.abc import Callable

KEY = bytes((0x7D, 0x89, 0x52, 0x23, 0xD2, 0xBC, 0xDD, 0xEA, 0xA3, 0xB9, 0x1F))


def kcpassword(password: str) -> str:
    """The content of /etc/kcpassword for a password, in base64."""
    plain = password.encode()
    plain += bytes(12 - len(plain) % 12)
    return base64.b64encode(bytes(byte ^ KEY[at % len(KEY)] for at, byte in enumerate(plain))).decode()


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, Callable[[str], str]]:
        """The filters of this file by name."""
        return {"kcpassword": kcpassword}
