"""The state file: the window states of accounts in SQLite, one line each.

SQLite, so that a killed process leaves nothing half written. A line belongs to one account and
one start of the computer, for times of different starts cannot be compared. An account whose
server was found to count kinds of lists apart has a line for each. ``StoredState`` is such a
line while the file is locked for this process. The folder is 0700 and the file 0600.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import sqlite3
import stat
from collections import deque
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from plivo_analysis.http.rate_limit.window import STAMPS, WindowState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = 1
_BUSY_SECONDS = 5.0
_OLD_SECONDS = 30 * 86_400.0
_WINDOWS = """
CREATE TABLE IF NOT EXISTS window_state (
    account TEXT NOT NULL,
    origin TEXT NOT NULL,
    generation TEXT NOT NULL,
    state TEXT NOT NULL,
    written_at REAL NOT NULL,
    PRIMARY KEY (account, origin)
) STRICT
"""
_ACCOUNTS_APART = "CREATE TABLE IF NOT EXISTS apart (account TEXT PRIMARY KEY) STRICT"
_APART = "SELECT COUNT(*) FROM apart WHERE account = ?"
_PART = "INSERT OR IGNORE INTO apart VALUES (?)"
_JOIN = "DELETE FROM apart WHERE account = ?"
_READ = "SELECT generation, state FROM window_state WHERE account = ? AND origin = ?"
_OTHERS = "SELECT state FROM window_state WHERE account = ? AND origin <> ?"
_WRITE = "INSERT OR REPLACE INTO window_state VALUES (?, ?, ?, ?, ?)"
_FORGET = "DELETE FROM window_state WHERE written_at < ?"
# The last one: our own statements do not fit what is there.
_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
_BY_TICKET = ("in_flight", "queue")
_NUMBERS = (*STAMPS, "cap")


class Unusable(Exception):  # noqa: N818 - no error: the process goes on alone
    """The file cannot be read or written; the text says why."""


class Broken(Unusable):
    """What the file holds is no state file."""


class StoredState:
    """An account's line, with the file locked until it is closed.

    Args:
        path: The file. It and its folder are made where they are missing.
        account: Whose line. The file holds a digest of it only.
        origin: From where its times count.
        kind: What is listed, should this account's kinds be counted apart.

    Attributes:
        apart: Whether they are.

    Raises:
        Unusable: The file cannot be had.
        Broken: It is no state file. It was set aside unless another process replaced it already.
    """

    def __init__(self, path: Path, account: str, origin: str, kind: str = "") -> None:
        self._path = path
        self._account = _digest(account)
        self._inode = 0
        self._connection: sqlite3.Connection | None = None
        with self._explained():
            self._inode = _prepare(path)
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=rw",
                uri=True,
                timeout=_BUSY_SECONDS,
                isolation_level=None,
            )
            self._begin(self._connection)
            self.apart = bool(self._connection.execute(_APART, (self._account,)).fetchone()[0])
            own = _digest(f"{account} {kind}") if self.apart and kind else self._account
            self._line = (own, origin)

    @staticmethod
    def _begin(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA trusted_schema=OFF")
        # Only a crash of the computer can then harm the file, and after it nothing in it counts.
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN IMMEDIATE")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise Unusable(f"its form is {version}, this release knows {VERSION}")
        if version < VERSION:
            connection.execute(_WINDOWS)
            connection.execute(_ACCOUNTS_APART)
            connection.execute(f"PRAGMA user_version={VERSION}")

    def read(self) -> tuple[str, WindowState] | None:
        """The line's generation, which tells a new line from an old one, and its state."""
        with self._explained() as connection:
            line = connection.execute(_READ, self._line).fetchone()
            return None if line is None else (line[0], decode(line[1]))

    def others(self) -> list[WindowState]:
        """What the account's lines of other origins hold."""
        with self._explained() as connection:
            return [decode(state) for (state,) in connection.execute(_OTHERS, self._line)]

    def write(self, generation: str, state: WindowState, at: float) -> None:
        """Write the line, and delete those that were not written for a month.

        Args:
            generation: The line's generation.
            state: Its state.
            at: The wall clock in seconds. Should it be wrong, a line is forgotten too early,
                which is as if the file had been removed.
        """
        with self._explained() as connection:
            connection.execute(_WRITE, (*self._line, generation, encode(state), at))
            connection.execute(_FORGET, (at - _OLD_SECONDS,))
            connection.execute("COMMIT")

    def count_apart(self, apart: bool) -> None:
        """Write whether the account's kinds are counted apart."""
        with self._explained() as connection:
            connection.execute(_PART if apart else _JOIN, (self._account,))
            connection.execute("COMMIT")

    def close(self) -> None:
        """Unlock the file. What was not written is as it was."""
        if self._connection is not None:
            self._connection.close()

    @contextmanager
    def _explained(self) -> Iterator[sqlite3.Connection]:
        """Errors of SQLite and of the system as Unusable or Broken; either closes the file."""
        try:
            yield self._connection  # type: ignore[misc] # none only while it is being opened
        except (OSError, sqlite3.Error, ValueError, TypeError, KeyError, Unusable) as error:
            problem = error
        else:
            return
        self.close()
        code = getattr(problem, "sqlite_errorcode", 0) & 0xFF  # without its finer distinctions
        # What is broken is replaced; what is locked, forbidden or full stays where it is.
        if code in _CORRUPT or not isinstance(problem, (OSError, sqlite3.Error, Unusable)):
            raise self._set_aside()
        raise Unusable(getattr(problem, "strerror", None) or str(problem))

    def _set_aside(self) -> Unusable:
        aside = self._path.with_name(f"{self._path.name}.broken")
        try:
            # Only the very file that was found broken: another process may have replaced it.
            if self._path.stat().st_ino == self._inode:
                self._path.replace(aside)
                self._path.with_name(f"{self._path.name}-journal").unlink(missing_ok=True)
        except OSError as error:
            return Unusable(f"it is broken and cannot be set aside: {error.strerror}")
        return Broken(f"it was broken and lies now at {aside.name}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def encode(state: WindowState) -> str:
    """A window's state as text, without its limit.

    Example:
        >>> decode(encode(WindowState(last_finished=2.5))).last_finished
        2.5
    """
    numbers = {name: getattr(state, name) for name in _NUMBERS}
    # Pairs, since JSON would make texts of the tickets, and a dict's order is the queue's.
    by_ticket = {name: list(getattr(state, name).items()) for name in _BY_TICKET}
    finished = list(state.finished)
    return json.dumps({"finished": finished, "refusals": state.refusals, **by_ticket, **numbers})


def decode(text: str) -> WindowState:
    """The state that :func:`encode` wrote.

    Raises:
        ValueError: It did not write this (or ``TypeError`` or ``KeyError``).
    """
    stored = json.loads(text)
    state = WindowState(
        finished=deque(sorted((_time(end), int(ticket)) for end, ticket in stored["finished"])),
        refusals=int(stored["refusals"]),
    )
    for name in _BY_TICKET:
        setattr(state, name, {int(ticket): _time(at) for ticket, at in stored[name]})
    for name in _NUMBERS:
        setattr(state, name, _time(stored[name]))
    return state


def _time(value: float) -> float:
    if math.isnan(value):
        raise ValueError("a time is no number")
    return float(value)


def _prepare(path: Path) -> int:
    """Make the folder and an empty file that only the user can read; the file's number."""
    folder = path.parent
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.name == "posix":
        status = folder.stat()
        if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise Unusable("its folder belongs to others or can be written by them")
    with suppress(FileExistsError):
        # Exclusively: to close a file that SQLite has open would end its locks.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    return path.stat().st_ino
