"""Who asks, with which permissions; sessions and crumbs."""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

from .wire import Request

ADMINISTER = "hudson.model.Hudson.Administer"
READ = "hudson.model.Hudson.Read"
ITEM_READ = "hudson.model.Item.Read"
DISCOVER = "hudson.model.Item.Discover"
EXTENDED_READ = "hudson.model.Item.ExtendedRead"
CONFIGURE = "hudson.model.Item.Configure"
CREATE = "hudson.model.Item.Create"
DELETE = "hudson.model.Item.Delete"
BUILD = "hudson.model.Item.Build"
CANCEL = "hudson.model.Item.Cancel"
VIEW_READ = "hudson.model.View.Read"
CREDENTIALS_VIEW = "com.cloudbees.plugins.credentials.CredentialsProvider.View"
REPLAY = "hudson.model.Run.Replay"

_GENERIC = "hudson.security.Permission.Generic"
IMPLIED_BY: Mapping[str, str] = {
    BUILD: f"{_GENERIC}Update, {_GENERIC}Write, {ADMINISTER}",
    CREATE: f"{_GENERIC}Create, {_GENERIC}Write, {ADMINISTER}",
    CONFIGURE: f"{_GENERIC}Configure, {_GENERIC}Update, {_GENERIC}Write, {ADMINISTER}",
    DELETE: f"{_GENERIC}Delete, {_GENERIC}Write, {ADMINISTER}",
    EXTENDED_READ: f"{CONFIGURE}, {_GENERIC}Configure, {_GENERIC}Update, {_GENERIC}Write, {ADMINISTER}",
    VIEW_READ: f"{_GENERIC}Read, {ADMINISTER}",
}
TITLES: Mapping[str, str] = {
    ADMINISTER: "Overall/Administer",
    BUILD: "Job/Build",
    CREATE: "Job/Create",
    CONFIGURE: "Job/Configure",
    DELETE: "Job/Delete",
    EXTENDED_READ: "Job/ExtendedRead",
    VIEW_READ: "View/Read",
}


@dataclass
class User:
    """A user; `admin` may do everything."""

    name: str
    token: str
    password: str
    permissions: frozenset[str] = frozenset()
    admin: bool = False

    def may(self, permission: str) -> bool:
        if self.admin or permission in self.permissions:
            return True
        if permission == DISCOVER:
            return ITEM_READ in self.permissions
        if permission == EXTENDED_READ:
            return CONFIGURE in self.permissions
        if permission == VIEW_READ:  # a view may be read by whoever may read an item in it
            return ITEM_READ in self.permissions
        if permission == REPLAY:
            return CONFIGURE in self.permissions or BUILD in self.permissions
        return False


def standard_users(token: str = "fake-token", password: str = "fake-password") -> dict[str, User]:
    """Gives the administrator and the users of the recorded permissions."""
    readable = frozenset({READ, ITEM_READ})
    permissions = {
        "reader": readable | {EXTENDED_READ, CREDENTIALS_VIEW},
        "viewer": readable,
        "discoverer": frozenset({READ, DISCOVER}),
        "outsider": frozenset({READ}),
        "configurer": readable | {CONFIGURE, CREATE},
        "builder": readable | {BUILD, CANCEL},
    }
    users = {
        name: User(name, f"{token}-{name}", f"{password}-{name}", granted) for name, granted in permissions.items()
    }
    return {"admin": User("admin", token, password, admin=True), **users}


@dataclass(frozen=True)
class Caller:
    """Whoever sent a request; `user` is None for the anonymous."""

    user: User | None
    by_token: bool = False
    session: str | None = None
    bad: bool = False  # credentials were sent, and they are wrong

    @property
    def name(self) -> str:
        return self.user.name if self.user else "anonymous"

    def may(self, permission: str) -> bool:
        return self.user is not None and self.user.may(permission)


@dataclass
class Sessions:
    """HTTP sessions and the crumbs bound to them."""

    cookie: str = "JSESSIONID.fake"
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _users: dict[str, str | None] = field(default_factory=dict)

    def of(self, request: Request) -> str | None:
        for part in request.headers.get("cookie", "").split(";"):
            name, _, value = part.strip().partition("=")
            if name.startswith("JSESSIONID") and value in self._users:
                return value
        return None

    def open(self, user: str | None = None) -> str:
        ident = hashlib.sha256(f"session {next(self._numbers)}".encode()).hexdigest()[:24]
        self._users[ident] = user
        return ident

    def user_of(self, session: str | None) -> str | None:
        return self._users.get(session) if session else None

    def set_cookie(self, session: str) -> str:
        return f"{self.cookie}={session}; Path=/; HttpOnly"

    def crumb(self, user: str, session: str | None) -> str:
        return hashlib.sha256(f"{user};{session};salt".encode()).hexdigest()


def authenticate(request: Request, users: Mapping[str, User], sessions: Sessions) -> Caller:
    """Finds out who sends a request."""
    session = sessions.of(request)
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, secret = base64.b64decode(value).decode().partition(":")
        except ValueError:
            return Caller(None, session=session, bad=True)
        user = users.get(name)
        if user and secret == user.token:
            return Caller(user, by_token=True, session=session)
        if user and secret == user.password:
            return Caller(user, session=session)
        return Caller(None, session=session, bad=True)
    return Caller(users.get(sessions.user_of(session) or ""), session=session)
