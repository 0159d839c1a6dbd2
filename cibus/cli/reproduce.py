"""``cibus reproduce``: a controller's build, run here."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cibus.cli.capture import Number, capture_build, known_secrets
from cibus.cli.compare import compared, told
from cibus.cli.console import print_lines
from cibus.cli.options import Controller
from cibus.cli.run import config_of, execute, options_of
from cibus.cli.run import run as run_command

if TYPE_CHECKING:
    from cibus.builds.bundle import Bundle
    from cibus.builds.record import CapturedBuild
    from cibus.builds.reproduce import Reproduction
    from cibus.config import Config
    from cibus.pipeline.runtime.options import RunOptions

FIXED = {"script": Path("Jenkinsfile"), "inline": False, "multibranch": False, "clean": True, "in_place": False, "watch": False}
"""Arguments of ``cibus run`` that the captured build decides."""


def reproduce(
    build: Annotated[str, typer.Argument(metavar="BUNDLE|URL|JOB", help="A bundle of cibus capture, a build's URL as the browser shows it, or a job's full name.")],
    number: Number = "",
    *,
    repo: Annotated[str, typer.Option("--repo", metavar="CLONE", help="Take the build's commit from this clone instead of its repository.", show_default=False)] = "",
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="PATH", help="Where the bundle is left; default: in the state folder.", show_default=False)] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Capture again, even if the build was captured before.")] = False,
    compare: Annotated[bool, typer.Option("--compare/--no-compare", help="Compare with the captured build afterwards.")] = True,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the comparison as a page.", show_default=False)] = None,
    controller: Controller = "",
    **given: Any,
) -> int:
    """Run a controller's build here: same commit, script, parameters, libraries and variables.

    Takes the options of cibus run. Afterwards both builds are compared: exit 0 where this run did what the controller's
    did (a failing build that fails here in the same way, too), 3 where they part. With --no-compare, or where only some stages run, the run's own result counts.

    Examples:

      cibus reproduce https://ci.example/job/app/job/main/128/

      cibus reproduce main-128.bundle --repo ~/src/app --html main-128.html

      cibus reproduce main-128.bundle --from Test
    """
    from cibus.builds.packing import opened
    from cibus.builds.reproduce import prepare

    loaded = config_of(given)
    path = _bundle(loaded, build, number, controller, output, fresh=fresh)
    with opened(path) as bundle:
        prepared = prepare(bundle, repo)
        options, config = _run_options(options_of({**given, **FIXED}), loaded, path, bundle, prepared, cause_given=bool(given["cause"]))
        for line in _introduction(path, bundle, prepared, options, config):
            print(f"cibus: {line}", file=sys.stderr)
        return _run(bundle, options, config, given, html=html, compares=compare)


def _with_options_of_run() -> None:
    """Gives :func:`reproduce` the options of ``cibus run`` that the captured build does not decide."""
    own = inspect.signature(reproduce, eval_str=True)
    run = inspect.signature(run_command, eval_str=True)
    mine = [each for each in own.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
    theirs = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for name, each in run.parameters.items() if name not in FIXED and name not in own.parameters]
    reproduce.__signature__ = own.replace(parameters=[*mine, *theirs])  # type: ignore[attr-defined]
    reproduce.__annotations__ = {each.name: each.annotation for each in (*mine, *theirs)}


_with_options_of_run()


def _bundle(config: Config, build: str, number: str, controller: str, output: Path | None, *, fresh: bool) -> Path:
    """The bundle that is meant; a build that was captured before is not captured again."""
    from cibus.builds.capture import Order, default_name
    from cibus.builds.locate import wanted
    from cibus.folders import state_home
    from cibus.jenkins.settings import choose

    given = Path(build).expanduser()
    if not number and "://" not in build and (given.exists() or build.endswith((".tar.zst", ".bundle"))):
        return given
    found = wanted(build, number)
    address = choose(config, controller or found.controller).url.partition("://")[2]
    folder = state_home() / "bundles" / address.strip("/").replace("/", "-").replace(":", "-")
    known = output or folder / default_name(found.job, int(found.build) if found.build.isdigit() else 0)
    if known.exists() and not fresh:
        return known  # without asking the controller
    folder.mkdir(parents=True, exist_ok=True)
    return capture_build(config, Order(found, target=output, folder=folder, reuse=not fresh, force=fresh), controller).target


def _run_options(options: RunOptions, config: Config, path: Path, bundle: Bundle, prepared: Reproduction, *, cause_given: bool) -> tuple[RunOptions, Config]:
    """What ``cibus run`` is asked to do; what was given on the command line is stronger than what was captured."""
    from cibus.builds.clean import sure_secrets
    from cibus.pipeline.runtime.options import Pins
    build = bundle.build
    secrets = {name: config.pipeline.parameters[name].get().reveal() for name in prepared.secret_parameters if name in config.pipeline.parameters and name not in options.parameters}
    text = _restored(prepared.text, prepared, config)
    resumable = options.selection.start is not None or options.resume
    made = replace(
        options,
        script=prepared.script,
        mode=prepared.mode,
        job=options.job or prepared.job,
        number=options.number or prepared.number,
        parameters={**prepared.parameters, **secrets, **options.parameters},
        env={**prepared.env, **options.env},
        state_dir=options.state_dir or prepared.home / "state",
        causes=options.causes if cause_given else _causes(build),
        restart_from=options.restart_from or _restarted(build),
        clean=prepared.mode != "inline",
        script_text=text,
        resume=resumable,
        pins=Pins(
            libraries=prepared.libraries,
            checkouts=prepared.checkouts,
            changes=tuple(build.changes),
            before=(build.before.number, build.before.result) if build.before else None,
            declared=prepared.declared,
            build=build.url,
            bundle=str(path),
            secrets=sure_secrets(known_secrets(config)),
            lacks=tuple(lacking(prepared.agents, config)),
        ),
    )
    return made, _configured(config, build, prepared)


def _configured(config: Config, build: CapturedBuild, prepared: Reproduction) -> Config:
    """cibus.toml with the libraries and agents that the build had and it does not name, and the controller's address."""
    from cibus.builds.capture import BUILT_IN
    from cibus.config import AgentConfig, LibraryConfig, PipelineConfig

    libraries = {name: LibraryConfig(name, git=url) for name, url in prepared.library_urls.items() if name not in config.libraries}
    agents = {name: AgentConfig(name, labels) for name, labels in prepared.agents.items() if name not in config.agents and name not in BUILT_IN}
    pipeline = config.pipeline
    if pipeline.jenkins_url == PipelineConfig().jenkins_url:
        pipeline = replace(pipeline, jenkins_url=build.controller)
    return replace(config, libraries={**config.libraries, **libraries}, agents={**config.agents, **agents}, pipeline=pipeline)


def _restored(text: str | None, prepared: Reproduction, config: Config) -> str | None:
    """The script with the secrets that cibus.toml has for its placeholders."""
    if text is None:
        return None
    for stand_in in prepared.lost:
        if stand_in in config.snapshot.secrets:
            text = text.replace(stand_in, config.snapshot.secrets[stand_in].get().reveal())
    return text


def _causes(build: CapturedBuild) -> tuple[Any, ...]:
    """The captured causes as the runner has them."""
    from cibus.pipeline.runtime.build import Cause

    kinds = {"UserIdCause": "user", "TimerTriggerCause": "timer", "SCMTriggerCause": "scm", "UpstreamCause": "upstream", "BuildUpstreamCause": "upstream"}
    found = []
    for each in build.causes:
        kind = kinds.get(each.kind.rpartition(".")[2].rpartition("$")[2], "branch")
        if each.kind.endswith("RestartDeclarativePipelineCause"):
            continue
        job, _, upstream = each.detail.partition("#") if kind == "upstream" else ("", "", "")
        found.append(Cause(kind, each.text, each.kind, job or each.detail, job, int(upstream) if upstream.isdigit() else 0))
    return tuple(found) or ("user",)


def _restarted(build: CapturedBuild) -> str | None:
    """The stage at which the build was a restart of the one before."""
    for each in build.causes:
        if each.kind.endswith("RestartDeclarativePipelineCause"):
            return each.text.partition(", stage ")[2] or None
    return None


def _introduction(path: Path, bundle: Bundle, prepared: Reproduction, options: RunOptions, config: Config) -> Iterator[str]:
    """What a person should know before anything runs."""
    build = bundle.build
    own = build.own
    at = f" at {own.commit[:10]}" if own and own.commit else ""
    yield f"{build.job} #{build.number} ({build.result}) of {build.controller}{at}; bundle: {path}"
    for note in prepared.notes:
        yield f"not as it was: {note}"
    for name in prepared.secret_parameters:
        if name not in options.parameters:
            yield f"needs the password parameter {name}: give -p {name}=…, or {name} under [pipeline.parameters] in cibus.toml; it is empty now"
    for stand_in, places in prepared.lost.items():
        if stand_in not in config.snapshot.secrets:
            yield f"needs the secret {stand_in} ({', '.join(places)}): give it under [snapshot.secrets] in cibus.toml"
    for atom in lacking(prepared.agents, config):
        yield f"this machine lacks the label {atom}, which an agent of the build had"


def lacking(agents: Mapping[str, tuple[str, ...]], config: Config) -> list[str]:
    """The labels of the build's agents that neither this machine nor an agent of cibus.toml has."""
    from cibus.pipeline.runtime.executors import machine_labels

    here = {*machine_labels(), "master", "built-in", *(label for name, each in config.agents.items() if name not in agents for label in each.labels)}
    return sorted({label for name, labels in agents.items() for label in labels if label != name} - here)


def _run(bundle: Bundle, options: RunOptions, config: Config, given: Mapping[str, Any], *, html: Path | None, compares: bool) -> int:
    """Runs, compares, and gives the exit code."""
    from cibus.builds.bundleside import side_of
    from cibus.builds.sides import open_side
    from cibus.errors import Exit

    code = execute(options, config, given["format"], given["report"])
    selected = options.selection.active or options.dry_run
    if code == Exit.INTERRUPTED or (code == Exit.ABORTED and bundle.build.result != "ABORTED"):
        return code
    if selected or not compares:
        return code
    assert options.state_dir is not None
    with side_of(bundle) as theirs, open_side(str(_folder_of(options)), None) as ours:
        comparison = compared(theirs, ours, html)
    print_lines(told(comparison, html), stderr=True)  # standard output is the build's log
    return Exit.FINE if comparison.same else Exit.LOOK


def _folder_of(options: RunOptions) -> Path:
    """The folder of the run that ended just now."""
    from cibus.history import History

    assert options.state_dir is not None
    return History(options.state_dir).job(options.job) / "builds" / str(options.number)
