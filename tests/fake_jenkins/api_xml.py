"""The XML flavour of the remote API, with the few XPaths that clients send."""

from __future__ import annotations

import re
from typing import Any
from xml.sax.saxutils import escape

from . import pages
from .wire import Response

_ROOT_TAGS = {"hudson": "hudson", "folder": "folder", "freestyleproject": "freeStyleProject"}


def xml_answer(value: dict[str, Any], query: dict[str, str]) -> Response:
    """Writes a value as XML, filtered by `exclude` and `xpath`."""
    tag = _tag_of(str(value.get("_class", "object")))
    for excluded in [query["exclude"]] if "exclude" in query else []:
        if not (hit := re.fullmatch(r"//(\w+)", excluded)):
            return pages.oops(api=True)
        value = _without(value, hit[1])
    xpath = query.get("xpath")
    if xpath is None:
        if "exclude" in query:
            text = '<?xml version="1.0" encoding="UTF-8"?>\n' + _element(tag, value, '"')
        else:
            text = _element(tag, value, "'")
        return pages.api(text.encode(), "application/xml;charset=UTF-8")
    concat = re.fullmatch(r"concat\((.*)\)", xpath)
    if concat:
        parts = [p.strip() for p in concat[1].split(",")]
        text = "".join(part[1:-1] if part[0] in "\"'" else str(_select(value, part)[0]) for part in parts)
        return pages.api(text.encode(), "text/plain;charset=utf-8")
    if not re.fullmatch(r"//?[\w/]+(\[\d+\])?(/text\(\))?", xpath):
        return pages.oops(api=True)
    matched = _select(value, xpath)
    wrapper = query.get("wrapper")
    name = xpath.rstrip("/").rpartition("/")[2]
    if wrapper:
        text = f"<{wrapper}>{''.join(_element(name, each, chr(34)) for each in matched)}</{wrapper}>"
        return pages.api(text.encode(), "application/xml;charset=UTF-8")
    if not matched:
        return _bare(404, f"XPath {xpath} didn?t match")
    if len(matched) > 1:
        return _bare(
            500,
            f'XPath "{xpath}" matched {len(matched)} nodes. Create XPath that only matches one, or use the "wrapper" query '
            "parameter to wrap them all under a root element.",
        )
    return pages.api(_element(name, matched[0], '"').encode(), "application/xml;charset=UTF-8")


def _bare(status: int, text: str) -> Response:
    headers = {"X-Jenkins": pages.VERSION, "X-Jenkins-Session": pages.SESSION, "X-Frame-Options": "deny"}
    return Response(status, headers, text.encode())


def _tag_of(cls: str) -> str:
    short = re.split(r"[.$]", cls)[-1]
    return short[0].lower() + short[1:]


def _singular(name: str) -> str:
    if name.endswith("ies"):
        return name[:-3] + "y"
    return name[:-1] if name.endswith("s") else name


def _element(tag: str, value: Any, mark: str) -> str:
    if not isinstance(value, dict):
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        return f"<{tag}>{escape(shown)}</{tag}>"
    cls = value.get("_class")
    out = f"<{tag} _class={mark}{cls}{mark}>" if cls else f"<{tag}>"
    for name, inner in value.items():
        if name == "_class" or inner is None:
            continue
        for each in inner if isinstance(inner, list) else [inner]:
            out += _element(_singular(name) if isinstance(inner, list) else name, each, mark)
    return f"{out}</{tag}>"


def _without(value: Any, tag: str) -> Any:
    if isinstance(value, dict):
        return {
            name: _without(inner, tag)
            for name, inner in value.items()
            if name != tag and not (isinstance(inner, list) and _singular(name) == tag)
        }
    return [_without(each, tag) for each in value] if isinstance(value, list) else value


def _select(value: Any, xpath: str) -> list[Any]:
    """Finds what //a/b names; good for names, not for predicates."""
    first, *more = [part for part in xpath.split("/") if part]
    found = _descend(value, first)
    for part in more:
        found = [each for inner in found for each in _children(inner, part)]
    return found


def _children(value: Any, tag: str) -> list[Any]:
    out: list[Any] = []
    for name, inner in value.items() if isinstance(value, dict) else []:
        if isinstance(inner, list) and _singular(name) == tag:
            out += inner
        elif name == tag and not isinstance(inner, list):
            out.append(inner)
    return out


def _descend(value: Any, tag: str) -> list[Any]:
    out: list[Any] = []
    if isinstance(value, list):
        return [hit for each in value for hit in _descend(each, tag)]
    if isinstance(value, dict):
        for name, inner in value.items():
            singular = _singular(name)
            for each in inner if isinstance(inner, list) else [inner]:
                if each is not None and tag == (singular if isinstance(inner, list) else name):
                    out.append(each)
                out += _descend(each, tag)
    return out
