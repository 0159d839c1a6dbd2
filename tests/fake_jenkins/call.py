"""A request on its way to whatever answers it: resolved as far as items and views reach."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from . import pages
from .auth import DISCOVER, ITEM_READ, Caller
from .context import Context
from .items import Item
from .state import State
from .views import View
from .wire import Request, Response

_ENCODED = re.compile("%([0-9A-Fa-f]{2})")


@dataclass
class Call:
    """What a handler works with; `item` is the innermost one on the path, `rest` what follows it."""

    request: Request
    state: State
    caller: Caller
    root_url: str
    item: Item
    context: Context
    view: View | None = None
    rest: list[str] = field(default_factory=list)
    slash: bool = False
    refused: Response | None = None

    @property
    def path(self) -> str:
        return self.request.raw_path

    @property
    def method(self) -> str:
        return self.request.method

    @property
    def is_post(self) -> bool:
        return self.request.method == "POST"

    @property
    def url(self) -> str:
        return f"{self.root_url.rstrip('/')}{self.path}{'?' + self.request.query if self.request.query else ''}"

    def may(self, permission: str) -> bool:
        return self.caller.may(permission)

    def denied(self, permission: str) -> Response:
        return pages.denied(self.caller, permission)

    def not_found(self) -> Response:
        return pages.not_found(self.path)

    def param(self, name: str) -> str | None:
        return self.request.param(name)


def segments(path: str) -> list[str]:
    """Splits a path as Stapler does: empty and dot segments vanish, each of the others is decoded once."""
    out: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del out[-1:]
        elif part not in ("", "."):
            out.append(unquote(part) if "%" in part else part)
    return out


def raw_segments(path: str) -> list[str]:
    out: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del out[-1:]
        elif part not in ("", "."):
            out.append(part)
    return out


def resolve(request: Request, state: State, caller: Caller, root_url: str) -> Call:
    """Follows job/NAME and view/NAME from the root."""
    parts, raw = segments(request.raw_path), raw_segments(request.raw_path)
    context = Context(state, root_url, caller)
    call = Call(request, state, caller, root_url, state.root, context, slash=request.raw_path.endswith("/"))
    at, url = 0, root_url
    while at + 1 < len(parts):
        if parts[at] == "job":
            if not call.item.is_group:
                break
            if not caller.may(ITEM_READ):
                call.refused = pages.login_first(parts[at + 1]) if caller.may(DISCOVER) else call.not_found()
                return call
            child = call.item.child(parts[at + 1]) or call.item.child(parts[at + 1].replace("/", "%2F"))
            if child is None or (child.parent is not call.item):
                call.refused = call.not_found()
                return call
            call.item, call.view = child, None
        elif parts[at] == "view" and call.item.is_group:
            view = state.view_of(call.item, parts[at + 1])
            if view is None:
                call.refused = call.not_found()
                return call
            call.view = view
        else:
            break
        url += f"{raw[at]}/{raw[at + 1]}/"
        if call.view is None:
            context.urls[id(call.item)] = url
        at += 2
    call.rest = parts[at:]
    return call
