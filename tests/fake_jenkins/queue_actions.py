"""The build queue."""

from __future__ import annotations

import time
from typing import Any

from . import pages
from .auth import CANCEL
from .call import Call
from .exported import bean, recorded
from .remote_api import answer
from .stapler import Data
from .state import QueueItem
from .wire import Response


def item_data(call: Call, queued: QueueItem) -> Data:
    if queued.values:
        return recorded(queued.values)  # type: ignore[no-any-return]
    cause = {"_class": "hudson.model.Cause$UserIdCause", "shortDescription": f"Started by user {queued.user}"}
    cause |= {"userId": queued.user, "userName": queued.user}
    values: dict[str, Any] = {
        "actions": [recorded({"_class": "hudson.model.CauseAction", "causes": [cause]})],
        "blocked": False,
        "buildable": False,
        "id": queued.ident,
        "inQueueSince": queued.since,
        "params": "".join(f"\n{name}={value}" for name, value in queued.params.items()),
        "stuck": False,
        "task": bean(queued.item),
        "url": f"queue/item/{queued.ident}/",
        "why": None if queued.cancelled else queued.why,
    }
    if queued.cancelled:
        return Data("hudson.model.Queue$LeftItem", {**values, "cancelled": True})
    values["timestamp"] = queued.since + 5000
    return Data("hudson.model.Queue$WaitingItem", values)


def enqueue(call: Call) -> QueueItem:
    """Queues a build; the same build asked for again is the same item."""
    state = call.state
    params = dict(call.request.query_pairs + call.request.form_pairs)
    for name in ("delay", "json", "token"):
        params.pop(name, None)
    for queued in state.queue.values():
        if queued.item is call.item and not queued.cancelled and queued.params == params:
            return queued
    why = "In the quiet period. Expires in 4.9 sec"
    queued = QueueItem(state.next_queue_id, call.item, call.caller.name, why, int(time.time() * 1000), params=params)
    state.queue[queued.ident] = queued
    state.next_queue_id += 1
    return queued


def serve(call: Call) -> Response:
    rest = call.rest[1:]
    if rest[:1] == ["api"]:
        items = [item_data(call, queued) for queued in reversed(call.state.queue.values()) if not queued.cancelled]
        return answer(
            call,
            Data("hudson.model.Queue", {"discoverableItems": [], "items": items}, inline=frozenset({"items"})),
            rest,
        )
    if rest[:1] == ["item"] and len(rest) > 2 and rest[1].isdigit() and int(rest[1]) in call.state.queue:
        return answer(call, item_data(call, call.state.queue[int(rest[1])]), rest[2:])
    if rest == ["cancelItem"]:
        if not call.is_post:
            return pages.needs_post(call.url)
        ident = call.param("id") or ""
        queued = call.state.queue.get(int(ident)) if ident.isdigit() else None
        if queued is None:
            return pages.page("Jenkins [Jenkins]", "<h1>Not found</h1>", 404)
        if not call.may(CANCEL):
            return call.denied(CANCEL)
        if queued.cancelled:
            return pages.oops()
        queued.cancelled = True
        return Response(204)
    return call.not_found()
