"""Runs `cibus` for golden.py and keeps what the run left: its folder, where it ran, and the commits.

usage: golden_run.py FOLDER COMMAND...   the arguments of `cibus`; the run's folder is copied to FOLDER/JOB
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path


def keep(folder: Path, words: list[str], code: int) -> None:
    """Copies the newest build's folder, and notes the places that the comparison calls by the same word."""

    def given(option: str) -> str:
        return words[words.index(option) + 1]

    job = given("--job")
    target = folder / job.replace("/", "_").replace("%2F", "_")
    shutil.rmtree(target, ignore_errors=True)
    number = given("--build-number")
    builds = sorted(Path(given("--state-dir")).glob(f"jobs/*/builds/{number}"), key=lambda each: each.stat().st_mtime)
    own = [each for each in builds if json.loads((each / "build.json").read_text("utf-8")).get("job") == job] if builds else []
    if not own:
        return
    shutil.copytree(own[-1], target, symlinks=True, ignore=shutil.ignore_patterns("resume", "stashes"))
    places = {"workspaces": given("--workspace-root"), "repository": str(Path.cwd()), "code": code}
    (target / "places.json").write_text(json.dumps(places), "utf-8")


if __name__ == "__main__":
    from cibus.cli import main

    arguments = sys.argv[2:]
    status = 1
    try:
        status = main(arguments)
    finally:
        if arguments[:1] == ["run"]:
            try:
                keep(Path(sys.argv[1]), arguments, status)
            except (OSError, ValueError) as error:
                sys.stderr.write(f"golden_run: {error}\n")
    sys.exit(status)
