"""A bundle that is damaged, edited, of another version or hostile is refused, and the file is named."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from cibus.builds.bundle import BUILD, CONSOLE, MANIFEST, SCRIPT, read_bundle, safe_path, seal
from cibus.builds.packing import opened, pack, unpack
from cibus.builds.record import CapturedBuild, Checkout, LibraryUse, Parameter, as_data
from cibus.errors import BundleError, UsageError

BUILT = CapturedBuild(
    url="https://ci.example/job/app/128/",
    controller="https://ci.example/",
    job="app",
    number=128,
    kind="pipeline",
    result="FAILURE",
    parameters=(Parameter("TARGET", "prod"), Parameter("PIN", kind="password", secret=True)),
    checkouts=(Checkout("https://git.example/app.git", "a" * 40, "main", own=True),),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "app-128.bundle"
    (made / "runs" / "A=1").mkdir(parents=True)
    (made / BUILD).write_text(json.dumps(as_data(BUILT)))
    (made / CONSOLE).write_text("Started by timer\nFinished: FAILURE\n")
    (made / SCRIPT).write_text("node { sh 'false' }\n")
    (made / "runs" / "A=1" / CONSOLE).write_text("+ true\n")
    seal(made, BUILT.url, "2026-11-23T10:00:00Z", {"stages": "no stage view"})
    return made


def test_a_whole_bundle(folder: Path) -> None:
    bundle = read_bundle(folder)
    assert bundle.build == BUILT
    assert bundle.script == "node { sh 'false' }\n"
    assert bundle.manifest.missing == {"stages": "no stage view"}
    assert bundle.json("tests.json") is None


def test_packed_and_opened(folder: Path, tmp_path: Path) -> None:
    pack(folder, tmp_path / "app.tar.zst")
    with opened(tmp_path / "app.tar.zst") as bundle:
        assert bundle.build == BUILT
        assert bundle.console.read_text() == (folder / CONSOLE).read_text()
        place = bundle.folder
    assert not place.exists()


DAMAGE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "cut off": (lambda f: (f / CONSOLE).write_text("Started"), f"{CONSOLE}: has 7 bytes instead of 35"),
    "edited": (lambda f: (f / CONSOLE).write_text("Started by timer\nFinished: SUCCESS\n"), f"{CONSOLE}: is not what was captured"),
    "missing": (lambda f: (f / SCRIPT).unlink(), f"{SCRIPT}: is missing"),
    "added": (lambda f: (f / "more.txt").touch(), "more.txt: does not belong"),
    "a link": (lambda f: ((f / SCRIPT).unlink(), (f / SCRIPT).symlink_to("/etc/passwd")), f"{SCRIPT}: is a link"),
    "a linked folder": (lambda f: ((f / "runs").rename(f.parent / "moved"), (f / "runs").symlink_to(f.parent / "moved")), "is a link"),
    "no manifest": (lambda f: (f / MANIFEST).unlink(), "is not a bundle: it has no manifest.json"),
    "half a manifest": (lambda f: (f / MANIFEST).write_text((f / MANIFEST).read_text()[:200]), f"{MANIFEST}: is no JSON"),
    "another form": (lambda f: (f / MANIFEST).write_text('{"form": "something"}'), f"{MANIFEST}: not the manifest of a bundle"),
    "a later schema": (lambda f: edit(f, lambda m: m.update(schema=2)), "has form 2, and this cibus reads form 1"),
    "a path outside": (lambda f: edit(f, lambda m: m["files"].update({"../x": {"size": 1, "sha256": "0" * 64}})), "names '../x'"),
    "an absolute path": (lambda f: edit(f, lambda m: m["files"].update({"/etc/passwd": {"size": 1, "sha256": "0" * 64}})), "names '/etc/passwd'"),
    "no hash": (lambda f: edit(f, lambda m: m["files"][BUILD].update(sha256="")), f"names '{BUILD}'"),
    "no log listed": (lambda f: edit(f, lambda m: m["files"].pop(CONSOLE)), f"lists no {CONSOLE}"),
    "files is a list": (lambda f: edit(f, lambda m: m.update(files=[])), "the manifest is damaged"),
}


def edit(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    data = json.loads((folder / MANIFEST).read_text())
    change(data)
    (folder / MANIFEST).write_text(json.dumps(data))


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_refused(folder: Path, name: str) -> None:
    damage, words = DAMAGE[name]
    damage(folder)
    with pytest.raises(BundleError) as raised:
        read_bundle(folder)
    assert words in str(raised.value)
    assert str(folder) in str(raised.value)
    assert raised.value.exit_code == 2


RECORDS: dict[str, tuple[dict[str, Any], str]] = {
    "no number": ({"number": "x"}, "number"),
    "an unknown field": ({"surprise": 1}, "surprise"),
    "a job that is a path": ({"job": "../../etc"}, "is no build"),
    "an option as address": ({"checkouts": [{"url": "--upload-pack=touch /tmp/x", "commit": "a" * 40, "branch": "", "own": True}]}, "is no address"),
    "a helper as address": ({"checkouts": [{"url": "ext::sh -c id", "commit": "", "branch": "", "own": True}]}, "is no address"),
    "an option as commit": ({"checkouts": [{"url": "https://x/", "commit": "--help", "branch": "", "own": True}]}, "is no commit"),
    "an option as branch": ({"checkouts": [{"url": "https://x/", "commit": "", "branch": "-x", "own": True}]}, "is no name"),
    "a library's helper": ({"libraries": [{"name": "l", "version": "", "commit": "", "url": "ext::id"}]}, "is no address"),
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_that_no_capture_writes(folder: Path, name: str) -> None:
    change, words = RECORDS[name]
    (folder / BUILD).write_text(json.dumps({**as_data(BUILT), **change}))
    seal(folder, BUILT.url, "now", {})
    with pytest.raises(BundleError, match=words):
        read_bundle(folder)


def test_libraries_are_part_of_the_record() -> None:
    from cibus.builds.record import from_data

    build = CapturedBuild("u", "c", "j", 1, "pipeline", "SUCCESS", libraries=(LibraryUse("lib", "main", "b" * 40, "https://x/lib.git"),))
    assert from_data(json.loads(json.dumps(as_data(build)))) == build


# -- archives


def archive(path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for member, data in members:
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    path.write_bytes(zstandard.compress(raw.getvalue()))


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


HOSTILE = {
    "a path outside": [(member("../../outside"), b"x")],
    "an absolute path": [(member("/tmp/outside"), b"x")],
    "a path that is not plain": [(member("a/./b"), b"x")],
    "a symbolic link": [(member("link", tarfile.SYMTYPE, "/etc"), b"")],
    "a hard link": [(member("link", tarfile.LNKTYPE, "/etc/passwd"), b"")],
    "a device": [(member("null", tarfile.CHRTYPE), b"")],
    "a pipe": [(member("pipe", tarfile.FIFOTYPE), b"")],
    "the same file twice": [(member("a"), b"1"), (member("a"), b"2")],
    "a file as a folder": [(member("a"), b"1"), (member("a/b"), b"2")],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused(tmp_path: Path, name: str) -> None:
    path, folder = tmp_path / "x.tar.zst", tmp_path / "into" / "deep"
    folder.mkdir(parents=True)
    archive(path, HOSTILE[name])
    with pytest.raises(BundleError) as raised:
        unpack(path, folder)
    assert str(path) in str(raised.value)
    outside = [each for each in tmp_path.rglob("*") if each.is_file() and not each.is_relative_to(folder) and each != path]
    assert outside == []


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    """4 GiB of zeros in some 100 kB."""
    path, folder = tmp_path / "bomb.tar.zst", tmp_path / "into"
    folder.mkdir()
    head = member("console.txt")
    head.size = 4 << 30
    with path.open("wb") as raw, zstandard.ZstdCompressor().stream_writer(raw) as packed:
        packed.write(head.tobuf(tarfile.GNU_FORMAT))
        for _ in range(4 << 4):
            packed.write(bytes(64 << 20))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(BundleError, match="would unpack to more than"):
        unpack(path, folder)
    assert sum(each.stat().st_size for each in folder.rglob("*") if each.is_file()) < 2 << 30


def test_a_header_that_claims_to_be_huge_is_refused(tmp_path: Path) -> None:
    path, folder = tmp_path / "x.tar.zst", tmp_path / "into"
    folder.mkdir()
    head = tarfile.TarInfo("pax")
    head.type, head.size = tarfile.XHDTYPE, 60 << 30
    path.write_bytes(zstandard.compress(head.tobuf(tarfile.GNU_FORMAT) + bytes(1 << 20)))
    with pytest.raises(BundleError, match="a header of"):
        unpack(path, folder)


def test_a_file_that_is_cut_off(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "app.tar.zst"
    pack(folder, path)
    whole = path.read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 5):
        path.write_bytes(whole[:size])
        with pytest.raises(BundleError, match=r"app\.tar\.zst|is not a bundle|missing"), opened(path):
            pass


def test_no_such_bundle(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such bundle"), opened(tmp_path / "no"):
        pass
    (tmp_path / "text.tar.zst").write_text("hello")
    with pytest.raises(BundleError, match="cannot be unpacked"), opened(tmp_path / "text.tar.zst"):
        pass


@pytest.mark.parametrize(("name", "safe"), [("a/b.txt", True), ("DB=a,OS=b/console.txt", True), ("", False), (".", False), ("a//b", False), ("a\\b", False), ("..", False), ("a/../b", False), ("/a", False)])
def test_safe_paths(name: str, safe: bool) -> None:
    assert safe_path(name) is safe


def test_hashes_are_those_of_the_files(folder: Path) -> None:
    listed = json.loads((folder / MANIFEST).read_text())["files"]
    assert set(listed) == {BUILD, CONSOLE, SCRIPT, f"runs/A=1/{CONSOLE}"}
    assert listed[SCRIPT]["sha256"] == hashlib.sha256((folder / SCRIPT).read_bytes()).hexdigest()
