"""Proving that a controller is as it should be: what was touched is read again and compared."""

from __future__ import annotations

from collections.abc import Iterable

from cibus.errors import NotFound
from cibus.jenkins.bulk import each
from cibus.jenkins.client import Client
from cibus.jobs.collect import fetch
from cibus.jobs.compare import compare_configs
from cibus.jobs.drift import ConfigDrift, config_text, root_of
from cibus.jobs.layout import Key
from cibus.jobs.plan import Plan, Step
from cibus.redaction import Redactor


def prove(client: Client, redactor: Redactor, plan: Plan, done: Iterable[int]) -> list[ConfigDrift]:
    """What differs between the controller and the steps that were done; nothing, where all is as it should be."""
    last: dict[Key, Step] = {}
    for index in sorted(done):
        step = plan.steps[index]
        last[step.key] = step
        if step.was is not None:
            last.setdefault(step.was, Step("delete", step.was))
    found = (differs for _, differs in each(list(last.values()), lambda step: _differs(client, redactor, step), client.settings.concurrency))
    return sorted((differs for differs in found if differs is not None), key=lambda drift: drift.key)


def _differs(client: Client, redactor: Redactor, step: Step) -> ConfigDrift | None:
    try:
        live = fetch(client, redactor, step.key).config
    except NotFound:
        return None if step.action == "delete" else ConfigDrift("removed", step.key, "")
    if step.action == "delete":
        return ConfigDrift("added", step.key, root_of(live.xml))
    if step.config is None:
        return None
    changes = compare_configs(config_text(step.config), config_text(live))
    return ConfigDrift("changed", step.key, root_of(live.xml), tuple(changes)) if changes else None
