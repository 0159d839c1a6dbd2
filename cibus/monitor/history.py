"""The short history: what the sweeps and the probes measured, and since when a finding is open.

Bound: each name keeps one row a sweep for 7 days and one an hour after that, so at one sweep a minute and 35 days at
most 7*1440 + 28*24 = 10,752 rows; names beyond 2,000 are not kept. Probes are kept in the same way.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from cibus.folders import state_home
from cibus.monitor.results import ProbeResult, Times
from cibus.monitor.store import Store

DAY = 86400.0
HOUR = 3600.0
RAW_DAYS = 7
KEEP_DAYS = 35
MOST_NAMES = 2000
LONGEST_NAME = 300
GONE = 2  # sweeps in a row that do not see a finding, until it is over


def history_path(controller: str) -> Path:
    """The file of a controller's history, in the user's state folder."""
    return state_home() / "monitor" / f"{quote(controller or 'default', safe='')[:200]}.sqlite"


class History:
    """The history of one controller; a context manager.

    What is wrong with its file never stops the monitoring: it is one line in ``warnings``.
    """

    def __init__(self, path: Path) -> None:
        self._store = Store(path)
        self._since: dict[str, float] = {}  # what is open, where the file cannot be written
        self._state: dict[str, str] = {}  # what could not be written

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._store.close()

    @property
    def path(self) -> Path:
        """The file."""
        return self._store.path

    @property
    def warnings(self) -> list[str]:
        """What was wrong with the file so far, one line each."""
        return self._store.warnings

    # -- sweeps

    def add(self, when: float, values: Mapping[str, float]) -> bool:
        """Keeps a sweep, all of it or nothing; figures that are not finite are left out.

        Arguments:
            when: seconds since 1970
            values: by name, e.g. ``queue_length`` or ``busy{label="linux"}``

        Returns: whether it is kept.
        """
        finite = {name: float(value) for name, value in values.items() if math.isfinite(value) and 0 < len(name) <= LONGEST_NAME}

        def work(file: sqlite3.Connection) -> bool:
            ids = self._ids(file, finite)
            rows = [(ids[name], when, value, value) for name, value in finite.items() if name in ids]
            file.executemany("INSERT OR REPLACE INTO samples VALUES (?, ?, ?, ?, 1)", rows)
            _set(file, "last_sweep", repr(when))
            return True

        return self._store.write(work, False)

    def _ids(self, file: sqlite3.Connection, names: Iterable[str]) -> dict[str, int]:
        known: dict[str, int] = dict(file.execute("SELECT name, id FROM names"))
        for name in names:
            if name in known:
                continue
            if len(known) >= MOST_NAMES:
                self._store.warn(f"{self.path}: {MOST_NAMES} names are kept; further ones, as {name}, are not")
                break
            cursor = file.execute("INSERT INTO names (name) VALUES (?)", (name,))
            known[name] = int(cursor.lastrowid or 0)
        return known

    def names(self) -> list[str]:
        """All names of which there are figures."""
        return self._store.read(lambda file: [name for (name,) in file.execute("SELECT name FROM names ORDER BY name")], [])

    def series(self, name: str, since: float, until: float | None = None, points: int = 300, *, peak: bool = False) -> list[tuple[float, float]]:
        """The figures of a name over time, at most ``points`` of them: where there are more, the means of equal spans.

        Arguments:
            until: None: up to the last
            peak: the largest of each span instead of the mean
        """
        of = "max(peak)" if peak else "sum(value * count) / sum(count)"

        def work(file: sqlite3.Connection) -> list[tuple[float, float]]:
            found = file.execute("SELECT id FROM names WHERE name = ?", (name,)).fetchone()
            if found is None:
                return []
            where = (found[0], since, math.inf if until is None else until)
            first, last, count = file.execute("SELECT min(at), max(at), count(*) FROM samples WHERE name = ? AND at >= ? AND at <= ?", where).fetchone()
            if not count:
                return []
            if count <= points:
                return list(file.execute(f"SELECT at, {'peak' if peak else 'value'} FROM samples WHERE name = ? AND at >= ? AND at <= ? ORDER BY at", where))
            span = (last - first) / points
            spans = f"SELECT avg(at), {of} FROM samples WHERE name = ? AND at >= ? AND at <= ? GROUP BY min(CAST((at - ?) / ? AS INTEGER), ?) ORDER BY 1"
            return list(file.execute(spans, (*where, first, span, points - 1)))

        return self._store.read(work, [])

    def latest(self) -> tuple[float, dict[str, float]]:
        """When the last sweep was, and its figures; ``(0.0, {})`` where there was none."""

        def work(file: sqlite3.Connection) -> tuple[float, dict[str, float]]:
            when = _number(_get(file, "last_sweep"))
            rows = file.execute("SELECT names.name, value FROM names JOIN samples ON samples.name = names.id AND at = ?", (when,))
            return when, dict(rows)

        nothing: tuple[float, dict[str, float]] = (0.0, {})
        return self._store.read(work, nothing)

    # -- probes

    def add_probe(self, result: ProbeResult) -> bool:
        """Keeps a run of a probe; one without any outcome is not one. Returns whether it is kept."""
        if not result.tried:
            return False
        row = (result.name, result.started, result.tried, result.good, result.total.p95 if result.ok else None, json.dumps(asdict(result)))
        return self._store.write(lambda file: bool(file.execute("INSERT OR REPLACE INTO probes VALUES (?, ?, ?, ?, ?, ?, 1)", row).rowcount), False)

    def probe_results(self, name: str, since: float) -> list[ProbeResult]:
        """The runs of a probe, the oldest first.

        Those older than 7 days are one an hour: the counts are sums, the times those of its slowest run.
        """

        def work(file: sqlite3.Connection) -> list[ProbeResult]:
            rows = file.execute("SELECT data FROM probes WHERE name = ? AND at >= ? ORDER BY at", (name, since))
            return [result for (data,) in rows if (result := result_of(data)) is not None]

        return self._store.read(work, [])

    # -- what is open

    def note_findings(self, when: float, keys: Iterable[str], *, partial: bool = False) -> dict[str, float]:
        """Since when each of the findings is open, kept over restarts; one that a single sweep does not see is not over.

        Arguments:
            partial: not everything could be looked at, so that what is not among the keys is not taken to be over
        """
        now = set(keys)

        def work(file: sqlite3.Connection) -> dict[str, float]:
            kept: dict[str, float] = dict(file.execute("SELECT key, since FROM findings"))
            file.execute("UPDATE findings SET missing = missing + ?", (0 if partial else 1,))
            since = {key: min(kept.get(key, when), self._since.get(key, when)) for key in now}
            file.executemany("INSERT OR REPLACE INTO findings VALUES (?, ?, 0)", list(since.items()))
            file.execute("DELETE FROM findings WHERE missing >= ?", (GONE,))
            return since

        without = {key: self._since.get(key, when) for key in now}
        since = self._store.write(work, without)
        self._since = {**(self._since if partial else {}), **since}
        return since

    def get_state(self, key: str) -> str:
        """A text that was kept, e.g. what was told already; "" where there is none."""
        if key in self._state:
            return self._state[key]
        return self._store.read(lambda file: _get(file, f"state {key}"), "")

    def set_state(self, key: str, value: str) -> None:
        """Keeps a text over restarts."""
        if self._store.write(lambda file: _set(file, f"state {key}", value), False):
            self._state.pop(key, None)
        else:
            self._state[key] = value

    # -- growing old

    def prune(self, now: float, keep_days: int = KEEP_DAYS) -> None:
        """Forgets what is too old and rolls up what is older than 7 days to one row an hour; cheap when done often."""
        hour = math.floor((now - RAW_DAYS * DAY) / HOUR) * HOUR
        oldest = now - keep_days * DAY

        def work(file: sqlite3.Connection) -> None:
            begin = _number(_get(file, "rolled_until"))
            for table in ("samples", "probes"):
                file.execute(f"DELETE FROM {table} WHERE at < ?", (oldest,))
            if begin < hour:
                _roll_samples(file, begin, hour)
                _roll_probes(file, begin, hour)
                _set(file, "rolled_until", repr(hour))
            file.execute("DELETE FROM names WHERE NOT EXISTS (SELECT 1 FROM samples WHERE samples.name = names.id)")

        self._store.write(work, None)
        self._store.read(lambda file: [*file.execute("PRAGMA incremental_vacuum"), *file.execute("PRAGMA wal_checkpoint(PASSIVE)")], [])


def _roll_samples(file: sqlite3.Connection, begin: float, end: float) -> None:
    file.execute("DROP TABLE IF EXISTS temp.rolled")
    file.execute(
        "CREATE TEMP TABLE rolled AS SELECT name, CAST(at / 3600 AS INTEGER) * 3600.0 AS at, sum(value * count) / sum(count) AS value,"
        " max(peak) AS peak, sum(count) AS count FROM samples WHERE at >= ? AND at < ? GROUP BY 1, 2",
        (begin, end),
    )
    file.execute("DELETE FROM samples WHERE at >= ? AND at < ?", (begin, end))
    file.execute("INSERT OR REPLACE INTO samples SELECT name, at, value, peak, count FROM temp.rolled")
    file.execute("DROP TABLE temp.rolled")


def _roll_probes(file: sqlite3.Connection, begin: float, end: float) -> None:
    hours: dict[tuple[str, float], list[ProbeResult]] = {}
    for name, at, data in file.execute("SELECT name, at, data FROM probes WHERE at >= ? AND at < ? ORDER BY name, at", (begin, end)):
        if (result := result_of(data)) is not None:
            hours.setdefault((name, math.floor(at / HOUR) * HOUR), []).append(result)
    file.execute("DELETE FROM probes WHERE at >= ? AND at < ?", (begin, end))
    for (name, at), results in hours.items():
        one = merged(name, at, results)
        row = (name, at, one.tried, one.good, one.total.p95 if one.ok else None, json.dumps(asdict(one)), len(results))
        file.execute("INSERT OR REPLACE INTO probes VALUES (?, ?, ?, ?, ?, ?, ?)", row)


def merged(name: str, at: float, results: list[ProbeResult]) -> ProbeResult:
    """Runs of an hour as one: sums of the counts, the times of the slowest run, the first message."""

    def count(key: str) -> int:
        return sum(int(getattr(each, key)) for each in results)

    slowest = max(results, key=lambda each: each.total.p95)
    days = [each.certificate_days for each in results if each.certificate_days is not None]
    return ProbeResult(
        name, at, sum(each.seconds for each in results), count("tried"), count("ok"), count("timeouts"), count("refused"), count("wrong"),
        count("errors"), count("dropped"), next((each.message for each in results if each.message), ""),
        slowest.connect, slowest.total, slowest.held, min(days, default=None), any(each.interrupted for each in results), slowest.lag,
    )  # fmt: skip


def result_of(text: str) -> ProbeResult | None:
    """A result from what was kept of it; None where that cannot be read."""
    try:
        data: dict[str, Any] = json.loads(text)
        return ProbeResult(**{**data, **{key: Times(**data[key]) for key in ("connect", "total", "held", "lag")}})
    except (ValueError, TypeError, KeyError):
        return None


def _number(text: str) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0


def _get(file: sqlite3.Connection, key: str) -> str:
    found = file.execute("SELECT value FROM state WHERE key = ?", (key,)).fetchone()
    return str(found[0]) if found else ""


def _set(file: sqlite3.Connection, key: str, value: str) -> bool:
    file.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (key, value))
    return True
