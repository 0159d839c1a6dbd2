"""Why builds fail: every pattern, whole consoles, recorded ones, hostile ones, and the table's own sense."""

from __future__ import annotations

import base64
import fnmatch
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from peak import peak

from cibus.monitor.alerts import pages
from cibus.monitor.causes import BuildRecord, Verdict, build_records, classify, flaky_builds, grouped
from cibus.monitor.causetable import Pattern, longest_literal, read_table, shipped
from cibus.monitor.consolelog import HEAD, LONGEST, TAIL, clean_line

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LOGS = sorted((HERE / "logs").glob("*.txt"))
PATTERNS = shipped().patterns
WANTED = 0.95


def name_of(verdict: Verdict) -> str:
    return "success" if not verdict.failed else verdict.causes[0].id if verdict.causes else "unknown"


def told(data: bytes) -> str:
    return name_of(classify([data]))


# -- the table


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: f"{pattern.cause.id}-{PATTERNS.index(pattern)}")
def test_a_pattern(pattern: Pattern) -> None:
    assert pattern.match and pattern.no
    for line in pattern.match:
        assert pattern.found(line), line
        assert any(word in line.lower() for word in pattern.words), (line, pattern.words)
    for line in pattern.no:
        assert not pattern.found(line), line


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: f"{pattern.cause.id}-{PATTERNS.index(pattern)}")
def test_an_example_in_a_console_is_told(pattern: Pattern) -> None:
    """The prefilter, the cleaning and the places let each example through."""
    text = "\n".join(["Started by timer", "[Pipeline] Start of Pipeline", "[Pipeline] unstable", *pattern.match, "[Pipeline] error", "[Pipeline] End of Pipeline", *pattern.match, "Finished: FAILURE", ""])
    result = "UNSTABLE" if pattern.place == "unstable" else "ABORTED" if pattern.cause.fault == "person" else "FAILURE"
    assert pattern.cause.id in [each.id for each in classify([text.encode()], result).causes]


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: f"{pattern.cause.id}-{PATTERNS.index(pattern)}")
def test_no_nested_quantifiers(pattern: Pattern) -> None:
    """A group that repeats without end must not have such a repetition in it: that is where time explodes."""
    assert not re.search(r"\((?:[^()\\]|\\.)*(?<!\\)[+*](?:[^()\\]|\\.)*\)[+*]", pattern.regex.pattern)


def test_every_page_is_there_and_every_page_is_named() -> None:
    named = {cause.runbook for cause in shipped().causes.values()} | {"build-unknown"}
    for name in named:
        assert (ROOT / "runbooks" / f"{name}.md").is_file(), name
    of_alerts = set(pages().values())
    assert {page.stem for page in (ROOT / "runbooks").glob("build-*.md")} - of_alerts == {name for name in named if name.startswith("build-")} - of_alerts


@pytest.mark.parametrize(("regex", "literal"), [("Host key failed", "host key failed"), (r"a\.b(c|d)efgh\d+xy", "efgh"), (r"(?i)foo bars? x", "foo bar"), ("[abc]+hello.{1,3}", "hello")])
def test_the_word_of_a_regex(regex: str, literal: str) -> None:
    assert longest_literal(regex) == literal


@pytest.mark.parametrize(
    ("change", "words"),
    [({"fault": '"moon"'}, "fault"), ({"where": '"nowhere"'}, "where is none of"), ({"re": "'(a|b)'"}, "give a word")],
)
def test_a_wrong_table_is_told(change: dict[str, str], words: str) -> None:
    values = {"fault": '"code"', "where": '"step"', "re": "'broken thing'", **change}
    text = f'[[cause]]\nid = "x"\ntitle = "x"\nfault = {values["fault"]}\nrunbook = "x"\nrank = 1\npatterns = [{{re = {values["re"]}, where = {values["where"]}, match = ["a"], no = ["b"]}}]\n'
    with pytest.raises(ValueError, match=words):
        read_table(text)


# -- accuracy


def accuracy(title: str, found: list[tuple[str, str, str]]) -> None:
    """Prints the share of right ones and the misses; fails below 95 %."""
    misses = [each for each in found if each[1] != each[2]]
    print(f"{title}: {len(found) - len(misses)} of {len(found)} right ({1 - len(misses) / len(found):.1%})")
    for name, expected, got in misses:
        print(f"  {name}: {expected} expected, {got} named")
    assert 1 - len(misses) / len(found) >= WANTED


def test_made_up_consoles() -> None:
    found = [(path.name, re.sub(r"-\d+$", "", path.stem), told(path.read_bytes())) for path in LOGS]
    kinds = {expected for _, expected, _ in found} - {"unknown", "success"}
    assert kinds <= shipped().causes.keys()
    assert len(kinds) >= 20 and sum(expected in kinds for _, expected, _ in found) >= 60 and sum(expected == "unknown" for _, expected, _ in found) >= 8
    accuracy("made-up consoles", found)


@pytest.mark.parametrize("path", [path for path in LOGS if path.name.startswith(("unknown", "success"))], ids=lambda path: path.stem)
def test_nothing_is_guessed(path: Path) -> None:
    assert told(path.read_bytes()) == re.sub(r"-\d+$", "", path.stem)


def recorded() -> Iterator[tuple[str, bytes]]:
    """All recorded consoles of builds that ended."""
    for path in sorted((ROOT / "tests" / "golden").glob("*/*/console*.txt")):
        name = f"{path.parent.parent.name}/{path.parent.name}"
        yield name + (f"#{path.stem.removeprefix('console-')}" if path.stem != "console" else ""), path.read_bytes()
    for path in sorted((ROOT / "tests" / "recordings" / "builds").glob("*.json")):
        made = json.loads(path.read_text())
        body = made["response"].get("body") or ""
        data = base64.b64decode(body) if made["response"].get("body_encoding") else body.encode()
        if made["request"]["path"].endswith("/consoleText") and re.search(rb"^Finished: ", data, re.MULTILINE):
            yield path.stem, data


def test_recorded_consoles() -> None:
    expected = {name: kind for kind, names in tomllib.loads((HERE / "expected_causes.toml").read_text()).items() for name in names}
    found, used = [], set()
    for name, data in recorded():
        result = re.findall(rb"^Finished: (\w+)", data, re.MULTILINE)[-1].decode()
        key = next((each for each in expected if fnmatch.fnmatch(name, each)), "")
        if result == "SUCCESS":
            assert told(data) == "success", name
        else:
            used.add(key)
            found.append((name, expected.get(key, "not labelled"), told(data)))
    assert used == expected.keys()
    accuracy("recorded consoles of builds that did not succeed", found)


# -- where a line stands


def pipeline(*lines: str, end: str = "ERROR: script returned exit code 1", result: str = "FAILURE") -> bytes:
    return "\n".join(["[Pipeline] Start of Pipeline", "[Pipeline] node", *lines, "[Pipeline] End of Pipeline", end, f"Finished: {result}", ""]).encode()


FULL = "cp: error writing 'x': No space left on device"


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        (["[Pipeline] sh", "+ cp a x", FULL], "disk-full"),
        (["[Pipeline] sh", "+ echo cp: No space left on device"], "unknown"),
        (["[Pipeline] retry", "[Pipeline] {", "[Pipeline] sh", "+ cp a x", FULL, "[Pipeline] }", "ERROR: script returned exit code 1", "Retrying", "[Pipeline] {", "[Pipeline] sh", "+ ./x", "no"], "unknown"),
        (["[Pipeline] sh", "+ cp a x", FULL, "[Pipeline] sh", "+ ./other", "no"], "unknown"),
        (["[Pipeline] sh", "+ cp a x", FULL, "[Pipeline] sh", "+ docker rm -f db"], "disk-full"),
        (["[Pipeline] sh", "+ ./x", "no", 'Stage "B" skipped due to earlier failure(s)', "[Pipeline] sh", "+ cp a x", FULL], "unknown"),
        (["[Pipeline] sh", "+ curl x", "curl: (7) Failed to connect", "+ ./other", "no"], "unknown"),
        (["[Pipeline] parallel", "[Pipeline] sh", "[Pipeline] sh", "+ ./a", "+ cp a x", FULL, "[Pipeline] // parallel"], "disk-full"),
        (["[Pipeline] sh", "\x1b[31m" + FULL + "\x1b[0m"], "disk-full"),
        (["[Pipeline] sh", "10:12:13  " + FULL], "disk-full"),
        (["[Pipeline] sh", "WARNING: " + FULL], "unknown"),
    ],
)
def test_where_it_stands(lines: list[str], kind: str) -> None:
    assert told(pipeline(*lines)) == kind


def test_the_line_and_its_number() -> None:
    named = classify([pipeline("[Pipeline] sh", "+ cp a x", FULL)]).causes[0]
    assert (named.number, named.line, named.runbook, named.fault) == (5, FULL, "build-disk-full", "infrastructure")


def test_the_cause_before_its_consequence() -> None:
    made = classify([pipeline("[Pipeline] sh", "+ make", FULL, "a.c:3:5: error: expected ;", "FAILED tests/a.py::b")])
    assert [each.id for each in made.causes] == ["disk-full", "compile-error", "test-failures"]


def test_a_log_that_does_not_end() -> None:
    verdict = classify([b"[Pipeline] node\n[Pipeline] sh\n+ make\n"])
    assert verdict.result == "" and verdict.unknown and verdict.runbook == "build-unknown"


# -- hostile logs


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


@pytest.mark.parametrize("path", LOGS[::6], ids=lambda path: path.stem)
@pytest.mark.parametrize("size", [1, 7, 4096])
def test_pieces_of_any_size(path: Path, size: int) -> None:
    data = path.read_bytes()
    assert classify(pieces(data, size)) == classify([data])


@pytest.mark.parametrize("data", [b"", b"\0" * 300_000, bytes(range(256)) * 2000, b"\xff\xfe" * 90_000 + b"\n", b"[Pipeline] ", b"[Pipeline] }\n[Pipeline] // parallel\n" * 3000, b"\r\n" * 50_000])
def test_rubbish(data: bytes) -> None:
    assert classify([data]).unknown
    assert not classify([data], "SUCCESS").causes


NASTY = ["a" * 100_000, " " * 100_000, "1" * 100_000, "/" * 100_000, "a." * 50_000, ":1:1" * 25_000, "error: " * 14_000, "[ERROR] " * 12_000]


def test_long_lines_do_not_blow_a_pattern_up() -> None:
    """In a process of its own, which is given far more time than it takes: a blow-up would need years."""
    script = f"""
from cibus.monitor.causetable import shipped
from cibus.monitor.consolelog import clean_line
for pattern in shipped().patterns:
    for text in {NASTY!r}:
        for example in (*pattern.match, ""):
            pattern.found(clean_line((text + example).encode()))
            pattern.found(clean_line((example[:-1] + text).encode()))
"""
    subprocess.run([sys.executable, "-"], input=script, text=True, check=True, timeout=240, cwd=ROOT)


def test_a_line_is_cut() -> None:
    assert len(clean_line(b"x" * 100_000)) == LONGEST


@pytest.mark.slow
def test_a_huge_log_takes_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "huge.txt"
    block = b"".join(b"[2026-11-22T10:00:00.000Z] compiling file %d with error: none and failed: 0 ...............\n" % at for at in range(12_000))
    with path.open("wb") as file:
        file.write(b"[Pipeline] Start of Pipeline\n[Pipeline] sh\n+ make\n")
        for _ in range(200 * (1 << 20) // len(block) + 1):
            file.write(block)
        file.write(FULL.encode() + b"\n[Pipeline] End of Pipeline\nERROR: script returned exit code 1\nFinished: FAILURE\n")
    with path.open("rb") as file:
        verdict = classify(iter(lambda: file.read(1 << 18), b""))
    assert name_of(verdict) == "disk-full"
    assert verdict.causes[0].number == verdict.lines - 3
    assert verdict.skipped >= path.stat().st_size - HEAD - TAIL - (1 << 20) > 0
    code, size = peak("monitor", "causes", "--file", str(path), cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)})
    print(f"a log of {path.stat().st_size >> 20} MiB: {size} MiB at most")
    assert code == 3 and size < 200


# -- several builds


def test_flaky() -> None:
    data = [
        {"number": 5, "result": "FAILURE", "timestamp": 5, "actions": [{}, {"lastBuiltRevision": {"SHA1": "a" * 40}}]},
        {"number": 4, "result": "SUCCESS", "timestamp": 4, "actions": [{"lastBuiltRevision": {"SHA1": "a" * 40}}, None]},
        {"number": 3, "result": "UNSTABLE", "timestamp": 3, "actions": [{"lastBuiltRevision": {"SHA1": "b" * 40}}]},
        {"number": 2, "result": "FAILURE", "timestamp": 2, "actions": []},
        {"number": 1, "result": None, "timestamp": 1},
    ]
    assert flaky_builds(build_records(data)) == {5}


def test_a_build_of_another_library_commit_is_not_the_same() -> None:
    assert flaky_builds([BuildRecord(2, "FAILURE", 2, ("a", "lib1")), BuildRecord(1, "SUCCESS", 1, ("a", "lib2"))]) == frozenset()
    assert flaky_builds([BuildRecord(2, "ABORTED", 2, ("a",)), BuildRecord(1, "SUCCESS", 1, ("a",))]) == frozenset()


def test_groups() -> None:
    full, lost = classify([pipeline("[Pipeline] sh", FULL)]), classify([pipeline("[Pipeline] sh", "x")])
    assert grouped({3: lost, 2: full, 1: full}) == [("disk-full", (2, 1)), ("unknown", (3,))]
