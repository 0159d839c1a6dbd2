"""What is kept to start again at a stage: workspace, stashes, assigned variables, script variables."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cibus.errors import UsageError
from cibus.pipeline.engine.codec import encode
from cibus.pipeline.runtime.history import write_atomically
from cibus.pipeline.runtime.workspaces import AFAR

if TYPE_CHECKING:
    from cibus.pipeline.runtime.branch import Branch
    from cibus.pipeline.runtime.run import Run

FOLDER = "resume"
LARGEST = 20_000  # files in a workspace beyond which it is not copied


class Snapshots:
    """Keeps the state before the latest stage of the main thread, and brings it back with ``--resume``."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._folder = run.build.folder / FOLDER
        self._restored: dict[str, Any] | None = None
        if run.options.resume:
            self._prepare()

    def _prepare(self) -> None:
        """Finds the stage that failed last time."""
        run = self._run
        for past in run.earlier:
            saved = past.folder / FOLDER / "state.json"
            if saved.is_file() and past.result != "SUCCESS":
                self._restored = json.loads(saved.read_text(encoding="utf-8"))
                self._restored["folder"] = str(saved.parent)
                run.selection.start = self._restored["stage"]
                run.selection.resumed = True
                run.remark(f"resuming build #{past.number} at stage {self._restored['stage']}", "note")
                return
        raise UsageError(f"--resume: no build of {run.build.job} here has failed in a stage; run it once without --resume")

    @property
    def kept(self) -> bool:
        """Whether there is something to resume from."""
        return (self._folder / "state.json").is_file()

    def take(self, branch: Branch, stage: str) -> None:
        """Keeps the state before a stage; the one before is replaced."""
        if self._run.options.dry_run:
            return
        variables = branch.channel.request("variables") if self._run.engine.arrive is None else None
        kept = getattr(variables, "value", variables) or {"kept": {}, "lost": []}
        state = {
            "stage": stage,
            "env": self._run.environment.assigned,
            "variables": kept["kept"],
            "lost": kept["lost"],
            "artifacts": self._run.build.artifacts,
            "workspace": None,
        }
        fresh = self._folder.with_name(f".{FOLDER}")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True, mode=0o700)  # variables may hold secrets
        workspace = branch.scope.workspace
        if workspace is not None and workspace.is_dir() and _small(workspace):
            copy_tree(workspace, fresh / "workspace")
            state["workspace"] = str(workspace)
        copy_tree(self._run.build.stashes_dir, fresh / "stashes")
        write_atomically(fresh / "state.json", json.dumps(state, default=str))
        shutil.rmtree(self._folder, ignore_errors=True)
        fresh.rename(self._folder)

    def restore(self) -> None:
        """Brings workspace and stashes back, once the script is compiled."""
        state = self._restored
        if state is None:
            return
        run = self._run
        run.build.artifacts.extend(state["artifacts"])
        copy_tree(Path(state["folder"]) / "stashes", run.build.stashes_dir)
        kept = Path(state["folder"]) / "workspace"
        if kept.is_dir() and not run.in_place:
            before, root = Path(state["workspace"] or ""), run.workspaces.root
            target = before if before.is_relative_to(root / AFAR) else root / run.workspaces.name
            shutil.rmtree(target, ignore_errors=True)
            copy_tree(kept, target)

    def restore_variables(self) -> None:
        """Brings variables back where the stages begin: behind what the script assigns before them."""
        if self._restored is not None:
            self._run.environment.assigned.update(self._restored["env"])
            self._run.main.channel.request("restore", v=encode(self._restored["variables"]))
            for name in self._restored["lost"]:
                self._run.remark(f"the variable {name} could not be kept: it is neither text, number, list nor map, nor a loaded file; the stages run without it")


def _small(folder: Path) -> bool:
    return all(count < LARGEST for count, _ in enumerate(folder.rglob("*")))


def copy_tree(source: Path, target: Path) -> None:
    """Copies a folder, sharing the data where the file system can (reflinks)."""
    if not source.is_dir():
        return
    target.mkdir(parents=True, exist_ok=True)
    if not any(source.iterdir()):
        return
    done = subprocess.run(["cp", "-a", "--reflink=auto", f"{source}/.", str(target)], capture_output=True, check=False)
    if done.returncode != 0:
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
