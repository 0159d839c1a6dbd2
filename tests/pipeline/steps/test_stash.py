from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.pipeline.steps.conftest import Steps


def test_stash_and_unstash(steps: Steps) -> None:
    steps.write("bin/run", "a.txt", ".git/x")
    (steps.root / "bin/run").chmod(0o755)
    (steps.root / "link").symlink_to("a.txt")
    steps("stash", name="v")
    assert steps.log == ["Stashed 3 file(s)"]
    steps("cleanWs")
    steps.write("a.txt", text="other")
    steps("unstash", "v")
    assert steps.files() == ["a.txt", "bin/run", "link"]
    assert (steps.root / "bin/run").stat().st_mode & 0o777 == 0o755
    assert (steps.root / "link").readlink().name == "a.txt"
    assert (steps.root / "a.txt").read_text() == "x"


def test_overwriting(steps: Steps) -> None:
    steps.write("a")
    steps("stash", name="v", includes="a")
    steps("stash", name="v", includes="a")
    assert steps.log == ["Stashed 1 file(s)", "Warning: overwriting stash ‘v’", "Stashed 1 file(s)"]


def test_patterns(steps: Steps) -> None:
    steps.write("a.txt", "b.txt", "c.log", ".gitignore")
    steps("stash", name="v", includes="*.txt, .gitignore", excludes="b*", useDefaultExcludes=False)
    assert steps.log == ["Stashed 2 file(s)"]


def test_empty(steps: Steps) -> None:
    failed = steps.fails("stash", name="v", includes="*.none")
    assert failed.is_abort_exception
    assert failed.message == "No files included in stash ‘v’"
    steps("stash", name="w", allowEmpty=True)
    assert steps.log == ["Stashed 0 file(s)"]
    steps("unstash", "w")


def test_unknown(steps: Steps) -> None:
    assert steps.fails("unstash", "x").message == "No such saved stash ‘x’"


@pytest.mark.parametrize(
    ("name", "message"),
    [("a/b", "‘/’ is an unsafe character"), ("", "No name is specified"), ("a*", "‘*’ is an unsafe character")],
)
def test_bad_names(steps: Steps, name: str, message: str) -> None:
    failed = steps.fails("stash", name=name)
    assert (failed.class_name, failed.message) == ("hudson.model.Failure", message)
