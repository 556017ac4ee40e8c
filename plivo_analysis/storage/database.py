"""The store's connection: opened with little trust, shared by threads, its faults explained.

Every write begins with ``BEGIN IMMEDIATE``. A transaction that reads first and writes later is
refused ("database is locked") as soon as two processes do it, whatever the timeout, since each
would have to give up what it has read.

Somebody else may have put the file there, so its schema is not trusted: it may hold no triggers
and no views, and no function of ours is there for it to call.
"""

from __future__ import annotations

import functools
import hmac
import sqlite3
import threading
import time
import weakref
import zlib
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from plivo_analysis.errors import PlivoAnalysisError, StoreError
from plivo_analysis.storage import migrations
from plivo_analysis.storage.account_key import identify
from plivo_analysis.storage.folder import FILE_NAME, is_on_network, prepare, quarantine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

P = ParamSpec("P")
R = TypeVar("R")

BUSY_SECONDS = 60.0

_LONGEST = 64 * 2**20  # bytes of one value: no record comes near
_PAUSE_SECONDS = 0.02  # between two tries to open what others are opening too
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_FAULTS = (sqlite3.Error, UnicodeError)  # the second where a damaged text is read
_PRIMARY = 0xFF  # SQLite's extended codes hold the primary one in their last byte


def checksum(*values: object) -> int:
    """A checksum over the values of a row, which a flipped bit breaks.

    Example:
        >>> checksum("sessions", 1) == checksum("sessions", 2)
        False
    """
    return zlib.crc32("\0".join(map(str, values)).encode())


def shows_no_values(method: Callable[P, R]) -> Callable[P, R]:
    """Let errors leave a method without the frames below it.

    A notebook in verbose mode prints the variables of every frame of a traceback, and those of
    the store's frames are rows with telephone numbers. So the error is raised anew from here.
    """

    @functools.wraps(method)
    def shielded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except (PlivoAnalysisError, KeyboardInterrupt) as error:
            failure = error.with_traceback(None)
        del args, kwargs
        raise failure

    return shielded


class Database:
    """One connection, shared by the threads of a process through a lock.

    Args:
        folder: Where the file lies; ``None`` keeps everything in memory.
        account: Whose it must be; empty for anybody's.

    Raises:
        StoreError: It cannot be opened; the message says why and what to do.
    """

    def __init__(self, folder: Path | None, account: str = "") -> None:
        self.path = None if folder is None else folder / FILE_NAME
        self.journal = ""  # how transactions are kept: wal, delete or memory
        self.key = b""  # under which filters, forgotten numbers and pseudonyms are hashed
        self._folder = folder
        self._account = account
        self._inode = 0
        self._lock = threading.RLock()  # a transaction asks its questions under it
        self._connection: sqlite3.Connection | None = None
        self._connected()

    def _connected(self) -> sqlite3.Connection:
        """The connection; a new one where a damaged file was quarantined."""
        if self._connection is not None:
            return self._connection
        try:
            if self._folder is not None:
                # Made anew where the file was quarantined. By its inode a file is known to be
                # the one that this connection opened, see `_quarantined`.
                self._inode = prepare(self._folder).stat().st_ino
            connection, self.journal = _open(self.path)
            try:
                self.key = identify(connection, self._folder, self._account)
            except BaseException:
                connection.close()
                raise
        except _FAULTS as error:
            reason = self._explained(error)
        else:
            self._connection = connection
            # A client that nobody closed: Python warns of a connection that it has to close itself.
            weakref.finalize(self, connection.close)
            return connection
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
            if self._connected().in_transaction:  # which sees one state already
                yield
                return
            with self._transaction("BEGIN"):
                yield

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        self.run(begin)
        connection = self._connected()
        try:
            yield
            self.run("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # a full disk has ended it already
                connection.rollback()
            raise

    def run(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Execute a statement and return all of its rows."""
        return self._execute(lambda to: to.execute(statement, values).fetchall())

    def run_many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Execute a statement that returns nothing once for each row of values."""
        if rows:
            self._execute(lambda to: to.executemany(statement, rows))

    def _execute(self, ask: Callable[[sqlite3.Connection], R]) -> R:
        with self._lock:
            try:
                return ask(self._connected())
            except _FAULTS as error:
                reason = self._explained(error)
        raise StoreError(reason)

    def hashed(self, scope: str) -> str:
        """A filter's scope as it is kept: its keyed hash, since it may hold numbers."""
        return hmac.digest(self.key, scope.encode(), "sha256").hex() if scope else ""

    def damaged(self, reason: str) -> StoreError:
        """Quarantine the file, which is not what was written; the error that says so."""
        return StoreError(self._quarantined(reason))

    def _explained(self, error: Exception) -> str:
        """What a fault of SQLite means for the user; a damaged file is quarantined."""
        code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
        if code in _DAMAGE:
            return self._quarantined(str(error))
        if isinstance(error, UnicodeError) or str(error).startswith("Could not decode"):
            return self._quarantined("a text in it is none")  # SQLite's message shows the text
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

    def _quarantined(self, reason: str) -> str:
        with self._lock, suppress(sqlite3.Error):
            if self._connection is not None:
                self._connection.close()
        self._connection = None
        if self.path is None:
            return f"The store in memory is damaged ({reason}). Call again: it begins anew."
        message = f"The store at {self.path} is damaged ({reason}). It was quarantined"
        # Another process may have met the damage first, and begun a new store under the name:
        # that one is whole, and must not be moved away.
        if self.path.exists() and self.path.stat().st_ino == self._inode:
            message += f" as {quarantine(self.path).name}"
        return (
            f"{message}; nothing was deleted. Call again: a new store begins, and reads from the "
            "server what it still has, the last 90 days."
        )

    def secure_vacuum(self) -> None:
        """Leave nothing of what was deleted in the file, nor in its write-ahead log.

        ``secure_delete`` overwrites a deleted row, but not the copies that stay where rows were
        moved within a page; only a file written anew is free of them. The log holds pages as
        they were until it is cut off.

        Raises:
            StoreError: Another process is reading.
        """
        with self._lock:
            self.run("VACUUM")
            busy = self.run("PRAGMA wal_checkpoint(TRUNCATE)")[0][0]
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


def _open(path: Path | None) -> tuple[sqlite3.Connection, str]:
    """The connection to a file in the present form, and its journal mode.

    Changing the journal's mode does not wait for others by itself, hence the loop.
    """
    last = time.monotonic() + BUSY_SECONDS
    while True:
        connection = _connect(path)
        try:
            return connection, _set_up(connection, path)
        except sqlite3.OperationalError as error:
            connection.close()
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > last:
                raise
        except BaseException:
            connection.close()
            raise
        time.sleep(_PAUSE_SECONDS)


def _connect(path: Path | None) -> sqlite3.Connection:
    return sqlite3.connect(
        ":memory:" if path is None else path,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )


def _set_up(connection: sqlite3.Connection, path: Path | None) -> str:
    for setting in ("trusted_schema=OFF", "cell_size_check=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {setting}")
    connection.execute("PRAGMA temp_store=MEMORY")  # numbers reach no file but the store's
    # Rarer than by default, at 16 MB of the log: what many pages change is then written once.
    connection.execute("PRAGMA wal_autocheckpoint=4000")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
    # In one transaction: another process may make its tables between the two questions.
    connection.execute("BEGIN")
    _refuse_foreign(connection, path)
    connection.execute("COMMIT")
    journal = _set_journal(connection, shared=path is not None and is_on_network(path.parent))
    if migrations.form_of(connection) < len(migrations.FORMS):
        migrations.migrate(connection)
    return journal


def _refuse_foreign(connection: sqlite3.Connection, path: Path | None) -> None:
    """Refuse a newer release's file, and one that holds what this package never makes."""
    form, present = migrations.form_of(connection), len(migrations.FORMS)
    if form > present:
        raise StoreError(
            f"The store at {path} was written by a newer release (its form is {form}, this release "
            f"knows {present}). Upgrade plivo_analysis, or give another folder: "
            "Client(store=...)."
        )
    kinds = connection.execute("SELECT type, name FROM sqlite_schema").fetchall()
    strange = {name for kind, name in kinds if kind not in ("table", "index")}
    if form == present:
        strange |= migrations.TABLES - {name for kind, name in kinds if kind == "table"}
    elif not form:
        strange |= {name for _, name in kinds}
    if strange:
        raise StoreError(
            f"The store at {path} was not written by this package: its tables are not ours, or it "
            "holds triggers or views. Give another folder: Client(store=...)."
        )


def _set_journal(connection: sqlite3.Connection, *, shared: bool) -> str:
    """Set the journal's mode: WAL on a local disk, else a journal deleted after each transaction.

    WAL shares memory between processes, which two computers of a network file system cannot:
    each would read and write past the other, and the file would be damaged. Some file systems
    refuse it by themselves.
    """
    mode = _ask_journal(connection, "")
    wanted = "delete" if shared else "wal"
    if mode not in (wanted, "memory"):
        try:
            mode = _ask_journal(connection, f"={wanted}")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise
            mode = _ask_journal(connection, "=delete")
    # After a power failure WAL loses the last transactions at worst, never a part of one;
    # a deleted journal needs every write to be synced for that.
    connection.execute(f"PRAGMA synchronous={'FULL' if mode == 'delete' else 'NORMAL'}")
    return mode


def _ask_journal(connection: sqlite3.Connection, change: str) -> str:
    return str(connection.execute(f"PRAGMA journal_mode{change}").fetchone()[0])
