"""Archived artifacts of a build."""

from __future__ import annotations

import re

from . import pages
from .call import Call
from .items import Build
from .wire import Response

_POLICY = "sandbox; default-src 'none'; img-src 'self'; style-src 'self';"
_TYPES = {".txt": "text/plain", ".xml": "application/xml", ".html": "text/html", ".json": "application/json"}


def _listing(call: Call, build: Build, path: str) -> Response:
    title = f"Artifacts of {call.item.display_name} #{build.number} : {path.removeprefix('artifact')} [Jenkins]"
    return pages.page(title, "<h1>Artifacts</h1>")


def serve_artifact(call: Call, build: Build, rest: list[str]) -> Response:
    """Answers `artifact/PATH`, whole or a range of it."""
    if any(".." in part for part in rest):
        return pages.jetty_error(400, "Bad Request", call.path)
    shown = rest[-1] == "*view*"
    path = "/".join(rest[:-1] if shown else rest)
    found = build.extra.get(path)
    if found is None:
        if not shown and any(name.startswith(f"{path}/") for name in build.extra):
            return _listing(call, build, path) if call.slash else pages.found(f"{call.url}/")
        return call.not_found()
    name = path.rpartition("/")[2]
    kind = found[0] or _TYPES.get(name[name.rfind(".") :], "application/octet-stream")
    headers = {"Content-Type": kind, "Accept-Ranges": "bytes"}
    if shown:
        headers["Content-Disposition"] = f"inline; filename={name}"
    else:
        headers |= dict.fromkeys(("Content-Security-Policy", "X-WebKit-CSP", "X-Content-Security-Policy"), _POLICY)
    compress = not kind.startswith("application/octet")
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", call.request.headers.get("range", ""))
    if wanted:
        first, last = int(wanted[1]), min(int(wanted[2] or len(found[1]) - 1), len(found[1]) - 1)
        headers["Content-Range"] = f"bytes {first}-{last}/{len(found[1])}"
        return Response(206, headers, found[1][first : last + 1], compressible=compress)
    return Response(200, headers, found[1], compressible=compress)
