"""The state file: what accounts sent, in SQLite, one line each.

SQLite, so that a killed process leaves nothing half written. A line belongs to one account and
one start of the computer, for times of different starts cannot be compared. ``StoredState`` is
such a line while the file is locked for this process. The folder is 0700 and the file 0600.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import sqlite3
import stat
from collections import defaultdict
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from plivo_analysis.http.rate_limit.window import BY_TICKET, STAMPS, WindowState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = 1
_BUSY_SECONDS = 5.0
_OLD_SECONDS = 30 * 86_400.0
_CREATE = """
CREATE TABLE IF NOT EXISTS account_state (
    account TEXT NOT NULL,
    origin TEXT NOT NULL,
    generation TEXT NOT NULL,
    state TEXT NOT NULL,
    written_at REAL NOT NULL,
    PRIMARY KEY (account, origin)
) STRICT
"""
_READ = "SELECT generation, state FROM account_state WHERE account = ? AND origin = ?"
_OTHERS = """
SELECT state FROM account_state WHERE account = ? AND origin <> ? ORDER BY written_at DESC
"""
_WRITE = "INSERT OR REPLACE INTO account_state VALUES (?, ?, ?, ?, ?)"
_FORGET = "DELETE FROM account_state WHERE written_at < ?"
# The last one: our own statements do not fit what is there.
_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
_NUMBERS = (*STAMPS, "cap", "refusals")


class Unusable(Exception):  # noqa: N818 - no error: the process goes on alone
    """The file cannot be read or written; the text says why."""


class Broken(Unusable):
    """What the file holds is no state file."""


@dataclass(slots=True)
class AccountState:
    """What was sent for one account.

    Args:
        windows: By what requests list. While all are counted together, all are in the first one,
            which has no name.
        apart: Whether the server was found to count requests that list different things apart.

    Example:
        >>> state = AccountState()
        >>> state.window("letters") is state.window("parcels")
        True
    """

    windows: defaultdict[str, WindowState] = field(default_factory=lambda: defaultdict(WindowState))
    apart: bool = False

    def window(self, kind: str) -> WindowState:
        """The window in which requests that list this kind of thing are counted."""
        return self.windows[kind if self.apart else ""]

    def count_apart(self, apart: bool) -> None:
        """Count kinds apart or together from now on; together, what each sent is of all."""
        if self.apart and not apart:
            together = WindowState()
            for window in self.windows.values():
                together.merge(window)
            self.windows = defaultdict(WindowState, {"": together})
        self.apart = apart

    def merge(self, other: AccountState) -> None:
        """Take in what another record of the same requests knows."""
        other.count_apart(self.apart)
        for kind, window in other.windows.items():
            self.windows[kind].merge(window)


class StoredState:
    """An account's line, with the file locked until it is closed.

    Args:
        path: The file. It and its folder are made where they are missing.
        account: Whose line. The file holds a digest of it only.
        origin: From where its times count.

    Raises:
        Unusable: The file cannot be had.
        Broken: It is no state file. It was set aside unless another process replaced it already.
    """

    def __init__(self, path: Path, account: str, origin: str) -> None:
        self._path = path
        self._line = (hashlib.sha256(account.encode()).hexdigest(), origin)
        self._inode = 0
        self._connection: sqlite3.Connection | None = None
        with self._explained():
            self._inode = _prepare(path)
            address = f"{path.absolute().as_uri()}?mode=rw"
            self._connection = connection = sqlite3.connect(
                address, uri=True, timeout=_BUSY_SECONDS, isolation_level=None
            )
            connection.execute("PRAGMA trusted_schema=OFF")
            # Only a crash of the computer can then harm the file, and after it nothing in it
            # counts.
            connection.execute("PRAGMA synchronous=OFF")
            # Locked before it is read: of two processes that both read first, one would
            # overwrite what the other has sent.
            connection.execute("BEGIN IMMEDIATE")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > VERSION:
                raise Unusable(f"its form is {version}, this release knows {VERSION}")
            if version < VERSION:
                connection.execute(_CREATE)
                connection.execute(f"PRAGMA user_version={VERSION}")

    def read(self) -> tuple[str, AccountState] | None:
        """The line's generation, which tells a new line from an old one, and its state."""
        with self._explained() as connection:
            line = connection.execute(_READ, self._line).fetchone()
            return None if line is None else (line[0], decode(line[1]))

    def others(self) -> list[AccountState]:
        """What the account's lines of other origins hold, the last written first."""
        with self._explained() as connection:
            return [decode(state) for (state,) in connection.execute(_OTHERS, self._line)]

    def write(self, generation: str, state: AccountState, at: float) -> None:
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
                # Left there, SQLite would take it for the journal of the file made next.
                self._path.with_name(f"{self._path.name}-journal").unlink(missing_ok=True)
        except OSError as error:
            return Unusable(f"it is broken and cannot be set aside: {error.strerror}")
        return Broken(f"it was broken and lies now at {aside.name}")


def encode(account: AccountState) -> str:
    """An account's state as text, without its limits.

    Example:
        >>> decode(encode(AccountState(apart=True))).apart
        True
    """
    windows = {
        kind: {name: getattr(window, name) for name in (*BY_TICKET, *_NUMBERS)}
        for kind, window in account.windows.items()
    }
    return json.dumps({"apart": account.apart, "windows": windows})


def decode(text: str) -> AccountState:
    """The state that :func:`encode` wrote.

    Raises:
        ValueError: It did not write this (or ``TypeError`` or ``KeyError``).
    """
    stored = json.loads(text)
    account = AccountState(apart=bool(stored["apart"]))
    for kind, values in dict(stored["windows"]).items():
        window = account.windows[kind]
        for name in BY_TICKET:
            times = dict(values[name]).items()
            setattr(window, name, {ticket: _number(at) for ticket, at in times})
        for name in _NUMBERS:
            setattr(window, name, _number(values[name]))
    return account


def _number(value: float) -> float:
    if math.isnan(value):  # TypeError for what is no number at all
        raise ValueError("a time is no number")
    return value


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
