"""What is wrong with an agent: from what its machine and its controller say. Pure functions."""

from __future__ import annotations

import email.utils
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cibus.agents.atoms import Proof
from cibus.agents.probe import Facts
from cibus.agents.remoting import JavaNeed, java_major
from cibus.agents.spec import AgentSpec
from cibus.jenkins.nodes import Computer

GIB = 1 << 30
SKEW = 30.0  # seconds; TLS, tokens and timestamps of builds suffer beyond
INODES = 0.05  # of all
MEMORY = 0.05
DAYS = 30  # that an identity should be valid
RANKS = {"error": 0, "warning": 1, "unknown": 2, "fine": 3}


@dataclass(frozen=True)
class Finding:
    """The outcome of one check.

    Arguments:
        check: its name, e.g. disk
        level: fine, warning, error, or unknown where it could not be tried
        words: what was found, with figures
        runbook: the page that says what to do; "" where it is fine
    """

    agent: str
    check: str
    level: str
    words: str
    runbook: str = ""

    @property
    def bad(self) -> bool:
        """Whether somebody has to do something."""
        return self.level in ("error", "warning")


@dataclass(frozen=True)
class Expected:
    """What a machine is held against: ``disk`` in GiB; ``jar``: the SHA-256 of the controller's agent.jar, "" unknown."""

    java: JavaNeed | None = None
    jar: str = ""
    disk: int = 5
    proofs: tuple[Proof, ...] = ()


@dataclass(frozen=True)
class _Look:
    """All that the checks look at."""

    spec: AgentSpec
    facts: Facts
    expected: Expected


def findings(spec: AgentSpec, facts: Facts, expected: Expected) -> list[Finding]:
    """All checks of a machine, the bad ones first."""
    look = _Look(spec, facts, expected)
    checks = [*COMMON, *(MAC if facts["system"] == "Darwin" else ())]
    return ranked([Finding(spec.name, name, level, words, "" if level == "fine" else page) for name, page, check in checks for level, words in check(look)])


def ranked(found: list[Finding]) -> list[Finding]:
    """The worst first; otherwise in the order in which they came."""
    return sorted(found, key=lambda each: RANKS[each.level])


def of_controller(spec: AgentSpec, found: Computer | None, drift: list[str]) -> list[Finding]:
    """What the controller says of an agent; ``drift``: where its node is not as it shall be."""
    if found is None:
        return [Finding(spec.name, "node", "error", "the controller has no node of this name", "agent-not-registered")]
    made = []
    if found.away:
        made.append(Finding(spec.name, "node", "warning", f"taken offline: {found.reason or 'no reason given'}", "agent-taken-offline"))
    elif not found.connected:
        made.append(Finding(spec.name, "node", "error", "not connected to the controller", "agent-offline"))
    else:
        made.append(Finding(spec.name, "node", "fine", "online"))
    made += [Finding(spec.name, "configuration", "warning", each, "agent-drift") for each in drift]
    return made


# -- checks: each yields (level, words)

Said = Iterator[tuple[str, str]]


def _system(look: _Look) -> Said:
    there = "macos" if look.facts["system"] == "Darwin" else look.facts["system"].lower()
    name = look.facts["distribution"] or look.facts["system"]
    yield ("fine", f"{name}, {look.facts['arch']}") if there == look.spec.os else ("error", f"is {name}, not {look.spec.os}")


def _disk(look: _Look) -> Said:
    for name, disk in look.facts["disks"].items():
        free, want = disk["free"] / GIB, look.expected.disk if name == "folder" else min(1, look.expected.disk)
        where = look.spec.remote_folder if name == "folder" else name
        words = f"{where}: {free:.1f} GiB of {disk['total'] / GIB:.0f} free"
        yield ("error", f"{words}, {want} wanted") if free < want else ("fine", words)


def _inodes(look: _Look) -> Said:
    for name, disk in look.facts["disks"].items():
        if disk["inodes"] and disk["inodes_free"] < INODES * disk["inodes"]:
            yield "error", f"{look.spec.remote_folder if name == 'folder' else name}: {disk['inodes_free']:,} of {disk['inodes']:,} inodes free"
            return
    yield "fine", "enough"


def _memory(look: _Look) -> Said:
    memory = look.facts["memory"]
    words = f"{memory['available'] / GIB:.1f} of {memory['total'] / GIB:.1f} GiB available"
    yield ("warning" if memory["available"] < MEMORY * memory["total"] else "fine"), words


def _clock(look: _Look) -> Said:
    skew = look.facts.skew or _skew_to_controller(look.facts)
    yield ("error", f"{abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}") if abs(skew) > SKEW else ("fine", "right")


def _skew_to_controller(facts: Facts) -> float:
    date = (facts.get("controller") or {}).get("date", "")
    try:
        return float(facts["time"]) - email.utils.parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):
        return 0.0


def _dns(look: _Look) -> Said:
    found = look.facts.get("dns")
    if found:
        yield ("error", f"{found['host']} cannot be resolved: {found['error']}") if found["error"] else ("fine", f"{found['host']} is {', '.join(found['addresses'])}")


def _reached(name: str) -> Callable[[_Look], Said]:
    def check(look: _Look) -> Said:
        found = look.facts.get(name)
        if not found:
            return
        if not found["status"] or found["status"] >= 500:
            yield "error", f"{found['url']} cannot be reached from there: {found['error'] or found['status']}"
        else:
            yield "fine", f"{found['url']} answers in {found['seconds'] * 1000:.0f} ms"

    return check


def _git(look: _Look) -> Said:
    found = look.facts.get("git")
    if found:
        last = (found["error"].splitlines() or [""])[-1][:200]
        yield ("error", f"{found['url']} cannot be reached from there: {last}") if found["status"] else ("fine", f"{found['url']} can be read")


def _user(look: _Look) -> Said:
    folder = look.facts["folder"]
    if not look.facts["user"]:
        yield "error", f"there is no user {look.spec.user}"
    elif not folder["exists"]:
        yield "error", f"{folder['path']} is not there"
    elif not folder["right"]:
        yield "error", f"{folder['path']} belongs to {folder['owner']}, not to {look.spec.user}"
    else:
        yield "fine", f"{look.spec.user} has {folder['path']}"


def _java(look: _Look) -> Said:
    java = look.facts["java"]
    version = java_major(java["text"])
    if java["status"] or not version:
        yield "error", f"{java['path']} does not run: {(java['text'].splitlines() or ['no answer'])[0][:200]}"
        return
    problem = look.expected.java.problem(version) if look.expected.java else ""
    old = look.expected.java is not None and version < look.expected.java.minimum
    yield ("error" if old else "warning" if problem else "fine"), problem or f"Java {version} ({java['path']})"


def _service(look: _Look) -> Said:
    if not look.spec.inbound:
        return
    service, process = look.facts["service"], look.facts["process"]
    name = look.spec.service
    if service.get("loaded") == "masked":
        yield "error", f"{name} is masked"
    elif service.get("loaded") == "not-found":
        yield "error", f"there is no service {name}"
    elif service["active"] != "active":
        yield "error", f"{name} is {service['active']}{' (' + service['result'] + ')' if service.get('result') not in ('', 'success', None) else ''}"
    elif process is None:
        yield "error", f"{name} is active, but no agent.jar runs"
    elif process["user"] not in (look.spec.user, look.spec.user[:7] + "+"):
        yield "error", f"the agent runs as {process['user']}, not as {look.spec.user}"
    elif service["enabled"] not in ("enabled", "enabled-runtime"):
        yield "error", f"{name} runs, but would not start at boot ({service['enabled']})"
    else:
        yield "fine", f"{name} runs, started again {service['restarts']} times"


def _jar(look: _Look) -> Said:
    if not look.spec.inbound or not look.expected.jar:
        return
    jar = look.facts["jar"]
    if jar is None:
        yield "error", f"there is no agent.jar in {look.spec.remote_folder}"
    else:
        yield ("fine", "agent.jar is the controller's") if jar["sha256"] == look.expected.jar else ("warning", "agent.jar is another than the controller's: it is of an older version, or damaged")


def _secret(look: _Look) -> Said:
    secret = look.facts["secret"]
    if not look.spec.inbound or look.facts["process"] is None:
        return
    if secret["in_arguments"]:
        yield "error", "the agent's secret stands in its command line, where every user of the machine can read it"
    elif secret["path"] and secret["mode"] not in ("0600", "0400"):
        yield ("error", f"{secret['path']} has mode {secret['mode']}: others can read the secret") if secret["mode"] else ("unknown", f"{secret['path']} cannot be looked at without more rights")
    elif secret["path"] and secret["owner"] not in (look.spec.user, "root"):
        yield "error", f"{secret['path']} belongs to {secret['owner']}"
    else:
        yield "fine", "the secret is in a file of its user's"


def _labels(look: _Look) -> Said:
    for proof, said in zip(look.expected.proofs, look.facts["proofs"], strict=True):
        first = (said["output"].splitlines() or ["no output"])[0][:160]
        if said["status"]:
            yield "error", f"{proof.label}: {proof.command!r} ends with {said['status']}: {(said['output'].splitlines() or ['no output'])[-1][:200]}"
        elif proof.expect and not re.search(proof.expect, said["output"]):
            yield "error", f"{proof.label}: {proof.command!r} says {first!r}, wanted is {proof.expect}"
        else:
            yield "fine", f"{proof.label}: {first}"


# -- a Mac's own


def _signs(spec: AgentSpec) -> bool:
    """Whether it has a keychain for builds: what the role signing takes is given, mostly among the secrets."""
    return any(spec.variables.get(name) or name in spec.secrets for name in ("signing_identities", "signing_keychain_password"))


def _keychain(look: _Look) -> Said:
    said = look.facts["mac"]["keychain"]
    if not _signs(look.spec):
        return
    if not said["status"]:
        yield "fine", "the default keychain is unlocked"
    elif "interaction is not allowed" in said["output"] or "locked" in said["output"].lower():
        yield "error", "the default keychain is locked: codesign will fail or wait for a dialog"
    else:
        yield "unknown", f"the keychain could not be looked at: {said['output'][-160:]}"


def _identities(look: _Look) -> Said:
    said = look.facts["mac"]["identities"]
    names = re.findall(r'^\s*\d+\) [0-9A-F]{40} "(.+)"', said["output"], re.MULTILINE)
    if not names:
        yield ("error" if _signs(look.spec) else "fine"), "no valid signing identity"
        return
    ends = _expiries(look.facts["mac"]["expiries"]["output"])
    now = datetime.fromtimestamp(float(look.facts["time"]), UTC)
    for name in names:
        days = (ends[name] - now).days if name in ends else None
        if days is None:
            yield "unknown", f"{name}: valid, its end is not known"
        else:
            yield ("error" if days < 0 else "warning" if days < DAYS else "fine"), f"{name}: valid for {days} days"


def _expiries(text: str) -> dict[str, datetime]:
    """Ends of certificates by common name, from ``openssl x509 -subject -nameopt multiline -enddate``; of several the last end."""
    found: dict[str, datetime] = {}
    for subject, end in re.findall(r"\bcommonName +=[ ]?([^\n]+)\n(?: +[^\n]*\n)*notAfter=([^\n]+)", text):
        when = datetime.strptime(" ".join(end.split()).removesuffix(" GMT"), "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)
        found[subject] = max(when, found.get(subject, when))
    return found


def _xcode(look: _Look) -> Said:
    if not any(label.startswith("xcode") for label in look.spec.labels):
        return
    licence, version = look.facts["mac"]["licence"], look.facts["mac"]["xcode"]
    if version["status"]:
        yield "error", f"xcodebuild does not run: {version['output'][-160:]}"
    elif licence["status"]:
        yield "error", "Xcode's licence is not accepted: sudo xcodebuild -license accept"
    else:
        yield "fine", f"{version['output'].splitlines()[0]}, licence accepted"


def _simulators(look: _Look) -> Said:
    if not any(label.startswith(("xcode", "simulator", "ios")) for label in look.spec.labels):
        return
    said = look.facts["mac"]["simulators"]
    count = len(re.findall(r'"udid"', said["output"]))
    yield ("fine", f"{count} simulators") if not said["status"] and count else ("warning", "no simulator is available")


COMMON: tuple[tuple[str, str, Callable[[_Look], Said]], ...] = (
    ("system", "agent-wrong-system", _system),
    ("user", "agent-folder", _user),
    ("service", "agent-service-dead", _service),
    ("java", "agent-java", _java),
    ("agent.jar", "agent-jar-old", _jar),
    ("secret", "agent-secret", _secret),
    ("labels", "agent-label-broken", _labels),
    ("disk", "agent-disk-full", _disk),
    ("inodes", "agent-disk-full", _inodes),
    ("memory", "agent-memory", _memory),
    ("clock", "agent-clock", _clock),
    ("dns", "agent-network", _dns),
    ("controller", "agent-network", _reached("controller")),
    ("package mirror", "agent-network", _reached("mirror")),
    ("git", "agent-network", _git),
)
MAC: tuple[tuple[str, str, Callable[[_Look], Said]], ...] = (
    ("keychain", "mac-keychain-locked", _keychain),
    ("identities", "mac-identity-expires", _identities),
    ("xcode", "mac-xcode", _xcode),
    ("simulators", "mac-simulators", _simulators),
)
PAGES = (
    *dict.fromkeys(page for _, page, _ in (*COMMON, *MAC)),
    "agent-not-registered", "agent-taken-offline", "agent-offline", "agent-drift", "agent-unreachable", "agent-build-fails", "agent-does-not-come-back",
)  # fmt: skip
"""The runbooks that findings name."""


def as_json(found: Finding) -> Mapping[str, Any]:
    """A finding as it is printed and kept."""
    return {"agent": found.agent, "check": found.check, "level": found.level, "words": found.words, "runbook": found.runbook}
