"""A sweep that cannot be made, and one that meets a bug of cibus."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cibus.config import MonitorConfig
from cibus.errors import ConfigError
from cibus.monitor.conditions import View
from cibus.monitor.history import History
from cibus.monitor.serve import Address, Server
from cibus.monitor.state import Sweep
from cibus.monitor.watch import Watch


def looks(*outcomes: Exception | None) -> Callable[[], View]:
    """Raises or sees something, one after the other."""
    left = list(outcomes)

    def look() -> View:
        found = left.pop(0)
        if found is not None:
            raise found
        return View(Sweep("http://ci/", 0.0), limits=MonitorConfig())

    return look


def test_what_cannot_be_looked_at_now_is_looked_at_again(tmp_path: Path) -> None:
    seen, said = [], []
    with History(tmp_path / "x.sqlite") as history:
        watch = Watch(looks(ConfigError("inventory: cannot be read"), None), history)
        watch.until(lambda _: bool(seen), 1, seen.append, said.append)
    assert (len(seen), said) == (1, ["inventory: cannot be read"])


def test_a_bug_ends_the_server_with_its_traceback(tmp_path: Path) -> None:
    with History(tmp_path / "x.sqlite") as history:
        server = Server(Watch(looks(None, ZeroDivisionError("a bug")), history), history, MonitorConfig(interval=1))
        with pytest.raises(ZeroDivisionError, match="a bug"):
            server.run(Address("127.0.0.1", 0), lambda _: None, lambda _: None, lambda _: None)
