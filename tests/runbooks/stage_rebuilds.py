"""Agents that are made, made anew, or looked at: by whole rebuilds with the playbooks, on a booted host."""

from __future__ import annotations

from machines import NAME, REMOTE, Site
from made_builds import INLINE, add_build
from stage_agents import JAR, holds, works
from stage_builds import LOGS
from staging import Stage, staged

NEW = "linux-2"


@staged("rebuild-agent", "site")
def _(site: Site) -> Stage:
    """Broken in several ways."""
    site.root(f"systemctl disable --now jenkins-agent; rm -rf {JAR} {REMOTE}; sed -i 's/^Restart=.*/Restart=no/' /etc/systemd/system/jenkins-agent.service")
    site.offline()
    return site.stage("rebuild-agent", proof=holds(works(site), lambda: site.node.offline_cause is None, lambda: "Restart=always" in site.root("systemctl cat jenkins-agent")))


@staged("add-agent", "site")
def _(site: Site) -> Stage:
    """The machine has a user for people and packages, and was no agent yet."""
    site.root(f"systemctl disable --now jenkins-agent; rm -rf {JAR} /etc/jenkins-agent /etc/systemd/system/jenkins-agent.service; userdel -rf jenkins; systemctl daemon-reload")
    del site.fake.state.nodes[NAME]
    text = (site.folder / "cibus.toml").read_text()
    (site.folder / "cibus.toml").write_text(text.partition("[agents.")[0])

    def made() -> bool:
        node = site.fake.state.nodes[NEW]
        return node.online and "linux" in node.labels and site.active() == "active"

    return site.stage("add-agent", agent=NEW, proof=holds(made, lambda: site.root(f"stat -c %U {REMOTE}").strip() == "jenkins"))


@staged("monitor-weekly", "site")
def _(site: Site) -> Stage:
    """An agent that is well, and a job that fails now and then."""
    site.fake.state.add("app", INLINE.format(script="node {}", sandbox="true"))
    for number, (log, result) in enumerate((("success-1", "SUCCESS"), ("test-failures-1", "FAILURE"), ("network-1", "FAILURE"), ("success-2", "SUCCESS")), 1):
        add_build(site.fake, "app", number, {"result": result}, console=(LOGS / f"{log}.txt").read_text("utf-8"))
    site.export()
    return site.stage("monitor-weekly", job="app", proof=holds(lambda: "a build ran on it" in (site.folder / f"receipts/{NAME}.jsonl").read_text("utf-8")))
