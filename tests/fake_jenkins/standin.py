"""Agents that really are connected: processes of the stand-in agent.jar that ask again and again for something to do.

Jenkins' own protocol is not spoken. What is as there: the secret is checked, an agent is online while its process
calls, and a pipeline of one `node` with one `sh` is run by it.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from .items import Build
from .nodes import fake_monitors, secret_of
from .wire import Response

if TYPE_CHECKING:
    from .call import Call
    from .nodes import Node
    from .state import QueueItem, State

GONE = 1.5  # seconds without a call
SCRIPT = re.compile(r"node\('(?P<label>[^']+)'\)\s*\{\s*sh '''(?P<shell>.*?)'''", re.DOTALL)


def refresh(state: State) -> None:
    """An agent whose process no longer calls is offline."""
    for node in state.nodes.values():
        if node.seen is not None and node.online and time.monotonic() - node.seen > GONE:
            node.online, node.monitors = False, {}
            node.log += "Connection terminated\n"


def serve(call: Call) -> Response:
    """`/standin-agent/next`: an agent calls."""
    node = call.state.nodes.get(call.param("name") or "")
    if call.rest[1:] != ["next"] or node is None or node.builtin:
        return Response(404)
    if call.request.headers.get("x-agent-secret") != secret_of(node):
        return Response(403)
    if not node.launcher.endswith("JNLPLauncher"):
        return Response(400)
    first = call.param("first") == "true"
    if first or not node.online:
        node.log += "Inbound agent connected\nAgent successfully connected and online\n"
    node.seen, node.online = time.monotonic(), True
    node.monitors = node.monitors or fake_monitors(node.field("remoteFS"))
    if result := call.param("result"):
        _finish(call.state, node, int(result), call.request.body.decode("utf-8", "replace"))
    work = None if node.offline or node.job is not None else _next(call.state, node)
    return Response(200, {"Content-Type": "text/plain;charset=utf-8"}, (work or "").encode())


def _next(state: State, node: Node) -> str | None:
    """Starts the first waiting build that this agent can run."""
    for queued in state.queue.values():
        if queued.cancelled or queued.executable is not None:
            continue
        found = SCRIPT.search(queued.item.config if isinstance(queued.item.config, str) else queued.item.config.decode())
        if found and found["label"].replace("&apos;", "'") in node.labels:
            return _start(state, node, queued, found["shell"])
    return None


def _start(state: State, node: Node, queued: QueueItem, shell: str) -> str:
    number = queued.item.next_build
    values = {"building": True, "result": None, "number": number, "timestamp": int(time.time() * 1000), "duration": 0, "fullDisplayName": f"{queued.item.name} #{number}"}
    build = Build(number, values, console=f"Started by user {queued.user}\n[Pipeline] node\nRunning on {node.name}\n[Pipeline] sh\n")
    state.leave_queue(queued, build)
    node.job = build
    for escaped, plain in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&")):
        shell = shell.replace(escaped, plain)
    return shell


def _finish(state: State, node: Node, status: int, output: str) -> None:
    build, node.job = node.job, None
    if build is None:
        return
    result = "SUCCESS" if status == 0 else "FAILURE"
    build.values |= {"building": False, "result": result, "duration": 500}
    build.console += f"{output}[Pipeline] End of Pipeline\n" + (f"ERROR: script returned exit code {status}\n" if status > 0 else "") + f"Finished: {result}\n"
