"""What can be wrong: one table of conditions, from which findings, alert rules and the list of runbooks are made.

Each condition looks at a :class:`View` and yields what it is about, with figures. Pure functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from cibus.config import MonitorConfig
from cibus.globs import matches
from cibus.monitor.findings import Finding, Level, ranked
from cibus.monitor.state import Job, Node, Outside, Sweep, Waiting

GIB = 1 << 30
HOUR, DAY = 3600.0, 86400.0
CLOCK = 30.0  # seconds; TLS, tokens and time stamps of builds suffer beyond
MEMORY = 0.05
RESPONSE = 5.0  # seconds; Jenkins itself cuts an agent off at 30
CERTIFICATE = 21  # days
LONG_BUILD = 3.0  # times its own history
LEAST_LONG = 900.0  # seconds over it
SLOWER = 2.0
RECENT = DAY  # of builds that the success rate is made of
LEAST_RECENT = 20  # builds
SUCCESS = 0.5
SHOWN = 5  # names in a summary
TROUBLES = {"down": "controller-down", "wrong": "controller-wrong-answer", "fault": "controller-fault", "rights": "controller-rights"}


@dataclass(frozen=True)
class View:
    """All that conditions look at; ``now`` in epoch seconds."""

    sweep: Sweep
    outside: Outside = field(default_factory=Outside)
    limits: MonitorConfig = field(default_factory=MonitorConfig)

    @property
    def now(self) -> float:
        """When the sweep began."""
        return self.sweep.when

    @cached_property
    def chosen(self) -> frozenset[str]:
        """The jobs that have findings and series of their own."""
        return frozenset(self.limits.jobs)


Said = Iterator[tuple[str, str]]  # subject, words


@dataclass(frozen=True)
class Condition:
    """A kind of finding; its runbook bears its ``name`` unless ``runbook`` is given."""

    name: str
    level: Level
    summary: str
    look: Callable[[View], Said]
    runbook: str = ""

    @property
    def page(self) -> str:
        """The runbook's name."""
        return self.runbook or self.name


def findings(view: View) -> list[Finding]:
    """All that is wrong, the worst first."""
    return ranked(
        Finding(each.name, subject, each.level, words, _owner(view, each.name, subject), each.page)
        for each in CONDITIONS
        for subject, words in each.look(view)
    )


def _owner(view: View, condition: str, subject: str) -> str:
    """Of the agent, or of the job where it is about builds; else whoever gets what nobody owns."""
    outside = view.outside
    of_job = next((owner for globs, owner in outside.areas if matches(subject, globs)), "") if condition.startswith(("build-", "jobs-")) else ""
    return of_job or outside.owners.get(subject, "") or view.limits.owner


def span(seconds: float) -> str:
    """A time in words: ``95`` → ``95 s``, ``7200`` → ``120 min``, ``400000`` → ``4.6 days``."""
    for size, name, format in ((2 * DAY, "days", f"{seconds / DAY:.1f}"), (3 * HOUR, "h", f"{seconds / HOUR:.1f}"), (120.0, "min", f"{seconds / 60:.0f}")):
        if seconds >= size:
            return f"{format} {name}"
    return f"{seconds:.0f} s"


def _count(found: int, noun: str) -> str:
    """``1 build waits``, ``2 builds wait``: a noun with its verb, as said of several."""
    name, _, verb = noun.partition(" ")
    return f"{found} {name} {verb}s" if found == 1 else f"{found} {name}s {verb}"


def _names(found: list[str]) -> str:
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(found[:SHOWN]) + more


# -- the controller


def _trouble(condition: str) -> Callable[[View], Said]:
    def look(view: View) -> Said:
        for each in view.sweep.troubles:
            first = each.part == "controller"
            # it is down where not even the first request is answered; later ones that are not are a fault
            meant = "controller-fault" if each.kind == "down" and not first else TROUBLES[each.kind]
            if meant == condition:
                yield "" if first else each.part, each.words

    return look


def _slow(view: View) -> Said:
    if view.sweep.latency is not None and view.sweep.latency > view.limits.controller_slow:
        yield "", f"its smallest answer took {view.sweep.latency:.1f} s, {view.limits.controller_slow} s are allowed"


def _quieting(view: View) -> Said:
    if view.sweep.quieting:
        yield "", "it is about to shut down and starts no builds"


def _certificate(view: View) -> Said:
    if view.outside.certificate is not None and (days := (view.outside.certificate - view.now) / DAY) < CERTIFICATE:
        yield "", f"its TLS certificate {'ended' if days < 0 else 'ends in'} {abs(days):.0f} days{' ago' if days < 0 else ''}"


# -- the queue


def _queue_long(view: View) -> Said:
    if (count := len(view.sweep.ready)) > view.limits.queue_length:
        yield "", f"{count} builds wait for an executor, {view.limits.queue_length} are allowed"


def _queue_stuck(view: View) -> Said:
    waits = sorted((each for each in view.sweep.ready if each.kind not in ("label", "offline")), key=lambda each: each.since)
    late = [each for each in waits if view.now - each.since > view.limits.queue_wait * 60]
    if late:
        yield "", f"{late[0].job} waits for {span(view.now - late[0].since)} ({late[0].why or 'no reason given'}); {len(late)} waited longer than {view.limits.queue_wait} min"


def _by_label(view: View, kind: str) -> Mapping[str, list[Waiting]]:
    found: dict[str, list[Waiting]] = {}
    for each in view.sweep.ready:
        if each.kind == kind:
            found.setdefault(each.label, []).append(each)
    return found


def _label_missing(view: View) -> Said:
    for label, waits in _by_label(view, "label").items():
        yield label, f"no agent has the label {label}; {_count(len(waits), 'build wait')} for it: {_names([each.job for each in waits])}"


def _label_offline(view: View) -> Said:
    for label, waits in _by_label(view, "offline").items():
        yield label, f"all agents of {label} are offline; {_count(len(waits), 'build wait')} for it: {_names([each.job for each in waits])}"


def _saturated(view: View) -> Said:
    for label, waits in _by_label(view, "busy").items():
        known = view.sweep.labels.get(label)
        longest = view.now - min(each.since for each in waits)
        if known is not None and known.saturated and longest > view.limits.queue_wait * 60 / 2:
            yield label, f"all {known.executors} executors of {label} are busy; {_count(len(waits), 'build wait')}, the longest for {span(longest)}"


def _single(view: View) -> Said:
    """A label with one agent left: it had several, or somebody counts on several."""
    for name in sorted({*view.limits.labels, *(label.name for label in view.sweep.labels.values() if len(label.nodes) > 1)}):
        label = view.sweep.labels.get(name)
        online = label.online if label else 0
        if view.sweep.nodes is not None and online == 1 and label is not None:
            yield name, f"one of {len(label.nodes)} agents with the label {name} is online: when it goes, its builds stop"
        elif view.sweep.nodes is not None and online == 0 and name in view.limits.labels:
            yield name, f"no agent with the label {name} is online"


# -- agents


def _offline(view: View) -> Said:
    for node in view.sweep.agents:
        if not node.online and not node.away:
            yield node.name, f"{node.name} is not connected{f' for {span(view.now - node.since)}' if node.since else ''}{f': {node.reason}' if node.reason else ''}"


def _taken_offline(view: View) -> Said:
    for node in view.sweep.nodes or ():
        if node.away and node.since is not None and view.now - node.since > view.limits.away * HOUR:
            yield node.name, f"{node.name} was taken offline {span(view.now - node.since)} ago: {node.reason or 'no reason given'}"


def _none_online(view: View) -> Said:
    agents = list(view.sweep.agents)
    if agents and not any(node.online for node in agents):
        yield "", f"none of {len(agents)} agents is online"


def _disk(view: View) -> Said:
    for node in view.sweep.nodes or ():
        for size, where in ((node.disk, "its root folder"), (node.temporary, "its temporary folder")):
            least = view.limits.disk if where == "its root folder" else min(1, view.limits.disk)
            if size is not None and size < least * GIB:
                yield node.name, f"{node.name} has {size / GIB:.1f} GiB free in {where}, {least} are wanted"
                break


def _over(value: Callable[[Node], float | None], limit: float, words: str) -> Callable[[View], Said]:
    def look(view: View) -> Said:
        for node in view.sweep.nodes or ():
            measured = value(node)
            if measured is not None and abs(measured) > limit:
                yield node.name, f"{node.name} {words.format(abs(measured), 'behind' if measured > 0 else 'ahead')}"

    return look


def _memory(view: View) -> Said:
    for node in view.sweep.nodes or ():
        if node.memory is not None and node.memory < MEMORY:
            yield node.name, f"{node.name} has {node.memory:.0%} of its memory and swap free"


def _receipt(*checks: str) -> Callable[[View], Said]:
    """What the last verify said of an agent, where the sweep cannot look."""

    def look(view: View) -> Said:
        for agent, found in view.outside.receipts.items():
            for check, level, words in found:
                if check in checks and level in ("error", "warning"):
                    yield agent, f"{agent}, at its last verify: {words}"
                    break

    return look


def _owner_missing(view: View) -> Said:
    for agent, owner in view.outside.owners.items():
        if not owner:
            yield agent, f"nobody owns {agent}: give owner in [agents.{agent}], or an area of ownership.toml"


# -- builds


def _jobs(view: View) -> Iterator[Job]:
    return (each for each in view.sweep.jobs or () if not each.disabled)


def _build_stuck(view: View) -> Said:
    for job in _jobs(view):
        if job.started is None or job.estimated <= 0:
            continue
        runs = view.now - job.started
        if runs > max(LONG_BUILD * job.estimated, job.estimated + LEAST_LONG):
            yield job.name, f"{job.name} runs for {span(runs)}; it mostly takes {span(job.estimated)}"


def _failing(view: View) -> Said:
    """Chosen jobs one by one; the others in one finding, or they would be as many as there are jobs."""
    others = []
    for job in _jobs(view):
        since = job.succeeded or 0.0
        if not job.failing or view.now - since < view.limits.failing * DAY:
            continue
        if job.name in view.chosen:
            yield job.name, f"{job.name} fails since {span(view.now - since)}" if since else f"{job.name} fails, and no successful build of it is kept"
        else:
            others.append(job.name)
    if others:
        yield "", f"{_count(len(others), 'job fail')} for more than {view.limits.failing} days: {_names(others)}"


def _success(view: View) -> Said:
    recent = [job for job in _jobs(view) if job.ended is not None and view.now - job.ended < RECENT and job.result in ("SUCCESS", "UNSTABLE", "FAILURE")]
    good = sum(job.result != "FAILURE" for job in recent)
    if len(recent) >= LEAST_RECENT and good < SUCCESS * len(recent):
        yield "", f"{good} of the {len(recent)} jobs that were built in the last 24 h succeeded ({good / len(recent):.0%}): does something that they share fail?"


def _flaky(view: View) -> Said:
    found = [job for job in _jobs(view) if job.flaky]
    for job in found:
        if job.name in view.chosen:
            yield job.name, f"{job.name} both passed and failed at commit {job.flaky[:10]}"
    others = [job.name for job in found if job.name not in view.chosen]
    if others:
        yield "", f"{len(others)} job{'s' if len(others) > 1 else ''} both passed and failed at the same commit: {_names(others)}"


def _slower(view: View) -> Said:
    for job in _jobs(view):
        if job.name in view.chosen and job.duration and job.estimated > 0 and job.duration > max(SLOWER * job.estimated, job.estimated + 300):
            yield job.name, f"the last build of {job.name} took {span(job.duration)}; it mostly takes {span(job.estimated)}"


# -- the configuration


def _backup(view: View) -> Said:
    if not view.outside.watched:
        return
    if view.outside.exported is None:
        yield "", "the configuration was never exported into the snapshot's folder"
    elif (age := view.now - view.outside.exported) > view.limits.backup_age * HOUR:
        yield "", f"the last export of the configuration is {span(age)} old, {view.limits.backup_age} h are allowed"


def _drift(view: View) -> Said:
    if view.outside.drift and view.outside.compared is not None:
        yield "", f"the last comparison, {span(view.now - view.outside.compared)} ago, found {view.outside.drift} configs that differ from the snapshot"


CONDITIONS: tuple[Condition, ...] = (
    Condition("controller-down", "error", "The controller does not answer.", _trouble("controller-down")),
    Condition("controller-wrong-answer", "error", "What answers is no Jenkins, or its answers are cut off.", _trouble("controller-wrong-answer")),
    Condition("controller-fault", "error", "The controller answers with errors.", _trouble("controller-fault")),
    Condition("controller-rights", "error", "The monitor's user may not look.", _trouble("controller-rights")),
    Condition("controller-slow", "warning", "The controller is slow.", _slow),
    Condition("controller-shutting-down", "warning", "The controller is about to shut down and starts no builds.", _quieting),
    Condition("certificate-expires", "warning", "A TLS certificate ends soon.", _certificate),
    Condition("queue-long", "warning", "Many builds wait for an executor.", _queue_long),
    Condition("queue-stuck", "error", "A build waits for an executor for too long.", _queue_stuck),
    Condition("label-without-agent", "error", "Builds wait for a label that no agent has.", _label_missing),
    Condition("label-offline", "error", "Builds wait for a label whose agents are all offline.", _label_offline),
    Condition("label-saturated", "warning", "All executors of a label are busy while builds wait.", _saturated),
    Condition("label-single-agent", "warning", "One agent is left for a label.", _single),
    Condition("agents-all-offline", "error", "No agent is online.", _none_online),
    Condition("agent-offline", "error", "An agent is not connected.", _offline),
    Condition("agent-taken-offline", "warning", "An agent was taken offline and forgotten.", _taken_offline),
    Condition("agent-disk-full", "error", "An agent's disk is nearly full.", _disk),
    Condition("agent-clock", "warning", "An agent's clock is wrong.", _over(lambda node: node.clock, CLOCK, "has a clock that is {0:.0f} s {1}")),
    Condition("agent-memory", "warning", "An agent has no memory left.", _memory),
    Condition("agent-slow", "warning", "An agent answers slowly.", _over(lambda node: node.response, RESPONSE, "answers a ping in {0:.1f} s")),
    Condition("agent-java", "warning", "An agent's Java does not fit the controller's remoting.", _receipt("java", "agent.jar")),
    Condition("mac-identity-expires", "warning", "A signing identity ends soon.", _receipt("identities")),
    Condition("agent-owner-missing", "warning", "Nobody owns an agent.", _owner_missing),
    Condition("build-stuck", "error", "A build runs much longer than it ever did.", _build_stuck),
    Condition("jobs-failing", "warning", "Jobs fail for days.", _failing),
    Condition("builds-failing", "error", "Most builds fail.", _success),
    Condition("build-flaky", "warning", "A job passed and failed at the same commit.", _flaky),
    Condition("build-slower", "warning", "A build takes much longer than it did.", _slower),
    Condition("backup-old", "error", "The configuration was not exported for too long.", _backup),
    Condition("config-drift", "warning", "The configuration differs from the snapshot.", _drift),
)


def _by_probes(view: View) -> Said:
    """What a sweep cannot see: the probes find it (:mod:`cibus.monitor.slo`)."""
    yield from ()


BESIDE: tuple[Condition, ...] = (
    Condition("service-down", "error", "A service that builds depend on does not answer.", _by_probes),
    Condition("service-slow", "warning", "A service that builds depend on is slow.", _by_probes),
    Condition("error-budget-burn", "error", "A service fails so often that its error budget is soon used up.", _by_probes, "error-budget"),
    Condition("error-budget-spent", "warning", "A service has used up its error budget.", _by_probes, "error-budget"),
)
"""The conditions of services beside Jenkins."""

ALL = (*CONDITIONS, *BESIDE)
