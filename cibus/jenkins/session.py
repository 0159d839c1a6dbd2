"""Requests to a controller as a user: authentication, crumbs, repetition, and errors in plain words."""

from __future__ import annotations

import base64
import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from cibus.errors import ControllerError, NotJenkins, Unreachable
from cibus.jenkins.problems import not_json, problem, wants
from cibus.jenkins.settings import Settings
from cibus.jenkins.transport import Broken, PoolTransport, Request, Response, Transport

AGAIN = (429, 502, 503, 504)
XML = {"Content-Type": "application/xml; charset=utf-8"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Session:
    """Sends requests with a user's rights; may be used from several threads.

    Arguments:
        settings: the controller
        transport: what carries the requests; default: pooled connections
        sleep: waits between two tries, in seconds
    """

    def __init__(self, settings: Settings, transport: Transport | None = None, sleep: Callable[[float], None] = time.sleep) -> None:
        self.settings = settings
        self.url = settings.url
        self._prefix = urlsplit(settings.url).path
        self._sleep = sleep
        self._transport = transport or _pooled(settings)
        self.renewable = transport is None  # connections can be made anew, in a copy of the process
        self._headers = {"User-Agent": "cibus", "Accept-Encoding": "gzip", **_authorization(settings)}
        self._answered = False  # a controller that never answered is not waited for
        self._crumb: dict[str, str] = {}
        self._crumb_lock = threading.Lock()

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()

    def renew(self) -> None:
        """Takes new connections: those of the process that this one was copied from stay that one's."""
        self._crumb_lock = threading.Lock()
        self._transport = _pooled(self.settings)

    def get(self, path: str) -> Response:
        """Gets a path relative to the controller's URL, percent-encoded, with its query.

        Raises:
            ControllerError: see :func:`cibus.jenkins.problems.problem`.
        """
        return self.checked(Request("GET", self._prefix + path, repeatable=True))

    def json(self, path: str) -> Any:
        """Gets JSON; an answer that is cut off is asked for again.

        Raises:
            ControllerError: also where the answer is no JSON: a login page, a proxy's page.
        """
        request = Request("GET", self._prefix + path, repeatable=True)

        def whole(response: Response) -> bool:
            return response.status != 200 or _is_json(response)

        response = self.checked(request, whole)
        try:
            return json.loads(response.body)
        except ValueError:
            raise not_json(self.url, request, response) from None

    def post(self, path: str, body: bytes = b"", *, headers: dict[str, str] | None = None, repeatable: bool = False) -> Response:
        """Posts; redirects are answers, not followed. ``repeatable``: tried again where the connection breaks."""
        return self.checked(Request("POST", self._prefix + path, headers or {}, body, repeatable))

    def checked(self, request: Request, whole: Callable[[Response], bool] = lambda _: True) -> Response:
        """Sends a request and raises what its answer stands for."""
        response = self.send(request, whole)
        wrong = problem(self.url, self.settings.user, request, response)
        if wrong is not None:
            raise wrong
        return response

    def send(self, request: Request, whole: Callable[[Response], bool] = lambda _: True) -> Response:
        """Sends a request, again where that is safe and may help, and gives the last answer, whatever it is.

        Raises:
            ControllerError: the controller cannot be reached, or no whole answer came.
        """
        for tried in range(self.settings.retries + 1):
            last = tried == self.settings.retries
            try:
                response = self._once(request)
            except Broken as error:
                # What was never sent may be sent again, even if it must not be carried out twice.
                again = (request.repeatable or not error.sent) and not error.hopeless
                if last or not again or (not error.sent and not self._answered):
                    raise self._unreachable(request, error) from error
                self.wait(tried)
                continue
            self._answered = True
            if last or not _to_be_repeated(request, response, whole, tried):
                return response
            self.wait(tried, response.headers.get("retry-after", ""))
        raise AssertionError("the last try returns or raises")

    def opened(self, path: str, kind: str = "") -> tuple[Response, Iterator[bytes]]:
        """Asks for a large body: its head, and the body in pieces as they come; not repeated.

        Arguments:
            kind: what the content type has to begin with, e.g. ``text/plain``: a login page is none

        Raises:
            ControllerError: here, or while the pieces are read.
        """
        request = Request("GET", self._prefix + path, self._headers, repeatable=True)
        try:
            head, pieces = self._transport.stream(request)
            if head.status >= 400 or not head.headers.get("content-type", "").startswith(kind):
                head = Response(head.status, head.headers, b"".join(itertools.islice(pieces, 4)))
        except Broken as error:
            raise self._unreachable(request, error) from error
        wrong = problem(self.url, self.settings.user, request, head)
        if wrong is None and not head.headers.get("content-type", "").startswith(kind):
            wrong = not_json(self.url, request, head, kind or "JSON")
        if wrong is not None:
            raise wrong
        return head, self._pieces(request, pieces)

    def _pieces(self, request: Request, pieces: Iterator[bytes]) -> Iterator[bytes]:
        try:
            yield from pieces
        except Broken as error:
            raise self._unreachable(request, error) from error

    def _once(self, request: Request) -> Response:
        response = self._transport.send(self._dressed(request))
        if response.status == 403 and request.method == "POST" and b"No valid crumb" in response.body and self._new_crumb():
            response = self._transport.send(self._dressed(request))
        return response

    def _dressed(self, request: Request) -> Request:
        crumb = self._crumb if request.method == "POST" else {}
        return replace(request, headers={**self._headers, **crumb, **request.headers})

    def _new_crumb(self) -> bool:
        """Gets a crumb and the session it belongs to; a token needs neither (Jenkins 2.96 and later)."""
        with self._crumb_lock:
            request = Request("GET", f"{self._prefix}crumbIssuer/api/json", self._headers)
            response = self._transport.send(request)
            if response.status != 200 or not _is_json(response):
                return False
            data = json.loads(response.body)
            cookies = "; ".join(each.strip().partition(";")[0] for each in response.headers.get("set-cookie", "").split(",") if "=" in each)
            self._crumb = {data["crumbRequestField"]: data["crumb"], **({"Cookie": cookies} if cookies else {})}
            return True

    def wait(self, tried: int, retry_after: str = "") -> None:
        """Waits between two tries: longer each time, with chance in it so that many clients do not come back at once."""
        asked = float(retry_after) if retry_after.isdigit() else 0.0
        self._sleep(min(max(asked, 0.2 * 2**tried * random.uniform(0.5, 1.0)), 30.0))

    def _unreachable(self, request: Request, error: Broken) -> Unreachable:
        host = urlsplit(self.url).netloc
        if not error.sent:
            return Unreachable(f"{host} cannot be reached: {error}")
        unsure = "" if request.repeatable or request.method == "GET" else "; it may have been carried out"
        return Unreachable(f"{host} gave no whole answer to {wants(request)}: {error}{unsure}")

    def require_jenkins(self) -> str:
        """The controller's version.

        Raises:
            NotJenkins: what answers is none.
        """
        request = Request("GET", f"{self._prefix}api/json?tree=mode", repeatable=True)
        response = self.send(request)
        version = response.headers.get("x-jenkins", "")
        wrong = problem(self.url, self.settings.user, request, response)
        if wrong is not None:
            if isinstance(wrong, ControllerError) and response.status in (404, 405) and not version:
                raise NotJenkins(f"{self.url} is not a Jenkins: it answers {response.status} to api/json")
            raise wrong
        if not _is_json(response):
            raise not_json(self.url, request, response)
        if not version:
            raise NotJenkins(f"{self.url} is not a Jenkins: its answer has no X-Jenkins header")
        return version


def _pooled(settings: Settings) -> Transport:
    return PoolTransport(
        settings.url,
        connections=settings.concurrency,
        timeout=settings.timeout,
        ca=settings.ca,
        verify=settings.verify,
        proxy=settings.proxy,
    )


def _to_be_repeated(request: Request, response: Response, whole: Callable[[Response], bool], tried: int) -> bool:
    if not request.repeatable:
        return response.status == 429  # it says that it was not carried out
    if response.status == 500:  # seldom passes: Jenkins' own errors stay
        return request.method == "GET" and tried < 2
    return response.status in AGAIN or not whole(response)


def _is_json(response: Response) -> bool:
    try:
        json.loads(response.body)
    except ValueError:
        return False
    return True


def _authorization(settings: Settings) -> dict[str, str]:
    if not settings.user or settings.token is None:
        return {}
    text = f"{settings.user}:{settings.token.reveal()}".encode()
    return {"Authorization": f"Basic {base64.b64encode(text).decode()}"}
