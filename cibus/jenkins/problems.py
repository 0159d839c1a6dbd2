"""What an answer that is not the wanted one means, in plain words. Pure functions."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import jenkins

from cibus.errors import ControllerError, ControllerFault, Forbidden, Garbled, NotFound, NotJenkins, Unauthorized
from cibus.jenkins.transport import Request, Response

# https://www.jenkins.io/doc/book/security/access-control/permissions/: the groups as the matrix shows them
GROUPS = {
    "hudson.model.Hudson": "Overall",
    "hudson.model.Item": "Job",
    "hudson.model.Run": "Run",
    "hudson.model.View": "View",
    "hudson.model.Computer": "Agent",
    "hudson.scm.SCM": "SCM",
    "com.cloudbees.plugins.credentials.CredentialsProvider": "Credentials",
}
STARTING = re.compile(r"Please wait while Jenkins is (getting ready|restarting)", re.IGNORECASE)
LOGIN = re.compile(rb"j_spring_security_check|<title>[^<]*(?:sign in|log ?in)", re.IGNORECASE)


class Missing(NotFound, jenkins.NotFoundException):  # type: ignore[misc]
    """NotFound, as python-jenkins' own methods expect it."""


def permission_name(identifier: str) -> str:
    """``hudson.model.Item.ExtendedRead`` as Jenkins shows it: ``Job/ExtendedRead``."""
    group, _, name = identifier.rpartition(".")
    return f"{GROUPS[group]}/{name}" if group in GROUPS else identifier


def wants(request: Request) -> str:
    """What a request is for, as a person would say it: the method, where it is not a GET, and the path."""
    path = request.target.partition("?")[0]
    return path if request.method == "GET" else f"{request.method} {path}"


def problem(url: str, user: str, request: Request, response: Response) -> ControllerError | None:
    """The error that an answer stands for, or None where it is a fine one.

    Arguments:
        url: the controller's URL, to name it
        user: who asked; empty: anonymous
    """
    status = response.status
    host = urlsplit(url).netloc
    what = wants(request)
    if status in (301, 302, 303, 307, 308):
        return _redirect(url, response)
    if status < 400:
        return None
    if status == 401:
        return Unauthorized(f"{host} refuses user {user!r} or the token (401): make a new API token at {url}user/{user}/configure")
    if status == 403:
        return _forbidden(host, url, user, what, response)
    if status == 404:
        return Missing(f"{host} has no {what}, or {user or 'anonymous'} may not see it (404)")
    if status == 429:
        return ControllerError(f"{host} asks to slow down (429) at {what}: lower concurrency in cibus.toml")
    if status == 503 and STARTING.search(response.text):
        return ControllerError(f"{host} is still starting (503): try again in a minute")
    kind = ControllerFault if status == 500 else ControllerError
    return kind(f"{host} answers {status} to {what}: {reason(response)}")


def reason(response: Response) -> str:
    """Jenkins' own words for a failure: X-Error, or what stands on its error page."""
    if "x-error" in response.headers:
        return response.headers["x-error"]
    text = response.text
    for pattern in (r"<th>MESSAGE:</th><td>(.*?)</td>", r"(?s)<h1>Error</h1><p>(.*?)</p>", r"<p>(.*?)</p>", r"<title>(.*?)</title>"):
        found = re.search(pattern, text, re.DOTALL)
        if found and found.group(1).strip():
            return " ".join(re.sub(r"<[^>]+>", " ", found.group(1)).split())[:300]
    return " ".join(text.split())[:200] or "no reason given"


def not_json(url: str, request: Request, response: Response, kind: str = "JSON") -> ControllerError:
    """An answer that should have been JSON, or of another kind, and is not."""
    host = urlsplit(url).netloc
    if LOGIN.search(response.body):
        return Unauthorized(f"{host} answers with a login page: single sign-on stands before it, or no token was given (use an API token)")
    if "html" in response.headers.get("content-type", ""):
        return NotJenkins(f"{host} answers {wants(request)} with a web page instead of {kind}: is {url} the URL of a Jenkins?")
    return Garbled(f"{host} answers {wants(request)} with something that is not whole {kind} ({len(response.body)} bytes)")


def _forbidden(host: str, url: str, user: str, what: str, response: Response) -> ControllerError:
    permission = response.headers.get("x-required-permission", "")
    if permission:
        name = permission_name(permission)
        who = response.headers.get("x-you-are-authenticated-as", user) or "anonymous"
        return Forbidden(f"{host}: {who} lacks the permission {name}, which {what} needs", name)
    text = response.text
    if "No valid crumb" in text:
        return Forbidden(f"{host} refuses {what}: no valid crumb (use an API token instead of a password)")
    if "Authentication required" in text or "/login?from=" in text:
        return Unauthorized(f"{host} wants a login: give user and token in cibus.toml, or CIBUS_JENKINS_USER and CIBUS_JENKINS_TOKEN")
    found = re.search(r"([\w.@ -]+) is missing the ([\w/ -]+) permission", text)
    if found:
        return Forbidden(f"{host}: {found.group(1).strip()} lacks the permission {found.group(2)}, which {what} needs", found.group(2))
    return Forbidden(f"{host} refuses {what} (403): {reason(response)}")


def _redirect(url: str, response: Response) -> ControllerError | None:
    target = urlsplit(response.headers.get("location", ""))
    here = urlsplit(url)
    if target.netloc and (target.scheme, target.netloc) != (here.scheme, here.netloc):
        if "login" in target.path or "oauth" in target.path or "saml" in target.path.lower():
            return Unauthorized(f"{here.netloc} sends to a login at {target.netloc}: use an API token")
        return NotJenkins(f"{here.netloc} redirects to {target.scheme}://{target.netloc}{target.path}: if that is your Jenkins, put it into cibus.toml as url")
    if "/login" in target.path or "securityRealm/commenceLogin" in target.path:
        return Unauthorized(f"{here.netloc} sends to its login page: give user and token in cibus.toml")
    return None
