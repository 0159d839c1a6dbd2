"""Folders that are kept the same here and on a really booted host."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hosts.boot import Host as Machine
from ssh.conftest import Run

from cibus.errors import HostError
from cibus.ssh.host import Host
from cibus.ssh.mirror import Mirror

BASE = "/home/jenkins/ws"
Make = Callable[..., Mirror]


@pytest.fixture
def make(remote: Host, tmp_path: Path, host: Machine) -> Iterator[Make]:
    """Mirrors of one workspace, as one run after the other has them; ``stays`` is what they report."""
    stays: list[str] = []

    def work(**options: object) -> Mirror:
        mirror = Mirror(remote, tmp_path / "here", BASE, ["app", "app@tmp"], index=tmp_path / "index", report=stays.append, **options)  # type: ignore[arg-type]
        mirror.stays = stays  # type: ignore[attr-defined]
        (tmp_path / "here/app").mkdir(parents=True, exist_ok=True)
        return mirror

    yield work
    host.run(f"rm -rf {BASE}", user="root")


@pytest.fixture(params=["gnu null", "stat "], ids=["gnu", "other"])
def mirror(make: Make, remote: Host, request: pytest.FixtureRequest) -> Mirror:
    """A mirror, with what GNU's find and tar can do and with what others can."""
    remote.first.facts["find"], remote.first.facts["tar"] = request.param.split(" ")
    made = make()
    made.start()
    return made


def names(mirror: Mirror) -> set[str]:
    top = mirror.here / "app"
    return {str(path.relative_to(top)) for path in top.rglob("*")}


def test_everything_travels_to_the_host(mirror: Mirror, run: Run) -> None:
    app = mirror.here / "app"
    for name in ("a b/ü", "-dash", "d/.git/config", "nl\nname", os.fsdecode(b"raw\xff\xfe"), "empty/x/.keep"):
        (app / name).parent.mkdir(parents=True, exist_ok=True)
        (app / name).write_text(name, "utf-8", "surrogateescape")
    (app / "empty/x/.keep").unlink()
    (app / "-dash").chmod(0o755)
    (app / "link").symlink_to("a b/ü")
    (app / "out").symlink_to("/etc/hostname")
    assert mirror.push() == 12
    assert mirror.push() == 0
    shown = run("find . -print0 | LC_ALL=C sort -z | tr '\\0' '\\n'; stat -c %a ./-dash; cat link; readlink out; cat nl*; ls -d empty/x", cwd=f"{BASE}/app").text
    assert shown == ".\n./-dash\n./a b\n./a b/ü\n./d\n./d/.git\n./d/.git/config\n./empty\n./empty/x\n./link\n./nl\nname\n./out\n./raw\ufffd\ufffd\n755\na b/ü/etc/hostname\nnl\nnameempty/x\n"
    assert mirror.pull() == 0


def test_everything_comes_back(mirror: Mirror, run: Run) -> None:
    run("mkdir -p 'a b' .git empty/x; echo 1 > 'a b/ü'; echo 2 > ./-dash; chmod 750 ./-dash; echo 3 > .git/config; printf raw > \"$(printf '\\377\\376')\"; ln -s 'a b' link; ln -s $PWD/.git/config absolute", cwd=f"{BASE}/app")
    assert mirror.pull() == 10
    app = mirror.here / "app"
    assert names(mirror) == {"a b", "a b/ü", ".git", ".git/config", "-dash", "empty", "empty/x", os.fsdecode(b"\xff\xfe"), "link", "absolute"}
    assert (app / "link/ü").read_text() == "1\n"
    assert (app / "absolute").read_text() == "3\n"
    assert (app / "-dash").stat().st_mode & 0o777 == 0o750
    assert (mirror.pull(), mirror.push()) == (0, 0)


def test_line_breaks_in_names(make: Make, run: Run) -> None:
    mirror = make()
    run("printf 1 > \"$(printf 'a\\nb')\"; printf 2 > b; ln b hard", cwd=f"{BASE}/app")
    mirror.pull()
    assert {name: (mirror.here / "app" / name).read_text() for name in names(mirror)} == {"a\nb": "1", "b": "2", "hard": "2"}


def test_only_what_changed_travels(mirror: Mirror, run: Run) -> None:
    app = mirror.here / "app"
    for n in range(50):
        (app / f"f{n}").write_text("x")
    mirror.push()
    run("echo changed > f1; rm f2; mkdir f3.d; mv f4 f4.new; chmod +x f5; rm f6; mkdir f6; touch f6/in", cwd=f"{BASE}/app")
    before = {name: (app / name).stat().st_ctime_ns for name in names(mirror)}
    mirror.pull()
    changed = {name for name in names(mirror) if (app / name).stat().st_ctime_ns != before.get(name)}
    assert changed == {"f1", "f3.d", "f4.new", "f5", "f6", "f6/in"}
    assert not (app / "f2").exists()
    (app / "f7").write_text("y")
    shutil.rmtree(app / "f6")
    (app / "f6").write_text("a file again")
    (app / "f8").unlink()
    mirror.push()
    assert run("cat f7 f6; ls f8 2>/dev/null; ls | wc -l", cwd=f"{BASE}/app").text == "ya file again49\n"
    assert (mirror.pull(), mirror.push()) == (0, 0)


def test_what_changed_here_wins(mirror: Mirror, run: Run) -> None:
    app = mirror.here / "app"
    (app / "both").write_text("1")
    mirror.push()
    run("echo there > both; echo there > theirs", cwd=f"{BASE}/app")
    (app / "both").write_text("here")
    mirror.push()
    mirror.pull()
    assert run("cat both theirs", cwd=f"{BASE}/app").text == "herethere\n"
    assert (app / "theirs").read_text() == "there\n"


def test_links_out_of_the_workspace_stay_there(mirror: Mirror, run: Run) -> None:
    run("ln -s /etc/passwd evil; ln -s ../../.. up; ln -s . dot; ln -s dot/../../x trick; mkfifo pipe; touch mine", cwd=f"{BASE}/app")
    mirror.pull()
    assert names(mirror) == {"dot", "mine"}
    assert mirror.push() == 0
    assert run("ls | wc -l", cwd=f"{BASE}/app").text == "6\n"
    assert [text.split(":")[0] for text in mirror.stays] == ["app/evil", "app/pipe", "app/trick", "app/up"]  # type: ignore[attr-defined]


def test_a_link_in_the_way_is_not_followed(make: Make, run: Run, tmp_path: Path) -> None:
    """First a folder, later a link out of the workspace of the same name: what was below it is gone here."""
    mirror = make()
    run("mkdir d; echo 1 > d/file", cwd=f"{BASE}/app")
    mirror.pull()
    run(f"rm -r d; ln -s {tmp_path} d", cwd=f"{BASE}/app")
    mirror.pull()
    assert names(mirror) == set()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here"]


def test_files_that_cannot_be_read_stay_there(mirror: Mirror, host: Machine, run: Run) -> None:
    run("echo mine > mine", cwd=f"{BASE}/app")
    host.run(f"echo secret > {BASE}/app/roots; chmod 600 {BASE}/app/roots", user="root")
    mirror.pull()
    assert names(mirror) == {"mine"}
    assert mirror.stays == ["app/roots: it cannot be read"]  # type: ignore[attr-defined]
    assert (mirror.push(), mirror.pull()) == (0, 0)
    assert "roots" in host.run(f"ls {BASE}/app")


def test_a_full_disk(mirror: Mirror, host: Machine) -> None:
    host.run(f"mkdir -p {BASE}/app/small && mount -t tmpfs -o size=1m,mode=777 tmpfs {BASE}/app/small", user="root")
    try:
        mirror.pull()
        (mirror.here / "app/small/big").write_bytes(b"x" * 3_000_000)
        with pytest.raises(HostError, match="No space left on device") as caught:
            mirror.push()
        assert str(caught.value).startswith(f"{mirror.host.address.shown}: {BASE} cannot be written: ")
        (mirror.here / "app/small/big").write_text("small")
        assert mirror.push() > 0
    finally:
        host.run(f"umount -l {BASE}/app/small", user="root")


def test_the_next_run_knows_what_was_the_same(make: Make, run: Run) -> None:
    first = make()
    run("mkdir d; echo 1 > d/kept; echo 2 > changed; echo 3 > gone", cwd=f"{BASE}/app")
    first.start()
    first.save()
    run("echo new > changed; rm gone", cwd=f"{BASE}/app")
    (first.here / "app/d/mine").write_text("m")
    kept = (first.here / "app/d/kept").stat().st_ino
    second = make()
    second.start()
    assert names(second) == {"d", "d/kept", "d/mine", "changed"}
    assert (second.here / "app/d/kept").stat().st_ino == kept
    assert run("cat changed; ls d", cwd=f"{BASE}/app").text == "new\nkept\nmine\n"


def test_a_lost_mirror_does_not_empty_the_host(make: Make, run: Run) -> None:
    first = make()
    run("echo 1 > precious", cwd=f"{BASE}/app")
    first.start()
    first.save()
    shutil.rmtree(first.here)
    second = make()
    second.start()
    assert names(second) == {"precious"}
    assert run("cat precious", cwd=f"{BASE}/app").text == "1\n"


def test_big_files_in_constant_memory(make: Make, run: Run) -> None:
    mirror = make()
    with (mirror.here / "app/big").open("wb") as file:
        file.truncate(300_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    mirror.push()
    assert run("stat -c %s big; printf more >> big", cwd=f"{BASE}/app").text == "300000000\n"
    mirror.pull()
    assert (mirror.here / "app/big").stat().st_size == 300_000_004
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000
