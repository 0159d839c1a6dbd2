"""The fake answers as the recorded controller did."""

from __future__ import annotations

import pytest

from . import contract
from .areas import AREAS


@pytest.mark.parametrize("area", AREAS)
def test_answers_are_the_recorded_ones(area: str) -> None:
    result = contract.run(area)
    print(contract.table([result]))
    shown = "\n".join(f"{each.name}: {'; '.join(each.differences)[:300]}" for each in result.different)
    assert len(result.alike) >= contract.floors()[area], shown


def test_accepted_differences_are_still_differences() -> None:
    """A difference that is none any more must leave the list."""
    entries = {pattern.pattern: False for pattern, _ in contract.accepted()}
    areas = {pattern.partition("/")[0] for pattern in entries}
    for outcome in (each for area in sorted(areas) for each in contract.run(area).accepted):
        for pattern, _ in contract.accepted():
            if pattern.match(outcome.name):
                entries[pattern.pattern] = True
    assert [name for name, seen in entries.items() if not seen] == []
