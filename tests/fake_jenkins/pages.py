"""HTML pages: Jetty's, Jenkins' errors, the ones that clients stumble over."""

from __future__ import annotations

import html
import uuid
from urllib.parse import quote

from .auth import IMPLIED_BY, TITLES, Caller
from .names import header_text
from .wire import Response

VERSION = "2.277.3"
SESSION = "39721831"
JETTY_TYPE = "text/html;charset=iso-8859-1"
HTML = "text/html;charset=utf-8"
_GROUPS = (
    "JENKINS-39402: use -Dhudson.security.AccessDeniedException2.REPORT_GROUP_HEADERS=true or use /whoAmI to diagnose"
)
_API = {"X-Jenkins": VERSION, "X-Jenkins-Session": SESSION, "X-Frame-Options": "deny"}


def jetty_error(status: int, message: str, path: str) -> Response:
    """Jetty's own page: no X-Jenkins, nothing compressed."""
    title = f"Error {status} {message}"
    body = (
        '<html>\n<head>\n<meta http-equiv="Content-Type" content="text/html;charset=utf-8"/>\n'
        f"<title>{html.escape(title)}</title>\n</head>\n<body><h2>HTTP ERROR {status} {html.escape(message)}</h2>\n<table>\n"
        f"<tr><th>URI:</th><td>{html.escape(path)}</td></tr>\n<tr><th>STATUS:</th><td>{status}</td></tr>\n"
        f"<tr><th>MESSAGE:</th><td>{html.escape(message)}</td></tr>\n<tr><th>SERVLET:</th><td>Stapler</td></tr>\n</table>\n"
        '<hr><a href="https://eclipse.org/jetty">Powered by Jetty:// 9.4.39.v20210325</a><hr/>\n\n</body>\n</html>\n'
    )
    headers = {"Cache-Control": "must-revalidate,no-cache,no-store", "Content-Type": JETTY_TYPE}
    return Response(status, headers, body.encode("utf-8", "surrogateescape"))


def not_found(path: str) -> Response:
    return jetty_error(404, "Not Found", path)


def unauthorized(path: str) -> Response:
    response = jetty_error(401, "Unauthorized", path)
    response.headers["WWW-Authenticate"] = 'Basic realm="Jenkins"'
    response.cookies = ("remember-me=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0",)
    return response


def page(
    title: str, main: str, status: int = 200, headers: dict[str, str] | None = None, side: bool = True
) -> Response:
    """A page in Jenkins' layout."""
    static = f"/static/{SESSION}"
    body = (
        f'\n  \n  <!DOCTYPE html><html class=""><head resURL="{static}" data-rooturl="" data-resurl="{static}" '
        f'data-extensions-available="true" data-unit-test="false" data-imagesurl="{static}/images" '
        f'data-crumb-header="Jenkins-Crumb" data-crumb-value="">\n    \n    \n\n    <title>{html.escape(title)}</title>'
        f'<link rel="stylesheet" href="{static}/jsbundles/base-styles-v2.css" type="text/css"></head>'
        f'<body data-model-type="" id="jenkins" class="yui-skin-sam two-column jenkins-{VERSION}" data-version="{VERSION}">'
        f'<div id="page-body" class="clear">{"<div id=side-panel></div>" if side else ""}<div id="main-panel">'
        f'<a name="skip2content"></a>{main}</div></div><footer class="page-footer">'
        f'<a rel="noopener noreferrer" href="https://jenkins.io/" target="_blank">Jenkins {VERSION}</a></footer></body></html>'
    )
    out = {
        **(headers or {}),
        "Content-Type": HTML,
        "Cache-Control": "no-cache,no-store,must-revalidate",
        "X-Hudson": "1.395",
        "X-Jenkins": VERSION,
        "X-Jenkins-Session": SESSION,
        "X-Frame-Options": "sameorigin",
    }
    return Response(status, out, body.encode("utf-8", "surrogateescape"), compressible=True)


def failure(message: str, status: int = 400) -> Response:
    """Hudson's Failure: the message in X-Error, without what a header cannot hold."""
    return page(
        "Jenkins [Jenkins]", f"<h1>Error</h1><p>{html.escape(message)}", status, {"X-Error": header_text(message)}
    )


def oops(api: bool = False) -> Response:
    main = (
        '<h1 style="text-align: center"><span style="font-size:50px"> Oops!</span></h1><div id="error-description">'
        '<h2 style="text-align: center">A problem occurred while processing the request.</h2>'
        f'<p style="text-align: center">Logging ID={uuid.uuid4()}</div>'
    )
    response = page("Jenkins [Jenkins]", main, 500, side=False)
    if api:
        response.headers["X-Frame-Options"] = "deny, sameorigin"
    return response


def needs_post(url: str) -> Response:
    main = (
        "<h1>This URL requires POST</h1><p>The URL you're trying to access requires that requests be sent using POST (like a "
        f"form submission). The button below allows you to retry accessing this URL using POST. URL being accessed:<p><tt>{html.escape(url)}</tt>"
        '<form method="post" autocomplete="off" name="retry"><input name="Submit" type="submit" value="Retry using POST"></form>'
    )
    return page("Method Not Allowed [Jenkins]", main, 405)


def denied(caller: Caller, permission: str) -> Response:
    """AccessDeniedException2: says which permission is missing."""
    headers = {
        "X-You-Are-Authenticated-As": caller.name,
        "X-You-Are-In-Group-Disabled": _GROUPS,
        "X-Required-Permission": permission,
    }
    if permission in IMPLIED_BY:
        headers["X-Permission-Implied-By"] = IMPLIED_BY[permission]
    main = f'<h1>Access Denied</h1><p class="error">{caller.name} is missing the {TITLES.get(permission, permission)} permission'
    return page("Jenkins", main, 403, headers)


def login_first(name: str) -> Response:
    """What one with Discover only is told."""
    return page(
        "Jenkins", f'<h1>Access Denied</h1><p class="error">Please login to access job {html.escape(name)}', 403
    )


def anonymous(path: str, query: str) -> Response:
    """The page that sends a browser to the login."""
    target = quote(path + (f"?{query}" if query else ""), safe="")
    body = (
        f"<html><head><meta http-equiv='refresh' content='1;url=/login?from={target}'/><script>window.location.replace("
        f"'/login?from={target}');</script></head><body style='background-color:white; color:white;'>\n\n\n"
        "Authentication required\n<!--\n-->\n\n</body></html>" + " " * 300
    )
    headers = {"Content-Type": HTML, "X-Hudson": "1.395", "X-Jenkins": VERSION, "X-Jenkins-Session": SESSION}
    return Response(403, headers, body.encode())


def refresh_not_found(target: str = "..") -> Response:
    body = (
        f"<html><head><meta http-equiv='refresh' content='1;url={target}'/><script>window.location.replace('{target}');"
        "</script></head><body style='background-color:white; color:white;'>Not found</body></html>\n"
    )
    return Response(404, {"Content-Type": HTML}, body.encode())


def api(body: bytes, content_type: str = "application/json;charset=utf-8", status: int = 200) -> Response:
    return Response(status, {**_API, "Content-Type": content_type}, body, compressible=True)


def xml(body: bytes) -> Response:
    return Response(200, {"Content-Type": "application/xml"}, body)


def plain(text: str, compress: bool = True) -> Response:
    return Response(
        200, {"Content-Type": "text/plain;charset=utf-8"}, text.encode("utf-8", "surrogatepass"), compressible=compress
    )


def found(location: str) -> Response:
    return Response(302, {"Location": location})


def ok() -> Response:
    return Response()
