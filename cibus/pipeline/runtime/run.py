"""One run of a pipeline: everything that its parts share, from the script's text to the build's result."""

from __future__ import annotations

import contextlib
import functools
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cibus.config import Config
from cibus.errors import CibusError, EngineError, SourceError, UsageError
from cibus.git import git
from cibus.history import RECORD, History, PastBuild, state_folder, write_atomically
from cibus.pipeline.engine.process import SCRIPT, Channel, Engine
from cibus.pipeline.events import (
    Bus,
    Event,
    PipelineEnded,
    PipelineStarted,
    PromptEnded,
    PromptStarted,
    Remark,
    RunEnded,
    RunStarted,
)
from cibus.pipeline.model.records import Pipeline
from cibus.pipeline.runtime import headstart, launch, parameters, preflight, questions
from cibus.pipeline.runtime.answers import Answers
from cibus.pipeline.runtime.baton import Baton
from cibus.pipeline.runtime.branch import Branch
from cibus.pipeline.runtime.build import Build, Cause
from cibus.pipeline.runtime.causes import causes_of, preamble
from cibus.pipeline.runtime.credentials import Credentials
from cibus.pipeline.runtime.dispatch import run_step
from cibus.pipeline.runtime.downstream import Downstream
from cibus.pipeline.runtime.environment import Environment, machine_env
from cibus.pipeline.runtime.executors import Executors
from cibus.pipeline.runtime.fidelity import FidelityReport
from cibus.pipeline.runtime.libraries import Libraries
from cibus.pipeline.runtime.locks import Locks
from cibus.pipeline.runtime.masks import mask
from cibus.pipeline.runtime.names import default_job
from cibus.pipeline.runtime.nodes import Lease
from cibus.pipeline.runtime.objects import Objects
from cibus.pipeline.runtime.options import RunOptions
from cibus.pipeline.runtime.post import result_of
from cibus.pipeline.runtime.scope import Scope
from cibus.pipeline.runtime.snapshots import Snapshots, copy_tree
from cibus.pipeline.runtime.source import Source, open_source
from cibus.pipeline.runtime.stages import StageBook
from cibus.pipeline.runtime.stubs import Stubs
from cibus.pipeline.runtime.workspaces import Workspaces
from cibus.pipeline.steps import registry
from cibus.pipeline.values import Closure, PythonBody, Thrown, interrupted

if TYPE_CHECKING:
    from cibus.pipeline.runtime.hosts import Hosts

PATIENCE = 3.0  # seconds that Groovy code gets to reach a step after an abort, before its JVM is ended
STACK = 64 << 20
PROXY = "hudson.remoting.ProxyException: "
PROXIED = frozenset(
    {
        "groovy.lang.MissingPropertyException",
        "groovy.lang.MissingMethodException",
        "org.codehaus.groovy.control.MultipleCompilationErrorsException",
        "com.cloudbees.groovy.cps.impl.CpsCallableInvocation",
    }
)
"""Exceptions that Jenkins keeps as text, since they would hold on to a class loader (workflow-api's ErrorAction)."""


class Run:
    """A build of a job on this machine.

    Arguments:
        options: what to run and how
        config: cibus.toml
        bus: who listens to the events
        engine: a JVM that is starting already
        causes: instead of those that ``options`` name
        later: count as a later build of a job whose parameters are known, even without a history

    Raises:
        CibusError: the script, the repository or the state folder cannot be used.
    """

    def __init__(
        self, options: RunOptions, config: Config, bus: Bus, *, engine: Engine | None = None, causes: tuple[Cause, ...] | None = None, later: bool = False
    ) -> None:
        self.options = options
        self.config = config
        self.bus = bus
        self.user = config.pipeline.user or "admin"
        self.source: Source = open_source(options.script, options.mode, clean=options.clean)
        self.script_name = str(options.script)
        self.text = _script_text(options, self.source)
        self.history = History(options.state_dir or state_folder(options.script))
        job = options.job or default_job(options.script, self.source)
        number, folder = self.history.claim(job, options.number)
        self.earlier: list[PastBuild] = self._before(job, number)
        self.build = Build(job, number, folder, causes if causes is not None else causes_of(options, self.user, self.source))
        self.given = dict(options.parameters)
        self.known_parameters: set[str] | None = None
        self.restart_from = options.restart_from
        self.selection = options.selection
        self.in_place = options.in_place
        self.in_place_used: set[Path] = set()
        self._parts(engine)
        declared: Any = self.earlier[0].record.get("declared") if self.earlier else None
        if options.pins is not None:
            declared = options.pins.declared
        parameters.before_run(self, declared, first_build=options.number == 1 and not later)
        if options.pins is not None:  # a controller prints them; what is reproduced goes to colleagues
            values = [*options.pins.secrets, *(value for name in self.build.secret_params if (value := self.build.env_params.get(name)))]
            self._always_hidden += tuple(values)
            self.hide(values)

    def _before(self, job: str, number: int) -> list[PastBuild]:
        """The builds before this one, newest first."""
        pins = self.options.pins
        if pins is None or pins.before is None:
            return self.history.before(job, number)
        before, result = pins.before
        record = {"job": job, "number": before, "result": result or "SUCCESS"}
        return [PastBuild(self.history.job(job) / "builds" / str(before), record)]

    def _parts(self, engine: Engine | None) -> None:
        """What the steps work with."""
        config, options, build = self.config, self.options, self.build
        strict = config.pipeline.cps == "strict"
        self._secrets: tuple[str, ...] = ()
        self.environment = Environment(build, machine_env(config.pipeline.pass_env), config.pipeline.jenkins_url, ci=not strict)
        self.environment.extra.update(options.env)
        self.environment.branch.update(branch_variables(self.source))
        self.stages = StageBook()
        self.fidelity = FidelityReport()
        self.credentials = Credentials(config.credentials, self._ask_secret, legacy=strict)
        self.libraries = Libraries(self)
        self.stubs = Stubs(self)
        self.objects = Objects(self)
        self.answers = Answers(options.answers, interactive=options.interactive)
        self.downstream = Downstream(self)
        self.locks = Locks(self.history.state / "locks", f"{build.job} #{build.number}")
        self.workspaces = Workspaces(options.workspace_root or self.history.state / "workspaces", build.job, multibranch=self.source.mode == "multibranch")
        self.snapshots = Snapshots(self)
        self.nodes = Executors(self)
        self.baton = Baton()
        self.milestones: list[int] = []
        self.missing_labels: set[str] = set()
        self._always_hidden: tuple[str, ...] = ()
        self.seen_environment: dict[str, str] = {}  # of the first agent's first process
        self.models: list[Pipeline] = []
        self.trees: list[Mapping[str, Any]] = []
        self._id = 0
        self._branches = 0
        self._counters = threading.Lock()
        self._prompting = threading.RLock()
        self._by_branch: dict[int, Branch] = {}
        self._engine = engine
        self._aborted = False
        self._given_up = ""
        self.croaked: Thrown | None = None
        self._crash: BaseException | None = None
        self.ahead: headstart.HeadStart | None = None

    # -- parts that need the JVM

    @property
    def engine(self) -> Engine:
        """The JVM, started when it is first needed."""
        if self._engine is None:
            self._engine = Engine()
        return self._engine

    @functools.cached_property
    def hosts(self) -> Hosts:
        """The machines over SSH."""
        from cibus.pipeline.runtime.hosts import Hosts

        return Hosts(self)

    @property
    def main(self) -> Branch:
        """The main thread of the script."""
        return self.branch_of(0)

    def branch_of(self, id: int) -> Branch:
        """The branch with that id."""
        found = self._by_branch.get(id)
        if found is None:
            found = self._by_branch[id] = Branch(self, id, "", Scope(secrets=self._always_hidden))
        return found

    def register(self, branch: Branch) -> None:
        """A branch of ``parallel`` begins."""
        self._by_branch[branch.id] = branch

    def forget(self, branch: Branch) -> None:
        """A branch of ``parallel`` ended."""
        self._by_branch.pop(branch.id, None)
        with contextlib.suppress(EngineError):
            branch.channel.end()

    def current_branch(self) -> Branch:
        """The branch whose thread this is."""
        return getattr(_LOCAL, "branch", None) or self.main

    def next_id(self) -> int:
        """A number for a step or block."""
        with self._counters:
            self._id += 1
            return self._id

    def next_branch(self) -> int:
        """A number for a branch."""
        with self._counters:
            self._branches += 1
            return self._branches

    @staticmethod
    def thread(target: Callable[..., None], *args: Any) -> threading.Thread:
        """A thread with a stack that is deep enough for nested blocks."""
        before = threading.stack_size(STACK)
        try:
            thread = threading.Thread(target=target, args=args, daemon=True)
            thread.start()
        finally:
            threading.stack_size(before)
        return thread

    # -- running

    def execute(self) -> str:
        """Runs the script to its end and gives the build's result.

        Raises:
            EngineError: the JVM is missing, or died.
            BaseException: a bug in cibus; the build is recorded as FAILURE first.
        """
        started = time.monotonic()
        self.bus.emit(RunStarted(self.build.job, self.build.number, preamble(self), self.script_name))
        epilogue: tuple[str, ...] = ()
        running = False
        looking: threading.Thread | None = None
        try:
            self.engine.answer = self._answer
            self.engine.lost = self._lost
            sys.setrecursionlimit(max(sys.getrecursionlimit(), 200_000))
            self.baton.acquire()
            try:
                self.ahead = headstart.known(self)
                go = self.ahead.execute if self.ahead is not None else functools.partial(self.main.channel.run, self._compile())
                looking = preflight.check(self)
                running = True
                self.bus.emit(PipelineStarted())
                go()
            except Thrown as error:
                epilogue = self._failed(self.croaked or error, running)
            finally:
                self.baton.release()
            if looking is not None:
                looking.join(timeout=5)
            if self._crash is not None:
                raise self._crash
        except UsageError as error:
            self.build.set_result("NOT_BUILT")
            self._end(running, (f"ERROR: {error}",), started)
            raise
        except EngineError as error:
            if self._given_up and not self._aborted:
                self.build.set_result("FAILURE")
                epilogue = (f"ERROR: {self._given_up}",)
            elif not self._aborted:
                self.build.set_result("FAILURE")
                self._end(running, (f"ERROR: {error}",), started)
                raise
        except BaseException:
            self.build.set_result("FAILURE")
            self._end(running, ("ERROR: cibus itself failed",), started)
            raise
        self._end(running, epilogue, started)
        return self.build.result or "SUCCESS"

    def _bring_stashes(self) -> None:
        """A restart from a stage has the stashes of the build that it restarts (``preserveStashes``)."""
        if self.restart_from and self.earlier:
            copy_tree(self.earlier[0].folder / "stashes", self.build.stashes_dir)

    def _compile(self) -> Any:
        self._bring_stashes()
        channel = self.main.channel
        for name in self.libraries.implicit():
            info = self.libraries.load(name)
            if info is not None:
                channel.request("library", **info)
        script = channel.compile(self.text, SCRIPT, strict=self.strict)
        self.snapshots.restore()
        return script

    def _failed(self, error: Thrown, running: bool) -> tuple[str, ...]:
        """The script ended by an exception: the result, and what the log says of it."""
        self.build.set_result(result_of(error))
        if error.is_interruption:
            return tuple(text for kind, text in error.causes if not (kind == "UserInterruption" and self._aborted) and kind != "FailFastCause")
        if error.is_abort_exception:
            return (f"ERROR: {error.message or ''}",)
        text = self.trace(error).rstrip("\n")
        return tuple((text if running else text.removeprefix(PROXY)).split("\n"))

    def trace(self, error: Thrown) -> str:
        """An exception with its stack, as Jenkins prints it, without frames of the engine."""
        text = error.text if error is self.croaked else self.engine.trace(error) or error.text
        if error.class_name in PROXIED or error.script_class:
            text = PROXY + text
        return "\n".join(line for line in text.split("\n") if not line.startswith("\tat ") or _is_script_frame(line))

    def _end(self, running: bool, epilogue: tuple[str, ...], started: float) -> None:
        build = self.build
        self.downstream.join()
        if "hosts" in self.__dict__:
            self.hosts.close()
        build.result = build.result or "SUCCESS"
        secrets = self._secrets if self.config.pipeline.cps != "strict" else ()
        self.bus.emit(PipelineEnded(tuple(mask(line, secrets) for line in epilogue), running))
        seconds = time.monotonic() - started
        record = self.record(seconds)
        write_atomically(build.folder / RECORD, _json(record))
        if not self.options.dry_run:
            self.workspaces.settle(self.nodes.builtin.name)
        self.history.prune(build.job, self.config.pipeline.keep_runs)
        self.snapshots.tidy()
        self.bus.emit(RunEnded(build.result, seconds, {**record, "folder": str(build.folder), "resumable": self.snapshots.kept, "again": self.options.again(build.secret_params)}))

    def record(self, seconds: float | None = None) -> dict[str, Any]:
        """The build as the state folder keeps it."""
        build = self.build
        return {
            "job": build.job,
            "number": build.number,
            "result": build.result or "SUCCESS",
            "displayName": build.display_name,
            "description": build.description,
            "started": build.started,
            "seconds": round(time.time() - build.started if seconds is None else seconds, 3),
            "script": self.script_name,
            "stages": [{"name": s.name, "status": s.status or "ABORTED", "seconds": round(s.seconds, 3)} for s in self.stages.all()],
            "artifacts": sorted(build.artifacts),
            "fingerprints": build.fingerprints,
            "tests": build.tests.as_json(),
            "declared": [{k: ("" if each["kind"] == "password" and k == "default" else v) for k, v in each.items()} for each in build.declared]
            if build.declared is not None
            else (self.earlier[0].record.get("declared") if self.earlier else None),
            "parameters": {name: value for name, value in build.env_params.items() if name not in build.secret_params},
            "variables": {name: mask(value, self._secrets) for name, value in self.environment.assigned.items()},
            "scm": build.scm,
            "changes": build.changes,
            "causes": [cause.text for cause in build.causes],
            "workspace": str(self.workspaces.root / self.workspaces.name),
            "environment": {name: mask(value, self._secrets) for name, value in self.seen_environment.items() if name not in build.secret_params},
            "fidelity": self.fidelity.as_json(),
            "missing_labels": sorted({*self.missing_labels, *(self.options.pins.lacks if self.options.pins else ())}),
            "reproduces": self.options.pins.build if self.options.pins else None,
        }

    # -- what the script asks for

    def _answer(self, channel: Channel, name: str, args: list[Any], line: int) -> Any:
        branch = self.branch_of(channel.branch)
        return self.answering(name, lambda: questions.answer(self, branch, name, args, line), branch)

    def answering(self, name: str, work: Callable[[], Any], branch: Branch | None = None) -> Any:
        """Does what a branch of the script asks for; a bug in cibus ends the run, and what the user did wrong is said as such."""
        _LOCAL.branch = branch or self.main
        try:
            return work()
        except (Thrown, EngineError):
            raise
        except UsageError as error:
            self._crash = self._crash or error  # the command line is wrong: the script does not get to handle that
            raise Thrown("hudson.AbortException", str(error)) from error
        except CibusError as error:
            raise Thrown("hudson.AbortException", str(error)) from error
        except BaseException as crash:
            self._crash = self._crash or crash
            raise Thrown("java.lang.IllegalStateException", f"cibus failed in {name}: {crash!r}") from crash

    def step(self, branch: Branch, name: str, args: Any = None, body: Closure | PythonBody | None = None, line: int = 0) -> Any:
        """Runs a step as if the script had called it; ``args`` named, or the one unnamed argument."""
        spec = registry.find(name)
        if spec is None:
            raise Thrown("java.lang.NoSuchMethodError", f"No such DSL method '{name}' found among steps")
        named: Mapping[str, Any] = {} if args is None else args if isinstance(args, dict) else {spec.only.name if spec.only else "": args}
        return run_step(branch, spec, named, body, line)

    def parallel(self, branch: Branch, work: Mapping[str, Callable[[Branch], Any]], fail_fast: bool) -> None:
        """Runs Python work in branches, with the log of a ``parallel`` step."""
        from cibus.pipeline.steps.flow import fan_out

        spec = registry.find("parallel")
        assert spec is not None
        fan = replace(spec, function=lambda ctx: fan_out(ctx, dict(work), fail_fast), parameters=(), rest=False)
        run_step(branch, fan, {}, None, 0)

    def remote(self, obj: Any) -> Any:
        """Lets scripts hold a Python object."""
        return self.objects.add(obj)

    def build_of(self, job: str, number: int | None) -> Path | None:
        """The folder of another local build: the newest successful one without a number."""
        for past in self.history.past(job):
            if past.number == number or (number is None and past.result in ("SUCCESS", "UNSTABLE")):
                return past.folder
        return None

    def leftovers(self, lease: Lease | None, group: int) -> None:
        """A step left processes behind."""
        self.nodes.leftover(lease, group)

    def before_stage(self, branch: Branch, stage: Any, parent: Any) -> None:
        """A stage is about to run: what is needed to resume here is kept."""
        if parent is None and branch.id == 0:
            self.snapshots.take(branch, stage.name)
            self.stages.begin_again(branch.scope.stage)

    # -- words to the user

    def remark(self, text: str, level: str = "warning") -> None:
        """cibus' own word, never part of the build log."""
        self.bus.emit(Remark(level, mask(text, self._secrets)))

    def relay(self, event: Event) -> None:
        """Passes a downstream run's remarks on."""
        if isinstance(event, Remark):
            self.bus.emit(event)

    def hide(self, secrets: list[str]) -> None:
        """Values that no remark and no record may show."""
        self._secrets = tuple(dict.fromkeys((*self._secrets, *(secret for secret in secrets if secret))))

    def is_secret(self, text: str) -> bool:
        """Whether a text has a value that no record may show."""
        return mask(text, self._secrets) != text

    @contextlib.contextmanager
    def terminal(self) -> Iterator[None]:
        """While a person is asked, the live view stands aside."""
        with self._prompting:
            self.bus.emit(PromptStarted())
            try:
                yield
            finally:
                self.bus.emit(PromptEnded())

    def _ask_secret(self, credential: Any, field: str) -> str | None:
        if not self.options.interactive:
            return None
        import getpass

        with self.terminal():
            return getpass.getpass(f"credential {credential.id}, {field}: ")

    # -- the script's state

    @property
    def strict(self) -> bool:
        """Whether an older controller's CPS is mirrored."""
        return self.config.pipeline.cps == "strict"

    def croak(self, way: list[str]) -> Thrown:
        """The script cannot be saved: the build ends here, and nothing can catch it.

        Arguments:
            way: the class that cannot be saved, and the environments on the way to it
        """
        class_name, *environments = way
        text = not_serializable(class_name, environments)
        self.croaked = Thrown("java.io.NotSerializableException", class_name, text=text)
        return self.croaked

    def check_croaked(self) -> None:
        """Raises what ended the build, for any step that is still tried."""
        if self.croaked is not None:
            raise self.croaked

    # -- stopping

    def abort(self) -> None:
        """Stops the build as a user does in Jenkins: post sections run, the result is ABORTED."""
        if self._aborted:
            return
        self._aborted = True
        self.build.set_result("ABORTED")
        self.main.log(f"Aborted by {self.user}\n")
        error = interrupted("ABORTED", ("UserInterruption", f"Aborted by {self.user}"))
        self.main.interrupt(error)

    def watch(self, branch: Branch, error: Thrown, seconds: float = PATIENCE) -> None:
        """Looks later whether an interruption reached the branch, which is in Groovy code now."""
        timer = threading.Timer(seconds, self._give_up, (branch, error))
        timer.daemon = True
        timer.start()

    def _give_up(self, branch: Branch, error: Thrown) -> None:
        """Groovy code that calls no step cannot be interrupted; its JVM is ended."""
        if not branch.is_pending(error) or self._by_branch.get(branch.id) is not branch or self._given_up:
            return
        since = branch.channel.busy_since
        left = PATIENCE if since is None else PATIENCE - (time.monotonic() - since)
        if left > 0:
            self.watch(branch, error, left)
            return
        why = "the abort" if self._aborted else "a timeout" if any(kind == "ExceededTimeout" for kind, _ in error.causes) else "an interruption"
        self._given_up = f"the script did not come to a step within {PATIENCE:g} seconds after {why}; its JVM was ended, post sections did not run"
        self.remark(self._given_up)
        self.engine.kill()

    def _lost(self) -> None:
        """The JVM is gone: the script cannot go on, so nothing that it waits for needs to."""
        error = interrupted("ABORTED", ("EngineCause", "the JVM is gone"))
        for branch in list(self._by_branch.values()):
            branch.interrupt(error)

    def kill(self) -> None:
        """Ends everything at once."""
        self._aborted = True
        if self._engine is not None:
            for command in list(self._engine.last_commands):
                launch.detach(command)
            self._engine.kill()


_LOCAL = threading.local()


def not_serializable(class_name: str, environments: list[str]) -> str:
    """What Jenkins prints where the script's state cannot be saved (jboss-marshalling's trace of the way there)."""
    env = "com.cloudbees.groovy.cps.impl."
    lines = ["an exception which occurred:"]
    for index, each in enumerate(environments):
        kind = each.lstrip("<>") + ("ScopeEnv" if each.endswith("Block") else "CallEnv")
        holder = "BlockScopeEnv" if each.endswith("Block") else kind
        field = {">": "ProxyEnv.parent", "<": "CallEnv.caller"}.get(each[0], f"{holder}.locals") if index else f"{holder}.locals"
        lines += [f"\tin field {env}{field}", f"\tin object {env}{kind}@{random_id()}"]
    for field, holder in (("com.cloudbees.groovy.cps.Continuable.e", "com.cloudbees.groovy.cps.Continuable"), *GROUP):
        lines += [f"\tin field {field}", f"\tin object {holder}@{random_id()}"]
    return "\n".join([*lines, lines[-1], f"Caused: java.io.NotSerializableException: {class_name}"])


GROUP = (
    ("org.jenkinsci.plugins.workflow.cps.CpsThread.program", "org.jenkinsci.plugins.workflow.cps.CpsThread"),
    ("org.jenkinsci.plugins.workflow.cps.CpsThreadGroup.threads", "org.jenkinsci.plugins.workflow.cps.CpsThreadGroup"),
)


def random_id() -> str:
    """An object's address, as Java prints it."""
    import os

    return os.urandom(4).hex()


def _is_script_frame(line: str) -> bool:
    frame = line.removeprefix("\tat ")
    return not frame.startswith(("cibus.", "org.codehaus.groovy.", "java.base/", "java.", "jdk.", "groovy.", "sun."))


def _script_text(options: RunOptions, source: Source) -> str:
    if options.script_text is not None:
        return options.script_text
    path = options.script
    if options.clean and source.root is not None:
        inside = path.resolve().relative_to(source.root.resolve())
        return git(source.root, "show", f"HEAD:{inside.as_posix()}")
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise SourceError(f"{path}: there is no such file; give the path of a Jenkinsfile") from error
    except IsADirectoryError as error:
        raise SourceError(f"{path}: is a folder; give the path of a Jenkinsfile") from error
    except UnicodeDecodeError as error:
        raise SourceError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from error


def branch_variables(source: Source) -> dict[str, str]:
    """What a multibranch job contributes."""
    if source.mode != "multibranch":
        return {}
    variables = {"BRANCH_NAME": source.branch}
    if source.tag:
        from cibus.git import try_git

        when = try_git(source.root, "log", "-1", "--format=%ct", "HEAD") or "0"
        date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(int(when)))
        variables |= {"TAG_NAME": source.tag, "TAG_UNIXTIME": when, "TAG_TIMESTAMP": f"{when}000", "TAG_DATE": date}
    elif source.branch in ("main", "master"):
        variables["BRANCH_IS_PRIMARY"] = "true"
    return variables


def _json(record: Mapping[str, Any]) -> str:
    import json

    return json.dumps(record, indent=1, ensure_ascii=False, default=str) + "\n"


