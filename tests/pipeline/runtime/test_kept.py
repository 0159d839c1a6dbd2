"""Folders kept as they were: what is the same file is neither copied nor replaced."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cibus.pipeline.runtime.kept import NoRoom, Store, scan

ROOM = 1 << 40


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "workspace"
    (made / "src" / "empty").mkdir(parents=True)
    (made / "src" / "run.sh").write_text("#!/bin/sh\n")
    (made / "src" / "run.sh").chmod(0o755)
    (made / "a file\nwith a line feed").write_bytes(b"\0\xff")
    (made / "link").symlink_to("src/run.sh")
    (made / "dangling").symlink_to("/nowhere")
    (made / os.fsdecode(b"\xff-not-utf-8")).mkdir()
    return made


def contents(folder: Path) -> dict[str, tuple[str, int, bytes]]:
    return {
        name: (entry.kind, entry.mode, (folder / name).read_bytes() if entry.kind == "f" else entry.blob.encode())
        for name, entry in scan(folder).items()
    }


def test_what_is_kept_comes_back(tmp_path: Path, folder: Path) -> None:
    store = Store(tmp_path / "store")
    before = contents(folder)
    kept, copied = store.keep(folder, {}, ROOM)
    assert copied == 12
    (folder / "src" / "run.sh").write_text("changed")
    (folder / "new" / "deep").mkdir(parents=True)
    (folder / "new" / "deep" / "file").touch()
    (folder / "link").unlink()
    (folder / "link").mkdir()
    (folder / "src" / "empty").rmdir()
    (folder / "src" / "empty").write_text("a file now")
    store.bring_back(kept, folder)
    assert contents(folder) == before


def test_it_comes_back_where_all_is_gone(tmp_path: Path, folder: Path) -> None:
    store = Store(tmp_path / "store")
    before = contents(folder)
    kept, _ = store.keep(folder, {}, ROOM)
    store.bring_back(kept, tmp_path / "elsewhere")
    assert contents(tmp_path / "elsewhere") == before


def test_only_what_changed_is_copied_and_replaced(tmp_path: Path, folder: Path) -> None:
    store = Store(tmp_path / "store")
    first, _ = store.keep(folder, {}, ROOM)
    (folder / "src" / "run.sh").write_text("twelve bytes")
    second, copied = store.keep(folder, first, ROOM)
    assert copied == 12
    assert second["a file\nwith a line feed"].blob == first["a file\nwith a line feed"].blob
    inode = (folder / "a file\nwith a line feed").stat().st_ino
    assert store.bring_back(first, folder) == 1
    assert (folder / "a file\nwith a line feed").stat().st_ino == inode
    assert (folder / "src" / "run.sh").read_text() == "#!/bin/sh\n"


def test_a_change_that_keeps_size_and_time_is_seen(tmp_path: Path, folder: Path) -> None:
    store = Store(tmp_path / "store")
    file = folder / "src" / "run.sh"
    first, _ = store.keep(folder, {}, ROOM)
    times = file.stat().st_mtime_ns
    file.write_text("#!/bin/zz\n")
    os.utime(file, ns=(times, times))
    _, copied = store.keep(folder, first, ROOM)
    assert copied == 10
    store.bring_back(first, folder)
    assert file.read_text() == "#!/bin/sh\n"


def test_what_a_build_changes_in_place_does_not_reach_the_store(tmp_path: Path, folder: Path) -> None:
    store = Store(tmp_path / "store")
    kept, _ = store.keep(folder, {}, ROOM)
    with (folder / "src" / "run.sh").open("r+") as file:
        file.write("XX")
    store.bring_back(kept, tmp_path / "copy")
    assert (tmp_path / "copy" / "src" / "run.sh").read_text() == "#!/bin/sh\n"


def test_no_more_than_the_room(tmp_path: Path, folder: Path) -> None:
    store = Store(tmp_path / "store")
    with pytest.raises(NoRoom) as raised:
        store.keep(folder, {}, 11)
    assert raised.value.size == 12
    assert store.sizes() == {}


def test_what_nobody_needs_is_dropped_but_not_beside_another_run(tmp_path: Path, folder: Path) -> None:
    store, other = Store(tmp_path / "store"), Store(tmp_path / "store")
    kept, _ = store.keep(folder, {}, ROOM)
    blobs = {entry.blob for entry in kept.values() if entry.kind == "f"}
    assert set(store.sizes()) == blobs
    other.hold()
    store.drop(blobs)
    assert set(store.sizes()) == blobs
    other.release()
    store.drop(blobs)
    assert store.sizes() == {}
