"""Writes grafana.json, the dashboard of what `cibus monitor serve` gives: python dashboard.py [FILE].

Made with Grafana's own SDK (pip install grafana-foundation-sdk), so that its form is that of Grafana 10 and later.
"""

from __future__ import annotations

import sys
from pathlib import Path

from grafana_foundation_sdk.builders import dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE = DataSourceRef(type_val="prometheus", uid="${source}")
# title, unit, and queries with their legend
STATS = (
    ("The controller answers", "bool_yes_no", "cibus_controller_up"),
    ("Errors and warnings", "none", "sum(cibus_findings)"),
    ("Builds that wait", "none", 'sum(cibus_queue_length{kind!~"quiet|blocked"})'),
    ("Longest wait", "s", "cibus_queue_longest_wait_seconds"),
    ("Last export", "s", "time() - cibus_export_timestamp_seconds"),
    ("Last sweep", "s", "time() - cibus_sweep_timestamp_seconds"),
)
GRAPHS = (
    ("Queue, by what is waited for", "none", (("cibus_queue_length", "{{kind}}"),)),
    ("Executors", "none", (("cibus_executors", "online"), ("cibus_executors_busy", "busy"))),
    ("Busy share of each label", "percentunit", (("cibus_label_executors_busy / (cibus_label_executors > 0)", "{{label}}"),)),
    ("Builds that wait for a label", "none", (("cibus_label_waiting > 0", "{{label}}"),)),
    ("Nodes", "none", (("cibus_nodes", "{{state}}"),)),
    ("Jobs by their last result", "none", (("cibus_jobs", "{{result}}"),)),
    ("The controller's smallest answer", "s", (("cibus_controller_latency_seconds", "answer"), ("cibus_sweep_duration_seconds", "sweep"))),
    ("Chosen jobs: last successful build took", "s", (("cibus_job_duration_seconds", "{{job}}"),)),
)


def _query(expr: str, legend: str = "") -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(expr).legend_format(legend)


def made() -> dashboard.Dashboard:
    """The dashboard: the findings first, figures beside them, then how they came about."""
    board = (
        dashboard.Dashboard("CI")
        .uid("cibus")
        .tags(["jenkins", "cibus"])
        .description("What cibus monitor serve saw of a Jenkins controller.")
        .refresh("1m")
        .time("now-24h", "now")
        .with_variable(dashboard.DatasourceVariable("source").label("Prometheus").type("prometheus"))
    )
    for title, unit, expr in STATS:
        board.with_panel(stat.Panel().title(title).unit(unit).datasource(SOURCE).span(4).height(4).with_target(_query(expr).instant()))
    findings = _query("cibus_finding == 1").format(PromQueryFormat.TABLE).instant()
    board.with_panel(table.Panel().title("Findings, with their runbook").datasource(SOURCE).span(24).height(9).with_target(findings))
    for title, unit, queries in GRAPHS:
        panel = timeseries.Panel().title(title).unit(unit).datasource(SOURCE).span(12).height(8).min(0)
        for expr, legend in queries:
            panel.with_target(_query(expr, legend))
        board.with_panel(panel)
    return board


def text() -> str:
    """The file's text."""
    return JSONEncoder(sort_keys=True, indent=2).encode(made().build()) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("grafana.json")).write_text(text(), "utf-8")
