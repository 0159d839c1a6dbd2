"""A stand-in for StepContext, so that steps are tested without the JVM."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cibus.pipeline.runtime.build import Build
from cibus.pipeline.runtime.scope import Scope
from cibus.pipeline.steps import registry
from cibus.pipeline.values import Thrown, abort


class FakeRun:
    """The parts of a run that steps use."""

    def __init__(self, folder: Path) -> None:
        self.build = Build("job", 7, folder / "builds" / "7")
        self.config = SimpleNamespace(effects={})
        self.builds: dict[str, Path] = {}
        self.remotes: list[Any] = []
        self.recorded: list[tuple[str, dict[str, Any]]] = []
        self.fidelity = SimpleNamespace(record=lambda effect, line, details: self.recorded.append((effect, details)))
        self.engine = SimpleNamespace(guard=lambda command: None, unguard=lambda command: None)
        self.environment = SimpleNamespace(groovy=lambda scope: merged(scope), machine=dict(os.environ))

    def remote(self, value: Any) -> Any:
        value.remote_id = len(self.remotes) + 1
        self.remotes.append(value)
        return value

    def remark(self, text: str, level: str = "warning") -> None:
        pass

    def build_of(self, job: str, number: int | None) -> Path | None:
        return self.builds.get(job)


def merged(scope: Scope) -> dict[str, str]:
    found: dict[str, str] = {}
    for overlay in scope.env:
        found.update(overlay)
    return found


class FakeContext:
    """StepContext's interface; ``lines`` is the log."""

    def __init__(self, run: FakeRun, workspace: Path) -> None:
        self.run = run
        self.workspace = workspace
        self.scope = Scope(workspace=workspace, cwd=workspace, stage_name="Test")
        self.lines: list[str] = []
        self.marks: list[str] = []
        self.differs: list[str] = []
        self.fidelity = "real"
        self.body: Callable[..., Any] | None = None
        self.line = 1
        self.spec = SimpleNamespace(name="step")

    @property
    def build(self) -> Build:
        return self.run.build

    @property
    def cwd(self) -> Path:
        assert self.scope.cwd is not None
        return self.scope.cwd

    def path(self, name: str) -> Path:
        return self.cwd / name

    def environ(self) -> dict[str, str]:
        return {**os.environ, **merged(self.scope)}

    def log(self, text: str) -> None:
        self.lines += text.removesuffix("\n").split("\n")

    def remark(self, text: str, level: str = "warning") -> None:
        pass

    def fail(self, message: str) -> Thrown:
        return abort(message)

    def mark_stage(self, status: str) -> None:
        self.marks.append(status)

    def allowed(self, effect: str) -> bool:
        return bool(self.run.config.effects.get(effect) == "real")

    def recorded(self, effect: str, **details: Any) -> None:
        self.fidelity = "recorded"
        self.run.recorded.append((effect, details))

    def note_difference(self, text: str) -> None:
        self.differs.append(text)

    @contextlib.contextmanager
    def suspended(self) -> Iterator[None]:
        yield

    def run_body(self, scope: Scope | None = None, *, title: str = "", args: Sequence[Any] = ()) -> Any:
        assert self.body is not None
        before, self.scope = self.scope, scope or self.scope
        try:
            return self.body(*args)
        finally:
            self.scope = before

    def execute(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> int:
        done = subprocess.run(argv, cwd=cwd or self.cwd, env=env, capture_output=True, text=True, check=False)
        for line in done.stdout.splitlines():
            self.log(line)
        return done.returncode


class Steps:
    """Calls steps by name: ``steps("sha1", "a.txt")`` or ``steps("junit", testResults="*.xml")``."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "workspace"
        self.root.mkdir()
        self.run = FakeRun(folder)
        self.ctx = FakeContext(self.run, self.root)

    def __call__(self, name: str, /, *positional: Any, **named: Any) -> Any:
        spec = registry._STEPS[name]
        if positional:
            assert spec.only is not None
            named[spec.only.name] = positional[0]
        return spec.function(self.ctx, **named)

    def fails(self, name: str, /, *positional: Any, **named: Any) -> Thrown:
        with pytest.raises(Thrown) as caught:
            self(name, *positional, **named)
        return caught.value

    def write(self, *names: str, text: str = "x") -> None:
        for name in names:
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")

    def files(self) -> list[str]:
        return sorted(str(p.relative_to(self.root)) for p in self.root.rglob("*") if p.is_file())

    @property
    def log(self) -> list[str]:
        """The lines since the last look."""
        lines, self.ctx.lines = self.ctx.lines, []
        return lines


@pytest.fixture
def steps(tmp_path: Path) -> Steps:
    import importlib

    for family in ("archives", "artifacts", "data", "docker", "files", "notify", "reports", "stash"):
        importlib.import_module(f"cibus.pipeline.steps.{family}")
    return Steps(tmp_path)
