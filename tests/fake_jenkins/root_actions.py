"""What the root itself answers: who one is, crumbs, plugins, scripts, configuration as code."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from . import converter, credential_actions, indexing, node_actions, pages, queue_actions, scripts, standin
from .auth import ADMINISTER
from .call import Call
from .exported import VIEW
from .exported_builds import recorded
from .exported_nodes import load_statistics
from .remote_api import answer
from .stapler import Bean, Data
from .wire import Response


def who_am_i(call: Call) -> Response:
    known = call.caller.user is not None
    values = {
        "anonymous": not known,
        "authenticated": True,
        "authorities": ["authenticated" if known else "anonymous"],
        "name": call.caller.name,
    }
    return answer(call, Data("hudson.security.WhoAmI", values), call.rest[1:])


_USER_PROPERTIES: tuple[tuple[str, dict[str, object]], ...] = (
    ("jenkins.security.ApiTokenProperty", {}),
    ("hudson.model.MyViewsProperty", {}),
    ("hudson.model.PaneStatusProperties", {}),
    ("jenkins.security.seed.UserSeedProperty", {}),
    ("hudson.search.UserSearchProperty", {"insensitiveSearch": True}),
    ("hudson.model.TimeZoneProperty", {}),
    ("hudson.security.HudsonPrivateSecurityRealm$Details", {}),
    ("com.cloudbees.plugins.credentials.UserCredentialsProvider$UserCredentialsProperty", {}),
    ("hudson.tasks.Mailer$UserProperty", {"address": None}),
    ("hudson.plugins.emailext.watching.EmailExtWatchAction$UserProperty", {"triggers": []}),
    ("org.jenkinsci.plugins.displayurlapi.user.PreferredProviderUserProperty", {}),
)


def me(call: Call) -> Response:
    return _user(call, call.caller.name, call.rest[1:])


def user(call: Call) -> Response:
    if len(call.rest) < 2:
        return call.not_found()
    return _user(call, call.rest[1], call.rest[2:])


def _user(call: Call, name: str, rest: list[str]) -> Response:
    if rest[:1] == ["my-views"]:
        views = [view for view in call.state.root.views if view.name == call.state.root.primary_view]
        # seen through the user, the root's views have the user's URL
        call.context.view_urls[id(views[0])] = f"{call.root_url}user/{name}/my-views/"
        return (
            answer(call, Bean(VIEW, views[0]), rest[3:] if rest[1:2] == ["view"] else rest[1:])
            if views
            else call.not_found()
        )
    values = {
        "absoluteUrl": f"{call.root_url}user/{name}",
        "description": None,
        "fullName": name,
        "id": name,
        "property": [Data(cls, values, default=2) for cls, values in _USER_PROPERTIES],
    }
    return answer(call, Data("hudson.model.User", values), rest)


def crumb_issuer(call: Call) -> Response:
    sessions = call.state.sessions
    session = call.caller.session
    fresh = None if session else sessions.open(call.caller.name)
    values = {
        "crumb": sessions.crumb(call.caller.name, session or fresh),
        "crumbRequestField": "Jenkins-Crumb",
    }
    response = answer(call, Data("hudson.security.csrf.DefaultCrumbIssuer", values), call.rest[1:])
    if fresh:
        response.cookies += (sessions.set_cookie(fresh),)
    return response


_PLUGIN_HIDDEN = {"shortName": 2, "version": 2, "optional": 2}


def plugin_manager(call: Call) -> Response:
    if not call.may(ADMINISTER):
        return call.denied(ADMINISTER)
    rest = call.rest[1:]
    if rest[:1] == ["api"]:
        plugins = [_plugin(plugin, None) for plugin in call.state.plugins]
        return answer(call, Data("hudson.LocalPluginManager", {"plugins": plugins}), rest)
    if len(rest) >= 2 and rest[0] == "plugin" and rest[1] in call.state.versions:
        found = next(plugin for plugin in call.state.plugins if plugin["shortName"] == rest[1])
        if rest[2:3] == ["api"]:
            return answer(call, _plugin(found, "hudson.PluginWrapper"), rest[2:])
        return pages.page(f"About {found['longName']} [Jenkins]", f"<h1>{found['longName']}</h1>")
    return call.not_found()


def _plugin(values: Mapping[str, object], cls: str | None) -> Data:
    shown = {
        key: [Data(None, each) for each in value] if isinstance(value, list) else value for key, value in values.items()
    }
    return Data(cls, shown)


def script_text(call: Call) -> Response:
    if not call.may(ADMINISTER):
        return call.denied(ADMINISTER)
    if not call.is_post:
        return pages.page("Jenkins [Jenkins]", "<h1>Error</h1>", 405)
    return pages.plain(scripts.run(call.state, call.param("script") or ""))


def configuration_as_code(call: Call) -> Response:
    rest = call.rest[1:]
    if call.state.casc is None:
        return call.not_found()
    if rest == ["export"]:
        if not call.may(ADMINISTER):
            return pages.jetty_error(403, "Forbidden", call.path)
        if not call.is_post:
            return pages.needs_post(call.url)
        headers = {
            "Content-Type": "application/x-yaml; charset=utf-8",
            "Content-Disposition": "attachment; filename=jenkins.yaml",
        }
        return Response(200, headers, call.state.casc.encode())
    return call.not_found()


def login(call: Call) -> Response:
    bad = call.rest[0] == "loginError"
    main = "<h1>Welcome to Jenkins!</h1>" + ("<p>Invalid username or password" if bad else "")
    return pages.page("Sign in [Jenkins]", main, 401 if bad else 200)


def form_login(call: Call) -> Response:
    """j_spring_security_check."""
    account = call.state.users.get(call.param("j_username") or "")
    sessions = call.state.sessions
    if account is None or call.param("j_password") != account.password:
        location = f"{call.root_url}loginError"
        expired = "remember-me=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0"
        return Response(302, {"Location": location}, cookies=(expired, sessions.set_cookie(sessions.open())))
    target = (call.param("from") or "/").lstrip("/")
    return Response(
        302, {"Location": f"{call.root_url}{target}"}, cookies=(sessions.set_cookie(sessions.open(account.name)),)
    )


def label(call: Call) -> Response:
    return node_actions.label(call) if len(call.rest) > 1 else call.not_found()


def _danger(call: Call) -> Response:
    """quietDown, reload, exit and their like: by POST only."""
    if not call.is_post:
        return pages.needs_post(call.url)
    if not call.may(ADMINISTER):
        return call.denied(ADMINISTER)
    if call.rest[0] in ("quietDown", "cancelQuietDown"):
        call.state.quieting_down = call.rest[0] == "quietDown"
    return pages.found(call.root_url)


def _search(call: Call) -> Response:
    if call.rest[1:] != ["suggest"]:
        return call.not_found()
    wanted = (call.param("query") or "").lower()
    names = [item.full_name.replace("/", " ") for item in call.state.root.walk() if wanted in item.name.lower()]
    data = recorded({"_class": "hudson.search.Search$Result", "suggestions": [{"name": name} for name in names]})
    response = answer(call, data, ["api", "json"])
    for name in ("X-Jenkins", "X-Jenkins-Session", "X-Frame-Options"):
        del response.headers[name]
    return response


def _load(call: Call) -> Response:
    cls = (
        "hudson.model.OverallLoadStatistics"
        if call.rest[0] == "overallLoad"
        else "jenkins.model.UnlabeledLoadStatistics"
    )
    values = dict(load_statistics().values)
    if call.rest[0] == "overallLoad":
        values["totalQueueLength"] = values["queueLength"]
    return answer(call, Data(cls, values), call.rest[1:])


def _people(call: Call) -> Response:
    """Everybody with an account; those known from commits are not among them here."""
    if len(call.rest) < 2:
        return call.not_found()
    cls = "hudson.model.View$AsynchPeople$People" if call.rest[0] == "asynchPeople" else "hudson.model.View$People"
    users = [
        {"lastChange": None, "project": None, "user": {"absoluteUrl": f"{call.root_url}user/{name}", "fullName": name, "id": name}}
        for name in call.state.users
    ]
    return answer(call, recorded({"_class": cls, "users": users}), call.rest[1:])


def _adjuncts(call: Call) -> Response:
    return call.not_found() if call.slash else pages.found(f"{call.url}/")


ROOT_ACTIONS: dict[str, Callable[[Call], Response]] = {
    "whoAmI": who_am_i,
    "me": me,
    "user": user,
    "crumbIssuer": crumb_issuer,
    "pluginManager": plugin_manager,
    "scriptText": script_text,
    "configuration-as-code": configuration_as_code,
    "login": login,
    "loginError": login,
    "j_spring_security_check": form_login,
    "computer": node_actions.serve,
    "credentials": credential_actions.serve,
    "label": label,
    "standin-agent": standin.serve,
    "queue": queue_actions.serve,
    "quietDown": _danger,
    "cancelQuietDown": _danger,
    "reload": _danger,
    "exit": _danger,
    "safeExit": _danger,
    "safeRestart": _danger,
    "search": _search,
    "adjuncts": _adjuncts,
    "git": indexing.notify_commit,
    "pipeline-model-converter": converter.serve,
    "asynchPeople": _people,
    "people": _people,
    "overallLoad": _load,
    "unlabeledLoad": _load,
    "restart": lambda call: (
        _danger(call) if call.is_post else pages.page("Restart Jenkins [Jenkins]", "<h1>Restart</h1>")
    ),
}
# what an anonymous may see although nothing may be read
OPEN = frozenset(
    {"login", "loginError", "whoAmI", "j_spring_security_check", "robots.txt", "static", "favicon.ico", "adjuncts", "jnlpJars", "standin-agent"}
)
