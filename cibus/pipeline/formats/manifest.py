"""Jar manifests, as ``java.util.jar.Manifest`` reads them."""

from __future__ import annotations

import re
from typing import Any

from cibus.pipeline.values import Thrown


def load(text: str) -> dict[str, Any]:
    """The main attributes and those of the named entries."""
    unfolded = re.sub(r"(?:\r\n|\r|\n) ", "", text)
    main: dict[str, str] = {}
    entries: dict[str, dict[str, str]] = {}
    section = main
    fresh = False
    for line in re.split(r"\r\n|\r|\n", unfolded):
        if not line:
            fresh = True
            continue
        name, separator, value = line.partition(": ")
        if not separator:
            raise Thrown("java.io.IOException", "invalid header field")
        if fresh and name.lower() == "name":
            section = entries.setdefault(value, {})
        else:
            section[name] = value
        fresh = False
    return {"main": main, "entries": entries}
