from __future__ import annotations

import pytest

from cibus.errors import Exit, HostAddressError
from cibus.ssh.address import Address, parse

GOOD = [
    ("ssh://build-3", Address("build-3")),
    ("build-3", Address("build-3")),
    ("jenkins@10.0.0.7", Address("10.0.0.7", "jenkins")),
    ("ssh://j@h.example.com:2222/srv/ci/", Address("h.example.com", "j", 2222, "/srv/ci")),
    ("ssh://[fe80::1]:22", Address("fe80::1", "", 22)),
    ("ssh://h/a folder", Address("h", "", 0, "/a folder")),
]


@pytest.mark.parametrize(("text", "expected"), GOOD, ids=[text for text, _ in GOOD])
def test_addresses(text: str, expected: Address) -> None:
    assert parse(text) == expected
    assert parse(expected.shown + expected.folder) == expected


@pytest.mark.parametrize("text", ["", "ssh://", "ssh://@h", "http://h", "ssh://h:99999", "ssh://h:0", "a b", "ssh://-oProxyCommand=x", "-l@h", "h:x"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(HostAddressError, match="give ssh://") as caught:
        parse(text)
    assert caught.value.exit_code == Exit.USAGE
