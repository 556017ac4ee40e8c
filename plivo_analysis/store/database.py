"""The store's file: where it lies, who may read it, its tables and their version.

SQLite in WAL mode: a page is durable in about a millisecond, several notebooks may read and
write at once, and a killed process loses nothing. Directories are 0700 and files 0600, for
they hold telephone numbers. Every write begins with ``BEGIN IMMEDIATE``: a transaction that
reads first and writes later is refused as soon as two processes do it.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from plivo_analysis.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

VERSION = 1
FILE_NAME = "store.sqlite"

_BUSY_SECONDS = 30.0
_TABLES = """
CREATE TABLE page (
    id INTEGER PRIMARY KEY,
    resource TEXT NOT NULL,
    query TEXT NOT NULL,
    body BLOB NOT NULL,
    read_at INTEGER NOT NULL
) STRICT;
CREATE TABLE record (
    resource TEXT NOT NULL,
    key TEXT NOT NULL,
    instant INTEGER NOT NULL,
    open INTEGER NOT NULL,
    final_at INTEGER NOT NULL,
    raw TEXT NOT NULL,
    page INTEGER NOT NULL,
    read_at INTEGER NOT NULL,
    PRIMARY KEY (resource, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_by_instant ON record (resource, instant);
CREATE INDEX record_not_final ON record (resource, instant) WHERE final_at > 0;
CREATE TABLE history (
    resource TEXT NOT NULL,
    key TEXT NOT NULL,
    raw TEXT NOT NULL,
    page INTEGER NOT NULL,
    read_at INTEGER NOT NULL
) STRICT;
CREATE INDEX history_by_key ON history (resource, key);
CREATE TABLE note (
    resource TEXT NOT NULL,
    key TEXT NOT NULL,
    instant INTEGER,
    code TEXT NOT NULL,
    path TEXT NOT NULL,
    value TEXT NOT NULL,
    read_at INTEGER NOT NULL,
    PRIMARY KEY (resource, key, code, path)
) STRICT, WITHOUT ROWID;
CREATE TABLE set_aside (
    resource TEXT NOT NULL,
    key TEXT NOT NULL,
    raw TEXT NOT NULL,
    page INTEGER NOT NULL,
    read_at INTEGER NOT NULL,
    PRIMARY KEY (resource, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE member (
    resource TEXT NOT NULL,
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (resource, scope, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE complete (
    resource TEXT NOT NULL,
    scope TEXT NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    read_at INTEGER NOT NULL,
    flags TEXT NOT NULL
) STRICT;
CREATE INDEX complete_by_scope ON complete (resource, scope, start);
CREATE TABLE bookmark (
    resource TEXT NOT NULL,
    scope TEXT NOT NULL,
    "end" INTEGER NOT NULL,
    reached INTEGER NOT NULL,
    anchor TEXT NOT NULL,
    PRIMARY KEY (resource, scope, "end")
) STRICT, WITHOUT ROWID;
CREATE TABLE fact (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""


class Database:
    """One connection, shared by the threads of a process through a lock.

    Args:
        folder: Where the file lies; ``None`` keeps everything in memory.
    """

    def __init__(self, folder: Path | None) -> None:
        self.path = None if folder is None else folder / FILE_NAME
        self._lock = threading.RLock()
        if folder is not None:
            _prepare(folder)
        try:
            self._connection = sqlite3.connect(
                ":memory:" if self.path is None else self.path,
                timeout=_BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            self._set_up()
        except sqlite3.Error as error:
            reason = str(error)
        else:
            return
        raise StoreError(
            f"The store at {self.path} cannot be opened ({reason}). Move the file away and load "
            "again, or give another folder: Client(store=...)."
        )

    def _set_up(self) -> None:
        self._connection.execute("PRAGMA trusted_schema=OFF")
        self._connection.execute("PRAGMA secure_delete=ON")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        if self.path is not None:
            self._connection.execute("PRAGMA journal_mode=WAL")
        with self.writing():
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            if version == 0:
                for statement in _TABLES.split(";\n"):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version={VERSION}")
        if version > VERSION:
            self._connection.close()
            raise StoreError(
                f"The store at {self.path} was written by a newer release (its form is {version}, "
                f"this release knows {VERSION}). Upgrade plivo_analysis, or give another folder."
            )

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction: all of it is kept, or nothing."""
        with self._lock:
            self._execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.rollback()
                raise
            self._execute("COMMIT")

    def run(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Execute a statement and return all of its rows."""
        with self._lock:
            return self._execute(statement, values).fetchall()

    def insert(self, statement: str, values: Sequence[Any]) -> int:
        """Execute an insertion and return the new row's number."""
        with self._lock:
            return self._execute(statement, values).lastrowid or 0

    def _execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        try:
            return self._connection.execute(statement, values)
        except sqlite3.Error as error:
            reason = str(error)
        raise StoreError(
            f"The store at {self.path or 'memory'} failed ({reason}). What was committed is safe; "
            "make room or repair the disk, then call again."
        )

    def close(self) -> None:
        """Close the connection; a second call does nothing."""
        with self._lock:
            self._connection.close()


def _prepare(folder: Path) -> None:
    """Make the folder and an empty file that only the user can read."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_strangers(folder)
        path = folder / FILE_NAME
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        path.chmod(0o600)
    except OSError as error:
        reason = error.strerror
    else:
        return
    raise StoreError(
        f"The store's folder {folder} cannot be used ({reason}). Give another: Client(store=...), "
        "or store=False to keep nothing."
    )


def _refuse_strangers(folder: Path) -> None:
    if os.name != "posix":
        return
    status = folder.stat()
    if status.st_uid != os.getuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise StoreError(
            f"The store's folder {folder} can be written by others. Make it yours alone "
            "(chmod 700), or give another: Client(store=...)."
        )
