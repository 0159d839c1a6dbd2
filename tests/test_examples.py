"""The examples run, each as the top of a repository of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

from repos import Repo

EXAMPLES = Path(__file__).parent.parent / "examples"


def copied(name: str, tmp_path: Path) -> Repo:
    repo = Repo(tmp_path / name, tmp_path / "state")
    shutil.copytree(EXAMPLES / name, repo.path)
    repo.git("init", "-q")
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "example")
    return repo


def test_scripted(tmp_path: Path) -> None:
    done = copied("scripted", tmp_path).cibus("run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"longest":"credential"' in done.stdout
    assert "artifacts: 1 in" in done.stdout


def test_mobile_app(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES / "mobile-app-library", tmp_path / "mobile-app-library")
    repo = copied("mobile-app", tmp_path)
    done = repo.cibus("run", "-p", "FLAVOUR=release", "--strict-credentials")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "=== Postcard 1.4.1 (release) ===" in done.stdout
    assert "[iOS]" in done.stdout
    assert "artifacts: 2 in" in done.stdout
    assert "not-a-real-password" not in done.stdout + done.stderr
    assert repo.cibus("lint").returncode == 0
