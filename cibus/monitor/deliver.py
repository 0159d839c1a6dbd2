"""Sending messages through apprise, whose URLs hold tokens: they are shown nowhere, whatever goes wrong."""

from __future__ import annotations

import contextlib
import logging
import re
import threading
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Any

from cibus.config import NotifyConfig
from cibus.errors import ConfigError, UsageError
from cibus.monitor.history import History
from cibus.monitor.notify import Message, Open, State, decide
from cibus.secrets import Secret

MISSING = "notifications need a package that is not installed: pip install 'cibus[monitor]'"
_ONE_AT_A_TIME = threading.Lock()  # what loggers say is changed for the whole process


@dataclass(frozen=True)
class Channel:
    """A way out: the name in ``[notify] urls`` and its URL."""

    name: str
    url: Secret


def channels(config: NotifyConfig, path: Path | None = None) -> list[Channel]:
    """Fetches the URLs and has apprise read them; nothing is sent.

    Raises:
        ConfigError: apprise does not know such a URL; says which, by name.
        SecretError: a URL cannot be had.
        UsageError: apprise is not installed.
    """
    made = [Channel(name, Secret(source.get().reveal().strip())) for name, source in config.urls.items()]
    for each in made:
        with _silenced():
            known = _notifier(each) is not None
        if not known:
            raise ConfigError(f"{path or 'cibus.toml'}: {each.name} in [notify.urls] is not a URL that apprise knows: see https://appriseit.com/services/")
    return made


def notify(now: float, found: Iterable[Open], ways: Iterable[Channel], config: NotifyConfig, history: History, *, zone: tzinfo | None = None, partial: bool = False, name: str = "CI") -> list[str]:
    """Tells each channel what is due there, and keeps what was told; what a channel did not take is due again at the next sweep.

    Arguments are those of :func:`cibus.monitor.notify.decide`.

    Returns: what did not go out, one line each, without secrets.
    """
    there = list(found)
    failed = []
    for way in ways:
        key = f"told {way.name}"
        before = State.of_text(history.get_state(key))
        messages, after = decide(now, there, before, config, zone=zone, partial=partial, name=name)
        problem = next((problem for each in messages if (problem := send(way, each))), "")
        if problem:
            failed.append(f"{way.name} in [notify.urls] did not take a message: {problem}; it is tried again at the next sweep")
        elif after != before:
            history.set_state(key, after.to_text())
    return failed


def send(way: Channel, message: Message) -> str:
    """Sends a message; "" where it was taken, else why not, without secrets."""
    with _silenced() as said:
        try:
            notifier = _notifier(way)
            if notifier is None:
                return "apprise does not know such a URL"
            if notifier.notify(body=message.body, title=message.title, notify_type=message.kind, body_format="text"):
                return ""
        except Exception as error:  # a plugin's, of which there are over a hundred; its words may hold the URL
            return type(error).__name__
    return said[-1] if said else "no reason is known"


def _notifier(way: Channel) -> Any:
    """An apprise object with this URL, or None where it does not know it."""
    try:
        import apprise
    except ModuleNotFoundError:
        raise UsageError(MISSING) from None
    asset = apprise.AppriseAsset(app_id="cibus", app_desc="cibus", app_url="", storage_mode=apprise.PersistentStoreMode.MEMORY)
    made = apprise.Apprise(asset=asset)
    try:
        return made if made.add(way.url.reveal()) and len(made) else None
    except Exception:  # whatever a plugin makes of a URL
        return None


class _Reasons(logging.Handler):
    """Takes from what apprise logs only an error's number: the rest may hold the URL."""

    def __init__(self) -> None:
        super().__init__()
        self.reasons: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the number."""
        with contextlib.suppress(Exception):
            text = record.getMessage()
            if number := re.search(r"\berror=(\d{3})\b", text):
                self.reasons.append(f"error {number[1]}")
            elif "onnection" in text:
                self.reasons.append("connection error")


@contextlib.contextmanager
def _silenced() -> Iterator[list[str]]:
    """Nothing that is logged meanwhile is shown; yields the reasons that apprise gives."""
    taker = _Reasons()
    loggers = [logging.getLogger(name) for name in ("apprise", "urllib3", "requests")]
    with _ONE_AT_A_TIME:
        before = [(each, each.propagate, each.handlers[:]) for each in loggers]
        disabled = logging.root.manager.disable
        logging.disable(max(disabled, logging.INFO))  # other libraries of plugins, which tell URLs when asked for details
        for each in loggers:
            each.propagate, each.handlers = False, [taker if each.name == "apprise" else logging.NullHandler()]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # what plugins import is not this user's to mend
                yield taker.reasons
        finally:
            for each, propagate, handlers in before:
                each.propagate, each.handlers = propagate, handlers
            logging.disable(disabled)
