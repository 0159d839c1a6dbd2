"""Two builds side by side: what is found, where, and what is left alone."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from consoles import annotated, captured, pipeline, recorded, side, stage

from cibus.builds.compare import Difference, Slower, compare_sides
from cibus.builds.compare.align import align
from cibus.builds.compare.environment import compare_environments
from cibus.builds.compare.facts import compare_artifacts, compare_stages, compare_tests, compare_times
from cibus.builds.compare.noise import Noise
from cibus.builds.compare.tools import versions_in
from cibus.builds.page import page
from cibus.builds.side import Side, StageOutcome, TestOutcome
from cibus.marks import read_marks

SH = ("[Pipeline] sh", "+ make")
PLAIN = Noise()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Running on agent1 in /w", "Running on Jenkins in /w"),
        ("took 3 sec", "took 12 sec"),
        ("Finished after 1.5 minutes", "Finished after 2 minutes"),
        ("at 2026-11-22T10:17:57.743Z sharp", "at 2027-01-02 03:04:05 sharp"),
        ("[2026-11-22T10:17:57.743Z] hello", "[2026-11-23T10:17:57.743Z] hello"),
        ("[2026-11-22T10:17:57.743Z] hello", "hello"),
        ("10:17:57  hello", "hello"),
        ("10:17:57 hello", "23:59:01 hello"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://x\x07link\x1b]8;;\x07", "link"),
        ("Object@1a2b3c4d", "Object@deadbeef"),
        ("pid 123", "pid 99"),
        ("+ kill -9 123", "+ kill -9 77"),
        ("/home/j/workspace/app@tmp/durable-1a2b3c4d/script.sh: 3: x: not found", "/tmp/w/app@tmp/durable-99aabbcc/script.sh.copy: line 7: x: not found"),
        ("[app] $ /bin/sh -xe /tmp/jenkins123.sh", "[app] $ /bin/sh -xe /var/tmp/jenkins99.sh"),
        ("http://localhost:8080/job/a", "https://jenkins.example/job/a"),
        ("c" * 40, "d" * 40),
        ("trailing   ", "trailing"),
        ("hello\r", "hello"),
    ],
)
def test_noise(one: str, other: str) -> None:
    assert PLAIN.key(one.encode(), False) == PLAIN.key(other.encode(), False) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("value 1", "value 2"),
        ("3 files", "4 files"),
        ("/opt/a/bin", "/opt/b/bin"),
        ("warning: unused x", "warning: unused y"),
        ("Removing a", "Removing b"),
        ("node v18.1.0", "node v20.3.1"),
        ("café", "cafe"),
        ("a  b", "a b"),
        ("PATH=/x", "PATH=/y"),
        ("port 8080", "port 8081"),
        ("kill 5 mosquitos", "kill 6 mosquitos"),
        ("abcdef1", "abcdef2"),
    ],
)
def test_what_a_script_printed_is_no_noise(one: str, other: str) -> None:
    assert PLAIN.key(one.encode(), False) != PLAIN.key(other.encode(), False)


@pytest.mark.parametrize("line", ["", "   ", "\tat a.B.c(D.java:1)", "Caused by: x", "Also:   y", "\t... 12 more", "Finished: SUCCESS"])
def test_dropped_anywhere(line: str) -> None:
    assert PLAIN.key(line.encode(), False) is None


@pytest.mark.parametrize("line", [" > git fetch", "Fetching upstream", "Commit message: \"x\"", "warning: redirecting", "Started by user x"])
def test_dropped_only_where_jenkins_speaks(line: str) -> None:
    assert PLAIN.key(line.encode(), True) is None
    assert PLAIN.key(line.encode(), False) is not None


def test_roots_and_own_names() -> None:
    noise = Noise((("/home/j/workspace/app", "<WS>"),), (("jenkins-app-128", "<BUILD_TAG>"),))
    assert noise.key(b"cp /home/j/workspace/app/x jenkins-app-128.log", False) == "cp <WS>/x <BUILD_TAG>.log"
    assert noise.key(b"jenkins-app-1280", False) == "jenkins-app-1280"
    here = Noise((("/tmp/app", "<WORKSPACE>"),))
    assert [here.key(b"/tmp/app" + end, False) for end in (b"@2/x", b"@linux", b"@tmp/y")] == ["<WORKSPACE>/x", "<WORKSPACE>", "<WORKSPACE>@tmp/y"]


@pytest.mark.parametrize("seed", range(40))
def test_alignment_is_a_common_subsequence(seed: int) -> None:
    random = Random(seed)
    one = [random.randrange(5 if seed % 2 else 400) for _ in range(random.randrange(150))]
    other = [item for item in one if random.random() > 0.2]
    for _ in range(random.randrange(10)):
        other.insert(random.randrange(len(other) + 1), random.randrange(400))
    pairs = align(one, other)
    assert all(one[i] == other[j] for i, j in pairs)
    assert all(a < c and b < d for (a, b), (c, d) in pairwise(pairs))
    assert len(pairs) >= 0.5 * min(len(one), len(other)) or seed % 2


def test_the_first_place_with_its_surroundings(tmp_path: Path) -> None:
    a = side(tmp_path, "a", pipeline(*stage("Build", *SH, "one", "two", "three"), *stage("Test", *SH, "fine")))
    b = side(tmp_path, "b", pipeline(*stage("Build", *SH, "one", "2", "three"), *stage("Test", *SH, "broken")))
    found = compare_sides(a, b)
    assert (found.total, found.same, found.exact) == (2, False, False)
    first = found.first
    assert first is not None
    assert (first.kind, first.place.stages, first.place.step, first.place.number) == ("output", ("Build",), "sh", 1)
    assert (first.a.line, first.a.lines, first.a.before[-1], first.a.after[0]) == (8, ("two",), "one", "three")
    assert first.b.lines == ("2",)
    assert compare_sides(a, a).same


def test_a_stage_more_shifts_nothing(tmp_path: Path) -> None:
    one, two, three = stage("One", *SH, "1"), stage("Two", *SH, "2"), stage("Three", *SH, "3")
    a, b = side(tmp_path, "a", pipeline(*one, *three)), side(tmp_path, "b", pipeline(*one, *two, *three))
    found = compare_sides(a, b)
    assert [(each.kind, each.place.stages) for each in found.divergences] == [("stage-added", ("Two",))]
    assert found.divergences[0].a.after[:2] == ("[Pipeline] stage", "[Pipeline] { (Three)")
    found = compare_sides(b, a)
    assert [(each.kind, each.place.stages) for each in found.divergences] == [("stage-missing", ("Two",))]


def test_lines_that_came_a_step_late_are_no_difference(tmp_path: Path) -> None:
    a = side(tmp_path, "a", pipeline("[Pipeline] sh", "+ make", "made", "[Pipeline] echo", "next"))
    b = side(tmp_path, "b", pipeline("[Pipeline] sh", "+ make", "[Pipeline] echo", "made", "next"))
    c = side(tmp_path, "c", pipeline("[Pipeline] sh", "+ make", "[Pipeline] echo", "next", "made"))
    assert compare_sides(a, b).same
    assert not compare_sides(a, c).same


def test_the_order_of_a_pipes_commands_is_chance(tmp_path: Path) -> None:
    a = side(tmp_path, "a", pipeline("[Pipeline] sh", "+ ls", "+ sort", "+ wc -l", "3"))
    b = side(tmp_path, "b", pipeline("[Pipeline] sh", "+ wc -l", "+ ls+ ", "sort", "3"))
    e = side(tmp_path, "e", pipeline("[Pipeline] sh", "+ wc -l", "+ + lssort", "3"))
    c = side(tmp_path, "c", pipeline("[Pipeline] sh", "+ wc -l", "+ ls", "+ sort", "3"))
    f = side(tmp_path, "f", pipeline("[Pipeline] sh", "+ wc -l", "+ + lssort", "", "3"))
    g = side(tmp_path, "g", pipeline("[Pipeline] sh", "+ wc -l", "+ + lssor", "", "3"))
    d = side(tmp_path, "d", pipeline("[Pipeline] sh", "+ wc -c", "+ ls", "+ sort", "3"))
    assert compare_sides(a, c).same
    assert not compare_sides(a, d).same
    assert compare_sides(a, b).same
    assert compare_sides(a, f).same  # as dash wrote it once: "+ " twice, both words, both line ends
    assert compare_sides(a, e).same  # empty lines are not compared
    assert not compare_sides(a, g).same


def test_the_rest_of_a_trace_line_may_come_behind_other_lines(tmp_path: Path) -> None:
    """As a shell wrote it that ended before its job in the background had written its line."""
    a = side(tmp_path, "a", pipeline("[Pipeline] sh", "+ nohup sleep 2", "+ echo detached", "detached"))
    b = side(tmp_path, "b", pipeline("[Pipeline] sh", "+ + echo detached", "detached", "nohup sleep 2"))
    c = side(tmp_path, "c", pipeline("[Pipeline] sh", "+ + echo detached", "detached", "nohup sleep 3"))
    d = side(tmp_path, "d", pipeline("[Pipeline] sh", "+ + echo detached", "detached"))
    assert compare_sides(a, b).same
    assert not compare_sides(a, c).same
    assert not compare_sides(a, d).same


@pytest.mark.parametrize("swap", [False, True])
def test_a_parallel_block_without_marks_is_a_bag(tmp_path: Path, swap: bool) -> None:
    lines = ["[Pipeline] { (Branch: x)", "[Pipeline] { (Branch: y)", "[Pipeline] sh", "[Pipeline] echo", "from x", "from y", "[Pipeline] }", "[Pipeline] }"]
    other = [*lines[:4], *(lines[5:3:-1] if swap else ["from x", "from z"]), *lines[6:]]
    consoles = [pipeline(*stage("Both", "[Pipeline] parallel", *each, "[Pipeline] // parallel")) for each in (lines, other)]
    found = compare_sides(side(tmp_path, "a", consoles[0]), side(tmp_path, "b", consoles[1]))
    assert found.same == swap
    assert found.unordered == ("Both",)
    if not swap:
        assert found.first is not None
        assert (found.first.place.step, found.first.a.lines, found.first.b.lines) == ("parallel", ("from y",), ("from z",))


def test_branches_that_are_known_are_compared_by_name(tmp_path: Path) -> None:
    def build(name: str, x: str, y: str, *, y_first: bool) -> Side:
        begin = ["[Pipeline] parallel", "[Pipeline] { (Branch: x)", "[Pipeline] { (Branch: y)"]
        both = [("10", "5", "x", "[Pipeline] sh"), ("11", "6", "y", "[Pipeline] echo")]
        text = ['<span class="pipeline-new-node" nodeId="2" startId="2">[Pipeline] Start of Pipeline\n</span>']
        text.append(f'<span class="pipeline-new-node" nodeId="4" startId="4" enclosingId="2">{begin[0]}\n</span>')
        text.append(f'<span class="pipeline-new-node" nodeId="5" startId="5" enclosingId="4" label="Branch: x">{begin[1]}\n</span>')
        text.append(f'<span class="pipeline-new-node" nodeId="6" startId="6" enclosingId="4" label="Branch: y">{begin[2]}\n</span>')
        for id, inside, _, line in both[:: -1 if y_first else 1]:
            text.append(f'<span class="pipeline-new-node" nodeId="{id}" enclosingId="{inside}">{line}\n</span>')
        for id, _, branch, _ in both[:: -1 if y_first else 1]:
            text.append(f'<span class="pipeline-node-{id}">{x if branch == "x" else y}\n</span>')
        text.append("Finished: SUCCESS\n")
        return captured(tmp_path, name, "".join(text), Side(name, "pipeline", "SUCCESS", tmp_path))

    a = build("a", "1", "2", y_first=False)
    assert compare_sides(a, build("b", "1", "2", y_first=True)).same
    found = compare_sides(a, build("c", "2", "1", y_first=True))
    assert found.exact and not found.unordered
    assert {(each.place.step, each.place.stages) for each in found.divergences} == {("sh", ("x",)), ("echo", ("y",))}


def test_exit_code_and_commit(tmp_path: Path) -> None:
    checkout = ["[Pipeline] checkout", "Fetching upstream changes", f"Checking out Revision {'a' * 40} (refs/remotes/origin/main)", ' > git x']
    a = side(tmp_path, "a", pipeline(*checkout, "[Pipeline] sh", "script returned exit code 1"))
    b = side(tmp_path, "b", pipeline(*checkout, "[Pipeline] sh", "script returned exit code 2").replace("a" * 40, "b" * 40).replace("Fetching upstream changes\n", ""))
    found = compare_sides(a, b)
    assert [each.kind for each in found.divergences] == ["commit", "exit-code"]
    assert found.divergences[0].a.lines == (f"Checking out Revision {'a' * 40}",)


def failing(code: int) -> str:
    """A build in which the second of three shell steps fails, or none."""
    last = ["[Pipeline] sh", "+ deploy"] if not code else ['Stage "Deploy" skipped due to earlier failure(s)']
    text = pipeline(*stage("Build", *SH), *stage("Test", "[Pipeline] sh", "+ make test"), *stage("Deploy", *last))
    return text.replace("Finished: SUCCESS", f"ERROR: script returned exit code {code}\nFinished: FAILURE") if code else text


def test_an_exit_code_stands_at_its_step(tmp_path: Path) -> None:
    sides = [side(tmp_path, str(code), failing(code), result="FAILURE" if code else "SUCCESS") for code in (0, 2)]
    for one, other in (sides, sides[::-1]):
        first = compare_sides(one, other).first
        assert first is not None
        assert (first.kind, first.place.stages, first.place.step) == ("exit-code", ("Test",), "sh")
        assert "ERROR: script returned exit code 2" in (*first.a.lines, *first.b.lines)


def test_what_the_failing_step_printed_comes_before_its_exit_code(tmp_path: Path) -> None:
    a, b = side(tmp_path, "0", failing(0)), side(tmp_path, "2", failing(2).replace("+ make test", "+ make test\nno such file"), result="FAILURE")
    assert [each.kind for each in compare_sides(a, b).divergences][:2] == ["output", "exit-code"]


def test_an_exit_code_stands_at_the_step_that_a_run_says_failed(tmp_path: Path) -> None:
    other = tmp_path / "3.log.steps"
    lines = failing(3).split("\n")
    at = next(number for number, line in enumerate(lines) if line == "[Pipeline] sh")
    other.write_text(f'{{"steps": 1}}\n{{"step": "7", "in": "", "name": "sh", "at": {at}, "line": 12, "text": "make"}}\n{{"end": "7", "at": null, "error": "script returned exit code 3"}}\n')
    found = compare_sides(side(tmp_path, "0", failing(0)), side(tmp_path, "3", failing(3), steps=other, result="FAILURE"))
    assert found.first is not None
    assert (found.first.kind, found.first.place.stages, found.first.place.line, found.first.place.text) == ("exit-code", ("Build",), 12, "make")


def test_a_missing_checkout_line_is_no_other_commit(tmp_path: Path) -> None:
    a = side(tmp_path, "a", pipeline("[Pipeline] checkout", f"Checking out Revision {'a' * 40} (x)"))
    assert compare_sides(a, side(tmp_path, "b", pipeline("[Pipeline] checkout", "Fetching it"))).same


@pytest.mark.parametrize(
    ("line", "tool", "version"),
    [
        ('openjdk version "17.0.2" 2022-01-18', "java", "17.0.2"),
        ('java version "1.8.0_311"', "java", "1.8.0_311"),
        ("javac 11.0.14", "javac", "11.0.14"),
        ("Apache Maven 3.8.6 (84538c9)", "maven", "3.8.6"),
        ("Gradle 7.4.2", "gradle", "7.4.2"),
        ("+ node --version\nv18.1.0", "node", "18.1.0"),
        ("+ /usr/bin/npm -v\n8.19.2", "npm", "8.19.2"),
        ("+ yarn --version\n1.22.19", "yarn", "1.22.19"),
        ("Python 3.11.2", "python", "3.11.2"),
        ("pip 23.0.1 from /usr/lib (python 3.11)", "pip", "23.0.1"),
        ("go version go1.21.0 linux/amd64", "go", "1.21.0"),
        ("rustc 1.70.0 (90c541806 2023-05-31)", "rustc", "1.70.0"),
        ("gcc (Debian 12.2.0-14) 12.2.0", "gcc", "12.2.0"),
        ("Apple clang version 14.0.3 (clang-1403.0.22)", "clang", "14.0.3"),
        ("Docker version 24.0.5, build ced0996", "docker", "24.0.5"),
        ("podman version 4.3.1", "podman", "4.3.1"),
        ("git version 2.39.5", "git", "2.39.5"),
        ("Xcode 14.3.1", "xcode", "14.3.1"),
        ("ruby 3.1.2p20 (2022-04-12) [x86_64]", "ruby", "3.1.2p20"),
        ("fastlane 2.213.0", "fastlane", "2.213.0"),
        ("[2026-11-22T10:17:57.743Z] Python 3.12.1", "python", "3.12.1"),
        ("Client Version: v1.27.3", "kubectl", "1.27.3"),
        (".NET SDK (reflecting any global.json): 7.0.100", "dotnet", "7.0.100"),
    ],
)
def test_versions_of_tools(line: str, tool: str, version: str) -> None:
    assert versions_in(f"before\n{line}\nafter\n".encode()).get(tool) == (version,)


def test_other_words_are_no_versions() -> None:
    text = b"Python is fine\nusing javac for it\nthe node 18.2 fell over\n+ node server.js\nv1.2.3\nXcode 14 project\n"
    assert versions_in(text) == {}


@pytest.mark.parametrize(
    ("a", "b", "names"),
    [
        ({"A": "1"}, {"A": "1"}, []),
        ({"A": "1"}, {"A": "2"}, ["A"]),
        ({"A": "1", "B": "x"}, {"A": "1"}, ["B"]),
        ({"A": "1", "BUILD_NUMBER": "1", "EXECUTOR_NUMBER": "0"}, {"A": "1", "BUILD_NUMBER": "9"}, []),
        ({"PATH": "/w/bin:/usr/bin:/usr/bin"}, {"PATH": "/w/bin:/usr/bin:"}, []),
        ({"PATH": "/usr/bin"}, {"PATH": "/opt/bin:/usr/bin"}, ["PATH"]),
        ({"TOKEN": "****"}, {"TOKEN": "****"}, []),
        ({}, {"A": "1"}, []),  # nobody knows A's
    ],
)
def test_environments(a: dict[str, str], b: dict[str, str], names: list[str]) -> None:
    assert [each.name for each in compare_environments(a, b, (PLAIN, PLAIN))] == names


def test_paths_in_the_environment_are_compared_without_their_roots() -> None:
    noise = Noise((("/home/j/app", "<W>"),)), Noise((("/tmp/x/app", "<W>"),))
    assert compare_environments({"OUT": "/home/j/app/out"}, {"OUT": "/tmp/x/app/out"}, noise) == ()


def test_facts(tmp_path: Path) -> None:
    one = (StageOutcome("A", "SUCCESS"), StageOutcome("B", "SUCCESS"), StageOutcome("B", "FAILED"))
    assert compare_stages(one, (one[0], one[2], one[1])) == ()
    assert compare_stages(one, one[:2]) == (Difference("B", "FAILED", None),)
    assert compare_stages(one, ()) == ()
    tests = {"s/a": TestOutcome("PASSED"), "s/b": TestOutcome("FAILED")}
    assert compare_tests(tests, {"s/a": TestOutcome("FAILED")}) == (Difference("s/a", "PASSED", "FAILED"), Difference("s/b", "FAILED", None))
    assert compare_tests(None, None) == ()
    assert compare_artifacts({"x": "1", "y": "", "z": "2"}, {"x": "2", "y": "9"}) == (Difference("x", "1", "2"), Difference("z", "2", None))


@pytest.mark.parametrize(
    ("a", "b", "slow"),
    [
        ((10, 20, 30), (10, 20, 90), ["2"]),
        ((10, 20, 30), (30, 60, 90), []),  # another machine
        ((0.1, 0.2, 0.3), (0.1, 0.2, 2.0), []),  # nothing
        ((10, 20, 30), (10, 2, 30), ["1"]),
    ],
)
def test_times(tmp_path: Path, a: tuple[float, ...], b: tuple[float, ...], slow: list[str]) -> None:
    sides = [Side("x", "pipeline", "SUCCESS", tmp_path, stages=tuple(StageOutcome(str(number), "SUCCESS", seconds) for number, seconds in enumerate(each)), seconds=sum(each)) for each in (a, b)]
    assert [each.stage for each in compare_times(*sides)] == slow
    assert all(isinstance(each, Slower) for each in compare_times(*sides))


FREESTYLE = "\n".join(["Started by user admin", "Running as SYSTEM", "Building on master in workspace /w/app", "[app] $ /bin/sh -xe /tmp/jenkins18.sh", "+ make", "made", "[app] $ /bin/sh -xe /tmp/jenkins19.sh", "+ make test", "42 passed", "Archiving artifacts", "Finished: SUCCESS", ""])  # fmt: skip


def test_freestyle_builds(tmp_path: Path) -> None:
    a = side(tmp_path, "a", FREESTYLE, kind="freestyle")
    b = side(tmp_path, "b", FREESTYLE.replace("42", "41").replace("jenkins18", "jenkins7"), kind="freestyle")
    assert compare_sides(a, a).same
    found = compare_sides(a, b)
    assert found.first is not None
    assert (found.total, found.first.place.step, found.first.a.lines) == (1, "Shell 2", ("42 passed",))


def test_a_freestyle_build_beside_the_stages_made_of_it(tmp_path: Path) -> None:
    a = side(tmp_path, "a", FREESTYLE, kind="freestyle")
    local = ["[Pipeline] node", "Running on x in /w", "[Pipeline] {", *stage("Shell 1", "[Pipeline] sh", "+ make", "made"), *stage("Shell 2", "[Pipeline] sh", "+ make test", "42 passed"), *stage("Archive", "[Pipeline] archiveArtifacts", "Archiving artifacts"), "[Pipeline] }", "[Pipeline] // node"]  # fmt: skip
    assert compare_sides(a, side(tmp_path, "b", pipeline(*local))).same
    found = compare_sides(a, side(tmp_path, "c", pipeline(*local).replace("made", "built")))
    assert found.first is not None
    assert (found.total, found.first.place.step) == (1, "Shell 1")
    found = compare_sides(a, side(tmp_path, "d", pipeline(*local).replace("Shell 2", "Shell 3")))
    assert {each.kind for each in found.divergences} == {"step-missing", "step-added"}


def test_matrix_builds(tmp_path: Path) -> None:
    text = recorded("76")
    lines = text.split("\n")
    a = side(tmp_path, "a", text, kind="matrix", result="FAILURE")
    b = side(tmp_path, "b", "\n".join([*lines[:7], *reversed(lines[7:11]), *lines[11:]]), kind="matrix", result="FAILURE")
    assert compare_sides(a, b).same
    found = compare_sides(a, side(tmp_path, "c", text.replace("b,bsd completed with result FAILURE", "b,bsd completed with result SUCCESS"), kind="matrix", result="SUCCESS"))
    assert (found.result is not None, found.stages) == (True, (Difference("b,bsd", "FAILED", "SUCCESS"),))
    cells = tuple(StageOutcome(f"DB={db},OS={system}", "FAILED" if (db, system) == ("b", "bsd") else "SUCCESS") for db in "ab" for system in ("bsd", "linux"))
    local = side(tmp_path, "d", pipeline("[Pipeline] echo", "x"), result="FAILURE", stages=cells)
    assert compare_sides(a, local).same


def test_a_region_that_differs_altogether_is_summarised(tmp_path: Path) -> None:
    text = [pipeline("[Pipeline] sh", *(f"{name} {number}" for number in range(20_000)), "[Pipeline] echo", "end") for name in "xy"]
    found = compare_sides(side(tmp_path, "a", text[0]), side(tmp_path, "b", text[1]))
    assert found.first is not None and found.first.summarised
    assert len({each.place for each in found.divergences}) == 1


def test_a_block_that_was_put_in_is_one_difference(tmp_path: Path) -> None:
    lines = [f"line {number}" for number in range(3000)]
    a = side(tmp_path, "a", pipeline("[Pipeline] sh", *lines))
    b = side(tmp_path, "b", pipeline("[Pipeline] sh", *lines[:1000], *(f"new {number}" for number in range(700)), *lines[1000:]))
    found = compare_sides(a, b)
    assert found.first is not None
    assert (found.total, found.first.a.count, found.first.b.count) == (1, 0, 700)


def test_the_annotated_console_of_a_run_reads_as_its_marks(tmp_path: Path) -> None:
    text = pipeline(*stage("One", "[Pipeline] echo", "a <b> & c"))
    console = tmp_path / "x.log"
    console.write_text(text)
    steps = tmp_path / "x.log.steps"
    steps.write_text(
        '{"steps": 1}\n{"step": "1", "in": "", "name": "stage", "at": 2}\n{"body": "1.1", "of": "1", "title": "One", "at": 3}\n'
        '{"step": "2", "in": "1.1", "name": "echo", "at": 4}\n{"of": "2", "from": 5, "count": 1}\n{"end": "1.1", "at": 6}\n{"end": "1", "at": 7}\n'
    )
    local = Side("x", "pipeline", "SUCCESS", console, steps)
    other = captured(tmp_path, "y", annotated(console, list(read_marks(steps))), local)
    found = compare_sides(local, other)
    assert found.same and found.exact


def test_blocks_without_end(tmp_path: Path) -> None:
    a = side(tmp_path, "a", pipeline(*["[Pipeline] stage", "[Pipeline] { (x)"] * 20_000, "deep"))
    b = side(tmp_path, "b", pipeline(*["[Pipeline] stage", "[Pipeline] { (x)"] * 20_000, "deeper", *["[Pipeline] }"] * 50_000))
    assert compare_sides(a, a).same
    assert not compare_sides(a, b).same


def test_anything_can_be_a_console(tmp_path: Path) -> None:
    random = Random(7)
    words = ["[Pipeline] ", "{", "}", "// stage", "stage", "parallel", "// parallel", "{ (Branch: x)", "\n", "\r\n", "\x00", "é", "[app] $ sh -e x.sh", " ", "1", "\x1b[31m", "+ ls"]
    for number in range(150):
        kinds = random.choices(["pipeline", "freestyle", "matrix"], k=2)
        texts = ["".join(random.choices(words, k=random.randrange(200))) for _ in kinds]
        a, b = (side(tmp_path, f"{number}{name}", text, kind=kind) for name, text, kind in zip("ab", texts, kinds, strict=True))
        page(compare_sides(a, b), a, b)
        assert compare_sides(a, a).same
