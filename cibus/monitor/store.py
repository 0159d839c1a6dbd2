"""One SQLite file that survives kills, damage, full disks and other processes: opened, written to, set aside."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

APPLICATION = 0x63696273  # "cibs" in the file's header: https://sqlite.org/fileformat.html#application_id
MAGIC = b"SQLite format 3\0"
VERSION = 1
BUSY = 5.0  # seconds to wait for another process
MOST_WARNINGS = 20
PAGES = 64  # of 4 KiB: what may stay in the log of writes

SCHEMA = """
CREATE TABLE IF NOT EXISTS names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS samples (
    name INTEGER NOT NULL, at REAL NOT NULL, value REAL NOT NULL, peak REAL NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (name, at)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS probes (
    name TEXT NOT NULL, at REAL NOT NULL, tried INTEGER NOT NULL, good INTEGER NOT NULL, p95 REAL, data TEXT NOT NULL,
    runs INTEGER NOT NULL, PRIMARY KEY (name, at)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS findings (key TEXT PRIMARY KEY, since REAL NOT NULL, missing INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


class NewerFile(Exception):
    """The file was written by a newer cibus."""


class Foreign(Exception):
    """The file is a database, but not one of cibus."""


class Store:
    """The file, with everything that can go wrong with it.

    What cannot be done is said once in ``warnings``, one line each, and left out: monitoring goes on.
    Threads may share it; processes may share the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.warnings: list[str] = []
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._inode: tuple[int, int] | None = None

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                with contextlib.suppress(sqlite3.Error):
                    connection.close()

    def warn(self, text: str) -> None:
        """Notes what is to be said to the user, once."""
        if text not in self.warnings and len(self.warnings) < MOST_WARNINGS:
            self.warnings.append(text)

    def read(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """What the work reads, or otherwise where the file cannot be read."""
        return self._do(work, otherwise, writing=False)

    def write(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Does the work in one transaction: all of it, or nothing and otherwise."""
        return self._do(work, otherwise, writing=True)

    def _do(self, work: Callable[[sqlite3.Connection], T], otherwise: T, *, writing: bool) -> T:
        with self._lock:
            for _ in range(2):  # once more with a new file, where this one turns out to be damaged
                try:
                    connection = self._open()
                    with _transaction(connection) if writing else contextlib.nullcontext():
                        return work(connection)
                except NewerFile:
                    self.warn(f"{self.path}: was written by a newer cibus: update this one; until then no history is kept")
                    return otherwise
                except (sqlite3.Error, Foreign, UnicodeDecodeError, OSError) as error:
                    if not _damaged(error):
                        self.warn(_words(self.path, error))
                        return otherwise
                    self._set_aside("is not a history of cibus" if isinstance(error, Foreign) else "is damaged")
            return otherwise

    def _open(self) -> sqlite3.Connection:
        """The connection, made anew where the file was moved or removed."""
        if self._connection is not None and _inode(self.path) == self._inode:
            return self._connection
        self.close()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.is_file():
            with self.path.open("rb") as file:
                if file.read(len(MAGIC)) not in (MAGIC, b""):  # SQLite itself takes a file below 512 bytes for an empty one
                    raise Foreign
        connection = sqlite3.connect(self.path, timeout=BUSY, isolation_level=None, check_same_thread=False)
        try:
            _prepare(connection)
        except BaseException:
            connection.close()
            raise
        with contextlib.suppress(OSError):
            self.path.chmod(0o600)
        self._connection, self._inode = connection, _inode(self.path)
        return connection

    def _set_aside(self, why: str) -> None:
        """Renames the file, so that nothing in it is lost and a new one can be begun."""
        had = self._inode if self._connection is not None else None
        self.close()
        if had is not None and _inode(self.path) != had:
            return  # another process was faster
        aside = _free(self.path)
        try:
            self.path.replace(aside)
            for end in ("-wal", "-shm"):
                with contextlib.suppress(FileNotFoundError):
                    Path(f"{self.path}{end}").replace(f"{aside}{end}")
        except OSError as error:
            self.warn(f"{self.path}: {why}, and cannot be renamed: {error.strerror}; remove it")
            return
        self.warn(f"{self.path}: {why}; it is now {aside.name}, and a new history begins")


def _prepare(connection: sqlite3.Connection) -> None:
    """Checks whose file it is, and makes the tables of a new one."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    owner = int(connection.execute("PRAGMA application_id").fetchone()[0])
    empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if owner != APPLICATION and not (empty and owner == 0):
        raise Foreign
    if version > VERSION:
        raise NewerFile
    if version == 0:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")  # enough where a process dies; https://sqlite.org/pragma.html#pragma_synchronous
    connection.execute(f"PRAGMA wal_autocheckpoint = {PAGES}")
    connection.execute(f"PRAGMA journal_size_limit = {PAGES * 4096}")
    if version == 0:
        with _transaction(connection):
            for statement in SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {VERSION}")


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        raise


def _damaged(error: Exception) -> bool:
    """Whether the file is at fault, not the disk or another process."""
    if isinstance(error, (Foreign, UnicodeDecodeError)):
        return True
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or "no such " in str(error) or "malformed" in str(error)
    return isinstance(error, sqlite3.OperationalError) and "Could not decode" in str(error)


def _words(path: Path, error: Exception) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    what = {
        sqlite3.SQLITE_FULL: "the disk is full: free some space",
        sqlite3.SQLITE_BUSY: "another process keeps it locked",
        sqlite3.SQLITE_READONLY: "it may not be written: see to its owner and mode",
        sqlite3.SQLITE_CANTOPEN: "it cannot be opened: see to its folder",
    }.get(code) or (error.strerror if isinstance(error, OSError) else "") or str(error)
    return f"{path}: {what}; until then monitoring goes on without its history"


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - the plain call, for each sweep
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _free(path: Path) -> Path:
    """A name beside that is not taken."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    for number in range(1000):
        candidate = path.with_name(f"{path.name}.aside-{stamp}{f'-{number}' if number else ''}")
        if not candidate.exists():
            return candidate
    return candidate
