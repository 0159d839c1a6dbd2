from __future__ import annotations

import os
from pathlib import Path

import pytest

from cibus.errors import HostError
from cibus.ssh import listing


def gnu(*records: tuple[str, str]) -> bytes:
    return b"".join(os.fsencode(f"{head}\0{target}\0") for head, target in records)


def test_a_gnu_listing() -> None:
    found = listing.remote(
        gnu(("d 755 4096 1.5 2.5 7 ./app", ""), ("f 4755 3 1700000000.1234567890 2.0 8 ./app/a b\n-c", ""), ("l 777 1 1.0 2.0 9 ./app/l", "x y"), ("f 600 1 1.0 1.0 3 ./app@tmp/durable-1/script.sh", "")),
        "gnu",
        "",
    )
    assert list(found) == ["app", "app/a b\n-c", "app/l"]
    assert found["app/a b\n-c"].mtime == 1700000000123456789
    assert (found["app/a b\n-c"].mode, found["app/l"].target, found["app"].kind) == (0o4755, "x y", "d")


def test_a_listing_of_other_systems() -> None:
    data = b"T 41ed 40 1 2 7 ./app\nT 81a4 3 1 2 8 ./app/two\nlines\nT a1ff 1 1 2 9 ./app/l\nT @ ./app/l\nT > x\ny\n"
    found = listing.remote(data, "stat", "T ")
    assert {name: (entry.kind, entry.mode, entry.target) for name, entry in found.items()} == {"app": ("d", 0o755, ""), "app/two\nlines": ("f", 0o644, ""), "app/l": ("l", 0, "x\ny")}


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "./app/../../x", "./app//x", "./."])
def test_names_that_lead_out_are_refused(name: str) -> None:
    with pytest.raises(HostError, match="leads out of the workspace"):
        listing.remote(gnu((f"f 644 1 1.0 1.0 1 {name}", "")), "gnu", "")


LINKS = [
    ("app/l", "x", "x"),
    ("app/a/l", "../x", "../x"),
    ("app/a/l", "../../x", None),
    ("app/l", "..", None),
    ("app/l", "d/../../x", None),  # d may be a link
    ("app/l", "/etc/passwd", None),
    ("app/a/l", "/base/app/d/x", "../d/x"),
    ("app/l", "/base/app2/x", None),
    ("app/l", "./x/./y", "./x/./y"),
    ("app", "elsewhere", "elsewhere"),
]


@pytest.mark.parametrize(("name", "target", "expected"), LINKS)
def test_where_links_may_lead(name: str, target: str, expected: str | None) -> None:
    assert listing.safe_target(name, target, "/base") == expected


def test_topmost() -> None:
    assert listing.topmost(sorted(["a", "a/b", "a/b/c", "ab", "b/c", "b/c/d"])) == ["a", "ab", "b/c"]


def test_what_differs_on_this_machine(tmp_path: Path) -> None:
    (tmp_path / "app/sub").mkdir(parents=True)
    (tmp_path / "app/sub/file").write_text("1")
    (tmp_path / "app/link").symlink_to("sub")
    before = listing.local(str(tmp_path), ["app", "none"])
    assert set(before) == {"app", "app/sub", "app/sub/file", "app/link"}
    (tmp_path / "app/sub/file").chmod(0o755)
    (tmp_path / "app/link").unlink()
    (tmp_path / "app/link").symlink_to("sub/file")
    (tmp_path / "app/new").touch()
    assert listing.changed(before, listing.local(str(tmp_path), ["app"])) == (["app/link", "app/new", "app/sub/file"], [])
    assert listing.changed(before, {}) == ([], sorted(before))
