"""Captures a build of a controller in a bundle, part by part; an interrupted capture is gone on with."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cibus.builds import facts
from cibus.builds.artifacts import list_artifacts
from cibus.builds.builders import as_pipeline, combination_name, combinations
from cibus.builds.bundle import (
    ARTIFACTS,
    BUILD,
    CONFIG,
    CONSOLE,
    PLUGINS,
    SCRIPT,
    STAGES,
    STEPS,
    TESTS,
    read_bundle,
)
from cibus.builds.clean import Cleaner
from cibus.builds.compose import compose
from cibus.builds.jobfacts import JobFacts, read_config
from cibus.builds.locate import LAST_FAILED, Wanted
from cibus.builds.logcapture import LogCapture
from cibus.builds.logfacts import LogFacts, read_log
from cibus.builds.record import CapturedBuild, as_data
from cibus.builds.stepcapture import Unlike, capture_steps
from cibus.builds.workplace import Workplace
from cibus.canonical import ConfigXmlError, canonical
from cibus.errors import BundleError, ControllerError, ControllerFault, Forbidden, NotFound, NotJenkins
from cibus.jenkins.client import Client
from cibus.jenkins.paths import job_url
from cibus.redaction import Redactor
from cibus.redaction.fingerprints import key_id

ABSENT = (Forbidden, NotFound, ControllerFault, NotJenkins)  # one part is not to be had; anything else ends the capture
BUILT_IN = ("Jenkins", "master", "built-in", "Built-In Node", "")

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Captured:
    """A capture that ended: where the bundle is, what the build was, what could not be had."""

    target: Path
    build: CapturedBuild
    missing: Mapping[str, str]
    secrets: int
    resumed: bool


@dataclass(frozen=True)
class Order:
    """What to capture, and how.

    Arguments:
        target: the bundle's folder, or a file ending in ``.tar.zst``; None: named after the build
        folder: where it is then
        reuse: a bundle of this build that is there is taken as it is
        key: keys the placeholders of secrets
        files: with the artifacts' files
        known: values that are secret: those that cibus.toml has
        force: what is at the target may be replaced
    """

    wanted: Wanted
    key: bytes = b""
    target: Path | None = None
    folder: Path = Path()
    reuse: bool = False
    files: bool = False
    force: bool = False
    known: tuple[str, ...] = field(default=(), repr=False)


@dataclass
class _Capture:
    """What the parts work with."""

    client: Client
    order: Order
    place: Workplace
    cleaner: Cleaner
    data: dict[str, Any]
    url: str  # below the controller's, with a slash at its end
    version: str
    tell: Tell
    job: JobFacts = field(default_factory=JobFacts)  # once the configuration was read

    @property
    def kind(self) -> str:
        return facts.kind_of(self.data)

    @functools.cached_property
    def log(self) -> LogFacts:
        """What the log tells; to be asked for once it is here."""
        return read_log(self.place.folder / CONSOLE)


def capture(client: Client, order: Order, tell: Tell = lambda *_: None) -> Captured:
    """Captures a build; one that still runs is followed to its end first.

    Raises:
        ControllerError: the build is not to be had; what came so far is gone on with by the next capture.
        UsageError: there is something at the target.
    """
    version = client.session.require_jenkins()
    data = build_data(client, order.wanted)
    url = f"{job_url(order.wanted.job)}{data['number']}/"
    target = order.target or order.folder / default_name(order.wanted.job, data["number"])
    if order.reuse and (known := _captured_before(target, f"{client.settings.url}{url}")):
        return known
    place = Workplace(target, f"{client.settings.url}{url} {key_id(order.key)}", force=order.force)
    work = _Capture(client, order, place, Cleaner(Redactor(order.key), order.known), data, url, version, tell)
    for name, part in PARTS.items():
        if name == "stages" and work.data.get("building"):
            _follow(work)
        if name in place.progress.done and name not in ("config", "script"):  # these tell what is secret in the rest
            continue
        tell(name, 0, 0)
        try:
            part(work)
        except ABSENT as error:
            if name in ESSENTIAL:
                raise
            place.progress.missing.setdefault(name, str(error))
        if name not in place.progress.done:
            place.progress.done.append(name)
        place.save()
    return _sealed(work)


def _captured_before(target: Path, url: str) -> Captured | None:
    """The bundle at the target, if it is one of this build."""
    try:
        bundle = read_bundle(target)
    except BundleError:
        return None
    return Captured(target, bundle.build, bundle.manifest.missing, 0, resumed=False) if bundle.build.url == url else None


def default_name(job: str, number: int) -> str:
    """``app-main-128.bundle``."""
    return f"{job.replace('/', '-').replace('%2F', '-')}-{number}.bundle"


def build_data(client: Client, wanted: Wanted) -> dict[str, Any]:
    """The build's JSON.

    Raises:
        NotFound: there is no such job or build, in words that tell the two apart.
    """
    job = job_url(wanted.job)
    try:
        found = client.session.json(f"{job}{wanted.build}/api/json?tree={facts.TREE}")
    except NotFound as error:
        raise _no_such_build(client, wanted, job, error) from error
    return dict(found)


def _no_such_build(client: Client, wanted: Wanted, job: str, error: NotFound) -> NotFound:
    host = client.settings.url
    try:
        info = client.session.json(f"{job}api/json?tree=firstBuild[number],lastBuild[number]")
    except NotFound:
        return NotFound(f"{host} has no job {wanted.job}, or {client.settings.user or 'anonymous'} may not see it (404)")
    first, last = ((info.get(each) or {}).get("number") for each in ("firstBuild", "lastBuild"))
    if last is None:
        return NotFound(f"{wanted.job} on {host} has no builds (or is a folder)")
    kept = f"it has #{first} to #{last}" if first is not None else f"its last is #{last}"
    if wanted.build == LAST_FAILED:
        return NotFound(f"{wanted.job} on {host} has no failed build; give a number ({kept})")
    deleted = wanted.build.isdigit() and int(wanted.build) < last
    return NotFound(f"{wanted.job} on {host} has no build {wanted.build}: {'it was deleted' if deleted else 'not built yet'}; {kept}")


def _follow(work: _Capture) -> None:
    log = LogCapture(work.client.session, work.url, work.place.folder / CONSOLE, work.cleaner, work.place, lambda size: work.tell("following", size >> 20, 0))
    log.followed()
    for _ in range(60):  # the log ends a moment before the build does
        work.data = build_data(work.client, Wanted("", work.order.wanted.job, str(work.data["number"])))
        if not work.data.get("building"):
            break
        time.sleep(0.5)
    work.place.progress.done.append("console")
    work.place.save()


# -- the parts, in their order


def _config(work: _Capture) -> None:
    raw = work.client.job_config(work.order.wanted.job)
    try:
        config = canonical(raw)
    except ConfigXmlError as error:
        work.place.progress.missing["config"] = f"the job's configuration is no XML: {error}"
        return
    work.job = read_config(config)
    clean = Redactor(work.order.key).config(config.xml, config.scripts, CONFIG)
    work.cleaner.found += len(clean.findings)
    for stand_in, secret in clean.secrets.items():
        work.cleaner.remember(stand_in, secret.reveal())
    work.place.write(CONFIG, clean.xml.encode("utf-8", "surrogatepass"))
    for name, text in clean.scripts.items():
        work.place.write(f"config/{name}", text.encode("utf-8", "surrogatepass"))


def _script(work: _Capture) -> None:
    """What really ran: the replay page tells; else the job's configuration as it is now, or the repository."""
    note = work.place.progress.notes
    if work.kind != "pipeline":
        job = work.job
        if job.builders:
            work.place.write(SCRIPT, work.cleaner.text(as_pipeline(job), SCRIPT, script=True).encode("utf-8", "replace"))
            note["script"] = "builders"
            for other in job.others:
                work.place.progress.missing[f"{other}"] = "becomes nothing here: only shell, batch and PowerShell builders, JUnit reports and artifacts do"
        else:
            work.place.progress.missing["script"] = "the job's builders could not be read: Job/ExtendedRead is needed"
        return
    text, why = None, ""
    try:
        text = facts.replayed_script(work.client.session.get(f"{work.url}replay/").text)
        note["script"] = "build"
    except ABSENT as error:
        why = f"the replay page is not to be had ({error})"
    if text is None and (inline := work.job.script) is not None:
        text, note["script"] = inline, "config"
        work.place.progress.missing["script"] = f"{why}: the script is that of the job's configuration as it is now"
    if text is None:
        note["script"] = "scm"
        work.place.progress.missing["script"] = f"{why}: the script is to be had from the repository at the build's commit"
        return
    work.place.write(SCRIPT, work.cleaner.text(text, SCRIPT, script=True).encode("utf-8", "replace"))


def _stages(work: _Capture) -> None:
    if work.kind != "pipeline":
        return
    try:
        described = work.client.session.json(f"{work.url}wfapi/describe")
    except NotFound:
        work.place.progress.missing["stages"] = "the controller has no stage view (plugin pipeline-rest-api): stages are known from the log only"
        return
    work.place.write_json(STAGES, work.cleaner.data(facts.stages_of(described), STAGES))


def _console(work: _Capture) -> None:
    LogCapture(work.client.session, work.url, work.place.folder / CONSOLE, work.cleaner, work.place, lambda size: work.tell("console", size >> 20, 0)).finished()


def _steps(work: _Capture) -> None:
    if work.kind != "pipeline":
        return
    try:
        capture_steps(work.client.session, work.url, work.place.folder / CONSOLE, work.place.folder / STEPS, work.cleaner)
    except (Unlike, *ABSENT) as error:
        work.place.progress.missing["steps"] = str(error)


def _combinations(work: _Capture) -> None:
    """A matrix' combinations: each has a log of its own."""
    if work.kind != "matrix":
        return
    for combination in combinations(work.job):
        name = combination_name(combination)
        url = f"{work.url}{quote(name, safe='=,')}/"
        folder = work.place.folder / "runs" / quote(name, safe="=, ")
        folder.mkdir(parents=True, exist_ok=True)
        try:
            data = work.client.session.json(f"{url}api/json?tree={facts.TREE}")
            LogCapture(work.client.session, url, folder / CONSOLE, work.cleaner).finished()
        except ABSENT as error:
            work.place.progress.missing[f"run {name}"] = str(error)
            continue
        run = {"name": name, "result": data.get("result"), "seconds": data.get("duration", 0) / 1000, "agent": data.get("builtOn") or ""}
        work.place.write_json(f"runs/{folder.name}/{BUILD}", run)


def _tests(work: _Capture) -> None:
    if not any("totalCount" in (each or {}) for each in work.data.get("actions") or ()):
        return
    tree = "suites[name,cases[className,name,status,duration,errorDetails]],childReports[result[suites[name,cases[className,name,status,duration,errorDetails]]]]"
    report = work.client.session.json(f"{work.url}testReport/api/json?tree={tree}")
    work.place.write_json(TESTS, work.cleaner.data(facts.tests_of(report), TESTS))


def _artifacts(work: _Capture) -> None:
    listed = list_artifacts(work.client, work.url, work.data, work.place, work.cleaner, files=work.order.files, tell=lambda size: work.tell("artifacts", size >> 20, 0))
    work.place.write_json(ARTIFACTS, work.cleaner.data([asdict(each) for each in listed], ARTIFACTS))


def _plugins(work: _Capture) -> None:
    work.place.write_json(PLUGINS, dict(sorted(work.client.plugins().items())))


def _environment(work: _Capture) -> None:
    """What the EnvInject plugin kept."""
    try:
        injected = work.client.session.json(f"{work.url}injectedEnvVars/api/json").get("envMap") or {}
    except NotFound:
        work.place.progress.missing["environment"] = "nobody kept the variables (plugin envinject): known are those of the log, the agent and the parameters"
        return
    work.place.progress.notes["injected"] = {name: work.cleaner.named(name, str(value)) for name, value in injected.items()}


def _agents(work: _Capture) -> None:
    names = dict.fromkeys([*work.log.agents, *([work.data["builtOn"]] if work.data.get("builtOn") else [])])
    found = {}
    for name in names:
        try:
            found[name] = _agent(work, name)
        except ABSENT as error:
            work.place.progress.missing[f"agent {name}"] = f"{error} (an agent of a cloud is gone after its build)"
    work.place.progress.notes["agents"] = found


def _agent(work: _Capture, name: str) -> dict[str, Any]:
    """An agent's labels, system and variables."""
    session = work.client.session
    urls = ["computer/(built-in)/", "computer/(master)/"] if name in BUILT_IN else [f"computer/{quote(name, safe='')}/"]
    computer: Any = None
    for url in urls:
        try:
            computer = session.json(f"{url}api/json")
            break
        except NotFound:
            if url == urls[-1]:
                raise
    labels, system = facts.agent_facts(computer)
    try:
        variables = facts.node_variables(session.get(f"{url}config.xml").body) if name not in BUILT_IN else {}
    except (ControllerError, ConfigXmlError):
        variables = {}
    return {"labels": list(labels), "system": system, "environment": {key: work.cleaner.named(key, value) for key, value in variables.items()}}


PARTS: Mapping[str, Callable[[_Capture], None]] = {
    "config": _config,
    "script": _script,
    "stages": _stages,
    "console": _console,
    "steps": _steps,
    "combinations": _combinations,
    "tests": _tests,
    "artifacts": _artifacts,
    "plugins": _plugins,
    "environment": _environment,
    "agents": _agents,
}
ESSENTIAL = ("console",)


def _sealed(work: _Capture) -> Captured:
    place = work.place
    build = compose(work.data, work.job, work.log, place.progress.notes, work.client.settings.url, f"{work.client.settings.url}{work.url}", work.order.wanted.job, work.version)
    place.write_json(BUILD, _clean_record(build, work.cleaner))
    for path in place.folder.rglob("*"):
        if path.is_file() and "artifacts" not in path.relative_to(place.folder).parts[:1]:
            work.cleaner.sweep(path)
    captured = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    missing = {what: work.cleaner.text(why, "manifest") for what, why in place.progress.missing.items()}
    place.finish(build.url, captured, missing)
    return Captured(place.target, build, missing, work.cleaner.found, place.resumed)


def _clean_record(build: CapturedBuild, cleaner: Cleaner) -> dict[str, Any]:
    """The record without secrets: what has a name is judged with its name."""
    data: dict[str, Any] = cleaner.data(as_data(build), BUILD)
    for each, given in zip(data["parameters"], build.parameters, strict=True):
        each["value"] = cleaner.named(given.name, given.value)
    data["environment"] = {name: cleaner.named(name, value) for name, value in build.environment.items()}
    return data
