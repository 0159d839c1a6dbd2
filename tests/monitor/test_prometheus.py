"""A real Prometheus and a real Alertmanager: what a controller suffers from reaches its owner, and so does its end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from alerting import Watchers, Webhook, configured, missing, until, watching, webhook
from fake_jenkins import FakeJenkins
from serving import serving
from sickness import SICKNESSES, Ward, well
from test_alerts import promtool

from cibus.monitor.alerts import alert_name

# what cannot be together with others comes last, one after the other
LAST = ("agent gone", "agent forgotten", "build hangs", "flaky", "slow", "about to shut down", "all agents gone", "no right to see agents", "500 for the queue", "a web page in its place")
LEFT = {"label saturated", "one agent left"}  # their alerts are fired by others of the same condition, or not here: test_alerts fires each
ALONE = {"controller-down", "controller-fault", "controller-wrong-answer", "controller-rights", "agent-owner-missing"}
pytestmark = pytest.mark.slow


@dataclass
class Guard:
    """The monitor, Prometheus and Alertmanager about a controller."""

    ward: Ward
    hook: Webhook
    watchers: Watchers

    def fired(self) -> set[str]:
        """The alerts that fired so far."""
        return self.watchers.fired()


@pytest.fixture
def guard(tmp_path: Path, own_folders: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guard]:
    if missing():
        pytest.skip(missing())
    state, _ = well(tmp_path)
    with ExitStack() as stack:
        fake = stack.enter_context(FakeJenkins(state))
        ward = Ward(fake, tmp_path)
        stack.callback(ward.close)
        ward.configure('owner = "team-platform"\ncontroller_slow = 1\n[agents.two]\nhost = "two.example"\nowner = "team-mobile"\n')
        ward.deed("export", 3600)
        hook = stack.enter_context(webhook())
        url, _ = stack.enter_context(serving(fake, tmp_path, "--interval", "1"))
        monkeypatch.chdir(tmp_path)
        watchers = configured(tmp_path, url[7:-1], hook)
        promtool("check", "config", str(tmp_path / "prometheus.yml"))
        stack.enter_context(watching(tmp_path, watchers))
        yield Guard(ward, hook, watchers)


def test_an_alert_reaches_its_owner_and_so_does_its_end(guard: Guard) -> None:
    ward, hook = guard.ward, guard.hook
    ward.state.nodes["two"].online = False
    ward.wait("Waiting for next available executor on ‘linux’", 45)
    until(lambda: hook.names("team-platform", "firing") >= {"QueueStuck"})
    until(lambda: hook.names("team-mobile", "firing") >= {"AgentOffline"})
    sent = next(annotations for _, _, labels, annotations in hook.told if labels["alertname"] == "QueueStuck")
    assert sent["runbook_url"].rpartition("/")[2] == "queue-stuck"
    assert sent["summary"] == "A build waits for an executor for too long."
    ward.state.queue.clear()
    ward.state.nodes["two"].online = True
    until(lambda: hook.names("team-platform", "resolved") >= {"QueueStuck"})
    until(lambda: hook.names("team-mobile", "resolved") >= {"AgentOffline"})
    assert "QueueStuck" not in hook.names("team-mobile", "firing")
    assert "AgentOffline" not in hook.names("team-platform", "firing") | hook.names("everyone", "firing")


def test_whatever_it_suffers_from_fires(guard: Guard) -> None:
    ward, wanted = guard.ward, set()

    def fired(seconds: float = 40) -> None:
        end = time.monotonic() + seconds
        while missing := wanted - guard.fired():
            assert time.monotonic() < end, f"did not fire: {missing}"
            time.sleep(0.5)

    for name, (condition, _, inject) in SICKNESSES.items():
        if name not in LAST and name not in LEFT and condition not in ALONE:
            inject(ward)
            wanted.add(alert_name(condition))
    fired()
    for name in LAST:
        condition, _, inject = SICKNESSES[name]
        inject(ward)
        wanted.add(alert_name(condition))
        fired()
        ward.fake.faults.set()
    ward.close()
    wanted.add("ControllerDown")
    fired()
    assert len(wanted) >= 25
