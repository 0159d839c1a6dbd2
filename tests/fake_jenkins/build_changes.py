"""What can be done to a build."""

from __future__ import annotations

import json

from . import pages
from .auth import ADMINISTER, CANCEL, DELETE
from .call import Call
from .items import Build
from .wire import Response

CHANGES = frozenset({"stop", "term", "kill", "toggleLogKeep", "submitDescription", "doDelete", "configSubmit"})


def change(call: Call, build: Build, action: str) -> Response:
    """Stops, keeps, describes or deletes a build."""
    if not call.is_post:
        return pages.needs_post(call.url)
    item = call.item
    url = f"{call.context.url(item)}{build.number}/"
    if action in ("stop", "term", "kill"):
        if not call.may(CANCEL):
            return call.denied(CANCEL)
        if build.values.get("building"):
            build.values |= {"building": False, "result": "ABORTED"}
        return pages.found(url) if action == "stop" else pages.ok()
    if not call.may(DELETE if action == "doDelete" else ADMINISTER):
        return call.denied(DELETE if action == "doDelete" else ADMINISTER)
    if action == "toggleLogKeep":
        build.values["keepLog"] = not build.values.get("keepLog")
    elif action == "submitDescription":
        build.values["description"] = call.param("description")
    elif action == "configSubmit":
        form = json.loads(call.param("json") or "{}")
        plain = f"#{build.number}"
        shown = form.get("displayName") or plain
        build.values |= {"description": form.get("description"), "displayName": shown}
        build.values["fullDisplayName"] = f"{item.full_display_name} {shown}"
    else:
        if build.values.get("keepLog"):
            name = f"{item.full_display_name} #{build.number}"
            return pages.failure(f"Unable to delete {name}: This record is explicitly marked to be kept.")
        item.builds.remove(build)
        return pages.found(call.context.url(item))
    return pages.found(url)
