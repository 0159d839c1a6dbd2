"""``cibus run``: runs a Jenkinsfile on this machine."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cibus.errors import Exit, UsageError

if TYPE_CHECKING:
    from cibus.config import Config
    from cibus.pipeline.events import Bus
    from cibus.pipeline.runtime.options import RunOptions
    from cibus.pipeline.runtime.run import Run

FORMATS = ("auto", "live", "plain", "jenkins", "jsonl")


def run(
    script: Annotated[Path, typer.Argument(help="The Jenkinsfile.")] = Path("Jenkinsfile"),
    config: Annotated[Path | None, typer.Option(help="cibus.toml; default: the nearest one above the current folder.")] = None,
    format: Annotated[str, typer.Option(help=f"What is printed: {', '.join(FORMATS)}.")] = "auto",
    job: Annotated[str | None, typer.Option(help="The job's name, with folders: app/main.")] = None,
    build_number: Annotated[int | None, typer.Option(min=1, help="The build's number; default: the next one.")] = None,
    param: Annotated[list[str] | None, typer.Option("-p", "--param", help="A parameter: NAME=VALUE. Repeatable.")] = None,
    env: Annotated[list[str] | None, typer.Option("--env", help="A variable: NAME=VALUE. Repeatable.")] = None,
    env_file: Annotated[list[Path] | None, typer.Option(help="A file of NAME=VALUE lines. Repeatable.")] = None,
    inline: Annotated[bool, typer.Option("--inline", help="The script is not from SCM: no checkout.")] = False,
    multibranch: Annotated[bool, typer.Option("--multibranch", help="As a multibranch job: BRANCH_NAME is the current branch.")] = False,
    clean: Annotated[bool, typer.Option("--clean", help="Check out the commit, without uncommitted changes.")] = False,
    in_place: Annotated[bool, typer.Option("--in-place", help="Use the working copy itself as the workspace.")] = False,
    workspace_root: Annotated[Path | None, typer.Option(help="Where workspaces are; default: in the state folder.")] = None,
    state_dir: Annotated[Path | None, typer.Option(help="Where runs are kept; default: the user's state folder.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write a JSON report here.")] = None,
    input: Annotated[list[str] | None, typer.Option("--input", help="Answer an input: ID=proceed, ID=abort, ID={json}. Repeatable.")] = None,
    cause: Annotated[list[str] | None, typer.Option(help="Who started it: user, timer, scm, upstream:JOB.")] = None,
    restart_from: Annotated[str | None, typer.Option(help="As Jenkins' restart from stage.")] = None,
    stage: Annotated[list[str] | None, typer.Option("--stage", help="Run only stages that fit this glob. Repeatable.")] = None,
    skip: Annotated[list[str] | None, typer.Option(help="Skip stages that fit this glob. Repeatable.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="Start at this stage.")] = None,
    until: Annotated[str | None, typer.Option(help="End with this stage.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Start at the stage that failed last time, as things were before it.")] = False,
    on_failure: Annotated[str, typer.Option(help="stop, or shell: open a shell where a step failed.")] = "stop",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Walk the stages and print what would run.")] = False,
    strict_credentials: Annotated[bool, typer.Option("--strict-credentials", help="Do not start while a credential that the script names is missing.")] = False,
    on: Annotated[str, typer.Option(help="Where all node blocks run: ssh://[USER@]HOST, USER@HOST, container:IMAGE, or an agent of cibus.toml.")] = "",
    watch: Annotated[bool, typer.Option("--watch", help="Run again when a file of the repository changes.")] = False,
    unknown_steps: Annotated[str | None, typer.Option(help="error or warn.")] = None,
    cps: Annotated[str | None, typer.Option(help="lenient or strict: refuse what an older controller's CPS refuses.")] = None,
) -> None:
    """Run a Jenkinsfile on this machine.

    Examples:

      cibus run

      cibus run -p TARGET=staging --stage 'Unit*'

      cibus run --resume --on-failure shell

      cibus run --on ssh://jenkins@build-3
    """
    given = dict(locals())
    if inline and multibranch:
        raise UsageError("--inline and --multibranch exclude each other")
    options = options_of(given)
    loaded = config_of(given)
    if watch:
        from cibus.cli.watch import watch_and_run

        raise typer.Exit(watch_and_run(script, lambda: execute(options, loaded, format, report), in_place=in_place))
    raise typer.Exit(execute(options, loaded, format, report))


def options_of(given: Mapping[str, Any]) -> RunOptions:
    """The arguments of ``cibus run``, by the names of its function's parameters; raises UsageError."""
    from cibus.pipeline.runtime.options import RunOptions
    from cibus.pipeline.runtime.skipping import Selection

    if given["format"] not in FORMATS:
        raise UsageError(f"--format {given['format']}: give one of {', '.join(FORMATS)}")
    if given["on_failure"] not in ("stop", "shell"):
        raise UsageError(f"--on-failure {given['on_failure']}: give stop or shell")
    return RunOptions(
        script=given["script"],
        mode="inline" if given["inline"] else "multibranch" if given["multibranch"] else "scm",
        job=given["job"] or "",
        number=given["build_number"],
        parameters=pairs(given["param"] or [], "-p"),
        env={**_env_files(given["env_file"] or []), **pairs(given["env"] or [], "--env")},
        workspace_root=given["workspace_root"].absolute() if given["workspace_root"] else None,
        state_dir=given["state_dir"].absolute() if given["state_dir"] else None,
        answers=pairs(given["input"] or [], "--input"),
        causes=tuple(given["cause"] or ["user"]),
        restart_from=given["restart_from"],
        selection=Selection(tuple(given["stage"] or ()), tuple(given["skip"] or ()), given["start"], given["until"]),
        resume=given["resume"],
        clean=given["clean"],
        in_place=given["in_place"],
        dry_run=given["dry_run"],
        on_failure=given["on_failure"],
        strict_credentials=given["strict_credentials"],
        on=given["on"],
        interactive=sys.stdin.isatty() and sys.stderr.isatty(),
    )


def config_of(given: Mapping[str, Any]) -> Config:
    """The configuration that the arguments name, with what they override."""
    return _load_config(given["config"], given["cps"], given["unknown_steps"])


def pairs(given: list[str], option: str) -> dict[str, str]:
    """NAME=VALUE arguments as a dict; raises UsageError."""
    found = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise UsageError(f"{option} {each}: give NAME=VALUE")
        found[name] = value
    return found


def _env_files(files: list[Path]) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in files:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise UsageError(f"--env-file {path}: cannot be read: {error.strerror}") from error
        for number, line in enumerate(lines, 1):
            text = line.strip().removeprefix("export ").strip()
            if not text or text.startswith("#"):
                continue
            name, equals, value = text.partition("=")
            if not equals:
                raise UsageError(f"{path}:{number}: not NAME=VALUE: {text}")
            value = value.strip()
            if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
                value = value[1:-1]
            found[name.strip()] = value
    return found


def _load_config(path: Path | None, cps: str | None, unknown_steps: str | None) -> Config:
    import os

    from cibus.config import find_config, load_config

    flags = {"CIBUS_CPS": cps, "CIBUS_UNKNOWN_STEPS": unknown_steps}
    environ = {**os.environ, **{name: value for name, value in flags.items() if value is not None}}
    return load_config(path or find_config(Path.cwd()), environ)


def _compile_ahead(options: RunOptions, config: Config) -> None:
    """Has the JVM compile the script while the runtime is still being imported, where nothing has to come before."""
    from cibus.cli import prestart

    if options.clean or options.script_text is not None or any(library.implicit for library in config.libraries.values()):
        return
    engine = prestart.engine()
    if engine is not None and options.script.is_file():
        try:
            text = options.script.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError):
            return  # the run says what is wrong with it
        from cibus.pipeline.engine.process import SCRIPT

        engine.preload(text, SCRIPT, strict=config.pipeline.cps == "strict")


def execute(options: RunOptions, config: Config, format: str, report_file: Path | None) -> int:
    """Runs once, with the output that was asked for; gives the exit code."""
    _compile_ahead(options, config)
    from cibus.pipeline.events import Bus
    from cibus.pipeline.runtime.results import EXIT_CODES
    from cibus.pipeline.runtime.run import Run
    from cibus.pipeline.sinks.logfile import LogFile
    from cibus.pipeline.sinks.stepfile import StepFile

    bus = Bus()
    _listen(bus, format)
    run = Run(options, config, bus, engine=_engine())
    bus.listen(LogFile(run.build.folder / "log"))
    bus.listen(StepFile(run.build.folder / "log.steps"))
    outcome: list[Any] = []

    def work() -> None:
        try:
            outcome.append(run.execute())
        except BaseException as error:
            outcome.append(error)

    code = _wait(run, run.thread(work), bus)
    if run._engine is not None:
        run.engine.close(train=bool(outcome) and outcome[0] == "SUCCESS")
    if report_file is not None and outcome and isinstance(outcome[0], str):
        _write_report(run, report_file)
    if code is not None:
        return code
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return EXIT_CODES[outcome[0]]


def _engine() -> Any:
    """The JVM that began to start before anything else was imported, or a new one."""
    from cibus.cli import prestart
    from cibus.pipeline.engine.process import Engine

    return prestart.take() or Engine()


def _listen(bus: Bus, format: str) -> None:
    from cibus.pipeline.sinks.remarks import Remarks

    if format == "auto":
        format = "live" if sys.stdout.isatty() else "plain"
    if format == "jenkins":
        from cibus.pipeline.sinks.logfile import LogStream

        bus.listen(LogStream(sys.stdout))
        bus.listen(Remarks(sys.stderr))
    elif format == "jsonl":
        from cibus.pipeline.sinks.jsonl import JsonLines

        bus.listen(JsonLines(sys.stdout))
    else:
        from cibus.pipeline.sinks.live import view

        bus.listen(view(format))


def _wait(run: Run, thread: threading.Thread, bus: Bus) -> int | None:
    """Waits for the run; the first Ctrl-C aborts it, the second ends everything. Gives 130 for the second."""
    asked = threading.Event()
    wake = threading.Event()
    presses: list[int] = []

    def pressed(number: int, frame: Any) -> None:
        presses.append(number)
        wake.set()

    before = {number: signal.signal(number, pressed) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        while thread.is_alive():
            thread.join(0.05 if presses else 0.2) if not wake.is_set() else None
            if wake.is_set():
                wake.clear()
                if len(presses) > 1:
                    _end_everything(run)
                    return int(Exit.INTERRUPTED)
                if not asked.is_set():
                    asked.set()
                    threading.Thread(target=run.abort, daemon=True).start()
        return None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_everything(run: Run) -> None:
    """The second Ctrl-C: no post sections, no waiting."""
    from cibus.pipeline.runtime.launch import end_now

    end_now()
    run.kill()


def _write_report(run: Run, path: Path) -> None:
    from cibus.history import write_atomically
    from cibus.pipeline.sinks.report import report

    write_atomically(path, json.dumps(report(run), indent=1, ensure_ascii=False, default=str) + "\n")
