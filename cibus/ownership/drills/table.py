"""All drills, in the order in which one learns."""

from __future__ import annotations

from cibus.ownership.drills import alert, debug, monitors, rebuild, restore, rotate
from cibus.ownership.drills.base import Drill, nothing

DRILLS = {
    each.name: each
    for each in (
        Drill("debug", "debug a build locally that has a planted fault", ("job", "library"), ("debug-build-locally",), debug.begin, debug.tell, debug.verify, nothing),
        Drill("restore", "restore a deleted job from a snapshot", ("job", "controller"), ("restore-job", "restore-controller"), restore.begin, restore.tell, restore.verify, restore.tidy),
        Drill("rebuild", "rebuild an agent, and prove it", ("agent", "playbook"), ("rebuild-agent",), rebuild.begin, rebuild.tell, rebuild.verify, nothing),
        Drill("alert", "answer an alert by its runbook", ("runbook", "controller", "agent"), tuple(alert.ALERTS), alert.begin, alert.tell, alert.verify, alert.tidy),
        Drill("rotate", "rotate a credential", ("credential",), ("rotate-secret",), rotate.begin, rotate.tell, rotate.verify, rotate.tidy),
        Drill("monitors", "read the monitors", (), ("monitor-daily",), monitors.begin, monitors.tell, monitors.verify, nothing),
    )
}
