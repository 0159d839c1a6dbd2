"""An HTTP client for the fake's own tests."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any


class Caller:
    """An HTTP client with an API token."""

    def __init__(self, url: str, user: str = "admin", token: str = "fake-token") -> None:
        self.url = url
        self._auth = "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()

    def __call__(self, path: str, body: str | None = None, headers: Mapping[str, str] | None = None) -> str:
        data = body.encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data, {"Authorization": self._auth, **(headers or {})})
        with urllib.request.urlopen(request, timeout=10) as response:
            return str(response.read().decode())

    def json(self, path: str) -> Any:
        return json.loads(self(path))

    def status(self, path: str, body: str | None = None, headers: Mapping[str, str] | None = None) -> int:
        try:
            self(path, body, headers)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        return 200
