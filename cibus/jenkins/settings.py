"""Which controller, as whom: from cibus.toml, CIBUS_JENKINS_* and netrc."""

from __future__ import annotations

import netrc
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cibus.config import Config, ControllerConfig
from cibus.errors import ConfigError
from cibus.secrets import Secret


@dataclass(frozen=True)
class Settings:
    """A controller with all that is needed to talk to it; ``url`` ends with a slash; times in seconds."""

    name: str
    url: str
    user: str = ""
    token: Secret | None = None
    ca: Path | None = None
    verify: bool = True
    proxy: str = ""
    timeout: float = 60
    concurrency: int = 16
    retries: int = 5


def choose(config: Config, name: str = "", environ: Mapping[str, str] | None = None) -> Settings:
    """The controller that is meant.

    Arguments:
        name: a name in ``[controllers]``, or a URL; empty: ``CIBUS_CONTROLLER``, the one given by
            ``CIBUS_JENKINS_URL``, the only one, or the one named ``default``

    Raises:
        ConfigError: there is none of this name, or none at all, or several.
        SecretError: its token cannot be had.
    """
    environ = os.environ if environ is None else environ
    name = name or environ.get("CIBUS_CONTROLLER", "")
    found = _named(config, name, environ)
    user = environ.get("CIBUS_JENKINS_USER", "") or found.user
    token: Secret | None = None
    if "CIBUS_JENKINS_TOKEN" in environ:
        token = Secret(environ["CIBUS_JENKINS_TOKEN"])
    elif found.token is not None:
        token = Secret(found.token.get().reveal().strip())
    if token is None:
        user, token = _from_netrc(found.url, user, environ)
    if token is not None and not user:
        raise ConfigError(f"controller {found.name}: a token needs its user: give user in cibus.toml or CIBUS_JENKINS_USER")
    return Settings(
        found.name, _with_slash(found.url), user, token, found.ca, found.verify, found.proxy,
        found.timeout, found.concurrency, found.retries,
    )  # fmt: skip


def controller_name(config: Config, name: str = "", environ: Mapping[str, str] | None = None) -> str:
    """The name of the controller that is meant, without asking for its token; ``default`` where there is none."""
    environ = os.environ if environ is None else environ
    try:
        return _named(config, name or environ.get("CIBUS_CONTROLLER", ""), environ).name
    except ConfigError:
        return "default"


def _named(config: Config, name: str, environ: Mapping[str, str]) -> ControllerConfig:
    known = config.controllers
    if "://" in name:
        listed = [each for each in known.values() if _with_slash(each.url) == _with_slash(name)]
        if listed:
            return listed[0]
        return ControllerConfig(urlsplit(name).hostname or name, _url(name, "--controller"))
    if name:
        if name not in known:
            raise ConfigError(f"there is no [controllers.{name}] in {config.path or 'cibus.toml'}; known: {', '.join(known) or 'none'}")
        return known[name]
    if "CIBUS_JENKINS_URL" in environ:
        return ControllerConfig("default", _url(environ["CIBUS_JENKINS_URL"], "CIBUS_JENKINS_URL"))
    if len(known) == 1:
        return next(iter(known.values()))
    if "default" in known:
        return known["default"]
    if known:
        raise ConfigError(f"which controller? Give --controller with one of {', '.join(known)}, or name one of them default")
    raise ConfigError('no controller is known: add [controllers.default] url = "https://…" to cibus.toml, or set CIBUS_JENKINS_URL')


def _url(text: str, where: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"{where}: {text!r} is not a URL such as https://ci.example/")
    if parts.username or parts.password:
        raise ConfigError(f"{where}: leave user and password out of the URL; use CIBUS_JENKINS_USER and CIBUS_JENKINS_TOKEN")
    return text


def _with_slash(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/"


def _from_netrc(url: str, user: str, environ: Mapping[str, str]) -> tuple[str, Secret | None]:
    path = Path(environ.get("NETRC") or Path(environ.get("HOME", "~")).expanduser() / ".netrc")
    if not path.is_file():
        return user, None
    try:
        entry = netrc.netrc(str(path)).authenticators(urlsplit(url).hostname or "")
    except (netrc.NetrcParseError, OSError) as error:
        raise ConfigError(f"{path}: {error}") from error
    if entry is None or not entry[2] or (user and entry[0] != user):
        return user, None
    return entry[0], Secret(entry[2])
