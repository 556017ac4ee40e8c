"""The store's connection: one for the threads of a process, its transactions, its faults named.

Every write begins with ``BEGIN IMMEDIATE``: a transaction that reads first and writes later is
refused as soon as two processes do it. A damaged file is put aside under another name, never
deleted, and the error says so; the next use begins a new one.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from plivo_analysis.errors import StoreError
from plivo_analysis.storage.folder import prepare, put_aside
from plivo_analysis.storage.opening import RefusedError, open_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_FAULTS = (sqlite3.Error, UnicodeError)  # the second where a damaged text is read
_NO_TEXT = "Could not decode"
_PRIMARY = 0xFF  # SQLite's extended codes hold the primary one in their last byte


class Database:
    """One connection, shared by the threads of a process through a lock.

    Args:
        folder: Where the file lies; ``None`` keeps everything in memory.

    Raises:
        StoreError: It cannot be opened; the message says why and what to do.
    """

    def __init__(self, folder: Path | None) -> None:
        self.path = None if folder is None else prepare(folder)
        self.journal = ""
        self._folder = folder
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._connected()

    def _connected(self) -> sqlite3.Connection:
        """The connection; a new one where a damaged file was put aside."""
        if self._connection is not None:
            return self._connection
        try:
            if self._folder is not None:
                prepare(self._folder)
            self._connection, self.journal = open_file(self.path)
        except RefusedError as error:
            reason = f"The store at {self.path} {error}"
        except _FAULTS as error:
            reason = self._explained(error)
        else:
            return self._connection
        raise StoreError(reason)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction: all of it is kept, or nothing."""
        with self._lock, self._transaction("BEGIN IMMEDIATE"):
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One state of the store for several questions, whatever others write meanwhile."""
        with self._lock:
            if self._connected().in_transaction:
                yield
                return
            with self._transaction("BEGIN"):
                yield

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        self._execute(begin)
        connection = self._connected()
        try:
            yield
            self._execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # a full disk has ended it already
                connection.rollback()
            raise

    def run(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Execute a statement and return all of its rows."""
        return self._execute(statement, values)[0]

    def insert(self, statement: str, values: Sequence[Any]) -> int:
        """Execute an insertion and return the new row's number."""
        return self._execute(statement, values)[1]

    def _execute(
        self, statement: str, values: Sequence[Any] = ()
    ) -> tuple[list[tuple[Any, ...]], int]:
        with self._lock:
            connection = self._connected()
            try:
                cursor = connection.execute(statement, values)
                return cursor.fetchall(), cursor.lastrowid or 0
            except _FAULTS as error:
                reason = self._explained(error)
        raise StoreError(reason)

    def damaged(self, reason: str) -> StoreError:
        """Put the file aside since it cannot be what was written; the error that says so."""
        return StoreError(self._put_aside(reason))

    def _explained(self, error: Exception) -> str:
        """What a fault of SQLite means for the user; a damaged file is put aside."""
        code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
        if code in _DAMAGE:
            return self._put_aside(str(error))
        if isinstance(error, UnicodeError) or str(error).startswith(
            _NO_TEXT
        ):  # and goes on to show the text, numbers and all
            return self._put_aside("a text in it is none")
        place = self.path or "memory"
        if code == sqlite3.SQLITE_FULL:
            return (
                f"There is no room for the store at {place} ({error}). What was committed is "
                "safe; make room, then call again."
            )
        return (
            f"The store at {place} failed ({error}). What was committed is safe; repair the "
            "disk, or give another folder: Client(store=...), then call again."
        )

    def _put_aside(self, reason: str) -> str:
        with self._lock, suppress(sqlite3.Error):
            if self._connection is not None:
                self._connection.close()
        self._connection = None
        if self.path is None:
            return f"The store in memory is damaged ({reason}). Call again: it begins anew."
        aside = put_aside(self.path)
        return (
            f"The store at {self.path} is damaged ({reason}). It was put aside as {aside.name}; "
            "nothing was deleted. Call again: a new store begins, and reads from the server what "
            "it still has, the last 90 days."
        )

    def scour(self) -> None:
        """Leave nothing of what was deleted in the file, nor in its write-ahead log.

        Raises:
            StoreError: Another process is reading.
        """
        with self._lock:
            self._execute("VACUUM")
            busy = self._execute("PRAGMA wal_checkpoint(TRUNCATE)")[0][0][0]
        if busy:
            raise StoreError(
                f"Another program reads the store at {self.path}, so that what was removed may "
                "still be in its log. Close it and give the same command again."
            )

    def close(self) -> None:
        """Close the connection; a second call does nothing."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
