"""`pipeline-model-converter`: as much of a linter as a fake needs."""

from __future__ import annotations

import json

from . import pages
from .call import Call
from .wire import Response


def serve(call: Call) -> Response:
    """Says whether a Jenkinsfile is a Declarative pipeline at all; `State.on_validate` may know more."""
    if call.rest[1:] not in (["validate"], ["validateJenkinsfile"]):
        return call.not_found()
    if not call.is_post:
        return pages.needs_post(call.url)
    text = dict(call.request.form_pairs).get("jenkinsfile")
    error = call.state.on_validate(text) if text else None
    if error is None and "pipeline" not in (text or ""):
        error = f"Jenkinsfile content '{text}' did not contain the 'pipeline' step"
    if call.rest[1] == "validate":
        if text is None:
            return pages.plain("No Jenkinsfile specified\n", compress=False)
        return pages.plain(f"{error}\n" if error else "Jenkinsfile successfully validated.\n", compress=False)
    if not text:
        error = "No content found for 'jenkinsfile' parameter"
    result = {"result": "failure", "errors": [{"error": error}]} if error else {"result": "success"}
    body = json.dumps({"status": "ok", "data": result}, separators=(",", ":")).encode()
    return Response(200, {"Content-Type": "application/json;charset=utf-8"}, body)
