"""`api/json`, `api/xml` and `api/python` of anything exported."""

from __future__ import annotations

from typing import Any

from . import pages
from .api_xml import xml_answer
from .call import Call
from .stapler import Bean, Data, TreeError, Writer, parse_tree, to_json
from .wire import Response


def answer(call: Call, value: Bean | Data, rest: list[str]) -> Response:
    """Answers what follows an exported object's URL; `rest` starts with `api`."""
    if len(rest) == 1:
        if not call.slash:
            return pages.found(f"{call.root_url.rstrip('/')}{call.path}/")
        return pages.page("Remote API [Jenkins]", "<h1>REST API</h1>")
    if len(rest) != 2 or rest[1] not in ("json", "xml", "python"):
        return call.not_found()
    query = dict(call.request.query_pairs)
    if "jsonp" in query:
        return pages.jetty_error(403, "jsonp forbidden; implement jenkins.security.SecureRequester", call.path)
    try:
        written = write(call, value, query)
    except (TreeError, ValueError):
        return pages.oops(api=True)
    if rest[1] == "xml":
        return xml_answer(written, query)
    kind = "application/json;charset=utf-8" if rest[1] == "json" else "text/x-python;charset=UTF-8"
    return pages.api(to_json(written, query.get("pretty") == "true"), kind)


def write(call: Call, value: Bean | Data, query: dict[str, str]) -> Any:
    writer = Writer(call.context)
    if "tree" in query:
        tree = parse_tree(query["tree"])
        return writer.by_tree(value, tree)
    return writer.by_depth(value, 1 - int(query.get("depth", "0")))
