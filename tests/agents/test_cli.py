"""``cibus agents`` without a machine: what the controller and the files say."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from command import Cibus
from fake_jenkins import FakeJenkins, Fault, State

from cibus.agents import receipts
from cibus.agents.receiptpage import page
from cibus.config import load_config
from cibus.receipts import scrubbed

SCHEMA = json.loads((Path(__file__).parents[2] / "cibus/agents/receipt.schema.json").read_text("utf-8"))


def test_nodes_become_tables_that_can_be_read(jenkins: FakeJenkins, cibus: Cibus, tmp_path: Path) -> None:
    code, out, err = cibus(jenkins, "agents", "import")
    assert code == 0, err
    assert '# host = "user@machine"' in out, "what calls the controller has no address there"
    code, _, err = cibus(jenkins, "agents", "import", "-o", "cibus.toml")
    assert code == 0, err
    known = load_config(tmp_path / "cibus.toml").agents
    agents = {name for name, node in jenkins.state.nodes.items() if not node.builtin}
    assert set(known) == agents
    code, out, _ = cibus(jenkins, "agents", "import", "-o", "cibus.toml")
    assert (code, out) == (0, "nothing to import: every agent of the controller is in cibus.toml\n")


def test_a_name_that_is_not_there(jenkins: FakeJenkins, cibus: Cibus) -> None:
    code, _, err = cibus(jenkins, "agents", "import", "nobody")
    assert code == 1
    assert "has no agent nobody; it has" in err


def test_both_sides_are_listed_with_their_differences(jenkins: FakeJenkins, cibus: Cibus, tmp_path: Path) -> None:
    (tmp_path / "cibus.toml").write_text('[agents.agent1]\nlabels = ["linux", "git"]\nexecutors = 2\nmode = "exclusive"\n[agents.new]\nhost = "box"\nowner = "tools"\n[agents.docker]\nrun_on = "container:x"\n', "utf-8")
    code, out, _ = cibus(jenkins, "agents", "list", "--no-ssh", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert code == 3
    assert "labels linux instead of git linux" in rows["agent1"]["differences"]
    assert (rows["new"]["controller"], rows["new"]["owner"]) == ("not there", "tools")
    assert "docker" not in rows, "a label of local runs is no machine"
    others = [row for name, row in rows.items() if name not in ("agent1", "new")]
    assert others
    assert not any(row["configured"] for row in others)
    code, out, _ = cibus(jenkins, "agents", "list", "--offline")
    assert code == 0
    assert "agent1" in out
    code, out, _ = cibus(jenkins, "agents", "list", "--no-ssh")
    assert "    labels linux instead of git linux" in out


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (["rebuild", "nobody", "--yes"], 2, "there is no [agents.nobody] in"),
        (["doctor"], 2, "no agent has a host in"),
        (["verify", "nobody"], 2, "there is no [agents.nobody]"),
        (["drill", "here", "--yes"], 2, "no machine to practise on"),
        (["rebuild", "here"], 2, "there is no terminal to ask on: give --yes"),
        (["list", "--inventory", "nowhere.yml"], 2, "nowhere.yml: there is no such inventory"),
    ],
)
def test_what_cannot_be_done_is_said(argv: list[str], code: int, words: str, jenkins: FakeJenkins, cibus: Cibus, tmp_path: Path) -> None:
    jenkins.state.documents["jnlpJars/agent.jar"] = ("application/java-archive", _jar())
    host = '[agents.here]\nhost = "box.invalid"\n' if "here" in argv else "[agents.elsewhere]\n"
    (tmp_path / "cibus.toml").write_text(host, "utf-8")
    got, _, err = cibus(jenkins, "agents", *argv)
    assert (got, words in err) == (code, True), err


def _jar() -> bytes:
    from test_remoting import jar

    return jar(8)


def test_without_rights_or_jar_nothing_is_begun(jenkins: FakeJenkins, cibus: Cibus, tmp_path: Path) -> None:
    (tmp_path / "cibus.toml").write_text('[agents.here]\nhost = "box.invalid"\n', "utf-8")
    code, _, err = cibus(jenkins, "agents", "rebuild", "here", "--yes")
    assert code == 1
    assert "jnlpJars/agent.jar" in err
    jenkins.state.documents["jnlpJars/agent.jar"] = ("text/html", b"<html>please log in</html>")
    code, _, err = cibus(jenkins, "agents", "rebuild", "here", "--yes")
    assert code == 1
    assert "is no jar with classes" in err
    jenkins.state.documents["jnlpJars/agent.jar"] = ("application/java-archive", _jar())
    code, out, err = cibus(jenkins, "agents", "rebuild", "here", "--yes")
    assert code == 1
    assert "failed at machine" in out
    assert "box.invalid: cannot be reached" in out
    assert "here" not in jenkins.state.nodes, "no node for a machine that is not there"


RECEIPT = {
    "schema": 1, "kind": "rebuild", "agent": "a", "outcome": "failed", "failed": "playbook", "words": "no <b>space</b>", "operator": {"name": "Op", "email": "o@example.org"}, "owner": "",
    "started": "2026-01-02T03:04:05+00:00", "seconds": 12.5, "host": "ssh://a", "versions": {"cibus": "1"}, "steps": [{"name": "offline", "seconds": 0.1, "words": "x"}], "findings": [],
    "playbooks": "0123456789abcdef", "changes": {"count": 2, "tasks": []}, "roles": {"base": 1.5},
}  # fmt: skip


def test_receipts_are_added_read_and_shown(jenkins: FakeJenkins, cibus: Cibus, tmp_path: Path) -> None:
    jsonschema.validate(RECEIPT, SCHEMA)
    place = tmp_path / "receipts"
    receipts.append(place, RECEIPT)
    with (place / "a.jsonl").open("ab") as file:
        file.write(b'{"half": ')
    receipts.append(place, {**RECEIPT, "outcome": "ok", "started": "2026-01-03T03:04:05+00:00"})
    found, torn = receipts.read(place)
    assert [each.data["outcome"] for each in found] == ["failed", "ok"]
    assert torn == [f"{place / 'a.jsonl'}:2: is no whole receipt"]
    code, out, err = cibus(jenkins, "agents", "receipts")
    assert code == 3
    assert "2026-01-02 03:04  a  rebuild  failed  12 s  by Op  playbooks 0123456789ab  2 changes  failed at playbook: no <b>space</b>" in out
    assert "a.jsonl:2" in err
    text = page(found)
    assert "no &lt;b&gt;space" in text
    assert "<script" not in text
    assert text.count("<circle") == 2


def test_a_receipt_has_no_secret() -> None:
    assert scrubbed({"a": ["x s3cret y", {"s3cret": 1}]}, ["s3cret"]) == {"a": ["x **** y", {"****": 1}]}


@pytest.mark.parametrize(
    "change",
    [{"outcome": "splendid"}, {"operator": None}, {"seconds": "long"}, {"started": "2026-01-02T03:04:05"}, {"findings": 3}, {"versions": None}, {"steps": [{}]}, {"changes": 1}],
    ids=lambda change: next(iter(change)),
)
def test_a_receipt_of_another_form_is_said_and_hides_no_other(change: dict[str, object], jenkins: FakeJenkins, cibus: Cibus, tmp_path: Path) -> None:
    place = tmp_path / "receipts"
    receipts.append(place, {**RECEIPT, **change})
    receipts.append(place, RECEIPT)
    code, out, err = cibus(jenkins, "agents", "receipts")
    assert (code, out.count("\n")) == (3, 1), err
    assert err == f"{place / 'a.jsonl'}:1: is no whole receipt\n"
    assert cibus(jenkins, "agents", "receipts", "--html", "page.html")[0] == 3


@pytest.mark.parametrize("kind", ["404", "403"])
def test_a_node_that_goes_away_meanwhile_hides_no_other(kind: str, jenkins: FakeJenkins, cibus: Cibus, tmp_path: Path) -> None:
    (tmp_path / "cibus.toml").write_text('[agents.agent1]\nlabels = ["linux"]\n[agents.new]\nhost = "box"\n', "utf-8")
    jenkins.faults.set(Fault(kind, path="computer/agent1/config.xml"))
    code, out, _ = cibus(jenkins, "agents", "list", "--no-ssh", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert code == 3
    assert "its configuration cannot be read: " in rows["agent1"]["differences"][0]
    assert rows["new"]["controller"] == "not there"


def test_taking_offline_what_another_took_offline_does_not_bring_it_back(jenkins: FakeJenkins) -> None:
    from cibus.jenkins import nodes
    from cibus.jenkins.client import Client
    from cibus.jenkins.settings import Settings
    from cibus.secrets import Secret

    def meanwhile(state: State) -> None:
        state.nodes["agent1"].set_cause("the other's", "other")

    jenkins.state.nodes["agent1"].offline_cause = None
    jenkins.before("computer/agent1/(toggle|change)Offline", meanwhile, method="POST")
    with Client(Settings("test", jenkins.url, jenkins.user, Secret(jenkins.token))) as client:
        nodes.take_offline(client, "agent1", "ours")
    assert jenkins.state.nodes["agent1"].offline_cause == "ours"

