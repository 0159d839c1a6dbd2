"""What ails an agent: its service, its files, its node, its network; on a booted host whose systemd, sshd and apt are real."""

from __future__ import annotations

from collections.abc import Callable

from fake_jenkins.nodes import secret_of
from machines import LABELS, NAME, REMOTE, Site, until
from staging import Stage, staged
from standin.jar import agent_jar

SECRET = "/etc/jenkins-agent/jenkins-agent.secret"
JAR = "/opt/jenkins-agent/jenkins-agent.jar"
WORKSPACE = f"{REMOTE}/workspace"


def holds(*facts: Callable[[], bool]) -> Callable[[], None]:
    """A proof: all of these are true."""

    def proof() -> None:
        for number, fact in enumerate(facts):
            assert fact(), f"fact {number}"

    return proof


def pid(site: Site) -> str:
    """The process of the service, as systemd knows it."""
    return site.root("systemctl show jenkins-agent -p MainPID --value").strip()


def works(site: Site) -> Callable[[], bool]:
    """Whether the service runs and is connected."""
    return lambda: site.active() == "active" and site.node.online


# -- its service


@staged("agent-service-dead", "site")
def _(site: Site) -> Stage:
    site.root("systemctl disable --now jenkins-agent")
    site.offline()
    return site.stage("agent-service-dead", proof=holds(works(site), lambda: site.root("systemctl is-enabled jenkins-agent").strip() == "enabled"))


@staged("agent-offline", "site")
def _(site: Site) -> Stage:
    """Its process is there and does nothing any more."""
    before = pid(site)
    site.root(f"kill -STOP {before}")
    site.offline()
    return site.stage("agent-offline", proof=holds(works(site), lambda: pid(site) not in (before, "0")))


@staged("agent-does-not-come-back", "site")
def _(site: Site) -> Stage:
    site.root("sed -i 's/^Restart=.*/Restart=no/' /etc/systemd/system/jenkins-agent.service; systemctl daemon-reload; systemctl disable jenkins-agent")

    def comes_back() -> bool:
        before = pid(site)
        site.root(f"kill -9 {before}")
        return bool(until(lambda: pid(site) not in (before, "0")))

    return site.stage("agent-does-not-come-back", proof=holds(comes_back, lambda: site.root("systemctl is-enabled jenkins-agent").strip() == "enabled"))


@staged("agent-jar-old", "site")
def _(site: Site) -> Stage:
    old = agent_jar(version="3107.stand-in")
    site.host.run(f"cat > {JAR}; systemctl restart jenkins-agent", user="root", stdin=old)
    served = site.fake.state.documents["jnlpJars/agent.jar"][1]
    until(works(site))
    return site.stage("agent-jar-old", proof=holds(lambda: (site.host.root / JAR[1:]).read_bytes() == served != old, works(site)))


@staged("agent-java", "site")
def _(site: Site) -> Stage:
    site.root("systemctl stop jenkins-agent; rm -rf /usr/lib/jvm/*/bin/java /usr/lib/jvm/*/lib/server; systemctl start jenkins-agent")
    site.offline()
    return site.stage("agent-java", proof=holds(works(site), lambda: "version" in site.root("/usr/lib/jvm/java-17-openjdk-*/bin/java -version 2>&1")))


# -- its files


@staged("agent-folder", "site")
def _(site: Site) -> Stage:
    site.root(f"mkdir -p {WORKSPACE}/app; touch {WORKSPACE}/app/x; chown -R root:root {REMOTE}")
    before = pid(site)
    return site.stage("agent-folder", proof=holds(lambda: site.root(f"find {REMOTE} ! -user jenkins").strip() == "", lambda: pid(site) not in (before, "0")))


@staged("agent-secret", "site")
def _(site: Site) -> Stage:
    site.root(f"chown root {SECRET}; chmod 644 {SECRET}")

    def kept() -> bool:
        return site.root(f"runuser -u jenkins -- cat {SECRET}").strip() == secret_of(site.node) and site.root(f"stat -c %a:%U {SECRET}").strip() == "600:jenkins"

    return site.stage("agent-secret", proof=holds(kept, lambda: "denied" in site.root(f"runuser -u nobody -- cat {SECRET} 2>&1 || true")))


@staged("agent-build-fails", "site")
def _(site: Site) -> Stage:
    site.root(f"rm -rf {WORKSPACE}; mkdir {WORKSPACE}")
    return site.stage("agent-build-fails", proof=holds(lambda: site.root(f"runuser -u jenkins -- touch {WORKSPACE}/x && echo yes").strip() == "yes"))


@staged("agent-label-broken", "site")
def _(site: Site) -> Stage:
    """The label jq is there, the program is not."""
    site.label("jq")
    return site.stage("agent-label-broken", package="jq", proof=holds(lambda: site.root("runuser -u jenkins -- jq -n 1").strip() == "1"))


# -- its node


@staged("agent-drift", "site")
def _(site: Site) -> Stage:
    assert site.node.root is not None
    site.node.root.set("label", " ".join((*LABELS, "by-hand")))
    return site.stage("agent-drift", hand=(lambda: site.write(labels=(*LABELS, "by-hand")),))


@staged("agent-not-registered", "site")
def _(site: Site) -> Stage:
    """Its node was deleted after the last export."""
    site.export()
    old = site.fake.state.nodes.pop(NAME)
    return site.stage("agent-not-registered", proof=holds(lambda: site.node is not old, lambda: set(LABELS) <= set(site.node.labels), works(site)))


@staged("agent-taken-offline", "site")
def _(site: Site) -> Stage:
    site.node.set_cause("new disk", "admin")
    asked: list[bool] = []
    return site.stage("agent-taken-offline", hand=(lambda: asked.append(site.node.offline),), proof=holds(lambda: asked == [True], lambda: site.node.offline_cause is None, works(site)))


@staged("agent-wrong-system", "site")
def _(site: Site) -> Stage:
    site.write(os="macos")
    return site.stage("agent-wrong-system", hand=(site.write,))


# -- the network


@staged("agent-unreachable", "site")
def _(site: Site) -> Stage:
    site.host.power_off()
    return site.stage("agent-unreachable", hand=(site.host.restore,), proof=holds(lambda: site.host.run("hostname").strip() == site.host.name))


@staged("agent-network", "site")
def _(site: Site) -> Stage:
    """A firewall between it and its controller refuses."""
    port = site.fake.url.rstrip("/").rpartition(":")[2]
    site.host.network.refuse(site.host.here, port)
    site.offline()

    def opened() -> None:
        site.host.network.restore()
        site.online()

    return site.stage("agent-network", hand=(opened,), name=site.host.here, port=port, proof=works(site))
