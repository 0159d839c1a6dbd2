"""What is kept at the end of each stage, to start again at the next: workspace, stashes, assigned and script variables."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cibus.errors import CibusError, UsageError
from cibus.history import PastBuild, write_atomically
from cibus.pipeline.engine.codec import encode
from cibus.pipeline.runtime.kept import Entry, NoRoom, Store, listing
from cibus.pipeline.runtime.workspaces import AFAR

if TYPE_CHECKING:
    from cibus.pipeline.runtime.branch import Branch
    from cibus.pipeline.runtime.run import Run

FOLDER = "resume"
STORE = "held"
BLOBS = ".blobs"
KEPT_RUNS = 3  # of a job: states of older ones are removed
GIB = 1 << 30


@dataclass(frozen=True)
class Held:
    """What is held to start at a stage.

    Arguments:
        stage: the stage that would run first
        path: the file that says so
        at: when it was taken, in seconds since the epoch
        env: what the script had assigned to ``env``
        variables: the script's variables; ``lost``: the names of those that cannot be kept
        artifacts: what had been archived
        workspace: its files; None where it was too large
        stashes: the stashes' files
        copied: bytes that had to be copied for it
        place: the workspace's folder
    """

    stage: str
    path: Path
    at: float = 0.0
    env: Mapping[str, str] = field(default_factory=dict)
    variables: Any = None
    lost: tuple[str, ...] = ()
    artifacts: tuple[str, ...] = ()
    workspace: Mapping[str, Entry] | None = None
    stashes: Mapping[str, Entry] = field(default_factory=dict)
    copied: int = 0
    place: str = ""

    @property
    def files(self) -> int:
        """How many files the workspace has."""
        return sum(entry.kind == "f" for entry in (self.workspace or {}).values())

    @property
    def size(self) -> int:
        """Bytes of the workspace and the stashes."""
        return sum(entry.size for each in (self.workspace or {}, self.stashes) for entry in each.values())

    @property
    def blobs(self) -> set[str]:
        """What it needs of the store."""
        return {entry.blob for each in (self.workspace or {}, self.stashes) for entry in each.values() if entry.kind == "f"}

    def data(self) -> dict[str, Any]:
        """For JSON."""
        lists = {name: None if each is None else {key: entry.as_list() for key, entry in each.items()} for name, each in (("workspace", self.workspace), ("stashes", self.stashes))}
        return {"stage": self.stage, "at": self.at, "env": self.env, "variables": self.variables, "lost": self.lost, "artifacts": self.artifacts, "copied": self.copied, "place": self.place, **lists}


def held(build: Path) -> list[Held]:
    """What a build's folder holds, in the order of the stages."""
    return [found for path in _states(build) if (found := _read(path)) is not None]


def _states(build: Path) -> list[Path]:
    return sorted((build / FOLDER).glob("[0-9]*.json"))


def _read(path: Path) -> Held | None:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        workspace = None if data["workspace"] is None else listing(data["workspace"])
        return Held(
            data["stage"], path, data["at"], data["env"], data["variables"], tuple(data["lost"]), tuple(data["artifacts"]), workspace, listing(data["stashes"]), data["copied"], data.get("place", "")
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


class Snapshots:
    """Keeps the state before each stage of the main thread, and brings one back with ``--resume``."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._folder = run.build.folder / FOLDER
        self._store = Store(run.history.job(run.build.job) / STORE)
        self._restored: Held | None = None
        self._last: Held | None = None
        self._taken = 0
        self._room = run.config.pipeline.keep_space * GIB
        if run.options.resume:
            self._prepare()

    def _prepare(self) -> None:
        """Finds what is to be brought back: the stage that failed last time, or the one that ``--from`` names."""
        run = self._run
        start = run.selection.start
        for past in self._past():
            found = [each for each in held(past.folder) if start is None or each.stage == start]
            if found and (start is not None or past.result != "SUCCESS"):
                self._restored = found[-1]
                run.selection.start = found[-1].stage
                run.selection.resumed = True
                run.remark(f"resuming build #{past.number} at stage {found[-1].stage}", "note")
                return
        if start is None:
            raise UsageError(f"--resume: no build of {run.build.job} here has failed in a stage; run it once without --resume")
        run.remark(f"nothing is held here of what was before stage {start}: it starts with a fresh workspace", "warning")

    def _past(self) -> list[PastBuild]:
        """The builds whose state may be brought back: other attempts of this one, then those before it."""
        run = self._run
        return [*run.history.attempts(run.build.job, run.build.number), *run.history.before(run.build.job, run.build.number)]

    @property
    def kept(self) -> bool:
        """Whether there is something to resume from."""
        return self._last is not None

    def take(self, branch: Branch, stage: str) -> None:
        """Keeps the state before a stage. A disk that is full, or a workspace beyond the room, costs the state and not the run."""
        if self._run.options.dry_run:
            return
        if self._taken == 0:
            self._store.hold()
        try:
            self._keep(branch, stage)
        except (OSError, CibusError) as error:
            self._run.remark(f"what was before stage {stage} is not held, so it cannot be resumed there: {error}")

    def _keep(self, branch: Branch, stage: str) -> None:
        run = self._run
        variables, lost = self._variables(branch)
        before = self._last or self._former()
        kept, copied = self._workspace(branch.scope.workspace, before, stage)
        stashes, more = self._store.keep(run.build.stashes_dir, before.stashes if before else {}, self._room)
        self._taken += 1
        self._room -= copied + more
        assigned = run.environment.assigned
        env = {name: value for name, value in assigned.items() if not run.is_secret(value)}
        lost += [f"env.{name}" for name in assigned if name not in env]
        path = self._folder / f"{self._taken:03}.json"
        now = Held(stage, path, time.time(), env, variables, tuple(lost), tuple(run.build.artifacts), kept, stashes, copied + more, str(branch.scope.workspace or ""))
        write_atomically(path, json.dumps(now.data(), default=str))  # for the user alone: variables may be what nobody else should see
        write_atomically(path.with_suffix(BLOBS), " ".join(sorted(now.blobs)))
        self._last = now

    def _variables(self, branch: Branch) -> tuple[dict[str, Any], list[str]]:
        """The script's variables, without those that hold a secret."""
        found = branch.channel.request("variables") if self._run.engine.arrive is None else None
        data = getattr(found, "value", found) or {"kept": {}, "lost": []}
        secret = [name for name, value in data["kept"].items() if self._run.is_secret(json.dumps(value, default=str))]
        return {name: value for name, value in data["kept"].items() if name not in secret}, [*data["lost"], *secret]

    def _former(self) -> Held | None:
        """The newest state of an earlier run: what it has in common with this one is not copied again."""
        paths = [path for past in self._past()[:1] for path in reversed(_states(past.folder))]
        return next((found for path in paths if (found := _read(path)) is not None), None)

    def _workspace(self, workspace: Path | None, before: Held | None, stage: str) -> tuple[dict[str, Entry] | None, int]:
        if workspace is None or not workspace.is_dir():
            return None, 0
        known = (before.workspace if before else None) or {}
        try:
            return self._store.keep(workspace, known, self._room)
        except NoRoom as error:
            allowed = self._run.config.pipeline.keep_space
            self._run.remark(f"the workspace is not held for stage {stage}: {error.size / GIB:.1f} GiB would be copied, and keep_space in [pipeline] allows {allowed} in all")
            return None, 0

    def restore(self) -> None:
        """Brings workspace and stashes back, once the script is compiled.

        Raises:
            CibusError: what was held is damaged.
        """
        state = self._restored
        if state is None:
            return
        run = self._run
        run.build.artifacts.extend(state.artifacts)
        try:
            self._store.bring_back(state.stashes, run.build.stashes_dir)
            if state.workspace is not None and not run.in_place:
                self._store.bring_back(state.workspace, self._place(state))
        except OSError as error:
            raise CibusError(f"{state.path}: what is held there cannot be brought back ({error}); run without --resume") from error

    def _place(self, state: Held) -> Path:
        """Where the workspace was: the mirror of another machine's has a folder of its own."""
        root = self._run.workspaces.root
        before = Path(state.place)
        return before if before.is_relative_to(root / AFAR) else root / self._run.workspaces.name

    def restore_variables(self) -> None:
        """Brings variables back where the stages begin: behind what the script assigns before them."""
        if self._restored is not None:
            self._run.environment.assigned.update(self._restored.env)
            self._run.main.channel.request("restore", v=encode(self._restored.variables))
            for name in self._restored.lost:
                self._run.remark(f"the variable {name} could not be kept: it is neither text, number, list nor map, nor a loaded file, or holds a secret; the stages run without it")

    def tidy(self) -> None:
        """At the end of a run: what is held stays within ``keep_space``, the newest first; the rest is removed."""
        self._store.release()
        run = self._run
        sizes = self._store.sizes()
        room, needed = run.config.pipeline.keep_space * GIB, set[str]()
        for age, past in enumerate(run.history.past(run.build.job)):
            for path in reversed(_states(past.folder)):
                fresh = _blobs_of(path) - needed
                size = sum(sizes.get(blob, 0) for blob in fresh)
                if age >= KEPT_RUNS or size > room:
                    path.unlink(missing_ok=True)
                    path.with_suffix(BLOBS).unlink(missing_ok=True)
                    room = 0
                    continue
                room -= size
                needed |= fresh
        with contextlib.suppress(OSError):
            self._store.drop(set(sizes) - needed)


def _blobs_of(path: Path) -> set[str]:
    """What a state needs of the store: listed beside it, for the whole state takes long to read."""
    try:
        return set(path.with_suffix(BLOBS).read_text(encoding="ascii").split())
    except OSError:
        return set()


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
