"""The build queue."""

from __future__ import annotations

import re
import time
from typing import Any

from . import kinds, pages
from .auth import CANCEL
from .call import Call
from .exported import bean
from .exported_builds import recorded
from .remote_api import answer
from .stapler import ALWAYS, Data
from .state import QueueItem
from .wire import Response


def item_data(call: Call, queued: QueueItem) -> Data:
    if queued.values:
        return recorded(queued.values)  # type: ignore[no-any-return]
    cause = {"_class": "hudson.model.Cause$UserIdCause", "shortDescription": f"Started by user {queued.user}"}
    cause |= {"userId": queued.user, "userName": queued.user}
    values: dict[str, Any] = {
        "actions": [recorded({"_class": "hudson.model.CauseAction", "causes": [cause] * (1 + queued.again)})],
        "blocked": False,
        "buildable": False,
        "id": queued.ident,
        "inQueueSince": queued.since,
        "params": "".join(f"\n{name}={value}" for name, value in queued.params.items()),
        "stuck": False,
        "task": bean(queued.item),
        "url": f"queue/item/{queued.ident}/",
        "why": queued.why,
    }
    if queued.cancelled:
        return Data("hudson.model.Queue$LeftItem", {**values, "why": None, "cancelled": True, "executable": None})
    if queued.executable is not None:
        build = queued.executable
        url = f"{call.context.url(queued.item)}{build.number}/"
        started = Data(build.cls, {"number": build.number, "url": url}, default=ALWAYS)
        return Data("hudson.model.Queue$LeftItem", {**values, "why": None, "cancelled": False, "executable": started})
    phase = _phase(call, queued)
    if phase == "Waiting":
        values["timestamp"] = queued.since + queued.quiet * 1000
    else:
        values["buildableStartMilliseconds"] = queued.since
    if phase == "Buildable":
        values["pending"] = False
    return Data(
        f"hudson.model.Queue${phase}Item", {**values, **_reason(call, queued, phase)}, {"actions": 1}, default=2
    )


def _phase(call: Call, queued: QueueItem) -> str:
    """Waiting for the quiet period, blocked by the build before it, or buildable if only there were an executor."""
    if queued.since + queued.quiet * 1000 > time.time() * 1000:
        return "Waiting"
    building = bool(queued.item.builds and queued.item.builds[0].values.get("building"))
    return "Blocked" if building and queued.item.cls != kinds.PIPELINE else "Buildable"


def _reason(call: Call, queued: QueueItem, phase: str) -> dict[str, Any]:
    if phase == "Waiting":
        left = queued.since / 1000 + queued.quiet - time.time()
        return {"why": f"In the quiet period. Expires in {left:.1f} sec"}
    if phase == "Blocked":
        why = f"Build #{queued.item.builds[0].number} is already in progress (ETA: 1 min 58 sec)"
        return {"blocked": True, "why": why}
    label = queued.item.meta.label
    if label and not any(label in node.labels for node in call.state.nodes.values()):
        return {"buildable": True, "stuck": True, "why": f"There are no nodes with the label ‘{label}’"}
    return {"buildable": True, "why": queued.why}


def enqueue(call: Call) -> QueueItem:
    """Queues a build; the same build asked for again is the same item."""
    state = call.state
    params = dict(call.request.query_pairs + call.request.form_pairs)
    for name in ("delay", "json", "token"):
        params.pop(name, None)
    for queued in state.queue.values():
        if queued.item is call.item and not queued.cancelled and queued.executable is None and queued.params == params:
            queued.again += 1
            return queued
    delay = re.match(r"\d+", call.param("delay") or "5")
    queued = state.enqueue(call.item, call.caller.name, int(delay[0]) if delay else 5)
    queued.params = params
    return queued


def _waiting(call: Call) -> list[QueueItem]:
    """First what waits for its quiet period, then what is blocked, then what could start."""
    left = [
        queued for queued in reversed(call.state.queue.values()) if not queued.cancelled and queued.executable is None
    ]
    return sorted(left, key=lambda queued: ("Waiting", "Blocked", "Buildable").index(_phase(call, queued)))


def serve(call: Call) -> Response:
    rest = call.rest[1:]
    if rest[:1] == ["api"]:
        items = [item_data(call, queued) for queued in _waiting(call)]
        return answer(
            call,
            Data("hudson.model.Queue", {"discoverableItems": [], "items": items}, inline=frozenset({"items"})),
            rest,
        )
    if rest[:1] == ["item"] and len(rest) > 1:
        return _item(call, rest[1], rest[2:])
    if rest == ["cancelItem"]:
        if not call.is_post:
            return pages.needs_post(call.url)
        return _cancel(call, call.param("id") or "")
    return call.not_found()


def _item(call: Call, ident: str, rest: list[str]) -> Response:
    if not ident.isdigit():
        return pages.oops()
    queued = call.state.queue.get(int(ident))
    if queued is None:
        return call.not_found()
    if rest == ["cancelQueue"] and call.is_post:
        return _cancel(call, ident)
    if not rest:
        return pages.page("Queue [Jenkins]", "<h1>Queue</h1>") if call.slash else pages.found(f"{call.url}/")
    return answer(call, item_data(call, queued), rest)


def _cancel(call: Call, ident: str) -> Response:
    queued = call.state.queue.get(int(ident)) if ident.isdigit() else None
    if queued is None:
        return pages.page("Jenkins [Jenkins]", "<h1>Not found</h1>", 404)
    if not call.may(CANCEL):
        return call.denied(CANCEL)
    if queued.cancelled:
        return pages.page("Jenkins [Jenkins]", "<h1>Error</h1>", 500)
    queued.cancelled = True
    return Response(204)
