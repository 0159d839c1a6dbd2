from __future__ import annotations

import time
from pathlib import Path

import pytest

from cibus.pipeline.antglob import DEFAULT_EXCLUDES, match, scan, scan_all, split
from cibus.pipeline.antmask import explain


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.txt", "a.txt", True),
        ("*.txt", "a/b.txt", False),
        ("**/*.txt", "a.txt", True),
        ("**/*.txt", "a/b/c.txt", True),
        ("**", "", True),
        ("**", "a/b", True),
        ("**/*", "", False),
        ("*", "", False),
        ("a/", "a/b/c", True),
        ("a/", "a", True),
        ("a/**", "a", True),
        ("a/**", "ab", False),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("a/**/b", "a/x/bc", False),
        ("**/b/**/d", "a/b/c/d", True),
        ("**/b/**/d", "b/d", True),
        ("**/b/**/d", "xb/d", False),
        ("**/**/x", "q/x", True),
        ("a/**/**", "a/b", True),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("a?c", "a/c", False),
        ("a**b/c", "aXb/c", True),
        ("a**b/c", "a/b/c", False),
        ("[a]", "[a]", True),
        ("[a]", "a", False),
        ("a+(1).txt", "a+(1).txt", True),
        ("A.TXT", "a.txt", False),
        ("a\\b", "a/b", True),
        ("/a", "a", False),
        (".*", ".x", True),
        ("*", ".x", True),
    ],
)
def test_match(pattern: str, path: str, expected: bool) -> None:
    assert match(pattern, path) is expected


def test_match_ignoring_case() -> None:
    assert match("**/A.TXT", "x/a.txt", case_sensitive=False)


@pytest.mark.parametrize(
    ("given", "expected"),
    [("a,b", ["a", "b"]), (" a , b ", ["a", "b"]), ("a b", ["a b"]), ("a,,b", ["a", "b"]), ("", []), (None, [])],
)
def test_split(given: str | None, expected: list[str]) -> None:
    assert split(given) == expected


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def test_scan_order_and_lists(tmp_path: Path) -> None:
    make(tmp_path, "d/one.txt", "d/e/two.txt", "d/skip.log", "a.txt")
    assert scan(tmp_path, "d/**/*.txt") == ["d/e/two.txt", "d/one.txt"]
    assert scan(tmp_path, "**/*.txt, **/*.log", "a.*") == ["d/e/two.txt", "d/one.txt", "d/skip.log"]
    assert scan(tmp_path, None) == ["a.txt", "d/e/two.txt", "d/one.txt", "d/skip.log"]
    assert scan(tmp_path / "absent", "**") == []


@pytest.mark.parametrize("name", [".git/config", "x/.gitignore", "a~", "#a#", ".DS_Store", "CVS/x", "d/.svn/e/f"])
def test_default_excludes(tmp_path: Path, name: str) -> None:
    make(tmp_path, name, "kept")
    assert scan(tmp_path, "**") == ["kept"]
    assert sorted(scan(tmp_path, "**", default_excludes=False)) == sorted([name, "kept"])
    assert any(match(pattern, name) for pattern in DEFAULT_EXCLUDES)


def test_folders(tmp_path: Path) -> None:
    make(tmp_path, "a/b/c")
    found = scan_all(tmp_path, "**")
    assert found.folders == ["", "a", "a/b"]
    assert scan_all(tmp_path, "**/*").folders == ["a", "a/b"]
    assert scan_all(tmp_path, "a").folders == ["a"]
    assert scan_all(tmp_path, "a").files == []


def test_symbolic_links(tmp_path: Path) -> None:
    make(tmp_path, "real/f")
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "file").symlink_to("real/f")
    (tmp_path / "dangling").symlink_to("nowhere")
    assert scan(tmp_path, "**") == ["file", "link/f", "real/f"]
    unfollowed = scan_all(tmp_path, "**", follow_symlinks=False)
    assert unfollowed.files == ["real/f"]
    assert [Path(link).name for link in unfollowed.links] == ["dangling", "file", "link"]


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    make(tmp_path, "d/f")
    (tmp_path / "d" / "again").symlink_to("..")
    assert len(scan(tmp_path, "**")) < 50


def test_case(tmp_path: Path) -> None:
    make(tmp_path, "Dir/A.TXT")
    assert scan(tmp_path, "dir/*.txt") == []
    assert scan(tmp_path, "dir/*.txt", case_sensitive=False) == ["Dir/A.TXT"]


def test_speed(tmp_path: Path) -> None:
    for i in range(100):
        folder = tmp_path / f"d{i}" / "inner"
        folder.mkdir(parents=True)
        for j in range(200):
            (folder / f"f{j}.txt").touch()
    started = time.perf_counter()
    assert len(scan(tmp_path, "**/f1*.txt, **/x", "**/f19?.txt")) == 100 * 101
    assert time.perf_counter() - started < 2.0
    started = time.perf_counter()
    assert scan(tmp_path, "elsewhere/**") == []
    assert time.perf_counter() - started < 0.1


@pytest.mark.parametrize(
    ("files", "mask", "expected"),
    [
        (["a.txt"], "a.txt", None),
        (["a.txt"], "missing/*", "‘missing/*’ doesn’t match anything, but ‘*’ does. Perhaps that’s what you mean?"),
        (["target/"], "target/*.zip", "‘target/*.zip’ doesn’t match anything: ‘target’ exists but not ‘target/*.zip’"),
        ([], "x/*.zip", "‘x/*.zip’ doesn’t match anything: even ‘x’ doesn’t exist"),
        ([], "nothing", "‘nothing’ doesn’t match anything"),
        (
            ["a/b/c.txt"],
            "b/c.txt",
            "‘b/c.txt’ doesn’t match anything, but ‘a/b/c.txt’ does. Perhaps that’s what you mean?",
        ),
        (
            ["a.txt"],
            "A.txt",
            "‘A.txt’ doesn’t match anything because it is treated case sensitively. "
            "You can deactivate case sensitivity to get matches",
        ),
        (
            ["a", "b"],
            "a b",
            "Whitespace can no longer be used as the separator. Please Use ‘,’ as the separator instead.",
        ),
        (["a"], "a, b", "‘b’ doesn’t match anything"),
    ],
)
def test_explain(tmp_path: Path, files: list[str], mask: str, expected: str | None) -> None:
    for name in files:
        if name.endswith("/"):
            (tmp_path / name).mkdir()
        else:
            make(tmp_path, name)
    assert explain(tmp_path, mask) == expected
