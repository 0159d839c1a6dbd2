"""What can be done to a job or a folder."""

from __future__ import annotations

import re
from collections.abc import Callable

from . import kinds, pages
from .auth import BUILD, CONFIGURE, CREATE, DELETE, EXTENDED_READ
from .call import Call
from .items import Item
from .marshal import load
from .names import BadName, check_good_name, encode_segment
from .wire import Response
from .xmldoc import Document, Element, XmlError, parse

_CIPHERTEXT = re.compile(rb"\{AQAA[A-Za-z0-9+/=]*\}")
_MAX_NAME = 240  # what a file system lets a directory's name be


def is_form(call: Call) -> bool:
    return "form-urlencoded" in call.request.headers.get("content-type", "")


def config_xml(call: Call) -> Response:
    item = call.item
    if call.method == "GET":
        if not call.may(EXTENDED_READ):
            return call.denied(EXTENDED_READ)
        return pages.xml(item.config if call.may(CONFIGURE) else _CIPHERTEXT.sub(b"********", item.config))
    if call.method == "HEAD":
        return pages.jetty_error(400, "Bad Request", call.path)
    if not call.is_post:
        return Response(400)
    if item.is_computed or not call.may(CONFIGURE):
        return call.denied(CONFIGURE)
    if is_form(call):
        return pages.oops()
    try:
        document = parse(call.request.body)
        if call.state.class_of(document.root) != item.cls:
            return pages.oops()
        call.state.take_config(item, document)
        item.reloaded = item.is_group
        item.resort()
    except XmlError:
        return pages.oops()
    return pages.ok()


def create_item(call: Call) -> Response:
    """ItemGroupMixIn.createTopLevelItem, check by check."""
    group = call.item
    if not call.may(CREATE):
        return call.denied(CREATE)
    mode, content_type = call.param("mode"), call.request.headers.get("content-type")
    if content_type is None and mode != "copy":
        return pages.failure("No Content-Type header set")
    name = call.param("name")
    if name is None:
        return pages.failure("Query parameter 'name' is required")
    try:
        check_good_name(name)
    except BadName as bad:
        return pages.failure(str(bad))
    name = name.strip()
    if group.child(name):
        return pages.failure(f"A job already exists with the name ‘{name}’")
    if len(name.encode()) > _MAX_NAME:
        return pages.oops()
    if mode == "copy":
        return _copy(call, group, name)
    if content_type is not None and content_type.startswith(("application/xml", "text/xml")):
        return _create_from_xml(call, group, name)
    if mode is None:
        return pages.failure("No mode given")
    return _create_from_form(call, group, name, mode)


def _added(call: Call, item: Item) -> None:
    if item.parent and item.parent.kind and item.parent.kind.computed:
        item.parent.ghosts.add(item.name)
    if call.view is not None and call.view.cls == "hudson.model.ListView":
        call.view.set_job(item.name, True)
        call.state.views_changed(call.view.owner)


def _create_from_xml(call: Call, group: Item, name: str) -> Response:
    try:
        document = parse(call.request.body)
        item = Item(name, call.state.class_of(document.root), group)
        call.state.take_config(item, document)
    except XmlError:
        return pages.oops()
    group.add(item)
    _added(call, item)
    return pages.ok()


def _create_from_form(call: Call, group: Item, name: str, mode: str) -> Response:
    kind = kinds.BY_CLASS.get(mode)
    if kind is None:
        return pages.failure(f"No item type ‘{mode}’ is known")
    root = Element(kind.tag)
    _fill(root, kind)
    item = Item(name, kind.cls, group)
    group.add(item)
    call.state.take_config(item, Document("1.1", root))
    call.state.save(item)
    _added(call, item)
    return pages.found(f"{call.context.url(item)}configure")


def _fill(root: Element, kind: kinds.Kind) -> None:
    root.children.append(Element("actions"))
    if kind.cls != kinds.FOLDER:
        return
    owner = Element("owner", {"class": kind.cls, "reference": "../../../.."})
    plain = [
        Element(tag, {}, [text])
        for tag, text in (("name", "All"), ("filterExecutors", "false"), ("filterQueue", "false"))
    ]
    view = Element(
        "hudson.model.AllView", {}, [owner, *plain, Element("properties", {"class": "hudson.model.View$PropertyList"})]
    )
    holder = {"class": "com.cloudbees.hudson.plugins.folder.views.DefaultFolderViewHolder"}
    bar = Element("tabBar", {"class": "hudson.views.DefaultViewsTabBar"})
    root.children += [
        Element("folderViews", holder, [Element("views", {}, [view]), bar]),
        Element("healthMetrics"),
        Element("icon", {"class": "com.cloudbees.hudson.plugins.folder.icons.StockFolderIcon"}),
    ]


def _copy(call: Call, group: Item, name: str) -> Response:
    wanted = call.param("from") or ""
    source = call.state.jobs.find(wanted[1:]) if wanted.startswith("/") else None
    if source is None and not wanted.startswith("/"):
        prefix = f"{group.full_name}/" if group.parent else ""
        source = call.state.jobs.find(prefix + wanted)
    if source is None or source.parent is None:
        return pages.failure(f"No such job: {wanted}")
    item = Item(name, source.cls, group, source.config)
    group.add(item)
    call.state.save(item)
    call.state._take_parts(item)
    item.held = not item.is_group
    _added(call, item)
    return pages.found(f"{call.context.url(item)}configure")


def delete(call: Call) -> Response:
    item = call.item
    if item.parent is None:
        return call.not_found()
    if item.is_computed or not call.may(DELETE):
        return call.denied(DELETE)
    item.parent.remove(item)
    return pages.found(call.context.url(item.parent))


def delete_method(call: Call) -> Response:
    response = delete(call)
    return Response(204) if response.status == 302 else response


def rename(call: Call) -> Response:
    item, name = call.item, call.param("newName") or ""
    if item.is_computed:
        return call.denied(DELETE)
    if not call.may(CONFIGURE):
        return call.denied(CONFIGURE)
    try:
        check_good_name(name)
    except BadName as bad:
        return pages.failure(str(bad))
    other = item.parent.child(name) if item.parent else None
    if other is not None and (other is not item or other.name == name):
        return pages.failure(f"The name ‘{name}’ is already in use.")
    call.state.rename(item, name)
    call.context.urls.pop(id(item), None)
    return pages.found(call.context.url(item).rstrip("/"))


def move(call: Call) -> Response:
    item = call.item
    target = call.state.jobs.find(call.param("destination") or "")
    if target is None or not target.is_group or item.parent is None:
        return pages.found(f"{call.context.url(item)}move/")
    item.parent.remove(item)
    target.add(item)
    call.context.urls.clear()
    return pages.found(call.context.url(item))


def _switch(disabled: bool) -> Callable[[Call], Response]:
    def act(call: Call) -> Response:
        if not call.may(CONFIGURE):
            return call.denied(CONFIGURE)
        if call.item.cls != kinds.FOLDER and call.item.meta.disabled != disabled:
            call.state.save(call.item, lambda root: root.set("disabled", str(disabled).lower()))
        return pages.found(call.context.url(call.item))

    return act


def submit_description(call: Call) -> Response:
    if not call.may(CONFIGURE):
        return call.denied(CONFIGURE)
    text = call.param("description")
    if text is not None:
        call.state.save(call.item, lambda root: root.set("description", text))
    return pages.found(call.context.url(call.item))


def reload(call: Call) -> Response:
    load(call.item.config)
    return pages.ok()


def check_job_name(call: Call) -> Response:
    if not call.may(CREATE):  # not recorded; hudson.model.View#doCheckJobName checks it
        return call.denied(CREATE)
    headers = {"Content-Type": "text/html;charset=utf-8"}
    headers |= dict.fromkeys(
        ("Content-Security-Policy", "X-WebKit-CSP", "X-Content-Security-Policy"), "sandbox; default-src 'none';"
    )
    try:
        check_good_name(call.param("value") or "")
    except BadName as bad:
        image = f"/static/{pages.SESSION}/images/none.gif"
        return Response(200, headers, f"<div class=error><img src='{image}' height=16 width=1>{bad}</div>".encode())
    return Response(200, headers, b"<div/>")


def index(call: Call) -> Response:
    """Indexes a multibranch project: what does not belong there vanishes."""
    if not call.may(BUILD):
        return call.denied(BUILD)
    for name in call.item.ghosts:
        ghost = call.item.child(name)
        if ghost is not None:
            call.item.remove(ghost)
    call.item.ghosts.clear()
    return pages.found(call.context.url(call.item))


# action -> (needs POST, handler)
Actions = dict[str, tuple[bool, Callable[[Call], Response]]]
ACTIONS: Actions = {
    "config.xml": (False, config_xml),
    "doDelete": (True, delete),
    "doRename": (True, rename),
    "confirmRename": (True, rename),
    "disable": (True, _switch(True)),
    "enable": (True, _switch(False)),
    "submitDescription": (True, submit_description),
    "description": (True, submit_description),
    "reload": (True, reload),
}
GROUP_ACTIONS: Actions = {"createItem": (False, create_item), "checkJobName": (False, check_job_name)}


def job_url(name: str) -> str:
    return f"job/{encode_segment(name)}/"
