"""From facts to findings: each check with facts that it must report, and those of a machine that is well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cibus.agents.atoms import Proof
from cibus.agents.findings import PAGES, Expected, findings, of_controller, ranked
from cibus.agents.probe import Facts
from cibus.agents.remoting import JavaNeed
from cibus.agents.spec import AgentSpec
from cibus.jenkins.nodes import Computer

GIB = 1 << 30
PROOFS = (Proof("git", "git --version"), Proof("jdk-17", "javac -version", r"\b17\b"))
EXPECTED = Expected(JavaNeed(17, (17, 21), True), "abc", 5, PROOFS)


def disk(free: float = 50 * GIB, inodes: float = 900_000) -> dict[str, Any]:
    return {"path": "/", "total": 100 * GIB, "free": int(free), "inodes": 1_000_000, "inodes_free": int(inodes)}


def well() -> dict[str, Any]:
    return {
        "system": "Linux", "release": "6.1", "arch": "x86_64", "distribution": "Debian 12", "user": True, "boot": "1", "time": 1_700_000_000.0, "as_root": True,
        "folder": {"path": "/home/jenkins/agent", "exists": True, "owner": "jenkins", "right": True},
        "disks": {"folder": disk(), "/": disk(), "/tmp": disk()},
        "memory": {"total": 16 * GIB, "available": 8 * GIB},
        "process": {"pid": 7, "user": "jenkins", "argv": ["/usr/bin/java", "-jar", "agent.jar", "-secret", "@/s"], "jar": "agent.jar"},
        "service": {"manager": "systemd", "loaded": "loaded", "active": "active", "enabled": "enabled", "pid": 7, "restarts": 0, "result": "success", "file": "x"},
        "java": {"path": "/usr/bin/java", "status": 0, "text": 'openjdk version "17.0.9" 2023'},
        "jar": {"path": "agent.jar", "sha256": "abc"},
        "secret": {"in_arguments": False, "path": "/s", "mode": "0600", "owner": "jenkins"},
        "dns": {"host": "ci.example", "addresses": ["192.0.2.1"], "error": ""},
        "controller": {"url": "https://ci.example/", "status": 403, "date": "", "error": "", "seconds": 0.02},
        "mirror": {"url": "https://mirror.example/", "status": 200, "date": "", "error": "", "seconds": 0.02},
        "git": {"url": "https://git.example/x.git", "status": 0, "error": ""},
        "proofs": [{"label": "git", "status": 0, "output": "git version 2"}, {"label": "jdk-17", "status": 0, "output": "javac 17.0.9"}],
        "mac": {name: {"status": 0, "output": ""} for name in ("keychain", "identities", "expiries", "licence", "xcode", "selected", "simulators")},
    }  # fmt: skip


SPEC = AgentSpec("a", labels=("git", "jdk-17"))
MAC = AgentSpec("a", os="macos", labels=("xcode-15.1",), variables={"signing_identities": ["x"]})
MAC_EXPECTED = Expected(EXPECTED.java, "abc", 5, ())


def examined(facts: dict[str, Any], spec: AgentSpec = SPEC, skew: float = 0.0) -> list[tuple[str, str, str, str]]:
    expected = MAC_EXPECTED if spec is MAC else EXPECTED
    return [(each.level, each.check, each.words, each.runbook) for each in findings(spec, Facts(facts, skew), expected)]


def test_a_machine_that_is_well_has_only_fine_findings() -> None:
    assert [each for each in examined(well()) if each[0] != "fine"] == []


def put(*path: Any) -> Callable[[dict[str, Any]], None]:
    """Changes one fact: its path, then its value."""

    def change(facts: dict[str, Any]) -> None:
        *above, last, value = path
        for key in above:
            facts = facts[key]
        facts[last] = value

    return change


BROKEN = [
    ("system", "error", "is Debian 12, not macos", None),
    ("user", "error", "there is no user jenkins", put("user", False)),
    ("user", "error", "is not there", put("folder", "exists", False)),
    ("user", "error", "belongs to root, not to jenkins", put("folder", {"path": "/home/jenkins/agent", "exists": True, "owner": "root", "right": False})),
    ("service", "error", "is masked", put("service", "loaded", "masked")),
    ("service", "error", "there is no service jenkins-agent", put("service", "loaded", "not-found")),
    ("service", "error", "is failed (exit-code)", put("service", {"loaded": "loaded", "active": "failed", "result": "exit-code", "enabled": "enabled"})),
    ("service", "error", "no agent.jar runs", put("process", None)),
    ("service", "error", "runs as root", put("process", "user", "root")),
    ("service", "error", "would not start at boot (disabled)", put("service", "enabled", "disabled")),
    ("java", "error", "does not run: not found", put("java", {"path": "java", "status": 127, "text": "not found"})),
    ("java", "error", "Java 11 is too old", put("java", "text", 'openjdk version "11.0.2"')),
    ("agent.jar", "error", "there is no agent.jar", put("jar", None)),
    ("agent.jar", "warning", "another than the controller's", put("jar", "sha256", "def")),
    ("secret", "error", "stands in its command line", put("secret", "in_arguments", True)),
    ("secret", "error", "has mode 0644", put("secret", "mode", "0644")),
    ("secret", "error", "belongs to somebody", put("secret", "owner", "somebody")),
    ("labels", "error", "git: 'git --version' ends with 127: sh: git: not found", put("proofs", 0, {"status": 127, "output": "sh: git: not found"})),
    ("labels", "error", "jdk-17: 'javac -version' says 'javac 11'", put("proofs", 1, {"status": 0, "output": "javac 11"})),
    ("disk", "error", "1.0 GiB of 100 free, 5 wanted", put("disks", "folder", disk(free=GIB))),
    ("disk", "error", "/tmp: 0.5 GiB", put("disks", "/tmp", disk(free=GIB / 2))),
    ("inodes", "error", "10,000 of 1,000,000 inodes free", put("disks", "/", disk(inodes=10_000))),
    ("memory", "warning", "0.5 of 16.0 GiB available", put("memory", "available", GIB / 2)),
    ("clock", "error", "90 s behind", put("controller", "date", "Tue, 14 Nov 2023 22:14:50 GMT")),
    ("dns", "error", "ci.example cannot be resolved: unknown", put("dns", "error", "unknown")),
    ("controller", "error", "cannot be reached from there: refused", put("controller", {"url": "https://ci.example/", "status": 0, "error": "refused", "seconds": 1, "date": ""})),
    ("package mirror", "error", "cannot be reached from there: 502", put("mirror", {"url": "https://m/", "status": 502, "error": "", "seconds": 1})),
    ("git", "error", "fatal: no", put("git", {"url": "https://g/", "status": 128, "error": "x\nfatal: no"})),
]


@pytest.mark.parametrize(("check", "level", "words", "change"), BROKEN, ids=[f"{each[0]}-{each[2][:24]}" for each in BROKEN])
def test_what_is_broken_is_found_alone_and_first(check: str, level: str, words: str, change: Callable[[dict[str, Any]], None] | None) -> None:
    facts, spec = well(), SPEC
    if change is None:
        spec = AgentSpec("a", os="macos", labels=SPEC.labels)
    else:
        change(facts)
    bad = [each for each in examined(facts, spec) if each[0] != "fine"]
    assert [each[:2] for each in bad] == [(level, check)]
    assert words in bad[0][2]
    assert bad[0][3] in PAGES


def test_a_clock_that_is_wrong_against_this_machine() -> None:
    bad = [each for each in examined(well(), skew=-3600) if each[0] != "fine"]
    assert bad[0][1:3] == ("clock", "3600 s behind")


IDENTITY = '  1) 0123456789ABCDEF0123456789ABCDEF01234567 "Apple Distribution: Acme, Inc. (TEAM1)"\n     1 valid identities found'


def ends(year: int) -> str:
    """As LibreSSL and OpenSSL print a certificate's subject in several lines."""
    return f"subject=\n    userId                    = TEAM1\n    commonName                = Apple Distribution: Acme, Inc. (TEAM1)\n    countryName               = US\nnotAfter=Nov 26 12:00:00 {year} GMT\n"


MAC_BROKEN = [
    ("keychain", "error", "is locked", put("mac", "keychain", {"status": 36, "output": "User interaction is not allowed."})),
    ("keychain", "unknown", "could not be looked at", put("mac", "keychain", {"status": 50, "output": "no such file"})),
    ("identities", "error", "no valid signing identity", put("mac", "identities", {"status": 0, "output": "0 valid identities found"})),
    ("identities", "warning", "valid for 11 days", put("mac", "expiries", {"status": 0, "output": ends(2023)})),
    ("xcode", "error", "licence is not accepted", put("mac", "licence", {"status": 69, "output": "You have not agreed"})),
    ("xcode", "error", "xcodebuild does not run", put("mac", "xcode", {"status": 72, "output": "unable to find"})),
    ("simulators", "warning", "no simulator", put("mac", "simulators", {"status": 0, "output": "{}"})),
]


def mac() -> dict[str, Any]:
    facts = {**well(), "system": "Darwin", "distribution": "macOS 14.5", "proofs": []}
    facts["mac"] |= {
        "identities": {"status": 0, "output": IDENTITY},
        "expiries": {"status": 0, "output": ends(2024)},
        "xcode": {"status": 0, "output": "Xcode 15.1\nBuild 1"},
        "simulators": {"status": 0, "output": '{"devices": [{"udid": "1"}]}'},
    }
    return facts


def test_a_mac_that_is_well() -> None:
    found = examined(mac(), MAC)
    assert [each for each in found if each[0] != "fine"] == []
    assert "Apple Distribution: Acme, Inc. (TEAM1): valid for 377 days" in [each[2] for each in found]


@pytest.mark.parametrize(("check", "level", "words", "change"), MAC_BROKEN, ids=[f"{each[0]}-{each[2][:20]}" for each in MAC_BROKEN])
def test_what_is_broken_on_a_mac(check: str, level: str, words: str, change: Callable[[dict[str, Any]], None]) -> None:
    facts = mac()
    change(facts)
    bad = [each for each in examined(facts, MAC) if each[0] != "fine"]
    assert [each[:2] for each in bad] == [(level, check)]
    assert words in bad[0][2]


def test_what_the_controller_says() -> None:
    words = lambda computer, drift=(): [(each.level, each.runbook) for each in of_controller(SPEC, computer, list(drift))]  # noqa: E731
    assert words(None) == [("error", "agent-not-registered")]
    assert words(Computer("a", connected=False)) == [("error", "agent-offline")]
    assert words(Computer("a", connected=True, away=True, reason="x")) == [("warning", "agent-taken-offline")]
    assert words(Computer("a", connected=True), ["labels x"]) == [("fine", ""), ("warning", "agent-drift")]


def test_the_worst_comes_first() -> None:
    facts = well()
    put("memory", "available", 1)(facts)
    put("disks", "/tmp", disk(free=1))(facts)
    assert [each[1] for each in examined(facts)[:2]] == ["disk", "memory"]
    assert ranked([]) == []


def test_every_page_is_there() -> None:
    from pathlib import Path

    runbooks = Path(__file__).parents[2] / "runbooks"
    assert [page for page in PAGES if not (runbooks / f"{page}.md").is_file()] == []
