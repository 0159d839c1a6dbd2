"""Computed folders: indexing, its log, and what tells them of a push."""

from __future__ import annotations

from . import pages
from .call import Call
from .marshal import load
from .wire import Response


def serve(call: Call) -> Response:
    """Answers what follows `computation` or `indexing` of a multibranch project."""
    log, rest = call.item.indexing_log, call.rest[1:]
    if rest == ["consoleText"]:
        return pages.plain(log)
    if rest == ["logText", "progressiveText"]:
        text = log.replace("\n", "\r\n")
        headers = {"Content-Type": "text/plain;charset=utf-8", "X-Text-Size": str(len(text))}
        return Response(200, headers, text.encode())
    if rest in (["console"], ["events"]):
        return pages.page(f"{call.item.full_display_name} Scan Multibranch Pipeline Log [Jenkins]", f"<pre>{log}</pre>")
    if rest == ["eventsText"] and not call.slash:
        return pages.found(f"{call.url}/")
    return call.not_found()


def notify_commit(call: Call) -> Response:
    """`/git/notifyCommit?url=`: says which jobs a push concerns."""
    if call.rest[1:] != ["notifyCommit"]:
        return call.not_found()
    url = call.param("url") or ""
    out = []
    for item in call.state.root.walk():
        if not url or url.encode() not in item.config or item.is_computed:
            continue
        if item.is_group:
            out.append(f"Scheduled indexing of {item.full_display_name}\n")
        elif load(item.config).find("triggers/hudson.triggers.SCMTrigger") is not None:
            out.append(f"Scheduled polling of {item.full_display_name}\n")
    body = "".join(sorted(out, reverse=True)).encode("latin-1", "replace")
    return Response(200, {"Content-Type": "text/plain;charset=iso-8859-1"}, body)
