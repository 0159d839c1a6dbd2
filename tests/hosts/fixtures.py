"""The fixtures ``boot``, ``host`` and those like it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol

import pytest

from hosts import base
from hosts.boot import Host, booted, sweep


class Boot(Protocol):
    """Boots one more host: a bare one, or a copy of another (which is off from then on, until ``restore``)."""

    def __call__(self, like: Host | None = None, *, online: bool = False) -> Host: ...


@pytest.fixture(scope="session")
def boot() -> Iterator[Boot]:
    """Boots hosts that stay until the end; skipped, with the reason, where that is not possible."""
    reason = base.missing() or base.refused()
    if reason:
        pytest.skip(reason)
    try:
        base.build()
    except RuntimeError as error:
        pytest.skip(f"the hosts' base could not be built: {error}")
    sweep()
    with contextlib.ExitStack() as stack:
        yield lambda like=None, *, online=False: stack.enter_context(booted(like, online=online))


@pytest.fixture
def boot_briefly(boot: Boot) -> Iterator[Boot]:
    """As ``boot``, but the hosts go when the test ends."""
    with contextlib.ExitStack() as stack:
        yield lambda like=None, *, online=False: stack.enter_context(booted(like, online=online))


@pytest.fixture(scope="session")
def shared_host(boot: Boot) -> Host:
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
def second_host(boot: Boot) -> Host:
    """Another host beside the shared one."""
    return boot()
