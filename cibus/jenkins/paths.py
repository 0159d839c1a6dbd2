"""Items' full names and their URLs.

An item's path is its full name, ``acme/platform/app build``. A branch job's name is itself encoded
(``feature%2Flogin``), so that it is encoded twice in a URL; that is the form that Jenkins echoes (branch-api).
"""

from __future__ import annotations

from urllib.parse import quote, unquote, urlsplit


def job_url(path: str) -> str:
    """``acme/app build`` → ``job/acme/job/app%20build/``; the root is the path ``''``."""
    return "".join(f"job/{quote(name, safe='')}/" for name in path.split("/") if name)


def item_path(url: str) -> str:
    """``https://ci.example/x/job/acme/job/app%20build/128/`` → ``acme/app build``."""
    parts = urlsplit(url).path.split("/")
    at = parts.index("job") if "job" in parts else len(parts)
    names = []
    while at + 1 < len(parts) and parts[at] == "job":
        names.append(unquote(parts[at + 1]))
        at += 2
    return "/".join(names)
