"""What ``cibus agents`` shows while it works, and its tables."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from cibus.agents.nodexml import joined_labels
from cibus.agents.play import Output, TaskDone
from cibus.agents.work import Began, Ended, Event, Outcome, Said, Told

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from cibus.agents.findings import Finding
    from cibus.agents.overview import Row

LEVELS = {"error": "red", "warning": "yellow", "unknown": "cyan", "fine": "green"}
MARKS = {"error": "✗", "warning": "!", "unknown": "?", "fine": "✓"}
RESULTS = {"ok": "green", "look": "yellow", "failed": "red"}


class Lines:
    """Tells of events line by line: for logs, and where there is no terminal."""

    def __init__(self, console: Console, *, verbose: bool, several: bool) -> None:
        self._console = console
        self._verbose = verbose
        self._several = several
        self._lock = threading.Lock()

    def tell(self, event: Event) -> None:
        """Prints what is worth a line."""
        line = _line(event, verbose=self._verbose)
        if line is not None:
            style, agent, text = line
            from rich.text import Text

            # a reader of the pipe that went away (rich then exits), or a terminal that was closed, must not end the work
            with self._lock, suppress(OSError, SystemExit):
                self._console.print(Text(f"{f'{agent}  ' if self._several and agent else ''}{text}", style=style))


def _line(event: Event, *, verbose: bool) -> tuple[str, str, str] | None:
    """A style, an agent and a text, or None."""
    if isinstance(event, Output):
        return ("", "", event.text) if verbose else None
    if isinstance(event, Ended):
        mark = "✓" if event.well else "✗"
        time = f" ({event.seconds:.1f} s)" if event.seconds >= 0.05 else ""
        return ("green" if event.well else "red bold"), event.agent, f"{mark} {event.step}{time}{': ' if event.words else ''}{event.words}"
    if isinstance(event, Said):
        return "dim", event.agent, f"  {event.words}"
    if isinstance(event, TaskDone) and not verbose:
        if event.status == "changed":
            return "yellow", event.host, f"  {event.role}: {event.task}"
        if event.status in ("failed", "unreachable"):
            return "red", event.host, f"  {event.role}: {event.task}: {event.words}"
    return None


class Board:
    """A table on the terminal, an agent a line: its step, its role, its task, how much was changed."""

    def __init__(self, agents: Sequence[str]) -> None:
        self._state: dict[str, dict[str, Any]] = {name: {"step": "", "role": "", "task": "", "changed": 0, "style": ""} for name in agents}
        self._lock = threading.Lock()

    def take(self, event: Event) -> None:
        """Takes an event in."""
        with self._lock:
            name = getattr(event, "agent", "") or getattr(event, "host", "")
            state = self._state.get(name)
            if state is None:
                return
            if isinstance(event, Began):
                state.update(step=event.step, role="", task="")
            elif isinstance(event, Ended):
                state.update(task=event.words[:80], style="" if event.well else "red")
            elif isinstance(event, Said):
                state.update(task=event.words[:80])
            elif isinstance(event, TaskDone):
                state.update(role=event.role, task=event.task)
                state["changed"] += event.status == "changed"

    def __rich__(self) -> Table:
        """The table as it is now."""
        from rich.table import Table

        table = Table(box=None, pad_edge=False)
        for name in ("agent", "step", "role", "changed", "now"):
            table.add_column(name, style="bold" if name == "agent" else "", no_wrap=True, justify="right" if name == "changed" else "left")
        with self._lock:
            for agent, state in self._state.items():
                table.add_row(agent, state["step"], state["role"], str(state["changed"] or ""), state["task"], style=state["style"])
        return table


@contextmanager
def told(agents: Sequence[str], *, verbose: bool, as_json: bool) -> Iterator[Told]:
    """Shows events: a live table on a terminal, else lines; with JSON on standard output, lines go to standard error."""
    from rich.console import Console

    console = Console(stderr=as_json, highlight=False, soft_wrap=True)
    lines = Lines(console, verbose=verbose, several=len(agents) > 1)
    if not console.is_terminal or verbose:
        yield lines.tell
        return
    from rich.live import Live

    board = Board(agents)
    with Live(board, console=console, refresh_per_second=8, transient=True):

        def tell(event: Event) -> None:
            board.take(event)
            if isinstance(event, Ended):
                lines.tell(event)

        yield tell


def outcome_lines(outcomes: Iterable[Outcome]) -> Iterator[tuple[str, str]]:
    """How it ended, agent by agent."""
    for outcome in outcomes:
        name = outcome.spec.name
        changed = f", {outcome.first.total} changes" if outcome.first else ""
        if outcome.failed:
            yield "red bold", f"{name}: failed at {outcome.failed} after {outcome.seconds:.0f} s: {outcome.words}"
            state = "it stays offline, with the reason on the controller" if outcome.marked else "nothing of this is said on the controller: see there whether it is online"
            yield "", f"  {state}; correct that, then go on: cibus agents rebuild {shlex.quote(name)}"
            continue
        second = ", the second pass changed nothing" if outcome.second is not None else ""
        yield RESULTS[outcome.result], f"{name}: rebuilt in {outcome.seconds:.0f} s{changed}{second}; online"
        yield from finding_lines((each for each in outcome.findings if each.level != "fine"), named=False)


def finding_lines(found: Iterable[Finding], *, named: bool) -> Iterator[tuple[str, str]]:
    """Findings, each with its runbook."""
    for each in found:
        where = f"{each.agent}  " if named else ""
        page = f"  → runbooks/{each.runbook}.md" if each.runbook else ""
        yield LEVELS[each.level], f"  {MARKS[each.level]} {where}{each.check}: {each.words}{page}"


def role_lines(outcomes: Iterable[Outcome]) -> Iterator[tuple[str, str]]:
    """The time of each role, for those who ask."""
    for outcome in outcomes:
        if outcome.first is not None:
            parts = ", ".join(f"{role} {seconds:.1f} s" for role, seconds in outcome.first.roles.items())
            yield "dim", f"{outcome.spec.name}: {parts}"


def overview_lines(rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """A table of agents, with what differs below each."""
    cells = [("agent", "configured", "controller", "ssh", "labels", "owner")]
    cells += [_cells(row) for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    yield "bold", shown[0]
    for row, text in zip(rows, shown[1:], strict=True):
        yield ("green" if row.same else "yellow"), text
        for each in row.drift:
            yield "yellow", f"    {each}"
        if row.reachable not in ("", "yes"):
            yield "red", f"    {row.reachable}"


def _cells(row: Row) -> tuple[str, str, str, str, str, str]:
    spec, computer = row.spec, row.computer
    configured = "no" if spec is None else spec.host.shown if spec.address else "no host"
    state = "not there" if computer is None else computer.state + (f": {computer.reason}"[:40] if computer.away else "")
    ssh = {"": "", "yes": "yes"}.get(row.reachable, "no")
    labels = spec.labels if spec else computer.labels if computer else ()
    return row.name, configured, state, ssh, joined_labels(labels), spec.owner if spec else ""


def row_data(row: Row) -> Mapping[str, Any]:
    """A row as JSON."""
    return {
        "name": row.name,
        "configured": row.spec is not None,
        "host": row.spec.host.shown if row.spec and row.spec.address else "",
        "owner": row.spec.owner if row.spec else "",
        "labels": list(row.spec.labels if row.spec else row.computer.labels if row.computer else ()),
        "controller": row.computer.state if row.computer else "not there",
        "reason": row.computer.reason if row.computer else "",
        "reachable": row.reachable,
        "differences": list(row.drift),
    }
