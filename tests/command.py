"""Fixtures: a user's folders of their own, and the command line against a fake controller."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fake_jenkins import FakeJenkins
from snapshots import KEY

from cibus.cli import main

Cibus = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the user's is read or written."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CIBUS_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("CIBUS_SNAPSHOT_KEY", KEY.decode())
    for name in ("NAME", "EMAIL"):
        monkeypatch.setenv(f"GIT_AUTHOR_{name}", "tester@example.org")
        monkeypatch.setenv(f"GIT_COMMITTER_{name}", "tester@example.org")


@pytest.fixture
def cibus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cibus:
    """Runs the command line against a fake, in a folder of the test's, and gives code, output and errors."""
    monkeypatch.chdir(tmp_path)

    def run(fake: FakeJenkins, *argv: str) -> tuple[int, str, str]:
        monkeypatch.setenv("CIBUS_JENKINS_URL", fake.url)
        monkeypatch.setenv("CIBUS_JENKINS_USER", fake.user)
        monkeypatch.setenv("CIBUS_JENKINS_TOKEN", fake.token)
        capsys.readouterr()
        code = main(list(argv))
        out = capsys.readouterr()
        return code, out.out, out.err

    return run
