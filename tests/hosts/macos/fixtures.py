"""The fixtures ``mac`` (Apple silicon) and ``make_mac`` (one of one's own)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from hosts.fixtures import Boot
from hosts.macos.host import Mac, booted

MakeMac = Callable[..., Mac]


@pytest.fixture(scope="session")
def make_mac(boot: Boot) -> Iterator[MakeMac]:
    """Boots a stand-in: ``make_mac("x86_64", macos="12.6")``; skipped, with the reason, where hosts cannot be booted."""
    with contextlib.ExitStack() as stack:
        yield lambda *words, **state: stack.enter_context(booted(*words, **state))


@pytest.fixture(scope="session")
def mac(make_mac: MakeMac) -> Mac:
    """One stand-in with Apple silicon for the tests of a session."""
    return make_mac("arm64")
