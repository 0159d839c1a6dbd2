"""Is what differs found, at the right place, and nothing else? On the recorded builds of a real Jenkins."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest
from golden_sides import Case, local_side, recorded_side
from injections import Bench
from injections2 import ALL

from cibus.builds.compare import compare_sides
from cibus.builds.side import Side

FLOOR = 0.95
EACH = 8  # injections of one kind on each pair of sides


def sides_of(case: Case, folder: Path) -> tuple[Side, Side]:
    local = local_side(case)
    return recorded_side(case, folder / case.name / "console", local=local), local


@pytest.mark.slow
def test_no_false_alarms(golden: list[Case], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    same = [case for case in golden if case.same]
    alarms = []
    for case in same:
        recorded, local = sides_of(case, tmp_path)
        for one, other in ((recorded, local), (local, recorded), (local, local)):
            comparison = compare_sides(one, other)
            if not comparison.same:
                alarms.append((case.name, comparison.result, comparison.stages, comparison.artifacts, comparison.tools, comparison.first))
    with capsys.disabled():
        print(f"\ncompare: {len(same)} of {len(golden)} recorded builds that golden.py finds the same, {len(alarms)} false alarms")
    assert len(same) > 0.9 * len(golden)
    assert not alarms


@pytest.mark.slow
def test_injected_differences_are_found(golden: list[Case], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    same = [case for case in golden if case.same and case.want["mode"] in ("inline", "scm")]
    done: Counter[str] = Counter()
    found: Counter[str] = Counter()
    missed, extra = [], 0
    for name, inject in ALL.items():
        random = Random(name)
        for kind in ("recorded", "local"):
            made = 0
            for number, case in enumerate(random.sample(same, len(same))):
                if made == EACH:
                    break
                recorded, local = sides_of(case, tmp_path)
                pair = (recorded, local) if kind == "recorded" else (local, local)
                injected = inject(Bench(*pair, tmp_path / f"{name}-{kind}-{number}", random))
                if injected is None:
                    continue
                made += 1
                comparison = compare_sides(injected.a, injected.b)
                done[name] += 1
                extra += max(0, comparison.total - 2)  # what is missing here may be too much there
                if injected.found(comparison):
                    found[name] += 1
                else:
                    missed.append((name, kind, case.name, comparison.total, comparison.first))
    share = found.total() / done.total()
    with capsys.disabled():
        print(f"\ncompare: {done.total()} injected differences of {len(done)} kinds, {100 * share:.1f} % found at the right place, {extra} places too many")
        for each in missed:
            print("  missed:", *each)
    assert len(done) >= 30 and min(done.values()) >= 1
    assert share >= FLOOR
