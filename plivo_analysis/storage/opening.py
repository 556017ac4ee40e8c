"""How the store's file is opened: with what trust, in what mode, in which form.

SQLite in WAL mode: a page is durable in about a millisecond, several notebooks may read and
write at once, and a killed process loses nothing. Where the file system cannot share memory
(many network homes) the journal is deleted after each transaction instead.

Somebody else may have put the file there, so its schema is not trusted: it may hold no
triggers and no views, and no function of ours is there for it to call.
"""

from __future__ import annotations

import sqlite3
import time
import zlib
from typing import TYPE_CHECKING

from plivo_analysis.storage.migrations import FORMS, TABLES, VERSION, statements
from plivo_analysis.values.spans import DAY, floor

if TYPE_CHECKING:
    from pathlib import Path

BUSY_SECONDS = 60.0

_LONGEST = 64 * 2**20  # bytes of one value: no record of ours comes near
_PAUSE = 0.02  # seconds between two tries to open what others are opening too


class RefusedError(Exception):
    """The file is not for this release. It never leaves ``store``.

    Example:
        >>> str(RefusedError("is no store."))
        'is no store.'
    """


def open_file(path: Path | None) -> tuple[sqlite3.Connection, str]:
    """Open the store's file, in the present form.

    Args:
        path: The file, which is there already; ``None`` for memory.

    Returns:
        The connection and its journal mode: ``wal``, ``delete`` or ``memory``.

    Raises:
        RefusedError: It was written by a newer release, or is no store of this package.
        sqlite3.Error: SQLite cannot open it.

    Example:
        >>> connection, mode = open_file(None)
        >>> mode, connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
        ('memory', True)
        >>> connection.close()
    """
    last = time.monotonic() + BUSY_SECONDS
    while True:
        connection = _connect(path)
        try:
            return connection, _set_up(connection)
        except sqlite3.OperationalError as error:
            connection.close()
            # Changing the journal's mode does not wait for others by itself.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > last:
                raise
        except BaseException:
            connection.close()
            raise
        time.sleep(_PAUSE)


def seal(*values: object) -> int:
    """A checksum over the values of a row, which a flipped bit breaks.

    Example:
        >>> seal("sessions", 1) == seal("sessions", 2)
        False
    """
    return zlib.crc32("\0".join(map(str, values)).encode())


def _connect(path: Path | None) -> sqlite3.Connection:
    return sqlite3.connect(
        ":memory:" if path is None else path,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )


def _set_up(connection: sqlite3.Connection) -> str:
    for setting in ("trusted_schema=OFF", "cell_size_check=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {setting}")
    connection.execute("PRAGMA temp_store=MEMORY")  # numbers reach no file but the store's
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
    _refuse(connection)
    journal = _journal(connection)
    if _form(connection) < VERSION:
        _bring_up(connection)
    return journal


def _form(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _refuse(connection: sqlite3.Connection) -> None:
    form = _form(connection)
    if form > VERSION:
        raise RefusedError(
            f"was written by a newer release (its form is {form}, this release knows {VERSION}). "
            "Upgrade plivo_analysis, or give another folder: Client(store=...)."
        )
    kinds = connection.execute("SELECT type, name FROM sqlite_schema").fetchall()
    strange = {name for kind, name in kinds if kind not in ("table", "index")}
    if form == VERSION:
        strange |= TABLES - {name for kind, name in kinds if kind == "table"}
    elif not form:
        strange |= {name for _, name in kinds}
    if strange:
        raise RefusedError(
            "was not written by this package: its tables are not ours, or it holds triggers or "
            "views. Give another folder: Client(store=...)."
        )


def _journal(connection: sqlite3.Connection) -> str:
    """The journal's mode: WAL where it is there or can be had."""
    mode = _ask_journal(connection, "")
    if mode in ("wal", "memory"):
        connection.execute("PRAGMA synchronous=NORMAL")
        return mode
    try:
        mode = _ask_journal(connection, "=WAL")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise
        mode = _ask_journal(connection, "=DELETE")
    connection.execute(f"PRAGMA synchronous={'NORMAL' if mode == 'wal' else 'FULL'}")
    return mode


def _ask_journal(connection: sqlite3.Connection, change: str) -> str:
    return str(connection.execute(f"PRAGMA journal_mode{change}").fetchone()[0])


def _bring_up(connection: sqlite3.Connection) -> None:
    """Bring an older file, or an empty one, to the present form: wholly, or not at all."""
    connection.create_function("seal", -1, seal, deterministic=True)
    connection.create_function("day_of", 1, lambda us: floor(us, DAY), deterministic=True)
    connection.execute("BEGIN IMMEDIATE")
    try:
        for number in range(_form(connection), VERSION):
            for statement in statements(FORMS[number]):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
    finally:
        connection.create_function("seal", -1, None)
        connection.create_function("day_of", 1, None)
