"""Alert rules, by Prometheus' own tool."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from cibus.config import MonitorConfig
from cibus.monitor.alerts import ALL, BASE, alert_name, pages, rules, rules_text

RULES = rules(MonitorConfig())["groups"][0]["rules"]


def promtool(*argv: str, stdin: bytes = b"") -> str:
    """Runs promtool, or skips; gives what it says."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("no promtool here: tests/hosts/packages.sh installs it on Debian (package prometheus)")
    done = subprocess.run([program, *argv], input=stdin, capture_output=True, check=False)
    words = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, words
    return words


def seconds(text: str) -> int:
    return int(text[:-1]) * {"m": 60, "h": 3600}[text[-1]]


def finding(condition: str, level: str, values: str, **more: str) -> dict[str, str]:
    labels = {"condition": condition, "subject": "x", "level": level, "owner": "team-a", "runbook": condition, **more}
    shown = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return {"series": f"cibus_finding{{{shown}}}", "values": values}


def expected(rule: dict[str, Any], labels: dict[str, str], annotations: dict[str, str]) -> dict[str, Any]:
    return {"exp_labels": {**rule["labels"], **labels}, "exp_annotations": annotations}


def cases_of(rule: dict[str, Any], condition: str, level: str) -> list[dict[str, Any]]:
    """It fires once the finding lasts, not before, not for another finding, and it ends."""
    hold = seconds(rule["for"]) // 60
    labels = {"condition": condition, "subject": "x", "level": level, "owner": "team-a", "runbook": condition}
    annotations = {key: text.replace("{{ if $labels.subject }} It is about {{ $labels.subject }}.{{ end }}", " It is about x.") for key, text in rule["annotations"].items()}
    fires = expected(rule, labels, annotations)
    return [
        {
            "interval": "1m",
            "name": f"{rule['alert']} fires, and ends",
            "input_series": [finding(condition, level, f"1x{hold + 5} stale")],
            "alert_rule_test": [
                {"eval_time": "0m", "alertname": rule["alert"], "exp_alerts": []},
                {"eval_time": f"{hold + 1}m", "alertname": rule["alert"], "exp_alerts": [fires]},
                {"eval_time": f"{hold + 8}m", "alertname": rule["alert"], "exp_alerts": []},
            ],
        },
        {
            "interval": "1m",
            "name": f"{rule['alert']} does not fire for what passes, nor for others",
            "input_series": [finding(condition, level, f"1x{max(hold - 1, 0)} stale"), finding("something-else", level, f"1x{hold + 5}"), finding(condition, level, f"0x{hold + 5}", subject="y")],
            "alert_rule_test": [{"eval_time": f"{minute}m", "alertname": rule["alert"], "exp_alerts": []} for minute in (0, hold, hold + 3)],
        },
    ]


def test_there_are_enough_and_each_says_what_to_do() -> None:
    assert len(RULES) >= 22
    assert [rule["alert"] for rule in RULES[: len(ALL)]] == [alert_name(each.name) for each in ALL]
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule["labels"]["severity"] in ("critical", "warning")
        base, _, page = rule["annotations"]["runbook_url"].rpartition("/")
        assert base == BASE
        assert page in pages().values()
        assert rule["annotations"]["summary"].endswith(".")


def test_promtool_takes_the_rules(tmp_path: Path) -> None:
    path = tmp_path / "rules.yml"
    path.write_text(rules_text(MonitorConfig(runbooks="https://wiki.example/ci/", owner="team-ci")))
    assert f"SUCCESS: {len(RULES)} rules found" in promtool("check", "rules", "--lint=all", "--lint-fatal", str(path))
    assert "https://wiki.example/ci/queue-stuck" in path.read_text()


def test_each_rule_fires_and_does_not(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(rules_text(MonitorConfig()))
    by_name = {rule["alert"]: rule for rule in RULES}
    tests = [test for each in ALL for test in cases_of(by_name[alert_name(each.name)], each.name, each.level)]
    for name, fine, ill in (("MonitorDown", "0+60x30", ""), ("MonitorStale", "0+60x30", "0x30")):
        rule = by_name[name]
        series = [{"series": "cibus_sweep_timestamp_seconds", "values": ill}] if ill else []
        tests.append({"interval": "1m", "input_series": series, "alert_rule_test": [{"eval_time": "20m", "alertname": name, "exp_alerts": [expected(rule, {}, dict(rule["annotations"]))]}]})
        tests.append({"interval": "1m", "input_series": [{"series": "cibus_sweep_timestamp_seconds", "values": fine}], "alert_rule_test": [{"eval_time": "20m", "alertname": name, "exp_alerts": []}]})
    path = tmp_path / "tests.yml"
    path.write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": tests}))
    assert "SUCCESS" in promtool("test", "rules", str(path))
    # the check can fail: a rule that never fires is found
    broken = (tmp_path / "rules.yml").read_text().replace('condition="queue-stuck"', 'condition="queue-stick"')
    (tmp_path / "rules.yml").write_text(broken)
    with pytest.raises(AssertionError, match="QueueStuck"):
        promtool("test", "rules", str(path))
