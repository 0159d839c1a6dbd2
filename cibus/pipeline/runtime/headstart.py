"""A head start: a pipeline whose tree an earlier run has left begins while Groovy is still compiling it.

Only a script that is nothing but one ``pipeline`` block qualifies: nothing of it runs before the block. Until something
of it has to be evaluated by Groovy, its steps with literal arguments are called from here, just as Groovy would call
them; from then on Groovy runs everything.
"""

from __future__ import annotations

import copy
import functools
import hashlib
import os
import pickle
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cibus import __version__
from cibus.errors import CibusError
from cibus.pipeline.engine.process import SCRIPT
from cibus.pipeline.model import records
from cibus.pipeline.model.tree import Node, descendants
from cibus.pipeline.runtime.declarative import Declarative
from cibus.pipeline.runtime.dispatch import call
from cibus.pipeline.steps import registry
from cibus.pipeline.values import Closure, PythonBody, Thrown

if TYPE_CHECKING:
    from cibus.pipeline.model.records import Pipeline
    from cibus.pipeline.runtime.branch import Branch
    from cibus.pipeline.runtime.run import Run

KEPT = 50  # trees in the cache
LITERALS = frozenset({"java.lang.String", "java.lang.Boolean", "java.lang.Integer", "null"})
GROOVY_ONLY = frozenset({"evaluate", "library", "load", "parallel", "properties", "script", "step", "wrap"})
"""Steps that run Groovy code themselves, or whose arguments or body are not what they seem in the tree."""


class NotPlainError(Exception):
    """A part of the tree that only Groovy can evaluate."""


@dataclass(frozen=True)
class PlainCall:
    """A call of a step with literal arguments, and a body of such calls or none."""

    name: str
    args: list[Any]
    body: tuple[PlainCall, ...] | None
    line: int


class HeadStart:
    """One run's head start.

    Arguments:
        run: the run, nothing of which has happened yet
        tree: the pipeline block's syntax tree
        model: what was read from it
    """

    def __init__(self, run: Run, tree: Node, model: Pipeline) -> None:
        self.run = run
        self.model = model
        self._nodes = {node["id"]: node for node in descendants(tree) if node["t"] == "closure"}
        self._closures: Mapping[str, Closure] = {}
        self.needed = False  # whether anything was asked of Groovy
        self._there = threading.Event()
        self._problem: BaseException | None = None

    def execute(self) -> None:
        """Runs the pipeline; raises the error that it ends with.

        Raises:
            Thrown: what the script ends with.
            EngineError: the JVM was needed and is missing, or died.
        """
        run = self.run
        run.engine.arrive = self.arrive
        threading.Thread(target=self._prepare, daemon=True).start()
        try:
            run.answering("$pipeline.run", lambda: Declarative(run, self.model, _Closures(self), run.main).execute())
        except Thrown as error:
            if not self.needed and not (error.is_interruption or error.is_abort_exception):
                self.arrive()  # its stack trace is Java's
            if not self.needed:
                raise
            run.main.channel.resume(error)
        else:
            if self.needed:
                run.main.channel.resume(None)

    def reading(self) -> dict[str, Any]:
        """What the Groovy side is told of the block that it compiles."""
        return {"errors": [], "closures": sorted(self.model.closures), "model": "0"}

    def closures(self) -> Mapping[str, Closure]:
        """The closures of the block, once Groovy has come to it."""
        self.arrive()
        return self._closures

    def arrive(self) -> None:
        """Waits until Groovy stands where the pipeline block begins; from here on it runs everything."""
        self.needed = True
        self._there.wait()
        self.run.engine.arrive = None
        if self._problem is not None:
            raise self._problem

    def _prepare(self) -> None:
        try:
            channel = self.run.main.channel
            script = channel.compile(self.run.text, SCRIPT, strict=self.run.strict)
            _, closures = channel.run_to(script, "$pipeline.run")
            self._closures = closures
        except (Thrown, CibusError) as error:
            self._problem = error
        finally:
            self._there.set()

    def plain(self, node: int) -> Callable[[Branch], Any] | None:
        """A block of steps as Python code, where nothing of Groovy is needed for it or was needed yet."""
        if self.needed or node not in self._nodes:
            return None
        try:
            calls = tuple(self._calls(self._nodes[node]))
        except NotPlainError:
            return None
        return lambda branch: self._perform(calls, branch)

    def _calls(self, closure: Node) -> Iterator[PlainCall]:
        if closure["params"]:
            raise NotPlainError
        for statement in closure["stmts"]:
            node = statement["e"] if statement["t"] == "stmt" else statement
            if node["t"] != "call" or node["obj"] is not None or not isinstance(node["name"], str):
                raise NotPlainError
            spec = None if node["name"] in GROOVY_ONLY else registry.find(node["name"])
            if spec is None or any(parameter.type is Closure for parameter in spec.parameters):
                raise NotPlainError
            args = list(node["args"])
            body = tuple(self._calls(args.pop())) if args and args[-1]["t"] == "closure" else None
            yield PlainCall(spec.name, [literal(each) for each in args], body, node["l"])

    def _perform(self, calls: tuple[PlainCall, ...], branch: Branch) -> Any:
        value: Any = None
        for each in calls:
            value = self.run.answering(each.name, functools.partial(self._step, each, branch), branch)
        return value

    def _step(self, plain: PlainCall, branch: Branch) -> Any:
        args = copy.deepcopy(plain.args)
        if plain.body is not None:
            args.append(PythonBody(functools.partial(self._perform, plain.body, branch)))
        return call(branch, plain.name, args, plain.line)


class _Closures(Mapping[str, Closure]):
    """The closures of the block by tree node; asking for one waits for Groovy."""

    def __init__(self, start: HeadStart) -> None:
        self._start = start

    def __getitem__(self, node: str) -> Closure:
        return self._start.closures()[node]

    def __iter__(self) -> Iterator[str]:
        return iter(self._start.closures())

    def __len__(self) -> int:
        return len(self._start.closures())


def literal(node: Node) -> Any:
    """The value of a literal; raises NotPlainError for anything else."""
    if node["t"] == "const" and node["cls"] in LITERALS:
        return node["v"]
    if node["t"] == "list":
        return [literal(each) for each in node["items"]]
    if node["t"] == "map":
        return {literal(entry["k"]): literal(entry["v"]) for entry in node["entries"]}
    raise NotPlainError


def known(run: Run) -> HeadStart | None:
    """The head start that this run can have, or None."""
    options = run.options
    if options.resume or options.restart_from or "@Library" in run.text or any(each.implicit for each in run.config.libraries.values()):
        return None
    try:
        tree, model = pickle.loads(place(run).read_bytes())
    except Exception:  # whatever is wrong with it, the run goes without
        return None
    run.trees.append(tree)
    run.models.append(model)
    return HeadStart(run, tree, model)


def remember(run: Run, tree: Node, model: Pipeline) -> None:
    """Keeps what was read of a script that is nothing but a pipeline block, for the next run of the same script."""
    if model.libraries or "@Library" in run.text:
        return
    kept = place(run)
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        beside = kept.with_name(f".{os.getpid()}.{run.build.number}")
        beside.write_bytes(pickle.dumps((tree, model)))
        beside.replace(kept)
        for old in sorted(kept.parent.glob("*.tree"), key=lambda each: each.stat().st_mtime, reverse=True)[KEPT:]:
            old.unlink(missing_ok=True)
    except OSError:
        return  # the next run starts without


def place(run: Run) -> Path:
    """Where a script's tree is kept: by its text, and by the Groovy and Python code that read it."""
    shape = Path(records.__file__).stat()
    digest = hashlib.sha256(f"{__version__} {shape.st_size} {shape.st_mtime_ns} {run.strict}\n{run.text}".encode()).hexdigest()
    return run.engine.folder / "trees" / f"{digest[:24]}.tree"
