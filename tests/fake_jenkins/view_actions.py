"""Views: made, read, changed, deleted."""

from __future__ import annotations

from . import pages
from .auth import CONFIGURE, VIEW_READ
from .call import Call
from .exported import VIEW
from .item_actions import create_item, is_form
from .marshal import streamed
from .names import BadName, check_good_name, encode_segment
from .remote_api import answer
from .stapler import Bean
from .views import KNOWN_VIEWS, View, empty_view
from .wire import Response
from .xmldoc import Element, XmlError, parse


def _known(call: Call, root: Element) -> bool:
    return root.tag in KNOWN_VIEWS or root.attrs.get("plugin", "").partition("@")[0] in call.state.versions


def create_view(call: Call) -> Response:
    owner = call.item
    if not call.may(CONFIGURE):
        return call.denied(CONFIGURE)
    name, content_type = call.param("name"), call.request.headers.get("content-type")
    if name is None:
        return pages.failure("Query parameter 'name' is required")
    try:
        check_good_name(name)
    except BadName as bad:
        return pages.failure(str(bad))
    if call.state.view_of(owner, name):
        return pages.failure(f'A view already exists with the name "{name}"')
    if content_type is None:
        return pages.failure("No Content-Type header set")
    if is_form(call):
        mode = call.param("mode")
        if mode is None:
            return pages.failure("No mode given")
        owner.views.append(View(empty_view(mode, name), owner))
        call.state.views_changed(owner)
        return pages.found(f"{call.context.url(owner)}view/{encode_segment(name)}/configure")
    try:
        root = parse(call.request.body, truncate_astral=True).root
    except XmlError:
        return pages.oops()
    if not _known(call, root):
        return pages.oops()
    _set_name(root, name)
    owner.views.append(View(root, owner))
    call.state.views_changed(owner)
    return pages.ok()


def _set_name(root: Element, name: str) -> None:
    root.set("name", name)
    named = root.find("name")
    assert named is not None
    root.children = [named, *(child for child in root.elements if child is not named)]


def serve(call: Call) -> Response:
    """Answers what follows a view's URL."""
    view, rest = call.view, call.rest
    assert view is not None
    if not call.may(VIEW_READ):
        return call.denied(VIEW_READ)
    if not rest:
        if not call.slash:
            return pages.found(f"{call.root_url.rstrip('/')}{call.path}/")
        return pages.page(f"{view.name} [Jenkins]", f"<h1>{view.name}</h1>")
    if rest[0] == "api":
        return answer(call, Bean(VIEW, view), rest)
    if rest == ["config.xml"]:
        return _config(call, view)
    if rest == ["createItem"]:
        return create_item(call)
    if rest[0] in ("doDelete", "addJobToView", "removeJobFromView"):
        if not call.is_post:
            return pages.needs_post(call.url)
        if rest[0] == "doDelete":
            view.owner.views = [each for each in view.owner.views if each is not view]
            if view.owner.primary_view == view.name and view.owner.views:  # not refused: another view becomes the first
                view.owner.primary_view = view.owner.views[0].name
            call.state.views_changed(view.owner)
            return pages.found(call.context.url(view.owner))
        view.set_job(call.param("name") or "", rest[0] == "addJobToView")
        call.state.views_changed(view.owner)
        return pages.ok()
    return call.not_found()


def _config(call: Call, view: View) -> Response:
    if call.method == "GET":
        return pages.xml(streamed(view.root))
    if not call.is_post:
        return Response(400)
    if not call.may(CONFIGURE):
        return call.denied(CONFIGURE)
    if is_form(call):
        return pages.oops()
    try:
        root = parse(call.request.body, truncate_astral=True).root
    except XmlError:
        return pages.oops()
    if root.tag != view.root.tag:
        return pages.oops()
    _set_name(root, view.name)  # the name in the text is ignored
    view.root = root
    call.state.views_changed(view.owner)
    return pages.ok()
