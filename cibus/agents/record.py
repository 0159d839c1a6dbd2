"""A receipt's data from what was done. Pure functions."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from cibus.agents.findings import Finding
from cibus.agents.registration import Served
from cibus.agents.spec import AgentSpec
from cibus.agents.work import Outcome
from cibus.receipts import VERSION, scrubbed, stamp, versions


def of_rebuild(outcome: Outcome, served: Served | None, *, kind: str, operator: Mapping[str, str], commit: str, reason: str, secrets: Iterable[str]) -> dict[str, Any]:
    """The receipt of a rebuild.

    Arguments:
        kind: rebuild or drill
        commit: of the playbooks
        secrets: what must not be in it
    """
    data = _begun(kind, outcome.spec, outcome.result, outcome.started, outcome.seconds, operator, served)
    data["system"] = outcome.system
    data["reason"] = reason
    if outcome.failed:
        data |= {"failed": outcome.failed, "words": outcome.words}
    data["playbooks"] = commit
    data["resumed"] = outcome.resumed
    data["steps"] = [{"name": each.step, "seconds": round(each.seconds, 2), "words": each.words, **({"skipped": True} if each.skipped else {})} for each in outcome.steps]
    if outcome.first is not None:
        data["roles"] = dict(outcome.first.roles)
        data["changes"] = {"count": outcome.first.total, "tasks": list(outcome.first.changes)}
    if outcome.second is not None:
        data["second"] = {"changed": outcome.second.total, "tasks": list(outcome.second.changes), "seconds": round(outcome.second_seconds, 2)}
    data["findings"] = [_finding(each) for each in outcome.findings]
    return dict(scrubbed(data, secrets))


def of_verify(spec: AgentSpec, found: Iterable[Finding], served: Served | None, started: float, *, operator: Mapping[str, str], secrets: Iterable[str]) -> dict[str, Any]:
    """The receipt of a verification."""
    kept = list(found)
    result = "failed" if any(each.level == "error" for each in kept) else "look" if any(each.bad for each in kept) else "ok"
    data = _begun("verify", spec, result, started, time.time() - started, operator, served)
    return dict(scrubbed({**data, "steps": [], "findings": [_finding(each) for each in kept]}, secrets))


def _begun(kind: str, spec: AgentSpec, result: str, started: float, seconds: float, operator: Mapping[str, str], served: Served | None) -> dict[str, Any]:
    data: dict[str, Any] = {
        "schema": VERSION,
        "kind": kind,
        "agent": spec.name,
        "outcome": result,
        "operator": dict(operator),
        "owner": spec.owner,
        "started": stamp(datetime.fromtimestamp(started, UTC)),
        "seconds": round(seconds, 1),
        "host": spec.address.shown if spec.address else "",
        "versions": versions(),
    }
    if served is not None:
        data["controller"] = {"url": served.url, "version": served.version, "remoting": served.remoting, "java": served.java.minimum}
    return data


def _finding(found: Finding) -> dict[str, str]:
    return {"check": found.check, "level": found.level, "words": found.words, "runbook": found.runbook}
