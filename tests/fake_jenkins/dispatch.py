"""From a request to its answer: authentication, crumbs, then the path."""

from __future__ import annotations

from . import build_actions, credential_actions, indexing, kinds, pages, queue_actions, standin, view_actions
from .auth import Caller, authenticate
from .call import Call, resolve, segments
from .exported import bean
from .history import job_config_history
from .item_actions import ACTIONS, GROUP_ACTIONS, delete_method, index
from .remote_api import answer
from .root_actions import OPEN, ROOT_ACTIONS
from .state import State
from .wire import Request, Response


def handle(request: Request, state: State, root_url: str) -> Response:
    """Answers a request."""
    if ";" in request.raw_path:
        response = pages.jetty_error(400, "Semicolons are not allowed in the request URI", request.raw_path)
        response.nosniff = False  # a firewall in front of everything else
        return response
    standin.refresh(state)
    caller = authenticate(request, state.users, state.sessions)
    if caller.bad:
        return pages.unauthorized(request.raw_path)
    parts = segments(request.raw_path)
    first = parts[0] if parts else ""
    response = _checked(request, state, root_url, caller, first)
    return _with_session(response, state, caller, first)


def _checked(request: Request, state: State, root_url: str, caller: Caller, first: str) -> Response:
    if request.method == "POST" and first not in ("j_spring_security_check", "standin-agent") and not caller.by_token:
        given = request.headers.get("jenkins-crumb") or dict(request.form_pairs).get("Jenkins-Crumb")
        if given is None or given != state.sessions.crumb(caller.name, caller.session):
            return pages.jetty_error(403, "No valid crumb was included in the request", request.raw_path)
    if caller.user is None and first not in OPEN:
        return pages.anonymous(request.raw_path, request.query)
    if request.raw_path.lstrip("/") in state.documents:
        kind, body = state.documents[request.raw_path.lstrip("/")]
        if "/api/" in request.raw_path:
            return pages.api(body, kind)
        return Response(200, {"Content-Type": kind}, body, compressible=kind.startswith("text/"))
    call = resolve(request, state, caller, root_url)
    call.context.queue_item = lambda queued: queue_actions.item_data(call, queued)
    if call.refused is not None:
        return Response(404) if request.method == "DELETE" and call.refused.status == 404 else call.refused
    return _serve(call)


def _with_session(response: Response, state: State, caller: Caller, first: str) -> Response:
    """Opens a session where Jenkins does: for pages, and for whoever is sent away."""
    html = response.headers.get("Content-Type") == pages.HTML or (response.status == 403 and not caller.by_token)
    if html and caller.session is None and not caller.by_token and not response.cookies:
        response.cookies = (state.sessions.set_cookie(state.sessions.open(caller.user.name if caller.user else None)),)
    return response


def _serve(call: Call) -> Response:
    if call.view is not None:
        return view_actions.serve(call)
    item, rest = call.item, call.rest
    if item.parent is None:
        if rest and rest[0] in ROOT_ACTIONS:
            return ROOT_ACTIONS[rest[0]](call)
        if rest and rest[0] == "config.xml":
            return call.not_found()
    if not rest:
        return _page(call)
    if rest[0] == "api":
        return answer(call, bean(item), rest)
    if item.parent is not None and rest[0] in ACTIONS and len(rest) == 1:
        needs_post, act = ACTIONS[rest[0]]
        return pages.needs_post(call.url) if needs_post and not call.is_post else act(call)
    if item.is_group and rest[0] in GROUP_ACTIONS and len(rest) == 1:
        return GROUP_ACTIONS[rest[0]][1](call)
    return _more(call)


def _more(call: Call) -> Response:
    item, rest = call.item, call.rest
    if item.is_group and rest == ["createView"]:
        return view_actions.create_view(call)
    if rest[0] == "credentials":
        return credential_actions.serve(call)
    if rest == ["move", "move"] and call.is_post:
        from .item_actions import move

        return move(call)
    if rest == ["configure"]:
        return pages.page(f"{item.display_name} Config [Jenkins]", "<h1>Configure</h1>")
    if rest[0] == "jobConfigHistory" and item.parent is not None:
        return job_config_history(call)
    if rest == ["build"] and item.kind and item.kind.computed:
        return index(call) if call.is_post else pages.needs_post(call.url)
    if rest[0] in ("computation", "indexing") and item.kind and item.kind.computed:
        return indexing.serve(call)
    return build_actions.serve(call)


def _page(call: Call) -> Response:
    item = call.item
    if item.parent is not None and not call.slash:
        return pages.found(f"{call.root_url.rstrip('/')}{call.path}/")
    if call.method == "DELETE":
        return delete_method(call)
    above = item.parent.full_display_name if item.parent else ""
    title = item.display_name + (f" [{above}]" if above else "")
    if item.is_group:
        title = f"{item.primary_view} [{item.full_display_name}]" if item.parent else "Dashboard"
    return pages.page(
        f"{title} [Jenkins]", f"<h1>{'Folder' if item.cls == kinds.FOLDER else 'Project'} {item.display_name}</h1>"
    )
