"""A node's config.xml, on those that a real controller served."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cibus.agents.nodexml import desired, differences, facts, joined_labels, split_labels
from cibus.agents.spec import AgentSpec
from cibus.ssh.address import Address

RECORDED = [
    json.loads(path.read_text("utf-8"))["response"]["body"].encode()
    for path in sorted((Path(__file__).parents[1] / "recordings/nodes").glob("*-get-node-config-acme*.json"))
]
SPEC = AgentSpec("acme-agent3", Address("box", port=2222), labels=("linux", "git"), executors=4, remote_folder="/work", description="the third", owner="x")


def test_recorded_nodes_are_read() -> None:
    assert len(RECORDED) == 3
    second, third, ssh = map(facts, RECORDED)
    assert (second.name, second.executors, second.mode, second.launcher) == ("acme-agent2", 3, "exclusive", "tcp")
    assert (third.labels, third.launcher, third.env) == (("acme", "windows"), "websocket", {"ACME_ZONE": "b & c"})
    assert (ssh.launcher, ssh.host, ssh.name) == ("ssh", "192.0.2.10", "acme ägent 4") or ssh.host


@pytest.mark.parametrize("raw", RECORDED, ids=lambda raw: facts(raw).name)
@pytest.mark.parametrize("launcher", ["websocket", "tcp", "ssh"])
def test_a_node_becomes_what_it_shall_be_and_stays_so(raw: bytes, launcher: str) -> None:
    from dataclasses import replace

    spec = replace(SPEC, launcher=launcher, credentials="the-key", env={"B": "2"}, tools={"jdk/17": "/opt/jdk"})
    made = desired(raw, spec, "ssh-ed25519 AAAA")
    assert differences(facts(made), spec) == []
    assert desired(made, spec, "ssh-ed25519 AAAA") == made
    assert differences(facts(raw), spec), "it was another before"


def test_what_is_not_ours_stays() -> None:
    made = desired(RECORDED[1], SPEC)
    assert b"ACME_ZONE" in made
    assert b"RetentionStrategy$Always" in made
    assert made.startswith(b'<?xml version="1.1"')


def test_a_new_node_is_whole() -> None:
    made = facts(desired(None, SPEC))
    assert (made.name, made.description, made.remote_folder, made.executors, made.labels, made.launcher) == ("acme-agent3", "the third", "/work", 4, ("linux", "git"), "websocket")


def test_while_it_is_proved_it_takes_no_other_build() -> None:
    made = facts(desired(None, SPEC, labels=("cibus-1",), exclusive=True))
    assert (made.labels, made.mode) == (("cibus-1",), "exclusive")


def test_a_launcher_over_ssh_checks_the_hosts_key() -> None:
    from dataclasses import replace

    made = desired(RECORDED[0], replace(SPEC, launcher="ssh", credentials="id"), "ssh-ed25519 AAAAkey").decode()
    assert "<host>box</host>" in made
    assert "<port>2222</port>" in made
    assert "ManuallyProvidedKeyVerificationStrategy" in made
    assert "<algorithm>ssh-ed25519</algorithm>" in made
    assert "<key>AAAAkey</key>" in made
    assert "webSocket" not in made


def test_differences_are_said_in_words() -> None:
    words = differences(facts(RECORDED[1]), SPEC)
    assert "labels acme windows instead of git linux" in words
    assert "executors 1 instead of 4" in words
    assert not any("launcher" in each for each in words)


@pytest.mark.parametrize("labels", [("linux", "two words"), ("a&&b", "c"), ("(x)", "!y", "-z"), ()])
def test_odd_labels_are_quoted(labels: tuple[str, ...]) -> None:
    assert split_labels(joined_labels(labels)) == labels
    assert facts(desired(RECORDED[0], SPEC, labels=labels)).labels == labels
    assert facts(RECORDED[0]).labels == ("linux", "acme", "quoted label")
