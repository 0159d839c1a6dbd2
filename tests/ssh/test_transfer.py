"""What a host that is not trusted may send."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from cibus.errors import HostError
from cibus.ssh.listing import Entry
from cibus.ssh.transfer import Place, packed, unpack

FILE = Entry("f", 0o640, 1_000_000_000, "1")


def sent(*members: tarfile.TarInfo, data: bytes = b"data") -> io.BytesIO:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for member in members:
            if member.isreg():
                member.size = len(data)
            tar.addfile(member, io.BytesIO(data) if member.isreg() else None)
    stream.seek(0)
    return stream


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


HOSTILE = [
    ([member("/etc/evil")], "not asked for"),
    ([member("../evil")], "not asked for"),
    ([member("./app/other")], "not asked for"),
    ([member("./app/file", tarfile.CHRTYPE)], "a device"),
    ([member("./app/file", tarfile.FIFOTYPE)], "a device"),
    ([member("./app/file", tarfile.LNKTYPE, "/etc/passwd")], "as a name of '/etc/passwd'"),
    ([member("./app/through/file")], "goes through the link 'app/through'"),
]


@pytest.mark.parametrize(("members", "problem"), HOSTILE, ids=[problem for _, problem in HOSTILE])
def test_what_is_refused(tmp_path: Path, members: list[tarfile.TarInfo], problem: str) -> None:
    base, outside = tmp_path / "base", tmp_path / "outside"
    (base / "app").mkdir(parents=True)
    outside.mkdir()
    (base / "app/through").symlink_to(outside)
    with pytest.raises(HostError, match=problem):
        unpack(sent(*members), Place(base), {"app/file": FILE, "app/through/file": FILE}, lambda name: None)
    assert not any(outside.iterdir())


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    base, outside = tmp_path / "base", tmp_path / "outside"
    (base / "app").mkdir(parents=True)
    outside.write_text("mine")
    (base / "app/file").symlink_to(outside)
    unpack(sent(member("./app/file"), member("./app/second", tarfile.LNKTYPE, "./app/file")), Place(base), {"app/file": FILE, "app/second": FILE}, lambda name: None)
    assert outside.read_text() == "mine"
    assert [(base / "app" / name).read_text() for name in ("file", "second")] == ["data", "data"]
    assert (base / "app/file").stat().st_mode & 0o777 == 0o640
    assert (base / "app/file").stat().st_mtime == 1.0


def test_a_stream_that_breaks_off(tmp_path: Path) -> None:
    whole = sent(member("./app/file"), data=b"x" * 5000).getvalue()
    with pytest.raises((HostError, tarfile.ReadError)):
        unpack(io.BytesIO(whole[:2000]), Place(tmp_path), {"app/file": FILE}, lambda name: None)


def test_what_is_sent(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/big").write_bytes(b"abc" * 300_000)
    (tmp_path / "app/ü\n-x").write_text("x")
    entries = {"app": Entry("d", 0o755, 0, ""), "app/big": Entry("f", 0o755, 5 * 10**9, ""), "app/ü\n-x": FILE, "app/l": Entry("l", 0, 0, "", "big"), "app/gone": FILE}
    pieces = list(packed(tmp_path, list(entries), entries))
    assert max(len(piece) for piece in pieces) < 1 << 20
    with tarfile.open(fileobj=io.BytesIO(b"".join(pieces))) as tar:
        assert [(m.name, m.mode, m.size) for m in tar] == [("./app", 0o755, 0), ("./app/big", 0o755, 900_000), ("./app/ü\n-x", 0o640, 1), ("./app/l", 0o777, 0)]
