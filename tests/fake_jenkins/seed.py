"""States to begin with: the recorded controller's, or an empty one."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from . import kinds
from .credentials import clean
from .items import Item
from .nodes import Node, fake_monitors
from .state import State
from .views import View
from .xmldoc import parse

RECORDINGS = Path(__file__).resolve().parents[1] / "recordings"


@cache
def recording(name: str) -> dict[str, Any]:
    """Reads a recorded exchange."""
    value: dict[str, Any] = json.loads((RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))
    return value


def find(area: str, number: str) -> str:
    """Gives the whole name of a recording."""
    return next(f"{area}/{path.stem}" for path in RECORDINGS.glob(f"{area}/{number}-*.json"))


def answer_of(name: str) -> str:
    return str(recording(name)["response"]["body"])


def _plugins() -> list[dict[str, Any]]:
    plugins: list[dict[str, Any]] = json.loads(answer_of(find("plugins", "01")))["plugins"]
    return plugins


def bare_state() -> State:
    """No jobs, the built-in node, the recorded plugins; no credentials."""
    state = State()
    state.plugins = [dict(plugin) for plugin in _plugins()]
    state.nodes[""] = Node("", online=True, monitors=fake_monitors("/var/lib/jenkins"), executor_order=(3, 2, 0, 1))
    state.casc = answer_of(find("system", "41"))
    state.documents["updateCenter/api/json"] = (
        "application/json;charset=utf-8",
        answer_of(find("plugins", "09")).encode(),
    )
    state.documents["robots.txt"] = ("text/plain", answer_of(find("auth", "07")).encode())
    return state


# credentials of the controller that were there before any recording: what the API tells of them
EARLIER_CREDENTIALS = """
<x>
  <org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl><scope>GLOBAL</scope><id>api-token</id><description></description><secret>fake-1</secret></org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl>
  <org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl><scope>GLOBAL</scope><id>chat-webhook</id><description></description><secret>fake-2</secret></org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl>
  <com.cloudbees.plugins.credentials.impl.UsernamePasswordCredentialsImpl><scope>GLOBAL</scope><id>registry-login</id><description></description><username>ci-bot</username><password>fake-3</password></com.cloudbees.plugins.credentials.impl.UsernamePasswordCredentialsImpl>
  <com.cloudbees.plugins.credentials.impl.UsernamePasswordCredentialsImpl><scope>GLOBAL</scope><id>store-login</id><description></description><username>uploader</username><password>fake-4</password></com.cloudbees.plugins.credentials.impl.UsernamePasswordCredentialsImpl>
  <org.jenkinsci.plugins.plaincredentials.impl.FileCredentialsImpl><scope>GLOBAL</scope><id>release-env</id><description></description><fileName>release.env</fileName><secretBytes>ZmFrZQ==</secretBytes></org.jenkinsci.plugins.plaincredentials.impl.FileCredentialsImpl>
  <org.jenkinsci.plugins.plaincredentials.impl.FileCredentialsImpl><scope>GLOBAL</scope><id>signing-store</id><description></description><fileName>signing.keystore</fileName><secretBytes>ZmFrZQ==</secretBytes></org.jenkinsci.plugins.plaincredentials.impl.FileCredentialsImpl>
  <com.cloudbees.jenkins.plugins.sshcredentials.impl.BasicSSHUserPrivateKey><scope>GLOBAL</scope><id>deploy-key</id><description></description><username>deployer</username><privateKeySource class="com.cloudbees.jenkins.plugins.sshcredentials.impl.BasicSSHUserPrivateKey$DirectEntryPrivateKeySource"><privateKey>fake-5</privateKey></privateKeySource></com.cloudbees.jenkins.plugins.sshcredentials.impl.BasicSSHUserPrivateKey>
  <com.cloudbees.jenkins.plugins.sshcredentials.impl.BasicSSHUserPrivateKey><scope>GLOBAL</scope><id>locked-key</id><description></description><username>git</username><privateKeySource class="com.cloudbees.jenkins.plugins.sshcredentials.impl.BasicSSHUserPrivateKey$DirectEntryPrivateKeySource"><privateKey>fake-6</privateKey></privateKeySource></com.cloudbees.jenkins.plugins.sshcredentials.impl.BasicSSHUserPrivateKey>
</x>
"""


def add_earlier_credentials(state: State) -> None:
    for each in parse(EARLIER_CREDENTIALS).root.elements:
        state.system.domains["_"].credentials.append(clean(each, state.versions, state.ciphers))


def add_acme_credentials(state: State) -> None:
    """The global credentials that the recordings made."""
    for number in ("02", "03", "04", "05"):
        root = parse(recording(find("credentials", number))["request"]["body"]).root
        state.system.domains["_"].credentials.append(clean(root, state.versions, state.ciphers))


def empty_state() -> State:
    """No jobs, no view but `all`, only the built-in node; plugins and credentials as recorded."""
    state = bare_state()
    add_earlier_credentials(state)
    add_acme_credentials(state)
    return state


BRANCHES = {"develop": "15", "feature%2Flogin": "16", "main": "14"}
_ODD_FOLDERS = (
    ".hidden",
    "Grüße 日本語",
    "c++ (legacy), v1.0~rc=1",
    "it's +plus+",
    'quote"d',
    "tilde~und_score-dash",
    "trailing.",
    "UPPER",
    "x",
)
_SAVED = {
    "app-build": "135",
    "pipe-inline": "136",
    "pipe-scm": "137",
    "matrix": "138",
    "old disabled job": "139",
    "downstream": "140",
    "waits-for-label": "141",
    "upstream-pipe": "142",
}


def add_branches(state: State, project: Item) -> None:
    """The three branch jobs of the recorded multibranch project."""
    for name, number in BRANCHES.items():
        config = answer_of(find("multibranch", number))
        branch = Item(name, kinds.PIPELINE, project, config.encode())
        project.add(branch)


def add_recorded_builds(state: State) -> None:
    from .recorded_builds import add_branch_builds, add_builds  # they read recordings through this module

    add_builds(state, later=True)
    add_branch_builds(state)
    state.jobs["acme/app"].indexing_log = answer_of(find("multibranch", "06"))


def recorded_state() -> State:
    """The recorded controller, each configuration in its saved form."""
    state = empty_state()
    adopt_ciphertexts(state)
    state.add("acme", answer_of(find("credentials", "68")), is_saved=True)
    state.add("acme/platform", answer_of(find("jobs", "144")), is_saved=True)
    for name in ("build tools", *_ODD_FOLDERS):
        state.add(f"acme/platform/{name}", answer_of(find("jobs", "144")), is_saved=True)
    for name, number in _SAVED.items():
        state.add(f"acme/platform/{name}", answer_of(find("jobs", number)), is_saved=True)
    state.add("acme/app", answer_of(find("jobs", "143")), is_saved=True)
    add_branches(state, state.jobs["acme/app"])
    for number, owner in (("22", state.root), ("23", state.jobs["acme/platform"])):
        root = parse(answer_of(find("views", number)), truncate_astral=True).root
        owner.views.append(View(root, owner))
        state.views_changed(owner)
    for number in ("17", "19", "21", "23"):
        root = parse(answer_of(find("nodes", number)), truncate_astral=True).root
        node = Node(root.get("name"), root)
        if node.name == "agent1":
            node.online, node.monitors = True, fake_monitors("/home/jenkins/agent")
        state.nodes[node.name] = node
    add_recorded_builds(state)
    return state


def adopt_ciphertexts(state: State) -> None:
    """Makes the recorded ciphertexts this controller's, as they stand for the fake values that were posted."""
    for name in (find("credentials", "68"), find("jobs", "135")):
        for number, text in enumerate(re.findall(r"\{[A-Za-z0-9+/=]{40,}\}", answer_of(name))):
            state.ciphers.adopt(text, f"fake-recorded-{number}")
