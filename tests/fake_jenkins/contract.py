"""The contract with the recordings as a table: `python -m tests.fake_jenkins.contract [AREA]...` shows the differences too."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from .areas import AREAS
from .replay import Outcome, run_area

HERE = Path(__file__).parent


@lru_cache(maxsize=1)
def accepted() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Reads which differences are accepted, with the reasons."""
    entries = tomllib.loads((HERE / "accepted.toml").read_text(encoding="utf-8"))["accepted"]
    return tuple((re.compile(entry["name"]), entry["reason"]) for entry in entries)


def floors() -> dict[str, int]:
    """Reads how many exchanges of each area must be alike."""
    found: dict[str, int] = tomllib.loads((HERE / "floors.toml").read_text(encoding="utf-8"))
    return found


def reason(name: str) -> str | None:
    """Says why a difference is accepted, if it is."""
    start = re.match(r"\w+/\d+", name)
    return next((why for pattern, why in accepted() if start and pattern.fullmatch(start[0])), None)


@dataclass(frozen=True)
class Result:
    """An area's outcomes."""

    area: str
    outcomes: tuple[Outcome, ...]

    @property
    def alike(self) -> list[Outcome]:
        return [each for each in self.outcomes if not each.differences]

    @property
    def accepted(self) -> list[Outcome]:
        return [each for each in self.outcomes if each.differences and reason(each.name)]

    @property
    def different(self) -> list[Outcome]:
        return [each for each in self.outcomes if each.differences and not reason(each.name)]


def run(area: str) -> Result:
    return Result(area, tuple(run_area(area)))


def table(results: Iterable[Result]) -> str:
    """Lays out how much is answered alike."""
    lines = [f"{'area':<14}{'exchanges':>10}{'alike':>8}{'accepted':>10}{'different':>11}{'alike %':>9}"]
    totals = [0, 0, 0, 0]
    for result in results:
        counts = [len(result.outcomes), len(result.alike), len(result.accepted), len(result.different)]
        totals = [a + b for a, b in zip(totals, counts, strict=True)]
        lines.append(_row(result.area, counts))
    return "\n".join([*lines, _row("all", totals)])


def _row(name: str, counts: Sequence[int]) -> str:
    whole, alike, accepted_, different = counts
    return f"{name:<14}{whole:>10}{alike:>8}{accepted_:>10}{different:>11}{100 * alike / max(1, whole):>9.1f}"


def main(areas: Sequence[str]) -> None:
    results = [run(area) for area in areas or AREAS]
    for result in results:
        for outcome in [*result.accepted, *result.different]:
            print(f"{outcome.name}{f' (accepted: {reason(outcome.name)})' if reason(outcome.name) else ''}")
            print("\n".join(f"    {difference[:240]}" for difference in outcome.differences))
    print(table(results))


if __name__ == "__main__":
    main(sys.argv[1:])
