"""Pages are read, their blocks run, and what came of it is kept; through the command line, with real shells."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pytest

from cibus.cli import main
from cibus.runbooks.expect import expected, unmet
from cibus.runbooks.page import PageError, parsed
from cibus.runbooks.template import template

FRONT = """---
alerts: []
owner: build owner
severity: task
minutes: 5
needs: [this machine]
{more}---
# Say something

## What you see
It.

## Why it matters
It does.

"""
END = "\n## If that fails\nAsk.\n\n## Background\nNone.\n"


def page(check: str = "```sh\ntrue\n```", fix: str = "```sh\ntrue\n```", verify: str = "```sh\ntrue\n```", more: str = "") -> str:
    return FRONT.replace("{more}", more) + f"## Check\n{check}\n\n## Fix\n{fix}\n\n## Verify\n{verify}\n{END}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A team's folder with a cibus.toml."""
    monkeypatch.chdir(tmp_path)
    for name in ("CIBUS_JENKINS_URL", "CIBUS_JENKINS_USER", "CIBUS_JENKINS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "cibus.toml").write_text("")
    (tmp_path / "runbooks").mkdir()
    return tmp_path


def write(folder: Path, text: str, name: str = "mine") -> None:
    (folder / "runbooks" / f"{name}.md").write_text(text)


def kept(folder: Path, name: str = "mine") -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "receipts" / "runbooks" / f"{name}.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    ("attributes", "code", "out", "err", "words"),
    [
        ([], 0, "", "", []),
        ([], 1, "", "", ["exit code 1"]),
        ([("exit", "0,3")], 3, "", "", []),
        ([("exit", "0,3")], 1, "", "", ["0 or 3"]),
        ([("exit", "any"), ("text", "full")], 7, "", "disk full", []),
        ([("text", "{agent} is off")], 0, "mac-3 is off", "", []),
        ([("text", "{agent} is off")], 0, "mac-4 is off", "", ["lacks “mac-3 is off”"]),
        ([("no-text", "error")], 0, "", "an error", ["has “error”"]),
        ([("regex", "^{agent}$")], 0, "x\nmac-3\ny", "", []),
        ([("regex", "^m.c$")], 0, "x mac", "", ["matches"]),
        ([("json", "$.a[?@.n == '{agent}']")], 0, '{"a": [{"n": "mac-3"}]}', "", []),
        ([("json", "$.a[?@.n == '{agent}']")], 0, '{"a": [{"n": "mac-4"}]}', "", ["finds nothing"]),
        ([("no-json", "$.a[?@.n == 1]")], 0, '{"a": [{"n": 1}]}', "", ["finds something"]),
        ([("no-json", "$.a")], 0, "no JSON", "", ["no JSON"]),
    ],
)
def test_assertions(attributes: list[tuple[str, str]], code: int, out: str, err: str, words: list[str]) -> None:
    found = unmet(expected(attributes), code, out, err, {"agent": "mac-3"})
    assert len(found) == len(words)
    assert all(word in each for word, each in zip(words, found, strict=True))


@pytest.mark.parametrize("agent", ["it's", 'a "b"', "x' || @.n == 'y", "\\", "a]b"])
def test_a_value_stays_a_value_in_a_path(agent: str) -> None:
    expect = expected([("json", "$[?@.n == '{agent}']")])
    assert not unmet(expect, 0, json.dumps([{"n": agent}]), "", {"agent": agent})
    assert unmet(expect, 0, json.dumps([{"n": "y"}]), "", {"agent": agent})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# No front matter\n", "no front matter"),
        (page().replace("severity: task", "severity: grave"), "severity"),
        (page().replace("minutes: 5", "minutes: soon"), "minutes"),
        (page().replace("alerts: []\n", ""), "lacks alerts"),
        (page(more="last_drill: 2024-01-01\n"), "last_drill"),
        (page(more="variables: {Agent: {what: x}}\n"), "Agent"),
        (page(more="variables: {agent: {}}\n"), "lacks what"),
        (page(more="variables: {agent: {what: x, default: 3}}\n"), "in quotes"),
        (page().replace("## Why it matters\nIt does.\n\n", ""), "sections"),
        (page().replace("Ask.", ""), "If that fails is empty"),
        (page(check="Look."), "Check has no block"),
        (page(check="```sh dangerous=yes\nrm x\n```"), "only Fix"),
        (page(check="```sh exit=any\ntrue\n```"), "asserts nothing"),
        (page(check="```sh exit=999\ntrue\n```"), "no exit code"),
        (page(check="```sh regex='('\ntrue\n```"), "no regular expression"),
        (page(check="```sh json='$['\ntrue\n```"), "no JSONPath"),
        (page(check="```sh exitt=3\ntrue\n```"), "exitt=3"),
        (page(check="```sh text='{agent}'\ntrue\n```"), "{agent} is no variable"),
        (page(check="```sh set=host\ntrue\n```"), "sets host"),
        (page(check="```bash\ntrue\n```"), "a block of bash"),
        (page(fix="```hand exit=1\nPress.\n```"), "takes no attributes"),
        (page(fix="```sh\n\n```"), "is empty"),
    ],
)
def test_a_page_of_another_form_is_refused(text: str, words: str) -> None:
    with pytest.raises(PageError) as raised:
        parsed("mine", text)
    assert any(words in each for _, each in raised.value.problems)


def test_blocks_run_and_are_kept(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    more = 'variables:\n  word: {what: "a word"}\n  got: {what: "what came"}\n  key: {what: "a key", secret: true}\n'
    fix = "```sh set=got\necho \"new $WORD\"\necho \"$KEY\" >&2\n```\n\n```sh dangerous='{word}'\ntest \"$GOT\" = \"new $WORD\"\necho x > done.txt\n```\n\n```hand\nPress it.\n```"
    write(folder, page(check="```sh exit=3 text='{word}'\nprintf %s \"$WORD\"; exit 3\n```", fix=fix, verify="```sh text=x\ncat done.txt\n```", more=more))
    hand = folder / "hand.sh"
    hand.write_text("#!/bin/sh\ncat > pressed.txt; echo \"$1 $2 $WORD\" >> pressed.txt\n")
    hand.chmod(0o755)
    monkeypatch.setenv("KEY", "s3cr3t-value")
    assert main(["runbook", "run", "mine", "--var", "word=a b", "--ci", "--hand", str(hand)]) == 0
    assert (folder / "pressed.txt").read_text() == "Press it.mine 4 a b\n"
    (receipt,) = kept(folder)
    assert [block["outcome"] for block in receipt["blocks"]] == ["passed", "passed", "passed", "done by hand", "passed"]  # type: ignore[index, attr-defined]
    assert receipt["variables"] == {"word": "a b", "got": "new a b"}
    assert receipt["outcome"] == "ok"
    assert receipt["mode"] == "ci"
    shown = capsys.readouterr().out
    assert "s3cr3t" not in shown + json.dumps(receipt)
    assert "****" in shown


def test_a_block_that_fails_ends_the_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, page(fix="```sh\nfalse\necho x > later.txt\n```", verify="```sh\necho x > later.txt\n```"))
    assert main(["runbook", "run", "mine", "--yes"]) == 1
    assert not (folder / "later.txt").exists()
    assert kept(folder)[0]["outcome"] == "failed"
    assert "Ask." in capsys.readouterr().out


def test_check_only_changes_nothing(folder: Path) -> None:
    write(folder, page(check="```sh exit=1\ntrue\n```", fix="```sh\necho x > changed.txt\n```"))
    assert main(["runbook", "run", "mine", "--check-only"]) == 3
    assert not (folder / "changed.txt").exists()
    receipt = kept(folder)[0]
    assert receipt["outcome"] == "look"
    assert [block["section"] for block in receipt["blocks"]] == ["Check", "Verify"]  # type: ignore[index, attr-defined]


def test_a_block_that_hangs_is_ended_with_its_children(folder: Path) -> None:
    write(folder, page(fix="```sh timeout=1\nsleep 1000 & echo $! > child.txt\nwait\n```"))
    assert main(["runbook", "run", "mine", "--yes"]) == 1
    assert "within 1 s" in kept(folder)[0]["blocks"][1]["words"]  # type: ignore[index]
    state = Path(f"/proc/{(folder / 'child.txt').read_text().strip()}/stat")
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["run", "miner"], "did you mean mine?"),
        (["run", "mine", "--var", "x=1"], "has the variables agent"),
        (["run", "mine", "--var", "agent"], "give NAME=VALUE"),
        (["run", "mine", "--var", "agent=-x", "--yes"], "does not match"),
        (["run", "mine"], "needs agent"),
        (["run", "mine", "--var", "agent=a"], "no terminal"),
        (["run", "mine", "--var", "agent=a", "--ci", "--check-only"], "not both"),
        (["run", "mine", "--var", "agent=a", "--hand", "x"], "--hand is for --ci"),
        (["new", "Mine"], "no name of a runbook"),
        (["new", "mine"], "is there already"),
    ],
)
def test_what_cannot_be_done_is_said(folder: Path, argv: list[str], words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", open(os.devnull))  # noqa: PTH123, SIM115
    write(folder, page(fix='```sh\necho "$AGENT"\n```', more='variables: {agent: {what: "the agent"}}\n'))
    assert main(["runbook", *argv]) == 2
    assert words in capsys.readouterr().err
    sys.stdin.close()


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('[controllers.main]\nurl = "http://127.0.0.1:1/"\n', "practice = true in [controllers.main]"),
        ('[agents.a]\nhost = "a.example"\n', "practice = true in [agents.a]"),
    ],
)
def test_all_blocks_run_unasked_only_where_it_is_for_practice(folder: Path, toml: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "cibus.toml").write_text(toml)
    write(folder, page(fix='```sh\necho "$AGENT" > changed.txt\n```', more='variables: {agent: {what: "the agent"}}\n'))
    assert main(["runbook", "run", "mine", "--ci", "--var", "agent=a"]) == 2
    assert words in capsys.readouterr().err
    assert not (folder / "changed.txt").exists()
    (folder / "cibus.toml").write_text(toml + "practice = true\n")
    assert main(["runbook", "run", "mine", "--ci", "--var", "agent=a"]) == 0


def test_a_person_is_asked_and_types_the_word(folder: Path) -> None:
    write(folder, page(fix="```sh dangerous='{agent}'\necho \"$AGENT\" > wiped.txt\n```\n\n```sh dangerous=yes\necho > never.txt\n```\n\n```hand\nPress it.\n```", more='variables: {agent: {what: "the agent"}}\n'))
    child = pexpect.spawn(sys.executable, ["-m", "cibus", "runbook", "run", "mine"], cwd=str(folder), encoding="utf-8", timeout=20, env={**os.environ, "NO_COLOR": "1"})
    for question, answer in (("the agent", "mac-3"), ("Run", ""), ("Type mac-3", "mac-3"), ("Type yes", "no"), ("Done", ""), ("Run", "s")):
        child.expect(question)
        child.sendline(answer)
    child.expect("Receipt")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 3
    assert (folder / "wiped.txt").read_text() == "mac-3\n"
    assert not (folder / "never.txt").exists()
    assert [block["outcome"] for block in kept(folder)[0]["blocks"]] == ["passed", "passed", "skipped", "done by hand", "skipped"]  # type: ignore[index, attr-defined]


def test_ctrl_c_ends_the_block_and_keeps_the_receipt(folder: Path) -> None:
    write(folder, page(fix="```sh\necho $$ > running.txt\nsleep 1000\n```"))
    process = subprocess.Popen([sys.executable, "-m", "cibus", "runbook", "run", "mine", "--yes"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    until = time.monotonic() + 20
    while not (folder / "running.txt").exists() or not (folder / "running.txt").read_text().strip():
        assert time.monotonic() < until
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert not Path(f"/proc/{(folder / 'running.txt').read_text().strip()}").exists()
    assert kept(folder)[0]["outcome"] == "aborted"


def test_lint_finds_what_is_wrong(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, page(check="`cibus agents frobnicate`\n\n```sh\ncibus monitor chekc | head -1\ncibus agents doctor \"$AGENT\" --json 2>/dev/null\n```", fix="See [it](no-such-page.md). TODO\n\n```sh\necho \"$AGENT\"\n```", more='variables: {agent: {what: a}, unused: {what: b}}\n').replace("alerts: []", "alerts: [QueueStuck, NoSuchAlert]"))
    assert main(["runbook", "lint", "mine"]) == 1
    out = capsys.readouterr().out
    for words in ("frobnicate", "chekc", "no-such-page", "TODO", "unused", "QueueStuck, which leads to queue-stuck", "NoSuchAlert, for which there is no rule", "7 problems"):
        assert words in out
    assert "doctor" not in out
    (folder / "runbooks" / "mine.md").write_text(page())
    assert main(["runbook", "lint", "mine"]) == 0


def test_a_new_page_has_all_parts_and_is_not_whole(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runbook", "new", "licence-server", "--title", "The licence server is gone"]) == 0
    text = (folder / "runbooks" / "licence-server.md").read_text()
    assert text == template("licence-server", "The licence server is gone")
    assert parsed("licence-server", text).title == "The licence server is gone"
    assert main(["runbook", "lint", "licence-server"]) == 1
    assert "TODO" in capsys.readouterr().out


def test_the_last_person_who_went_through_it_is_listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, page())
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    subprocess.run(["git", "config", "user.name", "Ada"], cwd=folder, check=True)
    assert main(["runbook", "run", "mine", "--check-only"]) == 0
    assert _listed(capsys)["last"] is None
    assert main(["runbook", "run", "mine", "--yes"]) == 0
    assert _listed(capsys)["by"] == "Ada"
    with (folder / "receipts" / "runbooks" / "mine.jsonl").open("a") as file:
        file.write('{"half a rec\n[]\n{"started": 3}\n')
    assert _listed(capsys)["by"] == "Ada"


def _listed(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    capsys.readouterr()
    main(["runbook", "list", "--json"])
    rows = json.loads(capsys.readouterr().out)["runbooks"]
    return next(row for row in rows if row["name"] == "mine")  # type: ignore[no-any-return]
