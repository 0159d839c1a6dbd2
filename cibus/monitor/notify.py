"""What to tell about findings, and when. Pure: from the time, what is open and what was told, to a message and what is told then.

Each finding is told once, when it has lasted ``delay`` seconds; again after ``repeat`` hours, and when it becomes an
error; and when it is over, which it is when two sweeps in a row do not see it. All that is due goes into one message.
In quiet hours it waits: what is still true at their end is told then.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, tzinfo
from typing import Literal

from cibus.config import NotifyConfig
from cibus.monitor.findings import RANKS, Finding, Level, ranked
from cibus.runbooks import files

HOUR = 3600.0
MOST_LINES = 20
LONGEST_LINE = 300
GONE = 2  # sweeps in a row without it
Kind = Literal["failure", "warning", "success"]


@dataclass(frozen=True)
class Open:
    """A finding that is there now; ``since``: seconds since 1970."""

    finding: Finding
    since: float


@dataclass(frozen=True)
class Told:
    """What was told of a finding.

    Arguments:
        level: the worst that was told
        since: since when it is open
        at: when it was told last
        missing: how many sweeps in a row have not seen it
    """

    condition: str
    subject: str
    level: Level
    since: float
    at: float
    missing: int = 0


@dataclass(frozen=True)
class State:
    """What was told and is not over, by the finding's key."""

    told: Mapping[str, Told] = field(default_factory=dict)

    def to_text(self) -> str:
        """To be kept over restarts."""
        return json.dumps({key: asdict(each) for key, each in self.told.items()})

    @classmethod
    def of_text(cls, text: str) -> State:
        """What was kept; nothing where that cannot be read: then what is open is told once more."""
        try:
            return cls({str(key): Told(**each) for key, each in json.loads(text or "{}").items()})
        except (ValueError, TypeError, AttributeError):
            return cls()


@dataclass(frozen=True)
class Message:
    """One message; ``kind`` is apprise's type."""

    title: str
    body: str
    kind: Kind


def decide(
    now: float, found: Iterable[Open], state: State, config: NotifyConfig, *, zone: tzinfo | None = None, partial: bool = False, name: str = "CI"
) -> tuple[list[Message], State]:
    """The message that is due, if any, and what is told once it is delivered. Where it is not, keep the old state.

    Arguments:
        now: seconds since 1970
        zone: whose clock the quiet hours go by; None: this machine's
        partial: not everything could be looked at: what is missing is not taken to be over
        name: whose message it is, for the title
    """
    here = {each.finding.key: each for each in found if RANKS[each.finding.level] <= RANKS[config.least]}
    quiet = is_quiet(now, config.quiet, zone)
    due: list[tuple[str, Open]] = []
    over: list[Told] = []
    told: dict[str, Told] = {}
    for key, each in here.items():
        before = state.told.get(key)
        why = _why(now, each, before, config)
        if why and not _held(quiet, each.finding.level, config):
            due.append((why, each))
            worst = min((each.finding.level, before.level if before else each.finding.level), key=RANKS.__getitem__)
            told[key] = Told(each.finding.condition, each.finding.subject, worst, before.since if before else each.since, now)
        elif before is not None:
            told[key] = replace(before, missing=0)
    for key, before in state.told.items():
        if key in here:
            continue
        gone = before if partial else replace(before, missing=min(before.missing + 1, GONE))
        if gone.missing >= GONE and not _held(quiet, gone.level, config):
            over.append(gone)
        else:
            told[key] = gone
    return ([_message(now, due, over, config, name)] if due or over else []), State(told)


def _why(now: float, each: Open, before: Told | None, config: NotifyConfig) -> str:
    """Why a finding is to be told now: new, worse or still; "" where it is not."""
    if before is None:
        return "new" if now - each.since >= config.delay else ""
    if RANKS[each.finding.level] < RANKS[before.level]:
        return "worse"
    return "still" if now - before.at >= config.repeat * HOUR else ""


def _held(quiet: bool, level: Level, config: NotifyConfig) -> bool:
    return quiet and not (config.quiet_least == "error" and level == "error")


def is_quiet(now: float, hours: str, zone: tzinfo | None = None) -> bool:
    """Whether it is quiet by the clock on the wall, whatever that did in the night: from the first time up to the second.

    Arguments:
        hours: as 22:00-07:00; empty: never
    """
    if not hours:
        return False
    begin, end = hours.split("-")
    clock = datetime.fromtimestamp(now, zone).strftime("%H:%M")
    return begin <= clock < end if begin < end else clock >= begin or clock < end


# -- words


def _message(now: float, due: Sequence[tuple[str, Open]], over: Sequence[Told], config: NotifyConfig, name: str) -> Message:
    order = {each.key: number for number, each in enumerate(ranked(each.finding for _, each in due))}
    lines = [_line(now, why, each, config) for why, each in sorted(due, key=lambda pair: order[pair[1].finding.key])]
    lines += [_clean(f"OVER {each.condition}: {each.subject} (after {_span(now - each.since)})") for each in over]
    more = len(lines) - MOST_LINES
    shown = [*lines[:MOST_LINES], f"… and {more} more"] if more > 0 else lines
    counts = [(sum(each.finding.level == level for _, each in due), level) for level in ("error", "warning")]
    parts = [f"{count} {word}{'s' if count != 1 else ''}" for count, word in counts if count] + ([f"{len(over)} over"] if over else [])
    kind: Kind = "failure" if counts[0][0] else "warning" if due else "success"
    return Message(_clean(f"{name}: {', '.join(parts)}"), "\n".join(shown), kind)


def _line(now: float, why: str, each: Open, config: NotifyConfig) -> str:
    finding = each.finding
    since = f" (for {_span(now - each.since)})" if why == "still" else ""
    owner = f" – owner {finding.owner}" if finding.owner else ""
    page = _clean(files.address(config.runbooks, finding.runbook) if config.runbooks and finding.runbook else finding.runbook)
    text = _clean(f"{finding.level.upper()}{'' if why == 'new' else f', {why}'} {finding.condition}: {finding.subject}: {finding.words}{owner}{since}")
    return f"{text} – {page}" if page else text


def _clean(text: str) -> str:
    """One line of printable characters that is not too long: names and words come from other machines."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text[: 4 * LONGEST_LINE]).split())
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…"


def _span(seconds: float) -> str:
    minutes = max(int(seconds // 60), 0)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} days"
