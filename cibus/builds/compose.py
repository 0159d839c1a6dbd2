"""The record of a captured build, put together of what the controller, the job and the log said. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from cibus.builds import facts
from cibus.builds.jobfacts import JobFacts
from cibus.builds.logfacts import LogFacts
from cibus.builds.record import AgentUse, CapturedBuild, Checkout, LibraryUse, Script

REPLAY = "org.jenkinsci.plugins.workflow.cps.replay.ReplayCause"


def compose(data: Mapping[str, Any], job: JobFacts, log: LogFacts, notes: Mapping[str, Any], controller: str, url: str, name: str, jenkins: str) -> CapturedBuild:
    """Puts the record together.

    Arguments:
        data: the build's JSON
        notes: what the parts of the capture found: ``script``, ``agents``, ``injected``
        controller: the controller's URL
        url: the build's URL
        name: the job's full name
        jenkins: the controller's version
    """
    causes = facts.causes_of(data)
    multibranch = log.script is not None and bool(log.script[2])
    libraries = tuple(LibraryUse(*each) for each in log.libraries)
    agents = _agents(log, notes)
    environment = _environment(log, notes, agents)
    kind = facts.kind_of(data)
    return CapturedBuild(
        url=url,
        controller=controller,
        job=name,
        number=int(data["number"]),
        kind=kind,
        result=str(data.get("result") or ""),
        started=data.get("timestamp", 0) / 1000,
        seconds=data.get("duration", 0) / 1000,
        display_name=str(data.get("displayName") or ""),
        description=str(data.get("description") or ""),
        multibranch=multibranch,
        script=Script(
            notes.get("script", "scm"),
            (log.script[0] if log.script else "") or job.path or "Jenkinsfile",
            any(each.kind == REPLAY for each in causes),
        ),
        parameters=_parameters(data, job),
        causes=causes,
        checkouts=_checkouts(data, job, log, libraries, name if multibranch else "", scm=log.script is not None or (kind != "pipeline" and bool(job.url))),
        changes=facts.changes_of(data),
        libraries=libraries,
        agents=agents,
        environment={key: value for key, (value, _) in environment.items()},
        environment_from={key: origin for key, (_, origin) in environment.items()},
        before=facts.before_of(data),
        jenkins=jenkins,
    )


def _parameters(data: Mapping[str, Any], job: JobFacts) -> tuple[Any, ...]:
    """With the kind that the job declares, where it is known: the JSON calls a choice a string."""
    return tuple(replace(each, kind=job.kinds.get(each.name, each.kind)) for each in facts.parameters_of(data))


def _checkouts(data: Mapping[str, Any], job: JobFacts, log: LogFacts, libraries: tuple[LibraryUse, ...], branch_job: str, *, scm: bool) -> tuple[Checkout, ...]:
    """What was checked out, the script's own repository first; a library's repository is none of them."""
    of_libraries = {(each.url, each.commit) for each in libraries}
    own_url, own_commit = (log.script[1], log.script[2]) if log.script else ("", "")
    own_url = own_url or (job.url if scm else "")
    found: dict[tuple[str, str], Checkout] = {}
    for each in (*facts.checkouts_of(data), *(Checkout(*entry) for entry in log.checkouts)):
        is_own = scm and (each.commit == own_commit if own_commit else each.url == own_url)
        if (each.url, each.commit) in of_libraries and not is_own:
            continue
        known = found.get((each.url, each.commit))
        found[each.url, each.commit] = replace(known or each, branch=(known or each).branch or each.branch, own=is_own)
    own = [each for each in found.values() if each.own][:1]
    others = [each for each in found.values() if each not in own]
    if scm and not own:
        own = [Checkout(own_url, own_commit, job.branch, own=True)]  # its commit may be unknown: nothing checked it out
    if own and branch_job:
        own = [replace(own[0], branch=unquote(branch_job.rpartition("/")[2]))]
    return (*own, *(replace(each, own=False) for each in others))


def _agents(log: LogFacts, notes: Mapping[str, Any]) -> tuple[AgentUse, ...]:
    known = notes.get("agents") or {}
    names = dict.fromkeys([*log.agents, *known])
    return tuple(
        AgentUse(
            name,
            log.agents.get(name, ""),
            tuple(known.get(name, {}).get("labels", ())),
            known.get(name, {}).get("system", ""),
            known.get(name, {}).get("environment", {}),
        )
        for name in names
    )


def _environment(log: LogFacts, notes: Mapping[str, Any], agents: tuple[AgentUse, ...]) -> dict[str, tuple[str, str]]:
    """Variable → value and where it is known from; the better source last."""
    found: dict[str, tuple[str, str]] = {}
    for agent in agents:
        found.update({name: (value, "agent") for name, value in agent.environment.items()})
    found.update({name: (value, "log") for name, value in log.variables.items()})
    found.update({name: (value, "injected") for name, value in (notes.get("injected") or {}).items()})
    return found
