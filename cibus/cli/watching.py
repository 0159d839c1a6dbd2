"""``cibus monitor watch`` and ``serve``: looking again and again."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from cibus.cli.console import configured, terminated_is_interrupted
from cibus.cli.monitorview import lines
from cibus.cli.options import ConfigFile, Controller
from cibus.errors import ConfigError

if TYPE_CHECKING:
    from cibus.config import Config
    from cibus.jenkins.client import Client
    from cibus.monitor.conditions import View
    from cibus.monitor.history import History
    from cibus.monitor.state import Outside
    from cibus.monitor.watch import Seen, Watch

PATIENCE, TRIES = 20.0, 1  # a controller that does not answer is a finding; waiting for it for long is none the better
BESIDE = 5  # sweeps between two looks at receipts, exports and certificates
Interval = Annotated[int, typer.Option("--interval", min=0, metavar="SECONDS", help="From one sweep to the next; default: as in cibus.toml, 60.", show_default=False)]


def watched_client(config: Config, controller: str) -> Client:
    """The controller that is meant, with a monitor's patience."""
    from cibus.jenkins.client import Client
    from cibus.jenkins.settings import choose

    settings = choose(config, controller)
    return Client(replace(settings, timeout=min(settings.timeout, PATIENCE), retries=min(settings.retries, TRIES)))


def looked(config: Config, client: Client) -> View:
    """One sweep, with what is known beside it."""
    return _Looker(config, client).look()


class _Looker:
    """Sweeps; what is known beside a controller changes slowly and is looked at now and then only."""

    def __init__(self, config: Config, client: Client) -> None:
        self._config, self._client = config, client
        self._beside: Outside | None = None
        self._count = 0

    def look(self) -> View:
        """One sweep."""
        from cibus.monitor.conditions import View
        from cibus.monitor.outside import outside
        from cibus.monitor.sweep import sweep

        if self._beside is None:
            self._beside = outside(self._config, self._client.settings)
        elif self._count % BESIDE == 0:
            with suppress(ConfigError):  # a file that is being edited ends no watch
                self._beside = outside(self._config, self._client.settings)
        self._count += 1
        return View(sweep(self._client), self._beside, self._config.monitor)


@contextmanager
def watching(config: Config, controller: str) -> Iterator[tuple[Watch, History]]:
    """A watch of the controller that is meant, with its history; what is wrong with the history is said once."""
    from cibus.monitor.history import History, history_path
    from cibus.monitor.watch import Watch

    with watched_client(config, controller) as client, History(history_path(client.settings.name)) as history:
        probes = tuple(config.probes.values())
        if probes:
            _require("aiohttp", "aiosmtplib")
        yield Watch(_Looker(config, client).look, history, probes), history


def watch(
    interval: Interval = 0,
    notify: Annotated[bool, typer.Option("--notify", help="Tell those whom [notify] in cibus.toml names.")] = False,
    once: Annotated[bool, typer.Option("--once", help="Look once and end.")] = False,
    controller: Controller = "",
    config: ConfigFile = None,
) -> int:
    """Look again and again, and show what is wrong, since when; Ctrl-C ends.

    On a terminal the view is renewed in its place; elsewhere what begins and what is over is one line each. With --notify
    each finding is told once, again while it lasts ([notify] repeat) and when it is over, and nobody is woken in quiet hours.

    Examples:

      cibus monitor watch

      cibus monitor watch --interval 15 --controller https://ci.example/

      cibus monitor watch --notify
    """
    from cibus.errors import Exit

    loaded = _with_interval(configured(config), interval)
    stop = threading.Event()
    with terminated_is_interrupted(), watching(loaded, controller) as (watcher, history), _shown(loaded) as show:
        warned: list[str] = []
        tell = _teller(loaded, history) if notify else lambda _: None

        def told(seen: Seen) -> None:
            show(seen)
            tell(seen)
            _warned(history, warned)

        try:
            watcher.until((lambda _: True) if once else stop.wait, loaded.monitor.interval, told, _say)
        except KeyboardInterrupt:
            return Exit.INTERRUPTED
    return Exit.FINE


def serve(
    listen: Annotated[str, typer.Option("--listen", metavar="HOST:PORT", help="Where; default: as in cibus.toml, 127.0.0.1:9180.", show_default=False)] = "",
    interval: Interval = 0,
    controller: Controller = "",
    config: ConfigFile = None,
) -> int:
    """Serve /metrics for Prometheus and a web page with the state, its trends and the runbooks; Ctrl-C ends.

    At most 700 series, however many jobs there are; [monitor] jobs names those that have their own. Where others than
    this machine can reach it, [monitor] token is needed: who asks gives it as a bearer token, or as a password.

    Examples:

      cibus monitor serve

      cibus monitor serve --listen 0.0.0.0:9180 --controller https://ci.example/
    """
    _require("prometheus_client", "aiohttp")
    from cibus.errors import Exit
    from cibus.monitor.serve import Server, address

    loaded = _with_interval(configured(config), interval)
    where = address(listen or loaded.monitor.listen)
    token = loaded.monitor.token.get() if loaded.monitor.token else None
    warned: list[str] = []
    with terminated_is_interrupted(), watching(loaded, controller) as (watcher, history):
        server = Server(watcher, history, loaded.monitor, token)
        try:
            server.run(where, lambda url: _say(f"serving {url}; Ctrl-C ends"), lambda _: _warned(history, warned), _say)
        except KeyboardInterrupt:
            return Exit.INTERRUPTED
    return Exit.FINE


def _teller(config: Config, history: History) -> Callable[[Seen], None]:
    """Tells the channels of ``[notify]`` what is due there.

    Raises:
        UsageError: there is none.
    """
    _require("apprise")
    from cibus.errors import UsageError
    from cibus.monitor.deliver import channels
    from cibus.monitor.deliver import notify as notify_channels
    from cibus.monitor.notify import Open

    if not config.notify.urls:
        raise UsageError(f'nobody is to be told: add [notify.urls] to {config.path or "cibus.toml"}, e.g. team = {{ env = "SLACK_URL" }}')
    ways = channels(config.notify, config.path)
    settings = replace(config.notify, runbooks=config.notify.runbooks or config.monitor.runbooks)

    def tell(seen: Seen) -> None:
        there = [Open(each, seen.since.get(each.key, seen.view.now)) for each in seen.findings]
        for words in notify_channels(seen.view.now, there, ways, settings, history, partial=bool(seen.view.sweep.troubles)):
            _say(words)

    return tell


def _with_interval(config: Config, interval: int) -> Config:
    return replace(config, monitor=replace(config.monitor, interval=interval)) if interval else config


def _require(*modules: str) -> None:
    """Says what to install where a library is missing."""
    import importlib.util

    from cibus.errors import UsageError

    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed; install with pip install 'cibus[monitor]'")


def _warned(history: History, said: list[str]) -> None:
    for words in history.warnings:
        if words not in said:
            said.append(words)
            _say(words)


def _say(words: str) -> None:
    sys.stderr.write(f"cibus: {words}\n")
    sys.stderr.flush()


@contextmanager
def _shown(config: Config) -> Iterator[Callable[[Seen], None]]:
    """How sweeps are shown: in place on a terminal, otherwise what changed."""
    if not sys.stdout.isatty():
        yield _Changes().show
        return
    from rich.live import Live
    from rich.text import Text

    with Live(Text("looking …"), screen=False, auto_refresh=False) as live:

        def show(seen: Seen) -> None:
            text = Text()
            for style, line in lines(seen.view, seen.findings, config.monitor.runbooks):
                text.append(line + "\n", style=style)
            text.append(time.strftime("%H:%M:%S"), style="dim")
            live.update(text, refresh=True)

        yield show


class _Changes:
    """Prints what begins and what is over."""

    def __init__(self) -> None:
        self._open: dict[str, str] | None = None

    def show(self, seen: Seen) -> None:
        """Takes a sweep."""
        now = {each.key: f"{each.level}: {each.words} (see {each.page})" for each in seen.findings}
        at = time.strftime("%H:%M:%S")
        if self._open is None and not now:
            print(f"{at} nothing is wrong", flush=True)
        for key, words in now.items():
            if key not in (self._open or {}):
                print(f"{at} {words}", flush=True)
        for key, words in (self._open or {}).items():
            if key not in now:
                print(f"{at} over: {words}", flush=True)
        self._open = now
