"""Prometheus alert rules, made from the table of conditions.

A rule fires for each finding of its condition, so that what ``cibus monitor check`` says and what pages somebody are
never two things. Two rules watch the monitor itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from cibus.config import MonitorConfig
from cibus.monitor.conditions import BESIDE, CONDITIONS, Condition
from cibus.runbooks.files import address

SEVERITIES = {"error": "critical", "warning": "warning"}
# how long a finding must last: an agent that reboots, or a controller that is restarted, pages nobody
HOLD = {"error": "5m", "warning": "15m"}
HOLDS = {"queue-stuck": "1m", "build-stuck": "1m", "backup-old": "1m", "label-without-agent": "2m", "controller-down": "3m", "agents-all-offline": "3m"}
BASE = "https://runbooks.example.com"
ALL = (*CONDITIONS, *BESIDE)
STALE = 5  # sweeps that may be missing
MONITOR_ALERTS = ("MonitorDown", "MonitorStale")
MONITOR_PAGE = "monitor-down"


def alert_name(condition: str) -> str:
    """``queue-stuck`` → ``QueueStuck``."""
    return "".join(word.capitalize() for word in condition.split("-"))


def rules(config: MonitorConfig) -> dict[str, Any]:
    """The rule groups, as https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/ has them."""
    base = config.runbooks or BASE
    return {"groups": [{"name": "cibus", "rules": [*(_rule(each, base) for each in ALL), *_monitor_rules(config, base)]}]}


def _rule(condition: Condition, base: str) -> Mapping[str, Any]:
    return {
        "alert": alert_name(condition.name),
        "expr": f'cibus_finding{{condition="{condition.name}"}} == 1',
        "for": HOLDS.get(condition.name, HOLD[condition.level]),
        "labels": {"severity": SEVERITIES[condition.level]},
        "annotations": _annotations(condition.summary, condition.page, base, "{{ if $labels.subject }} It is about {{ $labels.subject }}.{{ end }}"),
    }


def _annotations(summary: str, page: str, base: str, more: str = "") -> Mapping[str, str]:
    link = address(base, page)
    return {"summary": summary, "description": f"{summary}{more} What to do: {link}", "runbook_url": link}


def _monitor_rules(config: MonitorConfig, base: str) -> Iterator[Mapping[str, Any]]:
    stale = STALE * max(config.interval, 60)
    for name, expr in (
        (MONITOR_ALERTS[0], "absent(cibus_sweep_timestamp_seconds)"),
        (MONITOR_ALERTS[1], f"time() - cibus_sweep_timestamp_seconds > {stale}"),
    ):
        owner = {"owner": config.owner} if config.owner else {}
        yield {
            "alert": name,
            "expr": expr,
            "for": "5m",
            "labels": {"severity": "critical", **owner},
            "annotations": _annotations("Nobody watches CI: cibus monitor serve gives no fresh figures.", MONITOR_PAGE, base),
        }


def rules_text(config: MonitorConfig) -> str:
    """The rules file."""
    head = "# Made by cibus monitor rules; the conditions are those of cibus monitor check.\n"
    return head + yaml.safe_dump(rules(config), sort_keys=False, width=1000)


def pages() -> dict[str, str]:
    """By the name of an alert, the runbook that it leads to."""
    return {**{alert_name(each.name): each.page for each in ALL}, **dict.fromkeys(MONITOR_ALERTS, MONITOR_PAGE)}
