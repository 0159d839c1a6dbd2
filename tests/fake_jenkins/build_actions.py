"""Builds of a job: asked for, and served as they were recorded."""

from __future__ import annotations

import json
import re
import time
from typing import Any

from . import pages
from .artifacts import serve_artifact
from .auth import BUILD, REPLAY
from .build_changes import CHANGES, change
from .call import Call
from .exported_builds import build_data, recorded
from .items import Build, Item
from .queue_actions import enqueue
from .remote_api import answer
from .stapler import ALWAYS, Data
from .wire import Response

PIPELINE_RUN = "org.jenkinsci.plugins.workflow.job.WorkflowRun"
_PERMALINKS = {
    "lastBuild": None,
    "lastCompletedBuild": ("SUCCESS", "UNSTABLE", "FAILURE", "ABORTED", "NOT_BUILT"),
    "lastSuccessfulBuild": ("SUCCESS", "UNSTABLE"),
    "lastStableBuild": ("SUCCESS",),
    "lastFailedBuild": ("FAILURE",),
    "lastUnstableBuild": ("UNSTABLE",),
    "lastUnsuccessfulBuild": ("UNSTABLE", "FAILURE", "ABORTED", "NOT_BUILT"),
}


def serve(call: Call) -> Response:
    item, rest = call.item, call.rest
    if item.parent is None or item.is_group:
        return call.not_found()
    if rest in (["build"], ["buildWithParameters"]):
        return _build(call, rest[0] == "buildWithParameters")
    build = _find(item, rest[0])
    if build is None:
        return call.not_found()
    if len(rest) == 1:
        if not call.slash:
            return pages.found(f"{call.root_url.rstrip('/')}{call.path}/")
        return pages.page(f"{item.full_display_name} #{build.number} [Jenkins]", f"<h1>Build #{build.number}</h1>")
    return _of_build(call, build, rest[1:])


def _find(item: Item, name: str) -> Build | None:
    if name in _PERMALINKS:
        wanted = _PERMALINKS[name]
        return next((build for build in item.builds if wanted is None or build.result in wanted), None)
    return next((build for build in item.builds if str(build.number) == name), None)


def _build(call: Call, with_parameters: bool) -> Response:
    if not call.is_post:
        return pages.page("Form post required [Jenkins]", "<h1>Form post required</h1>", 405, {"Allow": "POST"})
    if not call.may(BUILD):
        return call.denied(BUILD)
    item = call.item
    if item.held or item.meta.disabled:
        return pages.page("Jenkins [Jenkins]", f"<h1>Error</h1><p>{item.display_name} is not buildable", 409)
    if with_parameters and item.meta.parameters is None:
        return pages.oops()
    if not with_parameters and item.meta.parameters is not None and call.param("json") is None:
        return pages.jetty_error(400, "Nothing is submitted", call.path)
    queued = enqueue(call)
    location = f"{call.root_url}queue/item/{queued.ident}/"
    if call.param("json") is not None:
        location = call.context.url(item)
    return Response(201, {"Location": location})


def _of_build(call: Call, build: Build, rest: list[str]) -> Response:
    item = call.item
    if rest[0] == "api":
        data = build_data(call.context, item, build)
        return answer(
            call,
            Data(
                data.cls, {**data.values, **(_neighbours(call, build) if data.cls == PIPELINE_RUN else {})}, data.hidden
            ),
            rest,
        )
    if len(rest) == 1 and rest[0] in CHANGES:
        return change(call, build, rest[0])
    if rest == ["consoleText"]:
        return pages.plain(build.console)
    if rest == ["console"]:
        return pages.page(f"{item.full_display_name} #{build.number} Console [Jenkins]", f"<pre>{build.console}</pre>")
    if rest == ["logText", "progressiveText"]:
        return _progressive(call, build)
    if rest[0] == "replay" and not call.may(REPLAY):
        return pages.refresh_not_found()
    if rest == ["buildNumber"]:
        return _ascii(str(build.number))
    if rest == ["buildTimestamp"] and call.param("format") == "yyyy":
        return _ascii(time.strftime("%Y", time.gmtime(build.values.get("timestamp", 0) / 1000)))
    if rest == ["buildTimestamp"]:
        return _ascii(time.strftime("%b %-d, %Y, %-I:%M:%S %p", time.gmtime(build.values.get("timestamp", 0) / 1000)))
    if rest == ["displayName"]:
        return _ascii(str(build.values.get("displayName", f"#{build.number}")))
    if rest[0] == "replay" and len(rest) > 1 and call.is_post:
        return _replay(call, rest[1])
    if rest == ["replay"] and not call.slash:
        return pages.found(f"{call.url}/")
    if rest == ["changes"]:
        return pages.page(f"{item.full_display_name} #{build.number} Changes [Jenkins]", "<h1>Changes</h1>")
    if rest == ["flowGraphTable"]:
        return pages.page(f"{item.full_display_name} #{build.number} Pipeline steps [Jenkins]", "<h1>Steps</h1>")
    if rest == ["config.xml"] and not call.slash:
        return pages.found(f"{call.url}/")
    if rest[0] == "artifact":
        return serve_artifact(call, build, rest)
    found = build.extra.get("/".join(rest))
    if found is None:
        return pages.refresh_not_found() if rest[0] in _OPTIONAL else call.not_found()
    kind, body = found
    if rest[-2:] == ["api", "json"]:
        return answer(call, recorded(json.loads(body)), ["api", "json"])
    if kind.startswith("text/html"):
        title = re.search(rb"<title>(.*?)</title>", body)
        page = pages.page(title[1].decode() if title else "Jenkins", "")
        page.body = body
        return page
    if rest[0] in ("wfapi", "execution"):
        return Response(200, {"Content-Type": kind}, _as_asked(call, build, body))
    return Response(200, {"Content-Type": kind}, body, compressible=True)


# actions that a build may have; asking for one that it has not gives a page that leads back
_OPTIONAL = ("replay", "testReport", "injectedEnvVars", "wfapi")


def _ascii(text: str) -> Response:
    return Response(200, {"Content-Type": "text/plain;charset=US-ASCII"}, text.encode("ascii", "replace"))


def _replay(call: Call, action: str) -> Response:
    if action not in ("run", "rebuild"):
        return call.not_found()
    enqueue(call)
    return pages.found(call.context.url(call.item))


def _as_asked(call: Call, build: Build, body: bytes) -> bytes:
    """The links of the stage view are made with the build's name as the request has it."""
    return (
        body.replace(f"/{build.number}/".encode(), f"/{call.rest[0]}/".encode())
        if call.rest[0] in _PERMALINKS
        else body
    )


def _neighbours(call: Call, build: Build) -> dict[str, Any]:
    builds = call.item.builds
    place = builds.index(build)
    out: dict[str, Any] = {}
    for name, at in (("nextBuild", place - 1), ("previousBuild", place + 1)):
        other = builds[at] if 0 <= at < len(builds) else None
        url = f"{call.context.url(call.item)}{other.number}/" if other else ""
        out[name] = Data(None, {"number": other.number, "url": url, "result": other.result}, {"result": 1}, default=ALWAYS) if other else None
    return out


def _progressive(call: Call, build: Build) -> Response:
    log = build.console.replace("\n", "\r\n").encode("utf-8", "surrogatepass")
    start = call.param("start") or "0"
    offset = int(start) if start.isdigit() else 0
    body = log[offset:] if offset <= len(log) else log  # a start beyond the end gives everything
    headers = {"Content-Type": "text/plain;charset=utf-8", "X-Text-Size": str(len(log))}
    if build.values.get("building"):
        headers["X-More-Data"] = "true"
    return Response(200, headers, body)
