"""Secrets of a controller: ciphertexts are stable for a value, and only this controller knows what they mean."""

from __future__ import annotations

import base64
import hashlib
import hmac


class Ciphers:
    """Encrypts, and remembers what it encrypted."""

    def __init__(self, key: bytes = b"fake-master-key") -> None:
        self._key = key
        self._plain: dict[str, str] = {}

    def encrypt(self, value: str) -> str:
        """Encrypts a value; a ciphertext of this controller stays, one of another controller is taken as a text."""
        if value in self._plain:
            return value
        blocks = len(value.encode("utf-8", "surrogatepass")) // 16 + 1
        stream = b"".join(self._digest(f"{number}:{value}") for number in range(blocks // 2 + 1))
        iv, data = self._digest(f"iv:{value}")[:16], stream[: blocks * 16]
        header = bytes((1, 0, 0, 0, 16, 0, 0)) + len(data).to_bytes(2, "big")
        text = "{" + base64.b64encode(header + iv + data).decode() + "}"
        self._plain[text] = value
        return text

    def encrypt_bytes(self, value: str) -> str:
        """Encrypts the content of a file credential: another form, which no filter for {AQAA...} masks."""
        if value in self._plain:
            return value
        text = "{" + base64.b64encode(self._digest(f"bytes:{value}")).decode().replace("AQAA", "BQAA") + "}"
        self._plain[text] = value
        return text

    def adopt(self, ciphertext: str, value: str) -> None:
        """Makes a ciphertext one of this controller's."""
        self._plain[ciphertext] = value

    def decrypt(self, value: str) -> str:
        """Gives what a ciphertext means; anything else means itself."""
        return self._plain.get(value, value)

    def _digest(self, text: str) -> bytes:
        return hmac.new(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
