"""Which step each line belongs to: from a run's events, from Jenkins' annotated console, and on the disk."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from consoles import recorded

from cibus.errors import CibusError
from cibus.marks import Ended, Entered, Lines, MarkWriter, Opened, read_marks
from cibus.marks.htmlconsole import HtmlConsole
from cibus.pipeline.events import (
    BlockEnded,
    BlockStarted,
    Output,
    PipelineEnded,
    PipelineStarted,
    RunEnded,
    RunStarted,
    StageEnded,
    StageStarted,
    StepEnded,
    StepStarted,
)
from cibus.pipeline.sinks.logfile import LogFile
from cibus.pipeline.sinks.stepfile import StepFile


def owners(marks: list[object]) -> dict[int, str]:
    return {line: mark.id for mark in marks if isinstance(mark, Lines) for line in range(mark.first, mark.first + mark.count)}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    marks = [
        Opened("1", "", "stage", 0, text="Build"),
        Entered("1.1", "1", "Build", 1),
        Opened("2", "1.1", "sh", 2, "Build", "left", 12, "make – ‘all’"),
        Lines("2", 3, 7),
        Ended("2", None, "script returned exit code 1"),
        Ended("1.1", 10),
        Ended("1", 11),
    ]
    with (tmp_path / "log.steps").open("w", encoding="utf-8") as file:
        writer = MarkWriter(file)
        for mark in [*marks[:3], Lines("2", 3, 2), Lines("2", 5, 5), *marks[4:]]:
            writer.write(mark)
        writer.flush()
    assert list(read_marks(tmp_path / "log.steps")) == marks


@pytest.mark.parametrize("text", ["", "nothing\n", '{"steps": 99}\n', '{"steps": 1}\n{"step": "1"}\n', '{"steps": 1}\n[]\n'])
def test_another_file_is_no_file_of_steps(tmp_path: Path, text: str) -> None:
    (tmp_path / "x").write_text(text)
    with pytest.raises(CibusError, match="x"):
        list(read_marks(tmp_path / "x"))


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "x").write_text('{"steps": 1}\n{"end": "1", "at": 3}\n{"end": "2", "a')
    assert list(read_marks(tmp_path / "x")) == [Ended("1", 3)]


@pytest.mark.parametrize("size", [1, 5, 1000, 10**6])
def test_the_annotated_console_gives_text_and_steps(size: int) -> None:
    body = recorded("74").split('class="console-output">')[1].split("</pre>")[0]
    reader = HtmlConsole()
    text = "".join(reader.feed(body[at : at + size]) for at in range(0, len(body), size)) + reader.part_ended()
    lines = text.split("\n")
    assert lines[:3] == ["Started by user admin", "Running in Durability level: MAX_SURVIVABILITY", "[Pipeline] Start of Pipeline"]
    assert "a < b && c > d" in lines
    assert [mark for mark in reader.marks if not isinstance(mark, Lines)] == [
        Opened("3", "", "node", 3),
        Entered("4", "3", "", 5),
        Opened("5", "4", "echo", 6),
        Opened("6", "4", "sh", 8),
        Ended("4", 11),
        Ended("3", 12),
        Opened("9", "", "echo", 13),
    ]
    assert {lines[line]: id for line, id in owners(reader.marks).items()} == {
        "Running on agent1 in /home/jenkins/agent/workspace/acme/platform/with-replay": "3",
        "original": "5",
        "+ echo one": "6",
        "one": "6",
        "a < b && c > d": "9",
    }


def test_the_annotated_console_of_a_running_build(tmp_path: Path) -> None:
    reader = HtmlConsole()
    text = reader.feed(recorded("23")) + reader.part_ended()
    assert "\r" not in text and text.endswith("[Pipeline] sleep\n")
    last = [mark for mark in reader.marks if isinstance(mark, Opened)][-1]
    assert (last.name, last.stage, text.split("\n")[last.at or 0]) == ("sleep", "Loop", "[Pipeline] sleep")
    # the next answer goes on within the same step
    assert reader.feed('<span class="pipeline-node-16">Sleeping for 1 sec\r\n</span>') == "Sleeping for 1 sec\n"
    assert reader.marks[-1] == Lines("16", text.count("\n"), 1)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("a &lt;script&gt; &amp;amp; b\n", "a <script> &amp; b\n"),
        ("<a href='/user/x'>x</a> <b style=\"color: #CD0000\">red</b>\n", "x red\n"),
        ("5 > 3 and & alone\r\nnext\rbar\n", "5 > 3 and & alone\nnext\rbar\n"),
        ("</span></span>fine\n", "fine\n"),
        ("< " + "x" * 9000 + "\n", "< " + "x" * 9000 + "\n"),
    ],
)
def test_odd_markup(html: str, text: str) -> None:
    for size in (1, 3, len(html)):
        reader = HtmlConsole()
        assert "".join(reader.feed(html[at : at + size]) for at in range(0, len(html), size)) + reader.part_ended() == text


def test_times_and_other_notes_within_the_lines() -> None:
    time = '<span class="timestamp"><b>10:17:57</b> </span>'
    reader = HtmlConsole()
    text = reader.feed(
        f'{time}<span class="pipeline-new-node" nodeId="7" enclosingId="6">{time}[Pipeline] <span style="color:red">sh</span>\n</span>'
        f'<span class="pipeline-node-7">{time}+ make <span style="display:none">\x1b[31m</span><span style="color: #CD0000">all</span>\n</span>done\n'
    )
    assert text == "[Pipeline] sh\n+ make \x1b[31mall\ndone\n"
    assert reader.marks[0] == Opened("7", "6", "sh", 0)
    assert owners(reader.marks) == {1: "7"}


def test_a_run_writes_its_steps(tmp_path: Path) -> None:
    events = [
        RunStarted("app", 1, ("Started by user admin",)),
        PipelineStarted(),
        StepStarted(1, 0, "stage", "", 2, arguments="Both", block=True),
        StageStarted(1, "Both", 0, ""),
        BlockStarted(1, "Both", ""),
        StepStarted(2, 1, "parallel", "", 3, block=True),
        BlockStarted(2, "Branch: x", "x"),
        BlockStarted(2, "Branch: y", "y"),
        StepStarted(3, 2, "sh", "x", 4, arguments="make x"),
        StepStarted(4, 2, "echo", "y", 5, arguments="hello"),
        Output("+ make x\n", 3, "x"),
        Output("hello\n", 4, "y"),
        Output("no end", 3, "x", partial=True),
        Output(" of it\nlast", 3, "x", partial=True),
        StepEnded(4, "echo", "y", False, None, "real"),
        BlockEnded(2, "y"),
        StepEnded(3, "sh", "x", False, "script returned exit code 2", "real"),
        BlockEnded(2, "x"),
        Output("Failed in branch x\n", 2, "x"),
        StepEnded(2, "parallel", "", True, None, "real"),
        BlockEnded(1, ""),
        StageEnded(1, "Both", "FAILED", 1.0),
        StepEnded(1, "stage", "", True, None, "real"),
        PipelineEnded(("ERROR: script returned exit code 2",), True),
        RunEnded("FAILURE", 1.0),
    ]
    log, steps = LogFile(tmp_path / "log"), StepFile(tmp_path / "log.steps")
    for event in events:
        log(event)
        steps(event)
    lines = (tmp_path / "log").read_text().split("\n")
    marks = list(read_marks(tmp_path / "log.steps"))
    assert {lines[line]: id for line, id in owners(marks).items()} == {
        "+ make x": "3",
        "hello": "4",
        "no end of it": "3",
        "last": "3",
        "Failed in branch x": "2.1",
    }
    for mark in marks:
        if isinstance(mark, (Opened, Entered)) and mark.at is not None:
            words = mark.name if isinstance(mark, Opened) else f"{{ ({mark.title})" if mark.title else "{"
            assert lines[mark.at] == f"[Pipeline] {words}"
    assert Opened("3", "2.1", "sh", lines.index("[Pipeline] sh"), "Both", "x", 4, "make x") in marks
    assert Ended("3", None, "script returned exit code 2") in marks


def test_lines_of_one_owner_are_one_record() -> None:
    file = io.StringIO()
    writer = MarkWriter(file)
    for number in range(1000):
        writer.write(Lines("7", number, 1))
    writer.flush()
    assert file.getvalue().count("\n") == 2
