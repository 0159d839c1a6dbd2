"""What is shown while agents are rebuilt, and what is made of Ansible's events."""

from __future__ import annotations

import io

from rich.console import Console

from cibus.agents.play import Output, TaskDone, _Taken
from cibus.agents.spec import AgentSpec
from cibus.agents.work import Began, Ended, Outcome, Said
from cibus.cli.agentsview import Board, Lines, outcome_lines

EVENTS = [
    Began("a", "playbook"),
    TaskDone("a", "java", "Install Java", "changed", 1.0),
    TaskDone("b", "java", "Install Java", "failed", 1.0, "no room"),
    TaskDone("a", "java", "Look", "ok", 1.0),
    Output("TASK [java : Install Java]"),
    Said("a", "waiting for app #1"),
    Ended("a", "playbook", 2.0, "3 tasks, 1 changed"),
    Ended("b", "playbook", 2.0, "java: Install Java: no room", well=False),
]


def told(*, verbose: bool = False, several: bool = True) -> str:
    out = io.StringIO()
    lines = Lines(Console(file=out, width=200, highlight=False), verbose=verbose, several=several)
    for event in EVENTS:
        lines.tell(event)
    return out.getvalue()


def test_lines_for_logs_have_what_changed_and_what_went_wrong() -> None:
    assert told().splitlines() == [
        "a    java: Install Java",
        "b    java: Install Java: no room",
        "a    waiting for app #1",
        "a  ✓ playbook (2.0 s): 3 tasks, 1 changed",
        "b  ✗ playbook (2.0 s): java: Install Java: no room",
    ]
    assert "TASK [java" in told(verbose=True)
    assert told(several=False).splitlines()[0] == "  java: Install Java"


def test_the_board_has_a_line_for_each_agent() -> None:
    board = Board(["a", "b"])
    for event in EVENTS[:4]:
        board.take(event)
    out = io.StringIO()
    Console(file=out, width=120).print(board)
    head, a, b = [line.split() for line in out.getvalue().splitlines()]
    assert head == ["agent", "step", "role", "changed", "now"]
    assert a == ["a", "playbook", "java", "1", "Look"]
    assert b[:2] == ["b", "java"]


def test_how_it_ended_says_how_to_go_on() -> None:
    words = [text for _, text in outcome_lines([Outcome(AgentSpec("a"), 0, 5, (), failed="connect", words="not there")])]
    assert words[0] == "a: failed at connect after 5 s: not there"
    assert "cibus agents rebuild a" in words[1]


def event(kind: str, task: str, host: str = "x", **result: object) -> dict[str, object]:
    return {"event": kind, "event_data": {"host": host, "role": "java", "task": task, "duration": 0.5, "res": result}}


def test_events_of_ansible_become_results() -> None:
    seen: list[object] = []
    taken = _Taken(seen.append, {"x": "an agent"})
    for each in (
        event("runner_on_ok", "one", changed=True),
        event("runner_on_ok", "two", changed=False),
        event("runner_on_failed", "three", msg="no package", stderr="E: nothing\nE: at all"),
        event("runner_on_failed", "four", results=[{"failed": False}, {"failed": True, "msg": "the second"}]),
        event("runner_on_skipped", "five"),
    ):
        taken.event(each)
    result = taken.result("an agent")
    assert (result.ok, result.total, result.changes) == (2, 1, ("java: one",))
    assert result.failure == "java: four: the second"
    assert result.roles == {"java": 2.5}
    assert seen[2] == TaskDone("an agent", "java", "three", "failed", 0.5, "no package: E: at all")
    taken.event({"event": "playbook_on_stats", "event_data": {"processed": {"x": 1}, "failures": {}, "dark": {}}})
    assert taken.result("an agent").failure == "", "what failed was rescued"


def test_what_is_hidden_stays_so() -> None:
    taken = _Taken(lambda _: None, {})
    taken.event(event("runner_on_failed", "secret", censored="the output has been hidden", msg="s3cret"))
    assert taken.result("x").failure == "java: secret: its output is hidden, since a secret is in it"
    assert taken.result("nobody").failure == "Ansible did nothing there"
