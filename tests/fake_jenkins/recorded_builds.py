"""The recorded builds: what one deep answer told of all of them, and what was fetched below their URLs."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from .call import segments
from .items import Build, Item
from .seed import RECORDINGS, answer_of, find, recording
from .state import State

_BUILD_PATH = re.compile(r"^(?P<job>(?:/job/[^/]+)+)/(?P<number>\d+)/(?P<rest>.+)$")
# what belongs to a job or to one combination of a matrix, and is served as it was
_STATIC = re.compile(r"(?:/job/[^/]+)+/(?:wfapi/\w+|(?:\d+/)?DB=b,OS=bsd/(?:api/json|consoleText|config\.xml))")
# below a build's URL: what is told by a document rather than made from values
_DOCUMENTS = re.compile(
    r"consoleText|wfapi/[\w/]+|execution/node/\d+/wfapi/\w+|testReport/api/json|artifact/[^*]+|replay/?|git/api/json|api/json"
)


def add_builds(state: State, later: bool = False) -> None:
    """Gives the recorded jobs the builds that they had when the inventory was taken; `later`: also those that ran afterwards."""
    _from_snapshot(state.jobs["acme"], json.loads(answer_of(find("inventory", "21"))))
    _add_documents(state, later)


_BRANCHES = {"main": ("20", "32"), "develop": ("20", "37"), "feature%2Flogin": ("21", "42")}


def add_branch_builds(state: State, running: bool = False) -> None:
    """Gives the branches the second build that an indexing started: still running, or done."""
    for name, (started, done) in _BRANCHES.items():
        branch = state.jobs[f"acme/app/{name}"]
        values = json.loads(answer_of(find("multibranch", started if running else done)))
        build = Build(2, {key: each for key, each in values.items() if key != "_class"}, values["_class"])
        if name == "develop" and running:
            build.values["fullDisplayName"] = build.values["fullDisplayName"].replace("main", name)
        branch.builds = [build, *(each for each in branch.builds if each.number != 2)]
        branch.next_build = 3
        if not running:
            for offset, rest in ((1, "consoleText"), (2, "wfapi/describe"), (3, "testReport/api/json")):
                response = recording(find("multibranch", str(int(done) + offset)))["response"]
                _add(build, rest, {**response, "body": response["body"].replace("/lastBuild/", "/2/")})


def _from_snapshot(group: Item, values: dict[str, Any]) -> None:
    for each in values.get("jobs", []):
        item = group.child(each["name"])
        if item is None:
            continue
        if "builds" in each:
            item.builds = [
                Build(build["number"], {k: v for k, v in build.items() if k != "_class"}, build["_class"])
                for build in each["builds"]
            ]
            item.next_build = each["nextBuildNumber"]
        _from_snapshot(item, each)


def _add_documents(state: State, later: bool) -> None:
    # answers first: the documents of a build are kept with it
    for path in sorted(RECORDINGS.glob("*/*.json"), key=lambda path: "api" not in path.stem):
        exchange = recording(f"{path.parent.name}/{path.stem}")
        request, response = exchange["request"], exchange["response"]
        hit = _BUILD_PATH.match(request["path"])
        if _STATIC.fullmatch(request["path"]) and _is_plain(exchange):
            static = (response.get("body") or "").encode("utf-8", "surrogatepass")
            state.documents.setdefault(request["path"].lstrip("/"), (response["headers"]["content-type"], static))
        if (
            not hit
            or request["method"] != "GET"
            or response["status"] != 200
            or "x-recording-note" in response["headers"]
        ):
            continue
        names = [name for name in segments(hit["job"]) if name != "job"]
        item = state.jobs.find("/".join(names))
        rest = "/".join(segments(hit["rest"]))
        build = next((each for each in item.builds if each.number == int(hit["number"])), None) if item else None
        if build is None and item and later and rest == "api/json":
            build = _later_build(item, int(hit["number"]), response)
        if build is not None and rest == "api/json" and request.get("query") == "depth=2":
            build.deep = json.loads(response["body"])
        if build is not None and request.get("query") in (None, "", "depth=0") and _DOCUMENTS.fullmatch(rest):
            _add(build, rest, response)


def _is_plain(exchange: dict[str, Any]) -> bool:
    request = exchange["request"]
    return request["method"] == "GET" and exchange["response"]["status"] == 200 and not request.get("query")


def _later_build(item: Item, number: int, response: dict[str, Any]) -> Build | None:
    """Makes a build that ran after the snapshot of its own answer."""
    values = json.loads(response["body"])
    if values.get("number") != number:
        return None
    build = Build(number, {k: v for k, v in values.items() if k != "_class"}, values["_class"])
    item.builds = sorted([*item.builds, build], key=lambda each: -each.number)
    item.next_build = max(item.next_build, number + 1)
    return build


def _add(build: Build, rest: str, response: dict[str, Any]) -> None:
    text = response.get("body") or ""
    if rest.startswith("artifact") and response["headers"].get("content-type", "").startswith("text/html"):
        return  # a listing
    if rest == "consoleText":
        build.console = text
    elif rest == "api/json":
        for name, value in json.loads(text).items():
            if name not in ("_class", "number", "url"):
                build.values.setdefault(name, value)
    else:
        body = (
            base64.b64decode(text)
            if response.get("body_encoding") == "base64"
            else text.encode("utf-8", "surrogatepass")
        )
        build.extra.setdefault(rest, (response["headers"].get("content-type", ""), body))
