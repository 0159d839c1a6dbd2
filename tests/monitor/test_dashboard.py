"""The Grafana dashboard: made by Grafana's SDK, asking for metrics that there are; and the Alertmanager example."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from test_metrics import series, text_of, view

from cibus.monitor.alerts import ALL, alert_name

EXAMPLES = Path(__file__).parents[2] / "examples" / "monitoring"


def test_the_dashboard_is_what_the_sdk_makes() -> None:
    pytest.importorskip("grafana_foundation_sdk")
    spec = importlib.util.spec_from_file_location("dashboard", EXAMPLES / "dashboard.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert json.loads(module.text()) == json.loads((EXAMPLES / "grafana.json").read_text()), "write it again: python examples/monitoring/dashboard.py"


def test_it_asks_for_metrics_that_there_are() -> None:
    known = {re.split(r"[{ ]", line)[0] for line in series(text_of(view(100, 9, 9, 3)))}
    board = json.loads((EXAMPLES / "grafana.json").read_text())
    panels = board["panels"]
    assert len(panels) == 15
    asked = {name for panel in panels for target in panel["targets"] for name in re.findall(r"cibus_\w+", target["expr"])}
    assert asked - known == set()
    assert len(asked) > 12


def test_the_alertmanager_example() -> None:
    if shutil.which("amtool") is None:
        pytest.skip("no amtool here: tests/hosts/packages.sh installs it on Debian (package prometheus-alertmanager)")
    path = EXAMPLES / "alertmanager.yml"
    done = subprocess.run(["amtool", "check-config", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

    def receiver(*labels: str) -> str:
        return subprocess.run(["amtool", "config", "routes", "test", f"--config.file={path}", *labels], capture_output=True, text=True, check=True).stdout.strip()

    assert receiver("alertname=AgentOffline", "owner=team-mobile") == "team-mobile"
    assert receiver("alertname=QueueStuck", "owner=team-platform", "severity=critical") == "team-platform"
    assert receiver("alertname=QueueStuck", "owner=team-platform", "severity=warning") == "everyone"
    assert receiver("alertname=QueueStuck") == "everyone"
    known = {alert_name(each.name) for each in ALL}
    assert set(re.findall(r'alertname!?="(\w+)"', path.read_text())) <= known
