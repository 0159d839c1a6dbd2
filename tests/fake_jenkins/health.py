"""Weather reports of jobs and folders."""

from __future__ import annotations

from dataclasses import dataclass

from .items import Item
from .stapler import Data


@dataclass(frozen=True)
class Report:
    score: int
    description: str

    def data(self) -> Data:
        icons = ((80, "80plus"), (60, "60to79"), (40, "40to59"), (20, "20to39"))  # each from above the score
        icon = next((name for least, name in icons if self.score > least), "00to19")
        values = {
            "description": self.description,
            "iconClassName": f"icon-health-{icon}",
            "iconUrl": f"health-{icon}.png",
            "score": self.score,
        }
        return Data(None, values, default=2)


def reports(item: Item) -> list[Report]:
    """Gives an item's health reports."""
    if item.is_group:
        worst = _worst(item) if item.meta.worst_child else None
        return [worst] if worst else []
    return [report for report in (tests(item), _stability(item)) if report]


def _stability(item: Item) -> Report | None:
    done = [build.result for build in item.builds if build.result][:5]
    if not done:
        return None
    bad = sum(result in ("FAILURE", "ABORTED") for result in done)
    score = 100 * (len(done) - bad) // len(done)
    text = f"{bad} out of the last {len(done)} builds failed."
    if bad in (0, len(done)):
        text = "All recent builds failed." if bad else "No recent builds failed."
    return Report(score, f"Build stability: {text}")


def tests(item: Item) -> Report | None:
    """Says how the tests of the last build went, if it had any."""
    last = next((build for build in item.builds if build.result), None)
    for action in last.values.get("actions", []) if last else []:
        if action.get("totalCount"):
            failed, total = action["failCount"], action["totalCount"]
            noun = "test" if failed == 1 else "tests"
            text = f"Test Result: {failed} {noun} failing out of a total of {total} test{'s' if total != 1 else ''}."
            return Report(100 * (total - failed) // total, text)
    return None


def _worst(folder: Item) -> Report | None:
    """The first of the worst; folders wait on a stack, so that the last of them is looked into first."""
    worst: Report | None = None
    stack = [folder]
    while stack:
        for child in stack.pop().children:
            if child.is_group:
                stack.append(child)
            for report in [] if child.is_group else reports(child):
                if worst is None or report.score < worst.score:
                    worst = Report(report.score, f"Worst health: {child.full_display_name}: {report.description}")
    return worst
