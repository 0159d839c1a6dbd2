from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from cibus.pipeline.engine.codec import JavaArray, encode

if TYPE_CHECKING:
    from tests.pipeline.steps.conftest import Steps


def test_find_files(steps: Steps) -> None:
    steps.write("d/one.txt", "d/skip.log", text="12345\n")
    steps.write("d/e/two.txt", text="")
    found = steps("findFiles", glob="d/**/*.txt")
    assert isinstance(found, JavaArray)
    assert [(f.fields["name"], f.fields["path"], f.fields["length"].value) for f in found.items] == [
        ("two.txt", "d/e/two.txt", 0),
        ("one.txt", "d/one.txt", 6),
    ]
    assert [f.fields["path"] for f in steps("findFiles").items] == ["d/"]
    encode(found)


def test_hashes(steps: Steps) -> None:
    steps.write("f", text="12345\n")
    assert steps("sha1", "f") == "2672275fe0c456fb671e4f417fb2f9892c7573ba"
    assert steps("sha256", "f") == "f33ae3bc9a22cd7564990a794789954409977013966fb1a8f43c35776b833a95"
    assert steps("md5", "f") == "d577273ff885c3f84dadb8578bb41399"
    assert steps("sha1", "absent") is None
    assert steps.fails("sha1", " ").class_name == "hudson.model.Descriptor$FormException"


def test_verify(steps: Steps) -> None:
    steps.write("f", text="12345\n")
    steps("verifySha1", file="f", hash="2672275FE0C456FB671E4F417FB2F9892C7573BA")
    failed = steps.fails("verifySha1", file="f", hash="0")
    assert failed.message == "SHA-1 hash mismatch: expected: '0', actual: '2672275fe0c456fb671e4f417fb2f9892c7573ba'"
    assert steps.fails("verifyMd5", file="x", hash="0").class_name == "java.io.FileNotFoundException"


def test_touch(steps: Steps) -> None:
    steps("touch", file="a/stamp", timestamp=5000)
    assert (steps.root / "a/stamp").stat().st_mtime == 5
    steps("touch", file="a/stamp")
    assert (steps.root / "a/stamp").stat().st_mtime > 5


def test_clean_ws_deletes_all(steps: Steps) -> None:
    steps.write("a/b", ".git/config")
    steps("cleanWs")
    assert list(steps.root.iterdir()) == []
    assert steps.log == [
        "[WS-CLEANUP] Deleting project workspace...",
        "[WS-CLEANUP] Deferred wipeout is used...",
        "[WS-CLEANUP] done",
    ]


@pytest.mark.parametrize(
    ("patterns", "folders", "left"),
    [
        ([{"pattern": "**/*.tmp", "type": "INCLUDE"}], True, ["c.txt", "keep/a"]),
        ([{"pattern": "keep/**", "type": "EXCLUDE"}], False, ["keep/a"]),
        ([{"pattern": "keep", "type": "INCLUDE"}], False, ["b.tmp", "c.txt", "keep/a"]),
        ([{"pattern": "keep", "type": "INCLUDE"}], True, ["b.tmp", "c.txt"]),
        ([{"pattern": "**"}], True, []),
    ],
)
def test_clean_ws_patterns(steps: Steps, patterns: list[dict[str, str]], folders: bool, left: list[str]) -> None:
    steps.write("keep/a", "b.tmp", "c.txt")
    steps("cleanWs", patterns=patterns, deleteDirs=folders)
    assert steps.files() == left
    assert steps.log == ["[WS-CLEANUP] Deleting project workspace...", "[WS-CLEANUP] done"]


def test_clean_ws_leaves_what_links_point_to(steps: Steps) -> None:
    outside = steps.root.parent / "outside"
    outside.mkdir()
    (outside / "f").touch()
    (steps.root / "link").symlink_to(outside)
    steps("cleanWs", patterns=[{"pattern": "**/*"}], deleteDirs=True)
    assert (outside / "f").exists()
    assert not os.path.lexists(steps.root / "link")


def test_clean_ws_skips_by_result(steps: Steps) -> None:
    steps.write("a")
    steps.ctx.build.set_result("FAILURE")
    steps("cleanWs", cleanWhenFailure=False)
    assert steps.files() == ["a"]
    assert steps.log[-1] == "[WS-CLEANUP] Skipped based on build state FAILURE"
