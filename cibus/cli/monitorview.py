"""What the monitor saw, in lines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from cibus.runbooks.files import address

if TYPE_CHECKING:
    from cibus.monitor.conditions import View
    from cibus.monitor.findings import Finding

MOST = 10  # findings of one kind that are shown
STYLES = {"error": "bold red", "warning": "yellow"}


def lines(view: View, found: Sequence[Finding], runbooks: str) -> list[tuple[str, str]]:
    """A sweep and its findings, line by line with a style; those of one kind stand together."""
    sweep = view.sweep
    seen = f"Jenkins {sweep.version}, {_counted(view)}" if sweep.version else "no answer"
    made = [("bold", f"{sweep.url}  {seen}, looked at in {sweep.seconds:.1f} s")]
    for (condition, level, page), group in groupby(found, key=lambda each: (each.condition, each.level, each.page)):
        same = list(group)
        made.append((STYLES[level], f"  {level:7}  {condition}{f' ({len(same)})' if len(same) > 1 else ''}: see {address(runbooks, page)}"))
        made += [("", f"           {each.words}{f'  [{each.owner}]' if each.owner else ''}") for each in same[:MOST]]
        if len(same) > MOST:
            made.append(("dim", f"           and {len(same) - MOST} more (--json has them all)"))
    if not found:
        made.append(("green", "  nothing is wrong"))
    return made


def _counted(view: View) -> str:
    sweep = view.sweep
    counts = (
        ("jobs", None if sweep.jobs is None else len(sweep.jobs)),
        ("nodes", None if sweep.nodes is None else len(sweep.nodes)),
        ("waiting", None if sweep.queue is None else len(sweep.queue)),
    )
    return ", ".join(f"{'?' if count is None else count} {name}" for name, count in counts)
