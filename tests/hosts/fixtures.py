"""The fixtures ``host`` and ``hosts``."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from hosts import base
from hosts.boot import Host, booted, sweep


@pytest.fixture(scope="session")
def boot() -> Iterator[Callable[[], Host]]:
    """Boots one more host; skipped, with the reason, where that is not possible."""
    reason = base.missing() or base.refused()
    if reason:
        pytest.skip(reason)
    try:
        base.build()
    except RuntimeError as error:
        pytest.skip(f"the hosts' base could not be built: {error}")
    sweep()
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(booted())


@pytest.fixture(scope="session")
def shared_host(boot: Callable[[], Host]) -> Host:
    """One host for all tests that leave it as it was."""
    return boot()


@pytest.fixture
def host(shared_host: Host, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """A booted host; what a test did to link or power is undone. HOME is one whose ``.ssh`` lets clients in."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(base.folder().parents[1]))  # what is cached stays where it is
    monkeypatch.setenv("HOME", str(shared_host.home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    yield shared_host
    shared_host.restore()


@pytest.fixture(scope="session")
def second_host(boot: Callable[[], Host]) -> Host:
    """Another host beside the shared one."""
    return boot()
