"""Differences in the steps and stages of a build, and in what is known of it beside its log."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from random import Random

from edited import MARKER, Edited, Entry
from injections import LINES, Bench, Check, Injected, Injection, at, facts

from cibus.builds.compare import Comparison
from cibus.builds.side import Side, StageOutcome, TestOutcome


def _first_is(*kinds: str, stage: str = "", step: str = "") -> Check:
    """The first divergence is of a kind, in or at a stage, and at a step."""

    def check(comparison: Comparison) -> bool:
        first = comparison.first
        return first is not None and first.kind in kinds and (not stage or stage in first.place.stages) and (not step or first.place.step == step)

    return check


def _all(*checks: Check) -> Check:
    return lambda comparison: all(check(comparison) for check in checks)


def _atoms(edited: Edited) -> list[tuple[int, int]]:
    """Steps without a body outside of parallel blocks: from their line to the one behind their output."""
    found, forks = [], 0
    starts = [index for index, entry in enumerate(edited.entries) if entry.text.startswith(MARKER)]
    for index, after in pairwise(starts):
        words = edited.entries[index].text.removeprefix(MARKER)
        forks += {"parallel": 1, "// parallel": -1}.get(words, 0)
        following = edited.entries[after].text.removeprefix(MARKER)
        if re.match(r"[{}/]|Start of|End of|stage$|parallel$", words) or following.startswith("{") or forks:
            continue
        found.append((index, after))
    return found


def _stages(edited: Edited) -> list[tuple[int, int, str]]:
    """Stages outside of parallel blocks, with their names."""
    found = []
    for index, entry in enumerate(edited.entries[:-1]):
        name = re.fullmatch(r"\[Pipeline\] \{ \((.*)\)", edited.entries[index + 1].text)
        if entry.text == f"{MARKER}stage" and name:
            borders = edited.stage_range(index)
            inside = sum({f"{MARKER}parallel": 1, f"{MARKER}// parallel": -1}.get(each.text, 0) for each in edited.entries[:index])
            if borders and not inside:
                found.append((*borders, name[1]))
    return found


def _without_step(bench: Bench, *, in_b: bool = False) -> Injected | None:
    edited = Edited.of(bench.a)
    atoms = _atoms(edited)
    if not atoms:
        return None
    start, end = bench.random.choice(atoms)
    name = edited.entries[start].text.removeprefix(MARKER)
    del edited.entries[start:end]
    side = edited.write(bench.folder, "x")
    # one of several alike may be named: the one that is missing or its neighbour, whose output then reads otherwise
    check = _first_is("step-missing" if in_b else "step-added", "output", step=name)
    return Injected(bench.a, side, check) if in_b else Injected(side, bench.a, check)


def _swapped_steps(bench: Bench) -> Injected | None:
    edited = Edited.of(bench.a)
    atoms = _atoms(edited)
    pairs = [(one, other) for one, other in pairwise(atoms) if one[1] == other[0] and edited.entries[one[0]].text != edited.entries[other[0]].text]
    if not pairs:
        return None
    (start, middle), (_, end) = bench.random.choice(pairs)
    names = {edited.entries[start].text.removeprefix(MARKER), edited.entries[middle].text.removeprefix(MARKER)}
    edited.entries[start:end] = [*edited.entries[middle:end], *edited.entries[start:middle]]
    side = edited.write(bench.folder, "a")
    return Injected(side, bench.b, lambda found: found.first is not None and found.first.place.step in names)


def _other_step(bench: Bench) -> Injected | None:
    if bench.a.steps:
        return None
    edited = Edited.of(bench.a)
    atoms = _atoms(edited)
    if not atoms:
        return None
    start, _ = bench.random.choice(atoms)
    name = edited.entries[start].text.removeprefix(MARKER)
    edited.entries[start].text = f"{MARKER}quince"
    side = edited.write(bench.folder, "a")
    return Injected(side, bench.b, lambda found: found.first is not None and found.first.place.step in ("quince", name))


def _without_stage(bench: Bench, *, in_b: bool = False) -> Injected | None:
    edited = Edited.of(bench.a)
    stages = _stages(edited)
    if not stages:
        return None
    start, end, name = bench.random.choice(stages)
    del edited.entries[start:end]
    side = edited.write(bench.folder, "x")
    check = _first_is("stage-missing" if in_b else "stage-added", stage=name)
    return Injected(bench.a, side, check) if in_b else Injected(side, bench.a, check)


def _skipped_stage(bench: Bench) -> Injected | None:
    edited = Edited.of(bench.a)
    stages = [each for each in _stages(edited) if each[1] - each[0] > 5]
    if not stages:
        return None
    start, end, name = bench.random.choice(stages)
    first = edited.entries[start]
    owner = next((mark.id for mark in first.marks), "")
    edited.entries[start + 2 : end - 2] = [Entry(f'Stage "{name}" skipped due to when conditional', owner)]
    side = edited.write(bench.folder, "a")
    return Injected(side, bench.b, lambda found: found.first is not None and name in found.first.place.stages)


def _renamed_stage(bench: Bench) -> Injected | None:
    if bench.a.steps:
        return None
    edited = Edited.of(bench.a)
    stages = _stages(edited)
    if not stages:
        return None
    start, _, name = bench.random.choice(stages)
    edited.entries[start + 1].text = f"{MARKER}{{ (Quince)"
    side = edited.write(bench.folder, "a")
    return Injected(side, bench.b, lambda found: found.first is not None and bool({name, "Quince"} & set(found.first.place.stages)))


def _one_more_retry(bench: Bench) -> Injected | None:
    edited = Edited.of(bench.a)
    texts = [entry.text for entry in edited.entries]
    if "Retrying" not in texts or bench.a.steps:
        return None
    end = texts.index("Retrying")
    start = max(index for index in range(end) if texts[index] == f"{MARKER}{{" and f"{MARKER}retry" in texts[:index])
    start = next(index + 1 for index in range(end, -1, -1) if texts[index] == f"{MARKER}retry")
    edited.entries[start:start] = [replace(entry) for entry in edited.entries[start : end + 1]]
    side = edited.write(bench.folder, "a")
    return Injected(side, bench.b, lambda found: found.first is not None)


def _other_commit(bench: Bench) -> Injected | None:
    edited = Edited.of(bench.a)
    for site in edited.sites():
        text = edited.entries[site.index].text
        found = re.search(r"Checking out Revision ([0-9a-f]{40})", text)
        if found and found[1] in bench.b.console.read_text("utf-8", errors="replace"):
            check = at(site, edited)
            edited.entries[site.index].text = text.replace(found[1], "0123456789" * 4)
            return Injected(edited.write(bench.folder, "a"), bench.b, _all(check, _first_is("commit")))
    return None


def _without_branch(bench: Bench) -> Injected | None:
    """A line of one branch's step, where both sides know the branches."""
    if not bench.a.steps:
        return None
    return LINES["in a parallel branch"](bench)


def _of(word: str, name: str) -> Injection:
    """An injection into those recorded builds whose name has a word."""
    return lambda bench: LINES[name](bench) if word in bench.a.title else None


# -- beside the log


def _stage_status(side: Side, random: Random) -> tuple[Side, Side] | None:
    if not side.stages:
        return None
    place = random.randrange(len(side.stages))
    other = "UNSTABLE" if side.stages[place].status != "UNSTABLE" else "FAILED"
    stages = [replace(stage, status=other) if number == place else stage for number, stage in enumerate(side.stages)]
    return replace(side, stages=tuple(stages)), side


def _stage_gone(side: Side, random: Random) -> tuple[Side, Side] | None:
    return (replace(side, stages=side.stages[1:]), side) if len(side.stages) > 1 else None


def _with(key: str, one: object, other: object) -> Injection:
    """A field of the side that differs."""
    return facts(lambda side, random: (replace(side, **{key: one}), replace(side, **{key: other})), lambda found: bool(getattr(found, _TABLE.get(key, key))))  # type: ignore[arg-type]


_TABLE = {"system": "agents", "missing_labels": "labels"}
_TESTS = {"suite/app.T.one": TestOutcome("PASSED"), "suite/app.T.two": TestOutcome("PASSED")}
_HASHES = {"app.jar": "aa" * 32, "doc/x.txt": "bb" * 32}
_STAGES = (StageOutcome("Build", "SUCCESS", 20.0), StageOutcome("Test", "SUCCESS", 30.0))

STEPS: dict[str, Injection] = {
    "step missing": lambda bench: _without_step(bench, in_b=True),
    "step more": _without_step,
    "two steps swapped": _swapped_steps,
    "another step": _other_step,
    "stage missing": lambda bench: _without_stage(bench, in_b=True),
    "stage more": _without_stage,
    "stage skipped": _skipped_stage,
    "stage renamed": _renamed_stage,
    "a retry more": _one_more_retry,
    "another commit": _other_commit,
    "in a known branch": _without_branch,
    "in a library": _of("library/", "changed word"),
    "in a matrix": _of("/matrix", "in a parallel branch"),
    "in a post section of a stage": _of("post/", "changed word"),
}
FACTS: dict[str, Injection] = {
    "result": facts(lambda side, random: (replace(side, result="NOT_BUILT"), side), lambda found: found.result is not None),
    "stage status": facts(_stage_status, lambda found: bool(found.stages)),
    "stage gone from the view": facts(_stage_gone, lambda found: bool(found.stages)),
    "variable": _with("environment", {"JAVA_HOME": "/opt/java-17", "X": "1"}, {"JAVA_HOME": "/opt/java-11", "X": "1"}),
    "variable missing": _with("environment", {"X": "1", "TOKEN_FILE": "/t"}, {"X": "1"}),
    "parameter": _with("parameters", {"TARGET": "a"}, {"TARGET": "b"}),
    "failed test": _with("tests", _TESTS, {**_TESTS, "suite/app.T.two": TestOutcome("FAILED")}),
    "skipped test": _with("tests", _TESTS, {**_TESTS, "suite/app.T.one": TestOutcome("SKIPPED")}),
    "missing test": _with("tests", _TESTS, {"suite/app.T.two": TestOutcome("PASSED")}),
    "no tests at all": _with("tests", _TESTS, None),
    "missing artifact": _with("artifacts", _HASHES, {"app.jar": "aa" * 32}),
    "other artifact": _with("artifacts", _HASHES, {**_HASHES, "app.jar": "cc" * 32}),
    "operating system": _with("system", "Darwin arm64", "Linux arm64"),
    "processor": _with("system", "Linux amd64", "Linux aarch64"),
    "label that this machine lacks": _with("missing_labels", (), ("xcode",)),
    "slow stage": facts(
        lambda side, random: (replace(side, stages=_STAGES, seconds=50.0), replace(side, stages=(_STAGES[0], StageOutcome("Test", "SUCCESS", 120.0)), seconds=140.0)),
        lambda found: [each.stage for each in found.slower] == ["Test"],
    ),
}
ALL: dict[str, Injection] = {**LINES, **STEPS, **FACTS}
